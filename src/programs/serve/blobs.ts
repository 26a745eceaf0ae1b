/** Blobs of the embedded registry: pull, also in part, and delete (distribution-spec, blobs; RFC 9110, section 14). */
import { Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { ServeStore } from "../../services/ServeStore.ts"
import { etag, isFresh } from "./answers.ts"
import { heldBack } from "./body.ts"
import { fromStore, refusal } from "./failures.ts"
import { existing } from "./known.ts"

type Request = HttpServerRequest.HttpServerRequest

const unknown = fromStore("BLOB_UNKNOWN")

/** A blob whose size nobody told yet. */
export const blobOf = (digest: Digest, size = 0): Descriptor => ({ mediaType: mediaTypes.octetStream, digest, size })

/** `GET` and `HEAD`. */
export const get = (name: string, digest: Digest, request: Request) =>
  Effect.gen(function*() {
    const repository = yield* existing(name)
    const { descriptor: { size } } = yield* Effect.mapError(repository.headBlob(blobOf(digest)), unknown)
    const blob = blobOf(digest, size)
    const headers = {
      "content-type": mediaTypes.octetStream,
      "docker-content-digest": digest,
      etag: etag(digest),
      "accept-ranges": "bytes"
    }
    if (isFresh(request.headers, digest)) {
      return HttpServerResponse.empty({ status: 304, headers: { etag: headers.etag } })
    }
    const part = rangeOf(request, digest, size)
    if (part === "unsatisfiable") {
      const contentRange = { "content-range": `bytes */${size}` }
      return yield* Effect.fail(refusal(416, "RANGE_INVALID", "no such part of the blob", { headers: contentRange }))
    }
    const length = part === undefined ? size : part.to - part.from + 1
    const answer = {
      status: part === undefined ? 200 : 206,
      headers: {
        ...headers,
        "content-length": String(length),
        ...(part === undefined ? {} : { "content-range": `bytes ${part.from}-${part.to}/${size}` })
      }
    }
    if (request.method === "HEAD" || length === 0) return HttpServerResponse.empty(answer)
    const content = Stream.tapError(
      heldBack(repository.blob(blob, part)),
      ({ message }) => Effect.logError(`blob ${digest} of ${name}: ${message}`)
    )
    return HttpServerResponse.stream(content, {
      ...answer,
      contentType: mediaTypes.octetStream,
      contentLength: length
    })
  })

/** The one range a request asks for, both ends inclusive; several or ill-formed ones count as none. */
const rangeOf = (
  { headers }: Request,
  digest: Digest,
  size: number
): { readonly from: number; readonly to: number } | "unsatisfiable" | undefined => {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(headers["range"] ?? "")
  const condition = headers["if-range"]
  if (asked === null || (condition !== undefined && condition !== etag(digest))) return undefined
  const [first, last] = [asked[1] ?? "", asked[2] ?? ""]
  if (first === "" && last === "") return undefined
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1)
  return from > to ? "unsatisfiable" : { from, to }
}

/** `DELETE`. */
export const remove = (name: string, digest: Digest) =>
  Effect.gen(function*() {
    yield* existing(name)
    const store = yield* ServeStore
    yield* Effect.mapError(
      store.write(name, (repository) =>
        Effect.flatMap(repository.headBlob(blobOf(digest)), ({ descriptor }) =>
          repository.deleteBlob(descriptor))),
      unknown
    )
    return HttpServerResponse.empty({ status: 202 })
  })
