/** Go durations such as `1h30m0s`, read and written. */

const unitNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  "μs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9
}

/** Milliseconds of a Go duration, a fraction for less; `undefined` when the text is none (`time.ParseDuration`). */
export const parseGoDuration = (text: string): number | undefined => {
  const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (rest === "0") return 0
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined
  let nanos = 0
  for (const [, amount = "", unit = ""] of rest.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    nanos += Number(amount) * (unitNanos[unit] ?? 0)
  }
  if (nanos > 2 ** 63) return undefined
  return (sign === "-" ? -nanos : nanos) / 1e6
}

/** Milliseconds as Go prints a duration: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export const formatGoDuration = (milliseconds: number): string => {
  const nanos = BigInt(Math.round(Math.abs(milliseconds) * 1e6))
  const sign = milliseconds < 0 && nanos > 0n ? "-" : ""
  if (nanos === 0n) return "0s"
  if (nanos < 1_000n) return `${sign}${nanos}ns`
  if (nanos < 1_000_000n) return `${sign}${decimal(nanos, 3)}µs`
  if (nanos < 1_000_000_000n) return `${sign}${decimal(nanos, 6)}ms`
  const seconds = `${decimal(nanos % 60_000_000_000n, 9)}s`
  const minutes = nanos / 60_000_000_000n
  if (minutes === 0n) return sign + seconds
  return `${sign}${minutes < 60n ? "" : `${minutes / 60n}h`}${minutes % 60n}m${seconds}`
}

/** A number with its point `places` digits from the right, zeros at its end left out. */
const decimal = (value: bigint, places: number): string => {
  const digits = value.toString().padStart(places + 1, "0")
  const fraction = digits.slice(-places).replace(/0+$/, "")
  return digits.slice(0, -places) + (fraction === "" ? "" : `.${fraction}`)
}

/** Why a text is no duration, in Go's words: `time: missing unit in duration "5"`. */
export const goDurationProblem = (text: string): string => {
  let rest = text.replace(/^[+-]/, "")
  while (rest !== "") {
    const part = /^(?:\d+\.?\d*|\.\d+)([^.\d]*)/.exec(rest)
    if (part === null) break
    const [taken, unit = ""] = part
    if (unit === "") return `time: missing unit in duration ${JSON.stringify(text)}`
    if (!Object.hasOwn(unitNanos, unit)) {
      return `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`
    }
    rest = rest.slice(taken.length)
  }
  return `time: invalid duration ${JSON.stringify(text)}`
}
