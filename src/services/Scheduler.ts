/** Runs jobs on their timetables until interrupted. */
import { Clock, Context, Effect, FiberHandle, Layer } from "effect"

export interface TimedJob<R> {
  readonly name: string
  /** The next time after one, in milliseconds since 1970; none means never again. */
  readonly next: (after: number) => number | undefined
  /** A job deals with its own failures: one that fails must not stop the others. */
  readonly run: Effect.Effect<void, never, R>
  /** Told of the next time whenever it is known. */
  readonly scheduled?: (next: number | undefined) => Effect.Effect<void>
}

export class Scheduler extends Context.Service<Scheduler, {
  /** A time that comes while the job still runs is passed over (regsync description, 10.4). */
  readonly run: <R>(jobs: ReadonlyArray<TimedJob<R>>) => Effect.Effect<never, never, R>
}>()("regclient/services/Scheduler") {
  static readonly layer = Layer.succeed(
    Scheduler,
    Scheduler.of({
      run: (jobs) =>
        // Unbounded: a job mostly sleeps, and what it does has bounds of its own.
        Effect.forEach(jobs, keep, { concurrency: "unbounded", discard: true }).pipe(Effect.andThen(Effect.never))
    })
  )
}

/**
 * A time is approached in steps: a clock that jumps, a machine that slept, are noticed within minutes, and a timer holds
 * 2^31 milliseconds at most.
 */
const longestSleep = 5 * 60_000

const sleepUntil = (time: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    now >= time
      ? Effect.void
      : Effect.andThen(Effect.sleep(Math.min(time - now, longestSleep)), Effect.suspend(() => sleepUntil(time))))

const keep = <R>({ next, run, scheduled }: TimedJob<R>): Effect.Effect<void, never, R> =>
  Effect.scoped(Effect.gen(function*() {
    const running = yield* FiberHandle.make<void, never>()
    let after = yield* Clock.currentTimeMillis
    for (;;) {
      const time = next(after)
      if (scheduled !== undefined) yield* scheduled(time)
      if (time === undefined) return yield* FiberHandle.awaitEmpty(running)
      yield* sleepUntil(time)
      yield* FiberHandle.run(running, run, { onlyIfMissing: true })
      // A clock that was turned back must not repeat a time, one that jumped ahead must not make up for it.
      after = Math.max(time, yield* Clock.currentTimeMillis)
    }
  }))
