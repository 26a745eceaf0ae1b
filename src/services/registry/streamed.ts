/**
 * The last way to send a blob: one PATCH without a range, then an empty PUT. Some registries refuse ranges, or a second
 * chunk (registry-quirks 4.3).
 */
import { Effect, Result } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import { LongestRetryAfter, pause } from "../registryHttp/backoff.ts"
import { repositoryName, statusOf } from "./exchange.ts"
import { algorithmQuery, cancel, finish, newest, open, type Session, stream } from "./session.ts"
import { confirmed, isAmbiguous, isFinal, isPresent, type Upload, uploadFailure } from "./upload.ts"

const attempts = 5

/** Sends it all, anew from byte 0 after a failure that may pass. */
export const sendStream = Effect.fnUntraced(function*(upload: Upload, expected: Descriptor) {
  for (let tried = 1;; tried++) {
    const sent = yield* Effect.result(once(upload, expected))
    if (Result.isSuccess(sent)) return
    const own = upload.source.failure()
    if (own !== undefined) return yield* own
    const error = sent.failure
    if (isAmbiguous(error) && (yield* isPresent(upload, expected.digest))) return
    if (tried === attempts || isFinal(error, yield* LongestRetryAfter) || !mayPass(error))
      return yield* uploadFailure(upload, error)
    yield* pause(tried, error)
  }
})

const mayPass = (error: StoreError): boolean => isAmbiguous(error) || statusOf(error) === 429

const once = Effect.fnUntraced(function*(upload: Upload, expected: Descriptor) {
  const { at, current, http, source } = upload
  if (current !== undefined) yield* cancel(at, http, current)
  upload.current = undefined
  const opened = yield* Effect.mapError(
    open(at, http, { query: algorithmQuery(expected.digest) }),
    within(`failed to send blob post, ref ${repositoryName(at)}`)
  )
  if (opened === "present") return
  upload.current = opened
  const { headers, url } = yield* stream(at, http, opened, { pump: source.pump, size: expected.size }, expected.size)
  const session: Session = { ...opened, location: newest(headers, url) ?? opened.location }
  upload.current = session
  const answer = yield* finish(at, http, session, expected.digest)
  yield* confirmed(upload, expected.digest, answer)
})
