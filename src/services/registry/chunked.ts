/**
 * An upload in chunks (library 11, faults N29 and N30): each goes out once, the registry's own count says where to go
 * on after a failure, and a session that is lost or makes no sense any more is replaced by a new one from byte 0.
 */
import { Effect, Result } from "effect"
import { hasher } from "../../lib/hash.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, Digest } from "../../schemas/Digest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { LongestRetryAfter, pause } from "../registryHttp/backoff.ts"
import { chunksOf } from "./chunks.ts"
import { repositoryName, type Settled, statusOf } from "./exchange.ts"
import {
  algorithmQuery,
  cancel,
  finish,
  open,
  patch,
  type Progress,
  progressOf,
  type Session,
  status
} from "./session.ts"
import { confirmed, isAmbiguous, isFinal, isPresent, type Upload, uploadFailure } from "./upload.ts"

interface State {
  /** What the registry has. */
  offset: number
  /** The most it had in this session: to come back to that is no progress, or one that goes to and fro would never end. */
  most: number
  /** Bytes of a chunk. */
  limit: number
  failures: number
  /** Failures in a row after which the registry had no more than before. */
  stuck: number
  sessions: number
  /** Some of it was sent by another process, which may have been wrong. */
  isInherited: boolean
}

const maxFailures = 10
const maxSessions = 5
/** No registry is known to take more parts of one blob (registry-quirks 4.4). */
const maxParts = 4_000
const leastLimit = 4_096
const skipSize = 1024 * 1024

/**
 * Sends the content and gives its descriptor, found on the way when nobody knew it. The session may hold some of it:
 * so many bytes, or, where it was interrupted, as many as it tells.
 */
export const sendChunks = Effect.fnUntraced(function*(
  upload: Upload,
  expected: Descriptor | undefined,
  held: number | "interrupted" = 0
) {
  const session = upload.current ?? (yield* openPlain(upload, expected))
  upload.current = session
  const parts = Math.ceil((expected?.size ?? 0) / maxParts)
  const limit = Math.max(upload.host.blobChunk, upload.chunk ?? 0, leastOf(upload, session), parts)
  const offset = held === "interrupted" ? 0 : held
  const state: State = { offset, most: offset, limit, failures: 0, stuck: 0, sessions: 1, isInherited: offset > 0 }
  if (held === "interrupted")
    yield* goOn(upload, expected, state, yield* status(upload.at, upload.http, session), Infinity)
  for (;;) {
    const sent = yield* Effect.scoped(pass(upload, expected, state))
    if (sent !== undefined) return sent
  }
})

/** What the registry asks for, within what one is willing to keep in memory. */
const leastOf = ({ host }: Upload, { least }: Session): number => Math.min(least, host.blobLimit)

/** Reads the content once and sends what the registry lacks; nothing when it has to be read again. */
const pass = Effect.fnUntraced(function*(upload: Upload, expected: Descriptor | undefined, state: State) {
  const algorithm = expected === undefined ? "sha256" : algorithmOf(expected.digest)
  const hash = hasher(algorithm)
  let start = 0
  const chunks = yield* chunksOf(upload.source.pump, hash.update)
  while (start < state.offset) {
    const skipped = yield* chunks.next(Math.min(state.offset - start, skipSize))
    start += skipped.length
    if (skipped.length === 0) return yield* renew(upload, expected, state, lost("the registry has more than was sent"))
  }
  for (;;) {
    const chunk = yield* chunks.next(state.limit)
    if (chunk.length === 0) break
    if (!(yield* sendChunk(upload, expected, state, start, chunk))) return undefined
    start += chunk.length
  }
  const digest = Digest.make(`${algorithm}:${hash.hex()}`)
  const found = expected ?? { mediaType: mediaTypes.octetStream, digest, size: start }
  yield* fits(found, digest, start)
  return (yield* commit(upload, expected, state, digest)) ? found : undefined
})

const fits = (expected: Descriptor, digest: Digest, size: number): Effect.Effect<void, StoreError> => {
  if (size !== expected.size) {
    return Effect.fail(storeError("", "SizeMismatch", `short read [expected ${expected.size}, received ${size}]: EOF`))
  }
  return digest === expected.digest ? Effect.void : Effect.fail(
    storeError("", "DigestMismatch", `digest mismatch [expected ${expected.digest}, calculated ${digest}]: EOF`)
  )
}

/** Sends the bytes that begin at `start`; `false` when the registry went back behind them. */
const sendChunk = Effect.fnUntraced(function*(
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  start: number,
  chunk: Uint8Array
) {
  const end = start + chunk.length
  while (state.offset < end) {
    const { offset } = state
    const part = chunk.subarray(offset - start, offset - start + state.limit)
    const session = upload.current ?? (yield* openPlain(upload, expected))
    const answer = yield* Effect.result(patch(upload.at, upload.http, session, offset, part))
    const after = offset + part.length
    if (Result.isFailure(answer)) yield* recover(upload, expected, state, answer.failure, after)
    else if (answer.success.status === 416) yield* realign(upload, expected, state, answer.success, after)
    else yield* advance(upload, expected, state, progressOf(session, answer.success), after)
    if (state.offset < start || state.offset > end) return false
  }
  return true
})

/**
 * A chunk was taken. A range that stands where it was, or none, is stale: our own count holds (registry-quirks 4.6).
 * One within the chunk means that only so much was kept.
 */
const advance = (
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  { offset, session }: Progress,
  after: number
): Effect.Effect<void, StoreError> => {
  upload.current = session
  if (offset !== undefined && offset > after) {
    return Effect.flatMap(
      status(upload.at, upload.http, session),
      (progress) => goOn(upload, expected, state, progress, after)
    )
  }
  state.offset = offset === undefined || offset <= state.offset ? after : offset
  if (state.offset > state.most) {
    state.failures = Math.max(0, state.failures - 1)
    state.stuck = 0
    state.most = state.offset
  }
  return Effect.void
}

/** 416: the registry expects another offset, and usually says which. */
const realign = (
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  answer: Settled,
  after: number
): Effect.Effect<void, StoreError> => {
  const session = upload.current
  const error = storeError("request failed", "HttpStatus", "unexpected http status code: [http 416]", { status: 416 })
  if (session === undefined) return Effect.fail(uploadFailure(upload, error))
  const told = progressOf(session, answer)
  // Who names an offset and never another knows ranges: sending without one would change nothing.
  if (++state.failures > maxFailures)
    return Effect.fail(uploadFailure(upload, (told.offset ?? 0) > 0 ? lost("the upload does not move on") : error))
  // It wants no range at all, or none like ours: there is nothing to go on from.
  if (state.offset === 0 && (told.offset ?? 0) === 0 && state.stuck > 0)
    return Effect.fail(uploadFailure(upload, error))
  const isTold = told.offset !== undefined && told.offset !== state.offset && told.offset <= after
  return Effect.flatMap(
    isTold ? Effect.succeed(told) : status(upload.at, upload.http, told.session),
    (progress) => goOn(upload, expected, state, progress, after)
  )
}

/** A chunk failed: wait where that may help, then ask what arrived. */
const recover = Effect.fnUntraced(function*(
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  error: StoreError,
  after: number
) {
  const own = upload.source.failure()
  if (own !== undefined) return yield* Effect.fail(own)
  const code = statusOf(error)
  if (isFinal(error, yield* LongestRetryAfter) || ++state.failures > maxFailures)
    return yield* Effect.fail(uploadFailure(upload, error))
  if (code === 404 || upload.current === undefined) return yield* renew(upload, expected, state, error)
  if (code === 413) {
    // A proxy's limit on bodies (registry-quirks 1.17).
    state.limit = Math.floor((after - state.offset) / 2)
    if (state.limit < Math.max(leastLimit, leastOf(upload, upload.current)))
      return yield* Effect.fail(uploadFailure(upload, error))
    state.stuck = 0
  } else if (isRefusal(code)) {
    if (state.stuck >= 2) return yield* Effect.fail(uploadFailure(upload, error))
  } else yield* pause(state.failures, error)
  yield* goOn(upload, expected, state, yield* status(upload.at, upload.http, upload.current), after)
})

/** Said once, meant for good. */
const isRefusal = (code: number | undefined): boolean =>
  code !== undefined && code >= 400 && code < 500 && code !== 408 && code !== 429

/** Takes the registry's word for what it has, unless that cannot be or nothing moves. */
const goOn = (
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  progress: Progress | undefined,
  after: number
): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => {
    if (progress?.offset === undefined) return renew(upload, expected, state, lost("the session cannot be asked"))
    if (progress.offset > after) return renew(upload, expected, state, lost("the registry has more than was sent"))
    upload.current = progress.session
    state.stuck = progress.offset > state.most ? 0 : state.stuck + 1
    state.most = Math.max(state.most, progress.offset)
    if (state.stuck >= 3) return renew(upload, expected, state, lost("the upload does not move on"))
    state.offset = progress.offset
    return Effect.void
  })

const lost = (detail: string): StoreError => storeError("", "UploadLost", `upload session lost: ${detail}`)

/** Begins anew from byte 0. */
const renew = Effect.fnUntraced(function*(
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  cause: StoreError
) {
  const { at, current, http } = upload
  upload.current = undefined
  if (++state.sessions > maxSessions) {
    const detail = cause.reason._tag === "UploadLost" ? cause.reason.detail : `upload session lost: ${cause.message}`
    return yield* Effect.fail(uploadFailure(upload, storeError("", "UploadLost", detail)))
  }
  if (current !== undefined && statusOf(cause) !== 404) yield* cancel(at, http, current)
  upload.current = yield* openPlain(upload, expected)
  state.offset = 0
  state.isInherited = false
  state.most = 0
  state.stuck = 0
})

const openPlain = ({ at, http }: Upload, expected: Descriptor | undefined): Effect.Effect<Session, StoreError> =>
  open(at, http, { query: algorithmQuery(expected?.digest) }).pipe(
    Effect.flatMap((opened) =>
      opened === "present" ? Effect.fail(lost("no session was opened")) : Effect.succeed(opened)
    ),
    Effect.mapError(within(`failed to send blob post, ref ${repositoryName(at)}`))
  )

/** Attempts at closing a session that was sent whole. */
const maxCommits = 5

/** Closes the session; `false` when it was lost and everything has to be sent again. */
const commit = Effect.fnUntraced(function*(
  upload: Upload,
  expected: Descriptor | undefined,
  state: State,
  digest: Digest
) {
  for (let tried = 1;; tried++) {
    const session = upload.current ?? (yield* openPlain(upload, expected))
    const closed = yield* Effect.result(
      Effect.flatMap(finish(upload.at, upload.http, session, digest), (answer) => confirmed(upload, digest, answer))
    )
    if (Result.isSuccess(closed)) return true
    const error = closed.failure
    // Bytes that went out twice to a registry that takes them in any order (registry-quirks 4.8) fail here.
    const isSpoilt = (state.failures > 0 || state.isInherited) && statusOf(error) === 400
    if (isFinal(error, yield* LongestRetryAfter) && !isSpoilt) return yield* Effect.fail(uploadFailure(upload, error))
    if (isAmbiguous(error) && (yield* isPresent(upload, digest))) return true
    if (isSpoilt || statusOf(error) === 404) {
      state.failures = 0
      yield* renew(upload, expected, state, error)
      return false
    }
    if (tried === maxCommits || isRefusal(statusOf(error))) return yield* Effect.fail(uploadFailure(upload, error))
    yield* pause(tried, error)
  }
})
