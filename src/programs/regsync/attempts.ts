/** The runs of a daemon: each entry one at a time, what goes wrong remembered. */
import { Cause, Clock, type Context, Deferred, Effect, FiberSet } from "effect"
import { type Action, type Job, type SyncFailed } from "../../schemas/Sync.ts"
import type { Client } from "../../services/Clients.ts"
import { Failures } from "./failures.ts"
import { makeGenerations } from "./generations.ts"
import { fieldsOf, type Tended } from "./tended.ts"

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
  /** Holds one of the places for entries at work: a run comes to be once there is one, thousands may wait. */
  readonly entering: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** How many copies may run at once, whenever a configuration takes over. */
  readonly resize: (parallel: number) => Effect.Effect<void>
  /** The first error ends the daemon. */
  readonly abortOnError: boolean
}

export interface Problem {
  readonly text: string
  readonly reason: string
}

/** Runs and clients end with the scope. */
export const makeAttempts = Effect.fnUntraced(function*({ abortOnError, entering, perform }: Work) {
  const clients = yield* makeGenerations
  const runs = yield* FiberSet.make<void>()
  const aborted = yield* Deferred.make<void>()
  const failures = new Failures()

  const remember = (problems: ReadonlyArray<Problem>) =>
    Effect.suspend(() => {
      for (const { reason, text } of problems) failures.add(text, reason)
      if (!abortOnError || problems.length === 0) return Effect.void
      // What would come next must not begin before the end.
      return Effect.andThen(Deferred.succeed(aborted, undefined), Effect.never)
    })

  /** Who calls it holds the entry's turn. */
  const run = (it: Tended, action: Action): Effect.Effect<void> =>
    Effect.gen(function*() {
      const { job } = it
      it.running = { name: job.name, action, since: yield* Clock.currentTimeMillis }
      yield* clients.use((client) => perform({ job, action, client, isWanted: () => !it.isGone }))
    }).pipe(
      Effect.ensuring(Effect.sync(() => void (it.running = undefined))),
      Effect.catchCause((cause) => Effect.flatMap(problemsOf(cause), remember))
    )

  return {
    remember,
    /** Apart from who asks, until the scope ends. */
    fork: (effect: Effect.Effect<void>) => Effect.asVoid(FiberSet.run(runs, effect)),
    /** Waits for a run at work, which may be one of the entry's former settings. */
    first: (it: Tended) =>
      it.turn.withPermit(entering(Effect.suspend(() => it.isGone ? Effect.void : run(it, "missing")))),
    /** Does not wait for the end; tells whether it began, which it does not while another run is at work. */
    fire: Effect.fnUntraced(function*(it: Tended) {
      const begins = yield* Deferred.make<boolean>()
      const work = Effect.gen(function*() {
        yield* Deferred.succeed(begins, true)
        yield* Effect.annotateLogs(Effect.logDebug("Running task"), fieldsOf(it))
        yield* entering(Effect.suspend(() => it.isGone ? Effect.void : run(it, "copy")))
      })
      yield* FiberSet.run(
        runs,
        Effect.andThen(it.turn.withPermitsIfAvailable(1)(work), Effect.asVoid(Deferred.succeed(begins, false)))
      )
      return yield* Deferred.await(begins)
    }),
    replaceClient: clients.replace,
    aborted: Deferred.await(aborted),
    /** Ends all runs; fails with what was remembered. */
    end: Effect.flatMap(FiberSet.clear(runs), () => {
      const summary = failures.summary()
      return summary === undefined ? Effect.void : Effect.fail(summary)
    })
  }
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
