/** The pull limit a registry tells of in its headers (library description, section 12.6). */
import type { Headers } from "../../schemas/Manifest.ts"
import type { Quota } from "../RateLimiter.ts"

/** Reads `RateLimit-Limit`, `-Remaining` and `-Reset`; none when the answer has none of them. What cannot be read is 0. */
export const quotaOf = (headers: Headers): Quota | undefined => {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((it) => headers[`ratelimit-${it}`]?.[0])
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  const items = limit === undefined ? [] : limit.split(",")
  return {
    limit: integer(items[0]),
    remaining: integer(remaining),
    reset: integer(reset),
    isSet: remaining !== undefined && isInteger(remaining),
    policies: items[0]?.includes(";") === true ? items : items.slice(1)
  }
}

const first = (text: string): string => (text.split(";")[0] ?? "").trim()

const isInteger = (text: string): boolean => /^-?\d{1,15}$/.test(first(text))

const integer = (text: string | undefined): number => text !== undefined && isInteger(text) ? Number(first(text)) : 0
