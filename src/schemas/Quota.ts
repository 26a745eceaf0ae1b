/** What the `RateLimit-*` headers of a registry say (Docker Hub's pull limit). */
import type { Headers } from "./Manifest.ts"

export interface Quota {
  readonly limit: number
  readonly remaining: number
  /** Seconds until the window begins anew, 0 when unknown. */
  readonly reset: number
  /** Whether a remaining count came. */
  readonly isSet: boolean
  readonly policies: ReadonlyArray<string>
}

const integer = (text: string | undefined): number | undefined => {
  const value = (text ?? "").split(";")[0] ?? ""
  return /^[+-]?\d{1,15}$/.test(value) ? Number(value) : undefined
}

/** The quota in the headers of an answer (library description, section 12.6); what cannot be read is 0. */
export const quotaOf = (headers: Headers): Quota => {
  const first = (name: string) => headers[name]?.[0]
  const items = (first("ratelimit-limit") ?? "").split(",")
  const remaining = integer(first("ratelimit-remaining"))
  const hasPolicy = items[0]?.includes(";") ?? false
  return {
    limit: integer(items[0]) ?? 0,
    remaining: remaining ?? 0,
    reset: integer(first("ratelimit-reset")) ?? 0,
    isSet: remaining !== undefined,
    policies: hasPolicy ? items : items.slice(1)
  }
}
