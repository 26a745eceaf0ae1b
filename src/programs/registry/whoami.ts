/** `regctl registry whoami`: the user of the login kept in regctl's configuration file, or of its credential helper. */
import { Console, Effect, Option, Redacted } from "effect"
import { toHost } from "../../schemas/HostEntry.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { CredentialHelpers } from "../../services/CredentialHelpers.ts"
import { find, registryOf } from "./entry.ts"

export interface Input {
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("registry whoami")(function*({ args }: Input) {
  const given = registryOf(args)
  const config = yield* (yield* ConfigFile).load
  const found = find(config, given)
  const user = found === undefined ? "" : yield* userOf(found)
  if (user === "") return yield* new UsageError({ message: `no login found for ${given}` })
  yield* Console.log(user)
})

const userOf = Effect.fnUntraced(function*({ entry, name }: NonNullable<ReturnType<typeof find>>) {
  const { credExpire, credHost } = toHost(name, entry, true)
  const helped = entry.credHelper === undefined
    ? Option.none()
    : yield* (yield* CredentialHelpers).get({ program: entry.credHelper, server: credHost, expire: credExpire })
  if (Option.isSome(helped)) return helped.value.identityToken === undefined ? helped.value.username : "<token>"
  if (entry.user !== undefined && entry.user !== "") return entry.user
  return entry.token !== undefined && Redacted.value(entry.token) !== "" ? "<token>" : ""
})
