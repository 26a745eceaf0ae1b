/** Lists that come in pages: the next one is asked for as the stream is pulled, and never in circles (faults N37, N38). */
import { Effect, Option, Result, Stream } from "effect"
import { linkTo } from "../../lib/linkHeader.ts"
import { strictJsonText } from "../../lib/strictJson.ts"
import { cut, visible } from "../../lib/visibleText.ts"
import { header } from "../../schemas/Manifest.ts"
import { baseType, isGenericType } from "../../schemas/MediaType.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { RegistryRequest } from "../RegistryHttp.ts"
import type { Page, PageRequest } from "../Repository.ts"
import { addressOf, type Document, document, type Http, statusOf } from "./exchange.ts"

export interface Listing {
  /** What to ask for; the page's `last` and `n` are added. */
  readonly request: RegistryRequest
  /** The names in a decoded answer. */
  readonly namesOf: (json: unknown) => Result.Result<ReadonlyArray<string>, { readonly message: string }>
  readonly isName: (name: string) => boolean
  /** The operation, for errors. */
  readonly operation: string
}

interface Position {
  /** The next page's address; the first has none. */
  readonly url?: URL
  readonly query: Readonly<Record<string, string>>
  readonly seen: Set<string>
  readonly visited: Set<string>
  readonly count: number
}

/** Bytes of one page, names and pages of one list (faults, limits). */
const maxPage = 32 * 1024 * 1024
const maxNames = 1_000_000
const maxPages = 10_000

export const pages = (
  http: Http,
  listing: Listing,
  { last, limit }: PageRequest = {}
): Stream.Stream<Page, StoreError> => {
  const wanted = limit === undefined || limit <= 0 ? undefined : limit
  return Stream.suspend(() =>
    Stream.paginate<Position, Page, StoreError>(
      {
        query: {
          ...(last === undefined || last === "" ? {} : { last }),
          ...(wanted === undefined ? {} : { n: String(wanted) })
        },
        seen: new Set(),
        visited: new Set(),
        count: 0
      },
      (position) =>
        Effect.map(page(http, listing, position), ({ page, next }) => {
          const isEnough = wanted !== undefined && position.seen.size >= wanted
          return [[page], isEnough || next === undefined ? Option.none() : Option.some(next)] as const
        })
    ).pipe(Stream.mapError(within(listing.operation)))
  )
}

const page = Effect.fnUntraced(function*(http: Http, listing: Listing, position: Position) {
  const answer = yield* ask(http, listing, position)
  const names = yield* Effect.fromResult(namesIn(listing, answer))
  const fresh: Array<string> = []
  let skipped = 0
  for (const name of names) {
    if (position.seen.has(name)) continue
    position.seen.add(name)
    if (listing.isName(name)) fresh.push(name)
    else {
      skipped++
      yield* Effect.logWarning(`Skipping a name that is not allowed: "${visible(cut(name, 200))}"`)
    }
  }
  const known = position.seen.size
  if (known > maxNames)
    return yield* Effect.fail(storeError("", "SizeLimit", `size limit exceeded: more than ${maxNames} names`))
  const next = yield* Effect.fromResult(nextOf(answer, position, names.length))
  const left = skipped === 0 ? {} : { skipped }
  return { page: { names: fresh, body: answer.bytes, headers: answer.headers, url: answer.url, ...left }, next }
})

/** Some registries refuse an `n` above their own limit: then without (registry-quirks 3.15). */
const ask = (http: Http, listing: Listing, { query, url }: Position): Effect.Effect<Document, StoreError> => {
  const read = (request: RegistryRequest) => document(http, request, maxPage, Effect.succeed)
  if (url !== undefined) return read({ ...listing.request, url })
  const { n, ...rest } = query
  const asked = read({ ...listing.request, query })
  return n === undefined ? asked : Effect.catchIf(
    asked,
    (error) => [400, 413].includes(statusOf(error) ?? 0),
    () => read({ ...listing.request, query: rest })
  )
}

const namesIn = (
  { namesOf }: Listing,
  { bytes, headers }: Document
): Result.Result<ReadonlyArray<string>, StoreError> => {
  const type = baseType(header(headers, "content-type") ?? "")
  if (!isGenericType(type)) {
    return Result.fail(storeError("", "UnsupportedMediaType", `unsupported media type: "${visible(cut(type, 100))}"`))
  }
  const json = strictJsonText(new TextDecoder().decode(bytes), { depth: 100, unique: new Set() })
  const invalid = (problem: string) =>
    storeError(
      "",
      "problem" in json && json.tooDeep === true ? "DepthLimit" : "ManifestInvalid",
      `error unmarshaling list: ${visible(cut(problem, 2_000))}`
    )
  if ("problem" in json) return Result.fail(invalid(json.problem))
  return Result.mapError(namesOf(json.value), ({ message }) => invalid(message))
}

/** The page after this one, if its address can be one that brings something new. */
const nextOf = (
  { headers, url }: Document,
  { seen, visited, count, query }: Position,
  found: number
): Result.Result<Position | undefined, StoreError> => {
  const target = linkTo("next", headers["link"] ?? [])
  if (target === undefined) return Result.succeed(undefined)
  const next = addressOf(target, url)
  const loop = (problem: string) => Result.fail(storeError("", "PaginationLoop", `pagination loop: ${problem}`))
  visited.add(url.href)
  if (next === undefined) return loop("the next page has no address")
  if (next.origin !== url.origin) return loop(`the next page is at ${next.origin}, not at ${url.origin}`)
  if (visited.has(next.href)) return loop("the next page was read already")
  if (seen.size === count || found === 0) return loop("a page brought no new names")
  if (visited.size >= maxPages) {
    return Result.fail(storeError("", "SizeLimit", `size limit exceeded: more than ${maxPages} pages`))
  }
  return Result.succeed({ url: next, query, seen, visited, count: seen.size })
}
