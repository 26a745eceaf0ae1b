/** One run of one script, from its first line in the log to its last (regbot description, 4.3 and 11). */
import { Cause, Clock, Effect, Exit } from "effect"
import { ScriptError, type ScriptExit } from "../../schemas/ScriptError.ts"
import { SyncEvent } from "../../schemas/Sync.ts"
import { Journal } from "../../services/Journal.ts"
import { LuaEngine } from "../../services/LuaEngine.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { Sent } from "../copy/sent.ts"
import { checkSkipped } from "../skipped.ts"
import { hostOf } from "./api/host.ts"
import type { ScriptJob } from "./load.ts"
import { makePlaces } from "./openPlaces.ts"
import { ScriptRun } from "./ScriptRun.ts"
import { Shared } from "./shared.ts"

/** Lines of `log` that a run may print (faults S13). */
const mostLines = 100_000

/** Lists with names left out that a run remembers. */
const mostSkips = 100

/**
 * Runs the script in a thread of its own. Fails with what it raised and did not catch, or with `ScriptExit`; all that it
 * opened is closed by then.
 */
export const runScript = Effect.fn("regbot script")(function*(job: ScriptJob, isDry: boolean) {
  const { name: script } = job.entry
  const told = Effect.annotateLogs({ script })
  const warn = (error: string) => told(Effect.annotateLogs(Effect.logWarning("Error running script"), { error }))
  yield* told(Effect.logDebug("Starting script"))
  yield* Effect.scoped(work(job, isDry)).pipe(
    Effect.catchDefect((defect) => failureOfDefect(script, defect)),
    Effect.tapErrorTag(
      "ScriptError",
      ({ message, reason }) =>
        Effect.andThen(reason.defect === undefined ? Effect.void : crashed(script, reason.detail), warn(message))
    ),
    Effect.onInterrupt(() => warn("context canceled")),
    watched(job.name)
  )
  yield* told(Effect.logDebug("Finished script"))
})

const work = Effect.fnUntraced(function*({ entry, name, source }: ScriptJob, isDry: boolean) {
  const { run } = yield* LuaEngine
  const { throttled } = yield* Shared
  const events = yield* SyncEvents
  const places = yield* makePlaces
  const { sandbox: isSandboxed = false, timeout } = entry
  const told = Effect.annotateLogs({ script: entry.name })
  let lines = 0
  const skips = new Map<string, number>()
  const scriptRun = ScriptRun.of({
    ...places,
    script: entry.name,
    isDry,
    isSandboxed,
    throttled,
    noteSkipped: (operation, { skipped = 0 }) => {
      if (skipped > 0 && skips.size < mostSkips) skips.set(operation, skipped)
    },
    mayLog: () => {
      lines = Math.min(lines + 1, mostLines + 2)
      return lines <= mostLines ? "yes" : lines === mostLines + 1 ? "last" : "no"
    }
  })
  yield* run({ name: entry.name, source, timeout, isSandboxed }, hostOf).pipe(
    Effect.provideService(ScriptRun, scriptRun),
    Effect.provideService(Journal, {
      record: (write) => told(Effect.annotateLogs(Effect.logDebug("Skipped in dry run"), { ...write }))
    }),
    // A script may delete what it copied, and copy it again.
    Effect.provideService(Sent, undefined),
    // Scripts may share a name, those who watch know each by its own.
    Effect.provideService(SyncEvents, {
      ...events,
      publish: (event) => events.publish(renamed(event, name))
    })
  )
  yield* Effect.mapError(
    Effect.forEach(skips, ([operation, skipped]) => checkSkipped(operation, { skipped }), { discard: true }),
    ({ message }) => new ScriptError({ script: entry.name, reason: { _tag: "ReferenceInvalid", detail: message } })
  )
})

/** A fault of ours is a failure of the script: the others go on. */
const crashed = (script: string, error: string) =>
  Effect.annotateLogs(Effect.logError("Runtime error from script"), { script, error })

const failureOfDefect = (script: string, defect: unknown) => {
  const detail = defect instanceof Error ? defect.message : String(defect)
  return Effect.fail(new ScriptError({ script, reason: { _tag: "ScriptError", detail, defect } }))
}

/** Tells those who watch of the beginning and the end. */
const watched = (job: string) => <R>(run: Effect.Effect<void, ScriptError | ScriptExit, R>) =>
  Effect.gen(function*() {
    const { publish } = yield* SyncEvents
    const began = yield* Clock.currentTimeMillis
    yield* publish(SyncEvent.JobStarted({ job, action: "run", time: began }))
    yield* Effect.onExit(run, (exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (time) =>
        publish(SyncEvent.JobEnded({ job, elapsed: time - began, time, ...failureOf(exit) }))))
  })

const failureOf = (exit: Exit.Exit<void, ScriptError | ScriptExit>) => {
  if (Exit.isSuccess(exit)) return { failures: 0 }
  const error = Cause.hasInterruptsOnly(exit.cause) ? undefined : Cause.squash(exit.cause)
  if (error instanceof ScriptError) return { failures: 1, error: error.message, reason: error.reason._tag }
  return error === undefined ? { failures: 1, error: "context canceled", reason: "Canceled" } : { failures: 0 }
}

const renamed = (event: SyncEvent, job: string): SyncEvent =>
  event._tag === "PairEnded"
    ? { ...event, result: { ...event.result, job } }
    : "job" in event
    ? { ...event, job }
    : event
