/**
 * Entries on their timetables, until told to end: a first pass where there is one, then each at its times, never one
 * over itself (regsync description, 10.4; regbot description, 4.2). Takes over another configuration without a stop.
 */
import { Clock, Effect, FiberMap, Semaphore } from "effect"
import type { ServerSettings } from "../../schemas/ServerSettings.ts"
import { SyncEvent, type Task, type Watched } from "../../schemas/Sync.ts"
import type { ClientSettings } from "../../services/Clients.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { makeAttempts, type Problem, type Work } from "./attempts.ts"
import { sift, type Tended } from "./tended.ts"

export interface Configured<J> {
  readonly config: { readonly server: ServerSettings }
  readonly jobs: ReadonlyArray<J>
  readonly client: ClientSettings
  readonly parallel: number
}

export interface Changes {
  readonly added: number
  readonly removed: number
  readonly kept: number
}

export interface Daemon<J = never, E = never> {
  /** What stays the same keeps its run and its times, what is new begins with a first pass, what is gone ends soon. */
  readonly adopt: (configured: Configured<J>) => Effect.Effect<Changes>
  /** Runs an entry apart from its times, unless it is at work; does not wait for its end. */
  readonly runNow: (name: string) => Effect.Effect<"started" | "running">
  /** In the order of the file; those that are gone follow while they run. */
  readonly entries: () => ReadonlyArray<Tended>
  /** Ends when an error shall end the daemon: fails with one that counts alone. */
  readonly aborted: Effect.Effect<void, E>
  /** Nothing more begins and what runs is interrupted; fails with what went wrong in the daemon's life. */
  readonly stop: Effect.Effect<void, E>
}

/** A daemon without a configuration yet; all it does ends with the scope. */
export const makeDaemon = Effect.fnUntraced(function*<J, A extends Task, E>(work: Work<J, A, E>) {
  const { publish } = yield* SyncEvents
  const attempts = yield* makeAttempts(work)
  const timers = yield* makeTimers(attempts.fire)
  const order = yield* Semaphore.make(1)
  let entries: ReadonlyArray<Tended<J>> = []
  /** First passes that have not ended. */
  let passes = 0
  let isReady = false
  const ready = Effect.flatMap(Clock.currentTimeMillis, (time) => publish(SyncEvent.Ready({ time })))

  const first = (it: Tended<J>) =>
    Effect.gen(function*() {
      if (it.isGone) return
      yield* Effect.flatMap(register(it), attempts.remember)
      if (it.about.schedule !== "" && work.first !== undefined) yield* attempts.first(it, work.first)
    })

  /** The first pass over entries that are new; what would be due meanwhile is not made up for. */
  const begin = Effect.fnUntraced(function*(added: ReadonlyArray<Tended<J>>, parallel: number) {
    // Unbounded: entries wait for places and limits of their own, and none may hold back another.
    const concurrency = parallel > 0 ? "unbounded" : 1
    const inTurn = parallel > 0 ? first : (it: Tended<J>) => order.withPermit(first(it))
    yield* Effect.forEach(added, inTurn, { concurrency, discard: true })
    yield* Effect.forEach(added, timers.keep, { discard: true })
    passes--
    if (isReady || passes > 0) return
    isReady = true
    yield* ready
  })

  const adopt = Effect.fnUntraced(function*({ client, jobs, parallel }: Configured<J>) {
    yield* attempts.replaceClient(client)
    yield* work.resize(parallel)
    const { added, gone, now } = sift(entries.filter(({ isGone }) => !isGone), jobs, work.describe)
    for (const it of gone) it.isGone = true
    yield* Effect.forEach(gone, timers.drop, { discard: true })
    entries = [...now, ...entries.filter(isInSight).filter(({ isGone }) => isGone)]
    yield* publish(SyncEvent.Configured({ jobs: now.map(({ about }) => watchedOf(about)) }))
    // Who listens since this reload only has heard of neither.
    if (isReady) yield* ready
    for (const it of now) if (it.next !== undefined) yield* publish(scheduled(it))
    passes++
    yield* attempts.fork(begin(added, parallel))
    return { added: added.length, removed: gone.length, kept: now.length - added.length }
  })

  const runNow = Effect.fnUntraced(function*(name: string) {
    const it = entries.find(({ about, isGone }) => !isGone && about.name === name)
    return it !== undefined && (yield* attempts.fire(it)) ? "started" : "running"
  })

  const stop = Effect.gen(function*() {
    if (isReady) yield* Effect.logInfo("Stopping server")
    yield* timers.end
    if (isReady) yield* Effect.logDebug("Waiting on running tasks")
    yield* attempts.end
  })
  const daemon: Daemon<J, E> = {
    adopt,
    aborted: attempts.aborted,
    entries: () => entries.filter(isInSight),
    runNow,
    stop
  }
  return daemon
})

const isInSight = ({ isGone, running }: Tended): boolean => !isGone || running !== undefined

/** The times of entries, each kept apart so that one can end. */
const makeTimers = Effect.fnUntraced(function*<J>(fire: (it: Tended<J>) => Effect.Effect<boolean>) {
  const events = yield* SyncEvents
  const scheduler = yield* Scheduler
  const timers = yield* FiberMap.make<Tended<J>, void>()
  return {
    keep: (it: Tended<J>) => {
      const { about: { name }, isGone, timetable } = it
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
    drop: (it: Tended<J>) => FiberMap.remove(timers, it),
    end: FiberMap.clear(timers)
  }
})

const watchedOf = ({ name, schedule, source, target, type }: Watched): Watched => ({
  name,
  source,
  target,
  type,
  schedule
})

const scheduled = ({ about, next }: Tended): SyncEvent =>
  SyncEvent.Scheduled({ job: about.name, ...(next === undefined ? {} : { next }) })

/** Says when an entry is due; gives what is wrong with its timetable. */
const register = Effect.fnUntraced(function*(it: Tended): Effect.fn.Return<ReadonlyArray<Problem>> {
  const { about: { fields, names, prefix = "", schedule: sched }, problem } = it
  if (sched === "") {
    yield* Effect.annotateLogs(Effect.logError("No schedule or interval found, ignoring"), fields)
    return []
  }
  yield* Effect.annotateLogs(Effect.logDebug("Scheduled task"), { ...fields, sched })
  if (problem === undefined) return []
  yield* Effect.annotateLogs(Effect.logError("Failed to schedule cron"), { ...names, sched, err: problem })
  return [{ text: `${prefix}${problem}`, reason: "ConfigInvalid" }]
})
