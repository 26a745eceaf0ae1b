/** Where an answer may send a request, and what of it goes along (faults, section 1, origins; rows N21–N27). */
import { Result } from "effect"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Body } from "../Transport.ts"
import { shownUrl } from "./urls.ts"

/** Hops of one request. */
export const maxRedirects = 10

/** The part of a request that a redirect changes. */
export interface Hop {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: Body | undefined
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export const isRedirect = (status: number): boolean => redirects.has(status)

/** Headers that belong to one origin. */
const personal: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"])

/**
 * The next hop. Fails with `RedirectRefused` for a location that is missing, broken, no web address, with user
 * information, without encryption after https, or elsewhere as a deletion or with a body that is no upload; and for a
 * status that makes a GET of a write, whose answer would say nothing of what was to be written.
 */
export const follow = (
  hop: Hop,
  { isUpload, location, status }: {
    readonly status: number
    readonly location: string | undefined
    readonly isUpload: boolean
  }
): Result.Result<Hop, StoreError> => {
  if (location === undefined || location === "" || !URL.canParse(location, hop.url.href)) {
    return refuse(`redirect without a usable location not allowed (${shownUrl(hop.url, false)})`)
  }
  const url = new URL(location, hop.url.href)
  const keepsMethod = status === 307 || status === 308
  const problem = addressProblem(hop.url, url) ?? departure(hop.method, hop.url, url)
  if (problem !== undefined) return refuse(problem)
  const isOrigin = url.origin === hop.url.origin
  const isWrite = hop.method !== "GET" && hop.method !== "HEAD"
  if (isWrite && !keepsMethod) {
    return refuse(`redirect of a ${hop.method} by status ${status} not allowed (${shownUrl(url, false)})`)
  }
  if (hop.body !== undefined && !isOrigin && !isUpload) {
    return refuse(`redirect of a request with a body to another server not allowed (${shownUrl(url, false)})`)
  }
  const headers = Object.fromEntries(
    Object.entries(hop.headers).filter(([name]) => isOrigin || !personal.has(name.toLowerCase()))
  )
  return Result.succeed({ ...hop, url, headers })
}

/** Why a move from one URL to another is refused, if it is; how local the other's address is, the transport checks. */
export const addressProblem = (from: URL, to: URL): string | undefined => {
  const shown = () => shownUrl(to, false)
  if (to.protocol !== "https:" && to.protocol !== "http:") return `redirect to ${to.protocol} not allowed (${shown()})`
  if (to.username !== "" || to.password !== "") return `redirect with user information not allowed (${shown()})`
  if (from.protocol === "https:" && to.protocol === "http:") {
    return `redirect from an https to non-https server is not allowed (${shown()})`
  }
  return undefined
}

/** A registry may only have its own content deleted, wherever it sends us. */
export const departure = (method: string, from: URL, to: URL): string | undefined =>
  method === "DELETE" && from.origin !== to.origin
    ? `redirect of a deletion to another server not allowed (${shownUrl(to, false)})`
    : undefined

const refuse = (detail: string): Result.Result<never, StoreError> =>
  Result.fail(storeError("request failed", "RedirectRefused", detail))
