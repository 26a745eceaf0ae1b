/** `regsync check`: what `once` would do; nothing is written anywhere (regsync description, 10.3). */
import { Effect } from "effect"
import { load } from "./load.ts"
import { oneRun } from "./oneRun.ts"

interface Input {
  readonly abortOnError: boolean
  readonly config: string
  /** Exit status 2 when something is stale. */
  readonly exitCode: boolean
  readonly output: string
  readonly report: string
  readonly strict: boolean
}

export const run = Effect.fn("regsync check")(function*(input: Input) {
  const { abortOnError, config, exitCode, output, report, strict } = input
  const loaded = yield* load(config, { strict })
  yield* oneRun(loaded, { action: "check", abortOnError, exitCode, output, report })
})
