/** Bodies of the embedded registry: those that come must keep moving, those that go must prove themselves before they end. */
import { Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { storeError } from "../../schemas/StoreError.ts"
import type { Bytes } from "../../services/Bytes.ts"

/** The bytes of a request. They fail with `ConnectionLost` when the client goes, with `Timeout` when it stalls. */
export const requestBody = (request: HttpServerRequest.HttpServerRequest): Bytes =>
  moving(Stream.mapError(request.stream, (cause) => storeError("", "ConnectionLost", "the body broke off", { cause })))

/** Bytes, and in what time, that a body must bring to be moving (faults, time). */
const pace = { bytes: 10 * 1024, milliseconds: 60_000 }

/** The same bytes; they fail with `Timeout` when less than 10 KiB came in a minute. */
export const moving = (bytes: Bytes): Bytes =>
  Stream.suspend(() => {
    let passed = 0
    const watch = Effect.gen(function*() {
      for (let before = -pace.bytes;;) {
        if (passed - before < pace.bytes) {
          return yield* Effect.fail(storeError("", "Timeout", "the body stalled for 60 seconds"))
        }
        before = passed
        yield* Effect.sleep(pace.milliseconds)
      }
    })
    return bytes.pipe(
      Stream.tap((view) =>
        Effect.sync(() => {
          passed += view.length
        })
      ),
      Stream.interruptWhen(watch)
    )
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
