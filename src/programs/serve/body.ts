/** Bodies of the embedded registry: those that come must keep moving, those that go must prove themselves before they end. */
import { Context, Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Bytes } from "../../services/Bytes.ts"

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

/**
 * The same bytes, one element late: what fails its check at the end is cut before its end, so that no client takes a
 * damaged blob for a whole one.
 */
export const heldBack = (bytes: Bytes): Bytes =>
  Stream.mapAccum(
    // Comes only after success, unlike `onHalt`, which a failure runs too.
    Stream.concat(bytes, Stream.succeed(end)),
    (): Uint8Array | undefined => undefined,
    (held, view) => [view, held === undefined ? [] : [held]] as const
  )

const end = new Uint8Array()
