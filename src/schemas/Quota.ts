/** The pull limit a registry tells of in its headers (library description, section 12.6). */
import { header, type Headers } from "./Manifest.ts"

export interface Quota {
  readonly limit: number
  readonly remaining: number
  /** Seconds until the window begins anew, 0 when unknown. */
  readonly reset: number
  /** Whether a remaining count came. */
  readonly isSet: boolean
  readonly policies: ReadonlyArray<string>
}

/** Nothing was told. */
export const noQuota: Quota = { limit: 0, remaining: 0, reset: 0, isSet: false, policies: [] }

/** Reads `RateLimit-Limit`, `-Remaining` and `-Reset`; none when the answer has none of them. What cannot be read is 0. */
export const quotaOf = (headers: Headers): Quota | undefined => {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((it) => header(headers, `ratelimit-${it}`))
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  const items = limit === undefined ? [] : limit.split(",")
  return {
    limit: integer(items[0]) ?? 0,
    remaining: integer(remaining) ?? 0,
    reset: integer(reset) ?? 0,
    isSet: integer(remaining) !== undefined,
    policies: items[0]?.includes(";") === true ? items : items.slice(1)
  }
}

const integer = (text: string | undefined): number | undefined => {
  const first = (text?.split(";")[0] ?? "").trim()
  return /^[+-]?\d{1,15}$/.test(first) ? Number(first) : undefined
}
