/** Times as HTTP headers and token services write them. */

const httpDate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** Milliseconds since the epoch of an HTTP or RFC 3339 date. */
export const parseTime = (text: string): number | undefined => {
  if (!httpDate.test(text) && !rfc3339.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/**
 * How long a `Retry-After` asks to wait, in milliseconds from `now`; none for a date that is past, a negative number or
 * garbage (faults N13).
 */
export const retryAfter = (value: string | undefined, now: number): number | undefined => {
  const text = value?.trim() ?? ""
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  const time = parseTime(text)
  return time === undefined || time <= now ? undefined : time - now
}
