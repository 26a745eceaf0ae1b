/** Pushing blobs to the embedded registry: at once, in parts, or by mount (distribution-spec, pushing blobs; faults R04, R05). */
import { Effect, Option, Result, Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { algorithmOf, type Digest } from "../../schemas/Digest.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { isRepositoryName, ServeStore } from "../../services/ServeStore.ts"
import { type PartRange, type Session, tooLarge, Uploads } from "../../services/Uploads.ts"
import { blobOf } from "./blobs.ts"
import { announced, hasBody, withBody } from "./body.ts"
import { fromStore, type Refusal, refusal } from "./failures.ts"
import { parseDigest } from "./route.ts"

type Request = HttpServerRequest.HttpServerRequest

const failed = fromStore("BLOB_UPLOAD_UNKNOWN")

const created = (name: string, digest: Digest) =>
  HttpServerResponse.empty({
    status: 201,
    headers: { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest }
  })

const placeOf = ({ id, name, received }: Session) => ({
  location: `/v2/${name}/blobs/uploads/${id}`,
  // An empty session has no last byte; this is what every registry says then.
  range: `0-${Math.max(0, received - 1)}`,
  "docker-upload-uuid": id
})

const accepted = (session: Session) => HttpServerResponse.empty({ status: 202, headers: placeOf(session) })

/** `POST`: mounts, or takes the whole body, or opens a session. */
export const start = (name: string, query: URLSearchParams, request: Request) =>
  Effect.gen(function*() {
    const mount = query.get("mount")
    if (mount !== null) return yield* mounted(name, mount, query.get("from"))
    const uploads = yield* Uploads
    const digest = query.get("digest")
    if (digest !== null) return yield* whole(name, digest, request)
    const algorithm = query.get("digest-algorithm") ?? "sha256"
    if (!isAlgorithm(algorithm)) {
      return yield* Effect.fail(refusal(400, "DIGEST_INVALID", "unsupported digest algorithm"))
    }
    return accepted(yield* Effect.mapError(uploads.start(name, algorithm), failed))
  })

const isAlgorithm = Schema.is(Schema.Literals(["sha256", "sha384", "sha512"]))

const mounted = (name: string, mount: string, from: string | null) =>
  Effect.gen(function*() {
    const digest = yield* Effect.fromResult(parseDigest(mount))
    const store = yield* ServeStore
    const uploads = yield* Uploads
    const isAskable = from === null || isRepositoryName(from)
    const isMounted = isAskable &&
      (yield* Effect.mapError(store.mount(name, blobOf(digest), Option.fromNullishOr(from)), failed))
    return isMounted ? created(name, digest) : accepted(yield* Effect.mapError(uploads.start(name), failed))
  })

/** The whole in one request; a session that fails is gone. */
const whole = (name: string, text: string, request: Request) =>
  Effect.gen(function*() {
    const digest = yield* Effect.fromResult(parseDigest(text))
    const uploads = yield* Uploads
    const { id } = yield* Effect.mapError(uploads.start(name, algorithmOf(digest)), failed)
    // It is gone already when it was its digest that was wrong.
    return yield* Effect.onError(complete(name, id, digest, request), () => Effect.ignore(uploads.cancel(name, id)))
  })

/** `PATCH`: one more part. */
export const patch = (name: string, id: string, request: Request) => Effect.map(append(name, id, request), accepted)

/** `PUT`: the last part, if any, and the digest of the whole. */
export const finish = (name: string, id: string, query: URLSearchParams, request: Request) =>
  Effect.gen(function*() {
    const uploads = yield* Uploads
    yield* Effect.mapError(uploads.find(name, id), failed)
    const digest = parseDigest(query.get("digest") ?? "")
    if (Result.isFailure(digest)) {
      yield* Effect.mapError(uploads.cancel(name, id), failed)
      return yield* Effect.fail(digest.failure)
    }
    return yield* complete(name, id, digest.success, request)
  })

const complete = (name: string, id: string, digest: Digest, request: Request) =>
  Effect.gen(function*() {
    const uploads = yield* Uploads
    const store = yield* ServeStore
    if (hasBody(request)) yield* append(name, id, request)
    yield* Effect.mapError(
      uploads.finish(name, id, digest, (content, blob) =>
        store.write(name, (repository) =>
          repository.putBlob(content, blob))),
      failed
    )
    return created(name, digest)
  })

const append = (name: string, id: string, request: Request) =>
  Effect.gen(function*() {
    const uploads = yield* Uploads
    const session = yield* Effect.mapError(uploads.find(name, id), failed)
    const range = yield* Effect.fromResult(rangeOf(session, request))
    // What is known to be too large need not come first.
    const isTooLarge = session.received + (announced(request) ?? 0) > uploads.limit
    const appending = isTooLarge
      ? Effect.fail(tooLarge(uploads.limit))
      : withBody(request, (body) => uploads.append(name, id, body, range))
    return yield* appending.pipe(
      // What is too large is forgotten; the failure is told either way.
      Effect.tapError(({ reason }) =>
        reason._tag === "SizeLimit" ? Effect.ignore(uploads.cancel(name, id)) : Effect.void
      ),
      Effect.mapError((error: StoreError) =>
        error.reason._tag === "SizeMismatch" ? outOfOrder(session, error.reason.detail) : failed(error)
      )
    )
  })

/** Where the session stands, for a client that lost count. */
const outOfOrder = (session: Session, message: string): Refusal =>
  refusal(416, "RANGE_INVALID", message, { headers: placeOf(session) })

/** `Content-Range: first-last`, which some write with `bytes` in front, or the length alone. */
const rangeOf = (session: Session, request: Request): Result.Result<PartRange | undefined, Refusal> => {
  const length = announced(request)
  const header = request.headers["content-range"]
  if (header === undefined) return Result.succeed(undefined)
  const parts = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim())
  const [from, to] = [Number(parts?.[1]), Number(parts?.[2])]
  const isWhole = parts !== null && (length === undefined || length === to - from + 1)
  return isWhole
    ? Result.succeed({ from, to })
    : Result.fail(outOfOrder(session, "the range and the length of the body disagree"))
}

/** `GET`: where the session stands. */
export const status = (name: string, id: string) =>
  Effect.gen(function*() {
    const uploads = yield* Uploads
    const session = yield* Effect.mapError(uploads.find(name, id), failed)
    return HttpServerResponse.empty({ status: 204, headers: placeOf(session) })
  })

/** `DELETE`: forgets the session. */
export const cancel = (name: string, id: string) =>
  Effect.gen(function*() {
    const uploads = yield* Uploads
    yield* Effect.mapError(uploads.cancel(name, id), failed)
    return HttpServerResponse.empty({ status: 204 })
  })
