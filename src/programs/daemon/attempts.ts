/** The runs of a daemon: each entry one at a time, what goes wrong remembered. */
import { Cause, Clock, type Context, Deferred, Effect, FiberSet } from "effect"
import type { Task } from "../../schemas/Sync.ts"
import type { Client } from "../../services/Clients.ts"
import { Failures, type Summary } from "./failures.ts"
import { makeGenerations } from "./generations.ts"
import type { Described, Tended } from "./tended.ts"

/** One run over one entry. */
export interface Attempt<J, A extends Task> {
  readonly job: J
  readonly action: A
  readonly client: Context.Context<Client>
  /** Whether the entry is still configured: if not, the run ends after the image at work. */
  readonly isWanted: () => boolean
}

export interface Problem {
  readonly text: string
  readonly reason: string
}

/** What a daemon does with jobs of type J, by actions of type A, which fails with E. */
export interface Work<J, A extends Task, E> {
  readonly describe: (job: J) => Described
  /** What is done over each entry once, before its times count; absent for nothing. */
  readonly first?: A
  /** What is done at its times. */
  readonly timed: A
  readonly perform: (attempt: Attempt<J, A>) => Effect.Effect<void, E>
  /** What is remembered of a failed run; nothing for a failure that ends the daemon, which it fails with then. */
  readonly problems: (error: E) => ReadonlyArray<Problem> | undefined
  /** What is remembered of a run that was interrupted; absent for nothing. */
  readonly interrupted?: (job: J) => Problem
  /** What a daemon fails with in the end. */
  readonly failed: (summary: Summary) => E
  /** Holds one of the places for entries at work: a run comes to be once there is one, thousands may wait. */
  readonly entering: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** How many copies may run at once, whenever a configuration takes over. */
  readonly resize: (parallel: number) => Effect.Effect<void>
  /** The first error ends the daemon. */
  readonly abortOnError: boolean
}

/** Runs and clients end with the scope. */
export const makeAttempts = Effect.fnUntraced(function*<J, A extends Task, E>(work: Work<J, A, E>) {
  const { abortOnError, entering, failed, interrupted, perform } = work
  const clients = yield* makeGenerations
  const runs = yield* FiberSet.make<void>()
  const aborted = yield* Deferred.make<void, E>()
  const failures = new Failures()

  const note = (problems: ReadonlyArray<Problem>) =>
    Effect.sync(() => problems.forEach(({ reason, text }) => failures.add(text, reason)))

  // What would come next must not begin before the end.
  const abort = (how: Effect.Effect<void, E>) => Effect.andThen(Deferred.complete(aborted, how), Effect.never)

  const remember = (problems: ReadonlyArray<Problem>) =>
    Effect.andThen(note(problems), abortOnError && problems.length > 0 ? abort(Effect.void) : Effect.void)

  /** That a run was interrupted is remembered where that is wanted, elsewhere. */
  const settle = Effect.fnUntraced(function*(cause: Cause.Cause<E>) {
    const problems: Array<Problem> = []
    for (const { error } of cause.reasons.filter(Cause.isFailReason)) {
      const found = work.problems(error)
      if (found === undefined) return yield* abort(Effect.fail(error))
      problems.push(...found)
    }
    for (const { defect } of cause.reasons.filter(Cause.isDieReason)) {
      const text = `internal error: ${defect instanceof Error ? defect.message : String(defect)}`
      yield* Effect.logError(text)
      problems.push({ text, reason: "Defect" })
    }
    yield* remember(problems)
  })

  /** Who calls it holds the entry's turn. */
  const run = (it: Tended<J>, action: A): Effect.Effect<void> =>
    Effect.gen(function*() {
      const { about, job } = it
      it.running = { name: about.name, action, since: yield* Clock.currentTimeMillis }
      yield* clients.use((client) => perform({ job, action, client, isWanted: () => !it.isGone }))
    }).pipe(
      Effect.ensuring(Effect.sync(() => void (it.running = undefined))),
      Effect.onInterrupt(() => interrupted === undefined ? Effect.void : note([interrupted(it.job)])),
      Effect.catchCause(settle)
    )

  return {
    remember,
    /** Apart from who asks, until the scope ends. */
    fork: (effect: Effect.Effect<void>) => Effect.asVoid(FiberSet.run(runs, effect)),
    /** Waits for a run at work, which may be one of the entry's former settings. */
    first: (it: Tended<J>, action: A) =>
      it.turn.withPermit(entering(Effect.suspend(() => it.isGone ? Effect.void : run(it, action)))),
    /** Does not wait for the end; tells whether it began, which it does not while another run is at work. */
    fire: Effect.fnUntraced(function*(it: Tended<J>) {
      const begins = yield* Deferred.make<boolean>()
      const fired = Effect.gen(function*() {
        yield* Deferred.succeed(begins, true)
        yield* Effect.annotateLogs(Effect.logDebug("Running task"), it.about.fields)
        yield* entering(Effect.suspend(() => it.isGone ? Effect.void : run(it, work.timed)))
      })
      yield* FiberSet.run(
        runs,
        Effect.andThen(it.turn.withPermitsIfAvailable(1)(fired), Effect.asVoid(Deferred.succeed(begins, false)))
      )
      return yield* Deferred.await(begins)
    }),
    replaceClient: clients.replace,
    aborted: Deferred.await(aborted),
    /** Ends all runs; fails with what was remembered. */
    end: Effect.flatMap(FiberSet.clear(runs), () => {
      const summary = failures.summary()
      return summary === undefined ? Effect.void : Effect.fail(failed(summary))
    })
  }
})
