/** What points at a manifest: asked of the referrers API, else read from the fallback tag (distribution-spec, listing referrers). */
import { Clock, Effect, Result } from "effect"
import { linkTo } from "../../lib/linkHeader.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { decodeManifest, header, type Index, maxRead } from "../../schemas/Manifest.ts"
import { baseType, isManifestType, mediaTypes } from "../../schemas/MediaType.ts"
import { Reference, type Tag } from "../../schemas/Ref.ts"
import { fallbackTag, isMatch, referrer } from "../../schemas/Referrers.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { RegistryRequest } from "../RegistryHttp.ts"
import type { Referrers, Repository } from "../Repository.ts"
import { makeTurns } from "../turns.ts"
import {
  addressOf,
  type At,
  backoff,
  type Document,
  document,
  type Http,
  listed,
  nameOf,
  statusOf
} from "./exchange.ts"
import { addToFallback, type Locks, readFallback, removeFromFallback } from "./fallback.ts"
import { getManifest, type ReferrerKeeper } from "./manifests.ts"

/** What one process knows of registries: which repositories have the API (for five minutes), and who changes a list. */
export interface ReferrerMemory extends Locks {
  readonly api: Map<string, { readonly works: boolean; readonly until: number }>
}

export const referrerMemory = (): ReferrerMemory => ({ api: new Map(), turns: makeTurns() })

const remembered = 5 * 60_000
/** Repositories remembered at once. */
const manyRepositories = 10_000
/** Pages of one list, entries in all (faults, limits). */
const maxPages = 10_000
const maxEntries = 100_000

export const referrers = (at: At, http: Http, memory: ReferrerMemory): Pick<Repository, "referrers"> => ({
  referrers: (subject, filter = {}) =>
    Effect.flatMap(
      byApi(at, http, memory, subject, filter.artifactType),
      (found) => found === undefined ? byTag(at, http, subject, filter.artifactType) : Effect.succeed(found)
    )
})

/** Keeps the fallback tags of a repository as manifests with a subject come and go. */
export const referrerKeeper = (
  at: At,
  http: Http,
  memory: ReferrerMemory,
  deleteTag: (tag: Tag) => Effect.Effect<void, StoreError>
): ReferrerKeeper => ({
  added: (manifest, subject) => addToFallback(at, http, memory, manifest, subject),
  removed: (manifest, subject) =>
    Effect.flatMap(
      byApi(at, http, memory, subject, undefined),
      (found) => found === undefined ? removeFromFallback(at, http, memory, deleteTag, manifest, subject) : Effect.void
    )
})

/** The API's list; none where there is no API. */
const byApi = Effect.fnUntraced(
  function*(
    at: At,
    http: Http,
    { api }: ReferrerMemory,
    subject: Descriptor,
    artifactType: string | undefined
  ) {
    const key = `${at.registry}/${at.repository}`
    const now = yield* Clock.currentTimeMillis
    const known = api.get(key)
    if (known !== undefined && known.until > now && !known.works) return undefined
    const first = yield* firstPage(at, http, subject, artifactType)
    if (api.size >= manyRepositories) api.clear()
    api.set(key, { works: first !== undefined, until: now + remembered })
    return first === undefined ? undefined : yield* allPages(at, http, subject, artifactType, first)
  },
  (effect, at, _http, _memory, subject) =>
    Effect.mapError(effect, within(`failed to list referrers for ${nameOf(at, Reference.ByDigest(subject))}`))
)

interface ApiPage {
  readonly index: Index
  readonly answer: Document
}

const request = (at: At, subject: Descriptor, artifactType: string | undefined): RegistryRequest => ({
  ...at,
  method: "GET",
  path: `referrers/${subject.digest}`,
  ...(artifactType === undefined ? {} : { query: { artifactType } }),
  headers: { accept: mediaTypes.ociIndex },
  // No API: some registries send strangers to their web site, which may not answer (registry-quirks 5.2).
  accept: [301, 302, 303],
  demand: { kind: "query", size: 0 },
  mirrors: true
})

/**
 * No API is what a refusal, a web page or some other document says (registry-quirks 5.2). An answer that broke on its
 * way says nothing, nor does a registry in trouble: they are asked again in earnest, and fail then, since referrers that
 * are not found would be lost without a word.
 */
const firstPage = (
  at: At,
  http: Http,
  subject: Descriptor,
  artifactType: string | undefined
): Effect.Effect<ApiPage | undefined, StoreError> => {
  const asked = request(at, subject, artifactType)
  return readPage(http, { ...asked, isProbe: true }).pipe(
    Effect.catchIf((error) => !isRefusal(error) && !isRead(error), () => readPage(http, asked)),
    Effect.catchIf(isRefusal, () => Effect.succeed(undefined))
  )
}

const isRefusal = (error: StoreError): boolean => {
  const status = statusOf(error) ?? 0
  const isMeant = status === 501 || (status >= 400 && status < 500 && status !== 408 && status !== 429)
  return error.reason._tag === "Unsupported" || (isMeant && error.reason.ofLogin !== true)
}

const isDamaged = ({ reason }: StoreError): boolean => reason._tag === "ManifestInvalid"

/** A list came, and asking again without a doubt would bring the same. */
const isRead = (error: StoreError): boolean => isDamaged(error) || error.reason._tag === "DepthLimit"

/** A page; nobody named its digest, so one that cannot be read may have come damaged, and is asked for again. */
const readPage = (http: Http, how: RegistryRequest): Effect.Effect<ApiPage | undefined, StoreError> =>
  document(http, how, maxRead, (answer) => Effect.fromResult(apiPage(answer))).pipe(
    Effect.retry({ schedule: backoff, times: 4, while: isDamaged })
  )

const types: ReadonlySet<string> = new Set([mediaTypes.ociIndex, "application/json", ""])

/**
 * None: something else. Fails with ManifestInvalid for what would be an index, or any JSON, if it could be read, and
 * with DepthLimit for JSON of any name that is nested too deeply (faults C12, C18).
 */
const apiPage = (answer: Document): Result.Result<ApiPage | undefined, StoreError> => {
  const type = baseType(header(answer.headers, "content-type") ?? "")
  if (answer.status !== 200 || !(types.has(type) || type.endsWith("json"))) return Result.succeed(undefined)
  const read = decodeManifest(answer.bytes, { name: "referrers", mediaType: type, headers: answer.headers })
  if (
    Result.isSuccess(read) && read.success._tag === "Index" &&
    read.success.descriptor.mediaType === mediaTypes.ociIndex
  ) return Result.succeed({ index: read.success, answer })
  if (Result.isFailure(read) && read.failure.reason._tag === "DepthLimit") return Result.fail(read.failure)
  return type === mediaTypes.ociIndex || (types.has(type) && isBrokenJson(answer.bytes))
    ? Result.fail(storeError("", "ManifestInvalid", "the list of referrers is not an OCI index"))
    : Result.succeed(undefined)
}

const isBrokenJson = (bytes: Uint8Array): boolean => {
  const text = new TextDecoder().decode(bytes)
  return text.trimStart().startsWith("{") && Result.isFailure(Result.try(() => JSON.parse(text)))
}

const allPages = Effect.fnUntraced(function*(
  at: At,
  http: Http,
  subject: Descriptor,
  artifactType: string | undefined,
  first: ApiPage
) {
  const found = new Map<string, Descriptor>()
  const visited = new Set<string>()
  for (let page: ApiPage | undefined = first; page !== undefined;) {
    const { answer, index }: ApiPage = page
    const before = found.size
    const isFiltered = listed(answer.headers, "oci-filters-applied").includes("artifactType")
    for (const entry of own(index, subject)) {
      if (isFiltered || isMatch(artifactType === undefined ? {} : { artifactType })(entry))
        found.set(entry.digest, entry)
    }
    const next: URL | undefined = yield* Effect.fromResult(nextOf(answer, visited))
    if (next === undefined) break
    if (index.manifests.length === 0 || (found.size === before && artifactType === undefined)) {
      return yield* Effect.fail(loop("a page brought nothing new"))
    }
    if (found.size > maxEntries) {
      return yield* Effect.fail(storeError("", "SizeLimit", `size limit exceeded: more than ${maxEntries} referrers`))
    }
    page = yield* readPage(http, { ...request(at, subject, undefined), url: next })
    if (page === undefined) {
      return yield* Effect.fail(storeError("", "ManifestInvalid", "a page of the list is not an OCI index"))
    }
  }
  return { descriptors: [...found.values()], annotations: first.index.annotations } satisfies Referrers
})

const loop = (problem: string) => storeError("", "PaginationLoop", `pagination loop: ${problem}`)

const nextOf = ({ headers, url }: Document, visited: Set<string>): Result.Result<URL | undefined, StoreError> => {
  const target = linkTo("next", headers["link"] ?? [])
  if (target === undefined) return Result.succeed(undefined)
  const next = addressOf(target, url)
  visited.add(url.href)
  if (next === undefined) return Result.fail(loop("the next page has no address"))
  if (next.origin !== url.origin) return Result.fail(loop(`the next page is at ${next.origin}, not at ${url.origin}`))
  return visited.has(next.href) || visited.size >= maxPages
    ? Result.fail(loop("the next page was read already"))
    : Result.succeed(next)
}

/** A manifest cannot refer to itself, whatever a list says (faults C18). */
const own = ({ manifests }: Index, subject: Descriptor): ReadonlyArray<Descriptor> =>
  manifests.filter(({ digest }) => digest !== subject.digest)

const byTag = Effect.fnUntraced(function*(
  at: At,
  http: Http,
  subject: Descriptor,
  artifactType: string | undefined
) {
  const tag = fallbackTag(subject.digest)
  const index = yield* readFallback(at, http, subject)
  if (index === undefined) return { descriptors: [], annotations: {} }
  const unique = [...new Map(own(index, subject).map((entry) => [entry.digest, entry])).values()]
  const entries = artifactType === undefined ? unique : yield* Effect.forEach(
    unique,
    (entry) => isDoubtful(entry) ? trueEntry(at, http, subject, entry) : Effect.succeed(entry),
    { concurrency: 4 }
  )
  const isWanted = isMatch(artifactType === undefined ? {} : { artifactType })
  return {
    descriptors: entries.filter((it) => it !== undefined).filter(isWanted),
    annotations: index.annotations,
    tag,
    received: index
  }
})

/** Some tools list their manifests with an empty or a wrong artifact type (registry-quirks 5.5). */
const isDoubtful = ({ artifactType, mediaType }: Descriptor): boolean =>
  isManifestType(mediaType) &&
  (artifactType === undefined || artifactType === "" || artifactType === mediaTypes.ociEmpty)

/** The entry as its manifest makes it; none when it refers to something else or is gone. */
const trueEntry = (at: At, http: Http, subject: Descriptor, entry: Descriptor) =>
  getManifest(at, http, Reference.ByDigest(entry), entry).pipe(
    Effect.map((manifest) =>
      manifest.subject === undefined || manifest.subject.digest === subject.digest ? referrer(manifest) : undefined
    ),
    Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(undefined))
  )
