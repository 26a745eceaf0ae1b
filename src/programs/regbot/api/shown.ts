/** Lets those who watch, such as the status page, see what a script writes; tells what it would have taken in a dry run. */
import { Cause, Clock, Effect, Exit, Stream } from "effect"
import type { CopyEvent } from "../../../schemas/Copy.ts"
import { type PairResult, SyncEvent } from "../../../schemas/Sync.ts"
import { Journal } from "../../../services/Journal.ts"
import { Progress } from "../../../services/Progress.ts"
import { SyncEvents } from "../../../services/SyncEvents.ts"
import { reasonOf } from "../../cli/report.ts"
import { ScriptRun } from "../ScriptRun.ts"

/** Where content comes from, and what it is written to. */
export interface Ends {
  readonly source: string
  readonly target: string
}

/** Publishes beginning, steps and end of what writes an image; `what` names it in the log of a dry run. */
export const shown = (what: string, ends: Ends) => <A, E, R>(writing: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { isDry, script: job } = yield* ScriptRun
    const { publish } = yield* SyncEvents
    const began = yield* Clock.currentTimeMillis
    let [bytes, saved, isNew] = [0, 0, false]
    const hear = (event: CopyEvent) => {
      if (event._tag === "Finished") {
        isNew ||= event.how === "copied" || event.how === "mounted"
        if (event.how === "copied") bytes += event.step.descriptor.size
        else saved += event.step.descriptor.size
      }
      return publish(SyncEvent.Copying({ job, target: ends.target, event }))
    }
    const { report } = yield* Progress
    const progress = Progress.of({
      report: (events) => isDry ? Stream.runDrain(events) : report(Stream.tap(events, hear))
    })
    yield* publish(SyncEvent.PairStarted({ job, ...ends, time: began }))
    const written = Effect.provideService(writing, Progress, progress)
    return yield* Effect.onExit(
      isDry ? dryRun(what, job, ends)(written) : written,
      (exit) =>
        Effect.flatMap(Clock.currentTimeMillis, (time) => {
          const outcome = outcomeOf(exit, isDry ? "stale" : isNew ? "copied" : "current")
          return publish(SyncEvent.PairEnded({
            time,
            result: { job, ...ends, ...outcome, bytes, saved, began, elapsed: time - began }
          }))
        })
    )
  })

const outcomeOf = (
  exit: Exit.Exit<unknown, unknown>,
  outcome: PairResult["outcome"]
): Pick<PairResult, "outcome" | "error" | "reason"> => {
  if (Exit.isSuccess(exit)) return { outcome }
  if (Cause.hasInterruptsOnly(exit.cause)) return { outcome: "failed", error: "context canceled", reason: "Canceled" }
  const error = Cause.squash(exit.cause)
  return { outcome: "failed", error: error instanceof Error ? error.message : String(error), reason: reasonOf(error) }
}

/** Sums up what was not written. */
const dryRun = (what: string, script: string, ends: Ends) => <A, E, R>(writing: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const sum = { blobs: 0, manifests: 0, mounts: 0, bytes: 0, requests: 0 }
    const done = yield* Effect.provideService(writing, Journal, {
      record: ({ bytes, operation, requests }) =>
        Effect.sync(() => {
          if (operation === "putBlob") sum.blobs++
          if (operation === "putManifest") sum.manifests++
          if (operation === "mountBlob") sum.mounts++
          sum.bytes += bytes
          sum.requests += requests
        })
    })
    yield* Effect.annotateLogs(Effect.logDebug(`Dry run of ${what}`), { script, ...ends, ...sum })
    return done
  })
