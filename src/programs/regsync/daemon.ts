/**
 * Entries on their timetables, until told to end: a first pass for what is missing, then each at its times, never one
 * over itself (regsync description, 10.4). Takes over another configuration without a stop.
 */
import { Clock, Effect, FiberMap, Semaphore } from "effect"
import type { RegsyncConfig } from "../../schemas/RegsyncConfig.ts"
import { type Job, SyncEvent, type SyncFailed } from "../../schemas/Sync.ts"
import type { ClientSettings } from "../../services/Clients.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { makeAttempts, type Problem, type Work } from "./attempts.ts"
import { fieldsOf, sift, type Tended } from "./tended.ts"

export interface Configured {
  readonly config: RegsyncConfig
  readonly jobs: ReadonlyArray<Job>
  readonly client: ClientSettings
  readonly parallel: number
}

export interface Changes {
  readonly added: number
  readonly removed: number
  readonly kept: number
}

export interface Daemon {
  /** What stays the same keeps its run and its times, what is new begins with a first pass, what is gone ends soon. */
  readonly adopt: (configured: Configured) => Effect.Effect<Changes>
  /** Runs an entry apart from its times, unless it is at work; does not wait for its end. */
  readonly runNow: (name: string) => Effect.Effect<"started" | "running">
  /** In the order of the file; those that are gone follow while they run. */
  readonly entries: () => ReadonlyArray<Tended>
  /** Succeeds when an error shall end the daemon. */
  readonly aborted: Effect.Effect<void>
  /** Nothing more begins and what runs is interrupted; fails with what went wrong in the daemon's life. */
  readonly stop: Effect.Effect<void, SyncFailed>
}

/** A daemon without a configuration yet; all it does ends with the scope. */
export const makeDaemon = Effect.fnUntraced(function*(work: Work) {
  const { publish } = yield* SyncEvents
  const attempts = yield* makeAttempts(work)
  const timers = yield* makeTimers(attempts.fire)
  const order = yield* Semaphore.make(1)
  let entries: ReadonlyArray<Tended> = []
  /** First passes that have not ended. */
  let passes = 0
  let isReady = false
  const ready = Effect.flatMap(Clock.currentTimeMillis, (time) => publish(SyncEvent.Ready({ time })))

  const first = (it: Tended) =>
    Effect.gen(function*() {
      if (it.isGone) return
      yield* Effect.flatMap(register(it), attempts.remember)
      if (it.schedule !== "") yield* attempts.first(it)
    })

  /** The first pass over entries that are new; what would be due meanwhile is not made up for. */
  const begin = Effect.fnUntraced(function*(added: ReadonlyArray<Tended>, parallel: number) {
    // Unbounded: entries wait for places and limits of their own, and none may hold back another.
    const concurrency = parallel > 0 ? "unbounded" : 1
    const inTurn = parallel > 0 ? first : (it: Tended) => order.withPermit(first(it))
    yield* Effect.forEach(added, inTurn, { concurrency, discard: true })
    yield* Effect.forEach(added, timers.keep, { discard: true })
    passes--
    if (isReady || passes > 0) return
    isReady = true
    yield* ready
  })

  const adopt = Effect.fnUntraced(function*({ client, config, jobs, parallel }: Configured) {
    yield* attempts.replaceClient(client)
    yield* work.resize(parallel)
    const { added, gone, now } = sift(entries.filter(({ isGone }) => !isGone), jobs)
    for (const it of gone) it.isGone = true
    yield* Effect.forEach(gone, timers.drop, { discard: true })
    entries = [...now, ...entries.filter(isInSight).filter(({ isGone }) => isGone)]
    yield* publish(SyncEvent.Configured({ config, jobs }))
    // Who listens since this reload only has heard of neither.
    if (isReady) yield* ready
    for (const it of now) if (it.next !== undefined) yield* publish(scheduled(it))
    passes++
    yield* attempts.fork(begin(added, parallel))
    return { added: added.length, removed: gone.length, kept: now.length - added.length }
  })

  const runNow = Effect.fnUntraced(function*(name: string) {
    const it = entries.find(({ isGone, job }) => !isGone && job.name === name)
    return it !== undefined && (yield* attempts.fire(it)) ? "started" : "running"
  })

  const stop = Effect.gen(function*() {
    if (isReady) yield* Effect.logInfo("Stopping server")
    yield* timers.end
    if (isReady) yield* Effect.logDebug("Waiting on running tasks")
    yield* attempts.end
  })
  const daemon: Daemon = { adopt, aborted: attempts.aborted, entries: () => entries.filter(isInSight), runNow, stop }
  return daemon
})

const isInSight = ({ isGone, running }: Tended): boolean => !isGone || running !== undefined

/** The times of entries, each kept apart so that one can end. */
const makeTimers = Effect.fnUntraced(function*(fire: (it: Tended) => Effect.Effect<boolean>) {
  const events = yield* SyncEvents
  const scheduler = yield* Scheduler
  const timers = yield* FiberMap.make<Tended, void>()
  return {
    keep: (it: Tended) => {
      const { isGone, job: { name }, timetable } = it
      if (isGone || timetable === undefined) return Effect.void
      const timed = scheduler.run([{
        name,
        next: timetable.next,
        run: Effect.asVoid(fire(it)),
        scheduled: (next) => {
          it.next = next
          return events.publish(scheduled(it))
        }
      }])
      return Effect.asVoid(FiberMap.run(timers, it, timed))
    },
    drop: (it: Tended) => FiberMap.remove(timers, it),
    end: FiberMap.clear(timers)
  }
})

const scheduled = ({ job, next }: Tended): SyncEvent =>
  SyncEvent.Scheduled({ job: job.name, ...(next === undefined ? {} : { next }) })

/** Says when an entry is due; gives what is wrong with its timetable. */
const register = Effect.fnUntraced(function*(it: Tended): Effect.fn.Return<ReadonlyArray<Problem>> {
  const { problem, schedule: sched } = it
  const { source, target, type } = fieldsOf(it)
  if (sched === "") {
    yield* Effect.annotateLogs(Effect.logError("No schedule or interval found, ignoring"), { source, target, type })
    return []
  }
  yield* Effect.annotateLogs(Effect.logDebug("Scheduled task"), { source, target, type, sched })
  if (problem === undefined) return []
  yield* Effect.annotateLogs(Effect.logError("Failed to schedule cron"), { source, target, sched, err: problem })
  return [{ text: problem, reason: "ConfigInvalid" }]
})
