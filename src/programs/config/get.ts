/** `regctl config get`: regctl's own configuration file, without secrets. */
import { Effect } from "effect"
import { secretKeys } from "../../schemas/HostEntry.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { Formatter } from "../../services/Formatter.ts"
import { configView } from "../views/config.ts"

export interface Input {
  readonly format: string
}

export const run = Effect.fn("config get")(function*({ format }: Input) {
  const file = yield* ConfigFile
  const config = yield* file.load
  yield* (yield* Formatter).write(format, configView(yield* file.path, config, secretKeys))
})
