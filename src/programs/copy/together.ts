/** Several copies of one command: shown as one, and a blob that more than one of them needs travels once (faults C25). */
import { Effect, Queue, Stream } from "effect"
import type { CopyEvent } from "../../schemas/Copy.ts"
import { Progress } from "../../services/Progress.ts"
import { Arrivals, Sent } from "./sent.ts"

/** Runs what copies; its copies may run at once. */
export const together = <A, E, R>(
  copies: Effect.Effect<A, E, R>
): Effect.Effect<void, E, Progress | Exclude<R, Progress>> =>
  Effect.gen(function*() {
    const { report } = yield* Progress
    let count = 0
    yield* report(Stream.callback<CopyEvent, E, Exclude<R, Progress>>((queue) =>
      copies.pipe(
        Effect.provideService(
          Progress,
          Progress.of({
            report: (events) => {
              const copy = ++count
              return Stream.runForEach(events, (event) => Queue.offer(queue, numbered(event, copy)))
            }
          })
        ),
        Effect.provideService(Sent, new Arrivals()),
        Queue.into(queue)
      ), { bufferSize: 1024 }))
  })

/** Steps of one copy may be named as those of another. */
const numbered = (event: CopyEvent, copy: number): CopyEvent => ({
  ...event,
  step: { ...event.step, id: `${copy} ${event.step.id}` }
})
