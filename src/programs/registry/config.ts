/** `regctl registry config`: regctl's configuration file, or one host of it, without secrets. */
import { Effect, Option } from "effect"
import { type HostEntry, secretKeys, toHost } from "../../schemas/HostEntry.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { CredentialHelpers } from "../../services/CredentialHelpers.ts"
import { Formatter } from "../../services/Formatter.ts"
import { configView, hostView } from "../views/config.ts"
import { find } from "./entry.ts"

export interface Input {
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("registry config")(function*({ args, format }: Input) {
  const file = yield* ConfigFile
  const config = yield* file.load
  const formatter = yield* Formatter
  const [given] = args
  if (given === undefined) return yield* formatter.write(format, configView(yield* file.path, config, secretKeys))
  const found = find(config, given)
  if (found === undefined) {
    return yield* Effect.logWarning("No configuration found for registry").pipe(
      Effect.annotateLogs({ registry: given })
    )
  }
  yield* formatter.write(format, hostView(found.name, yield* withHelper(found.name, found.entry), secretKeys))
})

/** The user is the helper's where there is one that answers. */
const withHelper = Effect.fnUntraced(function*(name: string, entry: HostEntry) {
  const program = entry.credHelper
  if (program === undefined || program === "") return entry
  const { credExpire, credHost } = toHost(name, entry, true)
  const answer = yield* (yield* CredentialHelpers).get({ program, server: credHost, expire: credExpire })
  return {
    ...entry,
    credExpire,
    ...(Option.isSome(answer) ? { user: answer.value.username } : {})
  }
})
