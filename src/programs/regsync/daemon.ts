/**
 * Entries on their timetables, until told to end: a first pass for what is missing, then each at its times, never one
 * over itself (regsync description, 10.4). Takes over another configuration without a stop.
 */
import { Cause, Clock, type Context, Deferred, Effect, FiberMap, FiberSet, Semaphore } from "effect"
import type { RegsyncConfig } from "../../schemas/RegsyncConfig.ts"
import { type Action, type Job, SyncEvent, type SyncFailed } from "../../schemas/Sync.ts"
import type { Client, ClientSettings } from "../../services/Clients.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { Failures } from "./failures.ts"
import { makeGenerations } from "./generations.ts"
import { sift, type Tended } from "./tended.ts"

export interface Configured {
  readonly config: RegsyncConfig
  readonly jobs: ReadonlyArray<Job>
  readonly client: ClientSettings
  readonly parallel: number
}

/** One run over one entry. */
export interface Attempt {
  readonly job: Job
  readonly action: Action
  readonly client: Context.Context<Client>
  /** Whether the entry is still configured: if not, the run ends after the image at work. */
  readonly isWanted: () => boolean
}

export interface Work {
  readonly perform: (attempt: Attempt) => Effect.Effect<void, SyncFailed>
  /** How many copies may run at once, whenever a configuration takes over. */
  readonly resize: (parallel: number) => Effect.Effect<void>
  /** The first error ends the daemon. */
  readonly abortOnError: boolean
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

/** A daemon without a configuration yet; its runs and clients end with the scope. */
export const makeDaemon = Effect.fnUntraced(function*({ abortOnError, perform, resize }: Work) {
  const events = yield* SyncEvents
  const scheduler = yield* Scheduler
  const clients = yield* makeGenerations
  const runs = yield* FiberSet.make<void>()
  const timers = yield* FiberMap.make<Tended, void>()
  const order = yield* Semaphore.make(1)
  const aborted = yield* Deferred.make<void>()
  const failures = new Failures()
  let entries: ReadonlyArray<Tended> = []
  let isReady = false

  const fail = (problems: ReadonlyArray<Problem>) =>
    Effect.suspend(() => {
      for (const { reason, text } of problems) failures.add(text, reason)
      if (!abortOnError || problems.length === 0) return Effect.void
      // What would come next must not begin before the end.
      return Effect.andThen(Deferred.succeed(aborted, undefined), Effect.never)
    })

  const run = (it: Tended, action: Action): Effect.Effect<void> =>
    Effect.gen(function*() {
      const { job } = it
      it.running = { name: job.name, action, since: yield* Clock.currentTimeMillis }
      yield* clients.use((client) => perform({ job, action, client, isWanted: () => !it.isGone }))
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        it.running = undefined
        if (it.isGone) entries = entries.filter((other) => other !== it)
      })),
      Effect.catchCause((cause) => Effect.flatMap(problemsOf(cause), fail))
    )

  /** The first pass waits for a run of the entry's former settings. */
  const first = (it: Tended) =>
    Effect.andThen(
      Effect.flatMap(register(it), fail),
      it.schedule === ""
        ? Effect.void
        : it.turn.withPermit(Effect.suspend(() => it.isGone ? Effect.void : run(it, "missing")))
    )

  /** Apart from who asks, so that it goes on when a timer ends; tells whether it begins. */
  const fire = Effect.fnUntraced(function*(it: Tended) {
    const begins = yield* Deferred.make<boolean>()
    const work = Effect.andThen(Deferred.succeed(begins, true), Effect.andThen(logRunning(it), run(it, "copy")))
    yield* FiberSet.run(
      runs,
      Effect.andThen(it.turn.withPermitsIfAvailable(1)(work), Effect.asVoid(Deferred.succeed(begins, false)))
    )
    return yield* Deferred.await(begins)
  })

  const keepTimes = ({ next }: NonNullable<Tended["timetable"]>, it: Tended) =>
    FiberMap.run(
      timers,
      it,
      scheduler.run([{
        name: it.job.name,
        next,
        run: Effect.asVoid(fire(it)),
        scheduled: (next) => {
          it.next = next
          return events.publish(scheduled(it))
        }
      }])
    )

  const begin = Effect.fnUntraced(function*(added: ReadonlyArray<Tended>, parallel: number) {
    // Unbounded: entries wait for places and limits of their own, and none may hold back another.
    const concurrency = parallel > 0 ? "unbounded" : 1
    const inTurn = parallel > 0 ? first : (it: Tended) => order.withPermit(first(it))
    yield* Effect.forEach(added, inTurn, { concurrency, discard: true })
    for (const it of added) if (it.timetable !== undefined && !it.isGone) yield* keepTimes(it.timetable, it)
    if (isReady) return
    isReady = true
    yield* events.publish(SyncEvent.Ready({ time: yield* Clock.currentTimeMillis }))
  })

  const adopt = Effect.fnUntraced(function*({ client, config, jobs, parallel }: Configured) {
    yield* clients.replace(client)
    yield* resize(parallel)
    const { added, gone, now } = sift(entries.filter(({ isGone }) => !isGone), jobs)
    for (const it of gone) {
      it.isGone = true
      yield* FiberMap.remove(timers, it)
    }
    entries = [...now, ...entries.filter((it) => it.isGone && it.running !== undefined)]
    yield* events.publish(SyncEvent.Configured({ config, jobs }))
    // Who listens since this reload only has not heard of it.
    if (isReady) yield* events.publish(SyncEvent.Ready({ time: yield* Clock.currentTimeMillis }))
    for (const it of now) if (it.next !== undefined) yield* events.publish(scheduled(it))
    yield* FiberSet.run(runs, begin(added, parallel))
    return { added: added.length, removed: gone.length, kept: now.length - added.length }
  })

  const runNow = (name: string) =>
    Effect.suspend(() => {
      const it = entries.find(({ isGone, job }) => !isGone && job.name === name)
      return it === undefined
        ? Effect.succeed("running" as const)
        : Effect.map(fire(it), (begins) => begins ? "started" as const : "running" as const)
    })

  const stop = Effect.gen(function*() {
    if (isReady) yield* Effect.logInfo("Stopping server")
    yield* FiberMap.clear(timers)
    if (isReady) yield* Effect.logDebug("Waiting on running tasks")
    yield* FiberSet.clear(runs)
    const summary = failures.summary()
    if (summary !== undefined) return yield* summary
  })
  const daemon: Daemon = { adopt, aborted: Deferred.await(aborted), entries: () => entries, runNow, stop }
  return daemon
})

interface Problem {
  readonly text: string
  readonly reason: string
}

const fieldsOf = ({ job: { entry: { source, target, type } } }: Tended) => ({ source, target, type })

const scheduled = ({ job, next }: Tended): SyncEvent =>
  SyncEvent.Scheduled({ job: job.name, ...(next === undefined ? {} : { next }) })

const logRunning = (it: Tended) => Effect.annotateLogs(Effect.logDebug("Running task"), fieldsOf(it))

/** Says when an entry is due; gives what is wrong with its timetable. */
const register = Effect.fnUntraced(function*(it: Tended) {
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

/** What is remembered of a run; that it was interrupted is not. */
const problemsOf = Effect.fnUntraced(function*(cause: Cause.Cause<SyncFailed>) {
  const failed = cause.reasons.filter(Cause.isFailReason).flatMap(({ error: { messages, reason } }) =>
    messages.map((text): Problem => ({ text, reason: reason?._tag ?? "SyncFailed" }))
  )
  const defects = cause.reasons.filter(Cause.isDieReason).map(({ defect }): Problem => ({
    text: `internal error: ${defect instanceof Error ? defect.message : String(defect)}`,
    reason: "Defect"
  }))
  for (const { text } of defects) yield* Effect.logError(text)
  return [...failed, ...defects]
})
