/** Lists of the embedded registry: repositories, tags, referrers (distribution-spec, content discovery). */
import { Effect, Option, Stream } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { ServeStore } from "../../services/ServeStore.ts"
import { json, pageOf } from "./answers.ts"
import { blobOf } from "./blobs.ts"
import { fromStore } from "./failures.ts"
import { existing } from "./known.ts"

const unknown = fromStore("NAME_UNKNOWN")

/** `GET /v2/_catalog`. */
export const catalog = (query: URLSearchParams) =>
  Effect.gen(function*() {
    const store = yield* ServeStore
    const all = yield* Effect.mapError(store.names, unknown)
    const { headers, names } = yield* Effect.fromResult(pageOf(all, "/v2/_catalog", query))
    return json({ repositories: names }, undefined, headers)
  })

/** `GET /v2/NAME/tags/list`. */
export const tags = (name: string, query: URLSearchParams) =>
  Effect.gen(function*() {
    const repository = yield* existing(name)
    const pages = yield* Effect.mapError(Stream.runCollect(repository.tags()), unknown)
    const sorted = pages.flatMap((page) => page.names).filter((tag) => !fallback.test(tag)).sort()
    const { headers, names } = yield* Effect.fromResult(pageOf(sorted, `/v2/${name}/tags/list`, query))
    return json({ name, tags: names }, undefined, headers)
  })

/** Where a layout keeps its lists of referrers; clients ask for those by their own endpoint. */
const fallback = /^sha(?:256|384|512)-[0-9a-f]{64}$/

/** Bytes of descriptors after which a list of referrers goes on on the next page. */
const pageSize = 2 * 1024 * 1024

/** `GET /v2/NAME/referrers/DIGEST`: an index, empty for what nobody refers to, or what is not there at all. */
export const referrers = (name: string, digest: Digest, query: URLSearchParams) =>
  Effect.gen(function*() {
    const store = yield* ServeStore
    const artifactType = query.get("artifactType") ?? undefined
    const repository = yield* Effect.mapError(store.find(name), unknown)
    const all = Option.isNone(repository)
      ? []
      : (yield* Effect.mapError(repository.value.referrers(blobOf(digest)), unknown)).descriptors
    const wanted = all.filter((it) => artifactType === undefined || it.artifactType === artifactType)
    const last = query.get("last")
    const rest = last === null ? wanted : wanted.slice(wanted.findIndex((it) => it.digest === last) + 1)
    const manifests = firstPage(rest)
    const next = new URLSearchParams({
      ...(artifactType === undefined ? {} : { artifactType }),
      last: manifests.at(-1)?.digest ?? ""
    })
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
    return json(index, mediaTypes.ociIndex, {
      ...(artifactType === undefined ? {} : { "oci-filters-applied": "artifactType" }),
      ...(manifests.length === rest.length ? {} : { link: `</v2/${name}/referrers/${digest}?${next}>; rel="next"` })
    })
  })

const firstPage = (descriptors: ReadonlyArray<Descriptor>): ReadonlyArray<Descriptor> => {
  let size = 0
  const end = descriptors.findIndex((it) => (size += JSON.stringify(it).length) > pageSize)
  return end < 0 ? descriptors : descriptors.slice(0, Math.max(1, end))
}
