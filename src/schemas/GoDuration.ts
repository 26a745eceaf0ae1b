/** Durations as Go writes them, such as `1h30m` or `1m0s`; in milliseconds inside. */

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5
}

/** Milliseconds, or `undefined` for a text that is no duration. */
export const parseGoDuration = (text: string): number | undefined => {
  const parts = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (parts === null) return undefined
  let sum = 0
  for (const [, amount, unit] of (parts[2] ?? "").matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    sum += Number(amount) * (units[unit ?? ""] ?? 0)
  }
  return parts[1] === "-" ? -sum : sum
}

/** The text of whole milliseconds: `1h0m0s`, `1.5s`, `20ms`, `0s`. */
export const formatGoDuration = (milliseconds: number): string => {
  if (milliseconds === 0) return "0s"
  if (Math.abs(milliseconds) < 1000) return `${milliseconds}ms`
  const total = Math.abs(milliseconds)
  const [hours, minutes] = [Math.floor(total / 36e5), Math.floor(total / 6e4) % 60]
  const seconds = `${(total % 6e4) / 1000}s`
  const text = hours > 0 ? `${hours}h${minutes}m${seconds}` : minutes > 0 ? `${minutes}m${seconds}` : seconds
  return milliseconds < 0 ? `-${text}` : text
}
