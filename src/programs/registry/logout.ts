/** `regctl registry logout`: forgets the login kept in regctl's configuration file; docker's own stays. */
import { Effect } from "effect"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { find, named, registryOf, withEntry } from "./entry.ts"

export interface Input {
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("registry logout")(function*({ args }: Input) {
  const given = registryOf(args)
  yield* named(given)
  const file = yield* ConfigFile
  const config = yield* file.load
  const found = find(config, given)
  if (found === undefined) {
    return yield* Effect.logWarning("No configuration/credentials found").pipe(
      Effect.annotateLogs({ registry: given })
    )
  }
  const { pass: _pass, token: _token, user: _user, ...rest } = found.entry
  yield* file.save(withEntry(config, found.name, rest))
})
