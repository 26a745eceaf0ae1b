/** Several copies of one command: shown as one, and a blob that more than one of them needs travels once (faults C25). */
import { Deferred, Effect, Exit, Queue, Stream } from "effect"
import type { CopyEvent } from "../../schemas/Copy.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { locationName } from "../../schemas/Ref.ts"
import { Progress } from "../../services/Progress.ts"
import { Repositories } from "../../services/Repositories.ts"
import type { Repository } from "../../services/Repository.ts"

/** Blobs on their way into one repository or there, by digest; `false` once it did not arrive. */
type Sent = Map<string, Deferred.Deferred<boolean>>

/** Runs what copies; its copies may run at once. */
export const together = <A, E, R>(
  copies: Effect.Effect<A, E, R>
): Effect.Effect<void, E, Progress | Repositories | Exclude<Exclude<R, Progress>, Repositories>> =>
  Effect.gen(function*() {
    const { report } = yield* Progress
    const { open } = yield* Repositories
    let count = 0
    const sent = new Map<string, Sent>()
    const sentTo = (place: string): Sent => {
      const known = sent.get(place) ?? new Map()
      sent.set(place, known)
      return known
    }
    const shared = Repositories.of({
      open: (location) => Effect.map(open(location), (it) => sendingOnce(it, sentTo(locationName(location))))
    })
    yield* report(Stream.callback<CopyEvent, E, Exclude<Exclude<R, Progress>, Repositories>>((queue) =>
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
        Effect.provideService(Repositories, shared),
        Queue.into(queue)
      ), { bufferSize: 1024 }))
  })

/** Steps of one copy may be named as those of another. */
const numbered = (event: CopyEvent, copy: number): CopyEvent => ({
  ...event,
  step: { ...event.step, id: `${copy} ${event.step.id}` }
})

/** The same repository; a blob that is being sent there is waited for, one that was sent is there. */
const sendingOnce = (repository: Repository, sent: Sent): Repository => {
  const arrived = ({ digest }: Descriptor): Effect.Effect<boolean> => {
    const known = sent.get(digest)
    return known === undefined ? Effect.succeed(false) : Deferred.await(known)
  }
  const put: Repository["putBlob"] = (content, expected) => {
    if (expected === undefined) return repository.putBlob(content)
    const send = Effect.suspend(() => {
      // Whoever comes first after a failure tries again.
      if (sent.has(expected.digest)) return put(content, expected)
      const outcome = Deferred.makeUnsafe<boolean>()
      sent.set(expected.digest, outcome)
      return Effect.onExit(repository.putBlob(content, expected), (exit) => {
        if (Exit.isFailure(exit)) sent.delete(expected.digest)
        return Deferred.succeed(outcome, Exit.isSuccess(exit))
      })
    })
    return Effect.flatMap(arrived(expected), (isThere) => isThere ? Effect.succeed(expected) : send)
  }
  return {
    ...repository,
    putBlob: put,
    headBlob: (blob) => Effect.andThen(arrived(blob), repository.headBlob(blob))
  }
}
