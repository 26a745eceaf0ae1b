/** Parts that answers of the embedded registry have in common: entity tags, pages, JSON. */
import { Result } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Headers } from "effect/http"
import { type Refusal, refusal } from "./failures.ts"

export const etag = (digest: string): string => `"${digest}"`

const lists = (header: string, digest: string | undefined): boolean =>
  digest !== undefined &&
  header.split(",").some((it) => it.trim() === "*" || it.trim().replace(/^W\//, "") === etag(digest))

/** Whether the client has this already (RFC 9110, section 13.1.2). */
export const isFresh = (headers: Headers.Headers, digest: string): boolean => {
  const known = headers["if-none-match"]
  return known !== undefined && lists(known, digest)
}

/** Whether a write may go on, given what is there now (RFC 9110, sections 13.1.1 and 13.1.2). */
export const mayWrite = (headers: Headers.Headers, current: string | undefined): boolean => {
  const [match, none] = [headers["if-match"], headers["if-none-match"]]
  return (match === undefined || lists(match, current)) && (none === undefined || !lists(none, current))
}

export const isConditional = (headers: Headers.Headers): boolean =>
  headers["if-match"] !== undefined || headers["if-none-match"] !== undefined

/** JSON with a type of its own. */
export const json = (
  value: unknown,
  contentType = "application/json",
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.uint8Array(new TextEncoder().encode(JSON.stringify(value)), { contentType, headers })

/** Names one page may have: when asked for, and when not. */
const most = { asked: 1000, unasked: 10_000 }

export interface NamesPage {
  readonly names: ReadonlyArray<string>
  readonly headers: Readonly<Record<string, string>>
}

/** The page of sorted names that `n` and `last` ask for, with the `Link` to the next (distribution-spec, listing tags). */
export const pageOf = (
  sorted: ReadonlyArray<string>,
  path: string,
  query: URLSearchParams
): Result.Result<NamesPage, Refusal> => {
  const [n, last] = [query.get("n"), query.get("last") ?? ""]
  if (n !== null && !/^\d{1,15}$/.test(n)) {
    return Result.fail(refusal(400, "PAGINATION_NUMBER_INVALID", "n is not a number of names"))
  }
  const size = n === null ? most.unasked : Math.min(Number(n), most.asked)
  const after = last === "" ? sorted : sorted.filter((name) => name > last)
  const names = after.slice(0, size)
  const end = names.at(-1)
  const link = `<${path}?n=${Math.min(size, most.asked)}&last=${encodeURIComponent(end ?? "")}>; rel="next"`
  return Result.succeed({ names, headers: end === undefined || names.length === after.length ? {} : { link } })
}
