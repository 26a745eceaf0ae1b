/** Manifests of the embedded registry: pull, push and delete (distribution-spec, manifests; faults R03-R07). */
import { Effect, Result } from "effect"
import { HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { contentOf, decodeManifest, type Manifest, maxPush } from "../../schemas/Manifest.ts"
import { isTag, type Reference, type Tag } from "../../schemas/Ref.ts"
import { collect } from "../../services/Bytes.ts"
import type { Repository } from "../../services/Repository.ts"
import { ServeStore } from "../../services/ServeStore.ts"
import { exists } from "../missing.ts"
import { etag, isConditional, isFresh, mayWrite } from "./answers.ts"
import { announced, withBody } from "./body.ts"
import { fromStore, Refusal, refusal } from "./failures.ts"
import { existing } from "./known.ts"
import { parseDigest } from "./route.ts"

type Request = HttpServerRequest.HttpServerRequest

const headersOf = ({ digest, mediaType, size }: Descriptor) => ({
  "content-type": mediaType,
  "content-length": String(size),
  "docker-content-digest": digest,
  etag: etag(digest)
})

const unknown = fromStore("MANIFEST_UNKNOWN")

/** `GET` and `HEAD`. */
export const get = (name: string, reference: Reference, request: Request) =>
  Effect.gen(function*() {
    const repository = yield* existing(name)
    if (request.method === "HEAD") {
      const { descriptor } = yield* Effect.mapError(repository.resolve(reference), unknown)
      return HttpServerResponse.empty({ status: 200, headers: headersOf(descriptor) })
    }
    const { bytes, descriptor } = yield* Effect.mapError(repository.manifest(reference), unknown)
    const headers = headersOf(descriptor)
    if (isFresh(request.headers, descriptor.digest)) {
      return HttpServerResponse.empty({ status: 304, headers: { etag: headers.etag } })
    }
    return HttpServerResponse.uint8Array(bytes, { headers, contentType: descriptor.mediaType })
  })

export interface PutOptions {
  /** Take images whose blobs are not here, as registries do that hold a part of each image. */
  readonly isSparse: boolean
}

/** `PUT`: stores the bytes as they are, then moves the tags. */
export const put = (
  { isSparse }: PutOptions,
  name: string,
  reference: Reference,
  query: URLSearchParams,
  request: Request
) =>
  Effect.gen(function*() {
    const tags = yield* Effect.fromResult(tagsOf(reference, query))
    const digest = yield* Effect.fromResult(digestOf(reference, query))
    const manifest = yield* received(name, digest, request)
    const store = yield* ServeStore
    yield* Effect.mapError(
      store.change(name, (repository) =>
        Effect.gen(function*() {
          yield* checkCondition(repository, reference, request)
          if (!isSparse) yield* checkContent(repository, manifest)
          if (tags.length === 0) yield* repository.putManifest(manifest)
          for (const tag of tags) yield* repository.putManifest(manifest, { tag })
        })),
      (error) => error._tag === "Refusal" ? error : unknown(error)
    )
    const { descriptor, subject } = manifest
    return HttpServerResponse.empty({
      status: 201,
      headers: {
        location: `/v2/${name}/manifests/${descriptor.digest}`,
        "docker-content-digest": descriptor.digest,
        etag: etag(descriptor.digest),
        ...(subject === undefined ? {} : { "oci-subject": subject.digest }),
        ...(reference._tag === "ByDigest" && tags.length > 0 ? { "oci-tag": tags.join(", ") } : {})
      }
    })
  })

const tagsOf = (reference: Reference, query: URLSearchParams): Result.Result<ReadonlyArray<Tag>, Refusal> => {
  if (reference._tag === "ByTag") return Result.succeed([reference.tag])
  const tags: Array<Tag> = []
  for (const text of new Set(query.getAll("tag").flatMap((value) => value.split(",")))) {
    if (!isTag(text)) return Result.fail(refusal(400, "TAG_INVALID", "invalid tag"))
    tags.push(text)
  }
  return Result.succeed(tags)
}

/** A push by tag may name the digest too, for content of another algorithm than sha256. */
const digestOf = (reference: Reference, query: URLSearchParams): Result.Result<Digest | undefined, Refusal> => {
  if (reference._tag === "ByDigest") return Result.succeed(reference.digest)
  const text = query.get("digest")
  return text === null ? Result.succeed(undefined) : parseDigest(text)
}

const received = (name: string, digest: Digest | undefined, request: Request) =>
  Effect.gen(function*() {
    const tooLarge = refusal(413, "SIZE_INVALID", `a manifest may have ${maxPush} bytes`)
    if ((announced(request) ?? 0) > maxPush) return yield* Effect.fail(tooLarge)
    const bytes = yield* Effect.mapError(withBody(request, (body) => collect(body, maxPush)), (error) =>
      error.reason._tag === "SizeLimit" ? tooLarge : fromStore("UNKNOWN")(error))
    const mediaType = request.headers["content-type"]
    const expected = {
      name,
      ...(digest === undefined ? {} : { digest }),
      ...(mediaType === undefined ? {} : { mediaType })
    }
    return yield* Effect.mapError(Effect.fromResult(decodeManifest(bytes, expected)), unknown)
  })

const checkCondition = (repository: Repository, reference: Reference, request: Request) =>
  Effect.gen(function*() {
    if (!isConditional(request.headers)) return
    const current = yield* repository.resolve(reference).pipe(
      Effect.map(({ descriptor }) => descriptor.digest),
      Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(undefined))
    )
    if (!mayWrite(request.headers, current)) {
      return yield* Effect.fail(refusal(412, "PRECONDITION_FAILED", "the manifest is another one now"))
    }
  })

/** Fails with every blob that an image names and the repository lacks; indexes and subjects may name what is not there. */
const checkContent = (repository: Repository, manifest: Manifest) =>
  Effect.gen(function*() {
    if (manifest._tag === "Index" || manifest._tag === "Other") return
    const named = contentOf(manifest).filter((blob) => !isForeign(blob))
    const blobs = [...new Map(named.map((blob) => [blob.digest, blob])).values()]
    const missing = yield* Effect.filter(
      blobs,
      (blob) => Effect.map(exists(repository.headBlob(blob)), (isThere) => !isThere),
      { concurrency: 8 }
    )
    if (missing.length > 0) {
      const problems = missing.map(({ digest }) => ({
        code: "MANIFEST_BLOB_UNKNOWN" as const,
        message: `blob unknown to registry: ${digest}`,
        detail: { digest }
      }))
      return yield* new Refusal({ status: 404, problems })
    }
  })

/** Layers that may not be distributed, or that name where else they are, need not be here. */
const isForeign = ({ mediaType, urls }: Descriptor): boolean =>
  (urls?.length ?? 0) > 0 || /nondistributable|\.foreign\./.test(mediaType)

/** `DELETE`: a tag alone, or a manifest with all its tags. */
export const remove = (name: string, reference: Reference, request: Request) =>
  Effect.gen(function*() {
    const store = yield* ServeStore
    yield* existing(name)
    yield* Effect.mapError(
      store.change(name, (repository) =>
        Effect.gen(function*() {
          yield* checkCondition(repository, reference, request)
          if (reference._tag === "ByTag") return yield* repository.deleteTag(reference.tag)
          const { descriptor, subject } = yield* repository.manifest(reference)
          yield* repository.deleteManifest(descriptor, subject)
        })),
      (error) => error._tag === "Refusal" ? error : unknown(error)
    )
    return HttpServerResponse.empty({ status: 202 })
  })
