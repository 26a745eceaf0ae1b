/** `regsync once`: every entry once, whatever its schedule (regsync description, 10.2). */
import { Effect } from "effect"
import { load } from "./load.ts"
import { oneRun } from "./oneRun.ts"

interface Input {
  readonly abortOnError: boolean
  readonly config: string
  /** Only what the target has not. */
  readonly missing: boolean
  readonly output: string
  readonly report: string
  readonly strict: boolean
}

export const run = Effect.fn("regsync once")(function*(input: Input) {
  const { abortOnError, config, missing, output, report, strict } = input
  const loaded = yield* load(config, { strict })
  yield* oneRun(loaded, { action: missing ? "missing" : "copy", abortOnError, output, report })
})
