/** All scripts once: one after the other or all at once, every failure collected (regbot description, 4.1). */
import { Effect } from "effect"
import { ScriptsFailed } from "../../schemas/ScriptError.ts"
import { Failures } from "../daemon/failures.ts"
import { named, type ScriptJob } from "./load.ts"
import { runScript } from "./runScript.ts"
import { threads } from "./shared.ts"

export interface RunOptions {
  /** Above 0, scripts run at once. */
  readonly parallel: number
  readonly isDry: boolean
}

/** Fails with what scripts failed with; with `ScriptExit` as soon as one asks for the end, the others interrupted. */
export const runScripts = Effect.fn("regbot run")(
  function*(jobs: ReadonlyArray<ScriptJob>, { isDry, parallel }: RunOptions) {
    const failures = new Failures()
    const one = (job: ScriptJob) =>
      Effect.catchTag(
        runScript(job, isDry),
        "ScriptError",
        ({ message, reason }) =>
          Effect.sync(() => failures.add(jobs.length > 1 ? named(job, message) : message, reason._tag))
      )
    yield* Effect.forEach(jobs, one, { concurrency: parallel > 0 ? threads : 1, discard: true })
    const summary = failures.summary()
    yield* summary === undefined ? Effect.void : Effect.fail(new ScriptsFailed(summary))
  }
)
