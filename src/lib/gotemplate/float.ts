/** Floats as Go's strconv writes them. */

/** A number that is not negative, as `%e`, `%f` or `%g`; without a precision the shortest text that reads back the same. */
export const formatFloat = (value: number, kind: string, precision: number | undefined): string => {
  if (!Number.isFinite(value)) return String(value)
  switch (kind) {
    case "f":
      return precision === undefined ? plainDigits(value) : fixed(value, precision)
    case "e":
    case "E":
      return exponential(value, precision, kind)
    default: {
      const exact = precision === undefined ? undefined : Math.max(precision, 1)
      const exponent = Number(
        (exact === undefined ? value.toExponential() : value.toExponential(digits(exact - 1))).split("e")[1]
      )
      if (exponent < -4 || exponent >= (exact ?? 6)) {
        const text = exponential(value, exact === undefined ? undefined : exact - 1, kind === "G" ? "E" : "e")
        return exact === undefined ? text : text.replace(/\.?0+(?=[eE])/, "")
      }
      if (exact === undefined) return plainDigits(value)
      const text = fixed(value, Math.max(exact - 1 - exponent, 0))
      return text.includes(".") ? text.replace(/\.?0+$/, "") : text
    }
  }
}

/** JavaScript gives at most this many; the rest are zeros. */
const digits = (count: number): number => Math.min(count, 100)

const exponential = (value: number, precision: number | undefined, letter: string): string => {
  const [mantissa = "", exponent = "+0"] =
    (precision === undefined ? value.toExponential() : value.toExponential(digits(precision))).split("e")
  const zeros = precision !== undefined && precision > 100 ? "0".repeat(precision - 100) : ""
  return `${mantissa}${zeros}${letter}${exponent[0]}${exponent.slice(1).padStart(2, "0")}`
}

/** Rounds a tie to the even digit, which `toFixed` does not. */
const fixed = (value: number, precision: number): string => {
  const count = digits(precision)
  if (value >= 1e21) return BigInt(value) + (precision === 0 ? "" : `.${"0".repeat(precision)}`)
  const zeros = "0".repeat(precision - count)
  const exact = value.toFixed(Math.min(100, count + 60))
  const point = exact.indexOf(".")
  const rest = exact.slice(point + 1 + count)
  if (!/^50*$/.test(rest)) return value.toFixed(count) + zeros
  const lower = exact.slice(0, point + 1 + count).replace(/\.$/, "")
  return (/[02468]$/.test(lower) ? lower : value.toFixed(count)) + zeros
}

/** The shortest digits without an exponent. */
const plainDigits = (value: number): string => {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e")
  const all = mantissa.replace(".", "")
  const point = Number(exponent) + 1
  if (point <= 0) return `0.${"0".repeat(-point)}${all}`.replace(/^0\.0+$/, "0")
  return all.length <= point ? all.padEnd(point, "0") : `${all.slice(0, point)}.${all.slice(point)}`
}
