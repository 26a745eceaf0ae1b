/** Bodies of the embedded registry: those that come must keep moving, those that go must prove themselves before they end. */
import { Array as Arr, Cause, Context, Effect, Pull, Queue, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { type Bytes, type Lent, lent } from "../../services/Bytes.ts"

/** Bytes, and in what time, that a body must bring to be moving (faults, time). */
export const Pace = Context.Reference<{ readonly bytes: number; readonly milliseconds: number }>(
  "regclient/programs/serve/Pace",
  { defaultValue: () => ({ bytes: 10 * 1024, milliseconds: 60_000 }) }
)

/**
 * Uses the bytes of a request, which must keep moving. They fail with `ConnectionLost` when the client goes; the use
 * is interrupted with `Timeout` when less came than the pace asks for: 10 KiB in a minute.
 */
export const withBody = <A, E, R>(
  request: HttpServerRequest.HttpServerRequest,
  use: (body: Bytes) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | StoreError, R> =>
  Effect.suspend(() => {
    const progress = { passed: 0, isOver: false }
    const body: Bytes = request.stream.pipe(
      Stream.mapError((cause) => storeError("", "ConnectionLost", "the body broke off", { cause })),
      Stream.mapArray((views) => {
        for (const view of views) progress.passed += view.length
        return views
      }),
      Stream.onExit(() =>
        Effect.sync(() => {
          progress.isOver = true
        })
      )
    )
    return Effect.raceFirst(use(body), stalled(progress))
  })

/** Ends when a body stalls; what happens to it after its end takes its time. */
const stalled = (progress: { readonly passed: number; readonly isOver: boolean }) =>
  Effect.gen(function*() {
    const pace = yield* Pace
    for (;;) {
      const before = progress.passed
      yield* Effect.sleep(pace.milliseconds)
      if (progress.isOver) return yield* Effect.never
      if (progress.passed - before < pace.bytes) {
        return yield* Effect.fail(storeError("", "Timeout", `the body stalled for ${pace.milliseconds / 1000} seconds`))
      }
    }
  })

/** The length a request announces; none for chunked coding. */
export const announced = (request: HttpServerRequest.HttpServerRequest): number | undefined => {
  const text = request.headers["content-length"]
  return text === undefined ? undefined : Number(text)
}

/** Whether a request has a body at all. */
export const hasBody = (request: HttpServerRequest.HttpServerRequest): boolean =>
  request.headers["transfer-encoding"] !== undefined || (announced(request) ?? 0) > 0

/** A view from this size on is more than a socket takes without a wait for its end. */
const large = 256 * 1024

const nothing = () => {}

/**
 * The same bytes, the last of them late: what fails its check at the end is cut before its end, so that no client takes
 * a damaged blob for a whole one.
 *
 * Large views are not copied, which would leave a gigabyte of garbage for each gigabyte served: each is valid until the
 * next is pulled, and who writes to a socket pulls when the last write has ended.
 */
export const heldBack = (bytes: Bytes): Bytes =>
  Stream.unwrap(Effect.gen(function*() {
    const views = yield* lent(bytes)
    const ready: Array<Lent> = []
    let held: Uint8Array | undefined
    let given = nothing
    const hold = ({ release, view }: Lent): void => {
      const isLarge = view.length >= large
      const end = isLarge ? view.length - 1 : 0
      held = new Uint8Array(view.subarray(end))
      if (isLarge) ready.push({ view: view.subarray(0, end), release })
      else release()
    }
    return Stream.fromPull(Effect.succeed(Effect.gen(function*() {
      given()
      given = nothing
      for (;;) {
        const first = ready.shift()
        if (first !== undefined) {
          given = first.release
          return Arr.of(first.view)
        }
        const next = yield* Pull.catchDone(Queue.take(views), () => Effect.succeed(undefined))
        if (next === undefined && held === undefined) return yield* Cause.done()
        if (held !== undefined) ready.push({ view: held, release: nothing })
        held = undefined
        if (next !== undefined) hold(next)
      }
    })))
  }))
