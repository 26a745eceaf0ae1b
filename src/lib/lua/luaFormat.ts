/** Numbers as `printf` of C prints them: what `string.format` needs, exact to the last digit. */

/** One conversion: `%`, flags, width, precision, letter. */
export interface Conversion {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly letter: string
}

/** As fraction of integers: `digits / 10^scale`; for a finite number that is not negative. */
const exact = (value: number): { readonly digits: bigint; readonly scale: number } => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const power = Number(bits >> 52n & 0x7ffn)
  const mantissa = (bits & 0xfffffffffffffn) | (power === 0 ? 0n : 1n << 52n)
  const exponent = Math.max(power, 1) - 1075
  if (exponent >= 0) return { digits: mantissa << BigInt(exponent), scale: 0 }
  return { digits: mantissa * 5n ** BigInt(-exponent), scale: -exponent }
}

/** `digits / 10^places` as an integer, a half to the even neighbour. */
const rounded = (digits: bigint, places: number): bigint => {
  if (places <= 0) return digits * 10n ** BigInt(-places)
  const unit = 10n ** BigInt(places)
  const whole = digits / unit
  const twice = digits % unit * 2n
  return twice > unit || (twice === unit && whole % 2n === 1n) ? whole + 1n : whole
}

/** `%f` of a finite number that is not negative. */
const fixed = (value: number, precision: number): string => {
  const { digits, scale } = exact(value)
  const text = rounded(digits, scale - precision).toString().padStart(precision + 1, "0")
  return precision === 0 ? text : `${text.slice(0, -precision)}.${text.slice(-precision)}`
}

/** Digits of `d.ddd` and the power of ten behind them. */
const scientific = (value: number, precision: number): { readonly digits: string; readonly power: number } => {
  if (value === 0) return { digits: "0".repeat(precision + 1), power: 0 }
  const { digits, scale } = exact(value)
  const power = digits.toString().length - 1 - scale
  const text = rounded(digits, power + scale - precision).toString()
  // 9.99 may become 10.0
  return text.length > precision + 1 ? { digits: text.slice(0, -1), power: power + 1 } : { digits: text, power }
}

const withPower = (digits: string, power: number): string =>
  `${digits.slice(0, 1)}${digits.length > 1 ? "." : ""}${digits.slice(1)}e${power < 0 ? "-" : "+"}${
    String(Math.abs(power)).padStart(2, "0")
  }`

const general = (value: number, precision: number, isWhole: boolean): string => {
  const figures = Math.max(precision, 1)
  const { digits, power } = scientific(value, figures - 1)
  const kept = isWhole ? digits : digits.replace(/(?<=.)0+$/, "")
  if (power < -4 || power >= figures) return withPower(kept, power)
  const text = fixed(value, figures - 1 - power)
  return isWhole || !text.includes(".") ? text : text.replace(/\.?0+$/, "")
}

const floating = (value: number, { flags, precision = 6, letter }: Conversion): string => {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : "Inf"
  const isWhole = flags.includes("#")
  const kind = letter.toLowerCase()
  const { digits, power } = kind === "e" ? scientific(value, precision) : { digits: "", power: 0 }
  const text = kind === "f"
    ? fixed(value, precision)
    : kind === "g"
    ? general(value, precision, isWhole)
    : withPower(digits, power)
  const pointed = isWhole && !text.includes(".") ? text.replace(/(?=e|$)/, ".") : text
  return letter === kind ? pointed : pointed.toUpperCase()
}

/** To its width: blanks before or after, or zeros between the sign and the digits. */
const padded = (sign: string, body: string, { flags, width }: Conversion, isZeroed: boolean): string => {
  const missing = width - sign.length - body.length
  if (missing <= 0) return sign + body
  if (flags.includes("-")) return sign + body + " ".repeat(missing)
  return isZeroed && flags.includes("0") ? sign + "0".repeat(missing) + body : " ".repeat(missing) + sign + body
}

const signOf = (isNegative: boolean, flags: string): string =>
  isNegative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : ""

/** `%e %E %f %g %G`; infinities and NaN as numbers look elsewhere in Lua. */
export const formatFloat = (value: number, conversion: Conversion): string => {
  const isNegative = value < 0 || Object.is(value, -0)
  const flags = value === Infinity ? `${conversion.flags}+` : conversion.flags
  const sign = Number.isNaN(value) ? "" : signOf(isNegative, flags)
  return padded(sign, floating(Math.abs(value), conversion), conversion, Number.isFinite(value))
}

/** As C turns a double into 64 bits: without its fraction; what does not fit is the least of them. */
const integerBits = (value: number): bigint => {
  if (Number.isNaN(value) || value >= 2 ** 64 || value < -(2 ** 63)) return -(2n ** 63n)
  return BigInt(Math.trunc(value))
}

/** `%d %i %o %u %x %X`. */
export const formatInteger = (value: number, conversion: Conversion): string => {
  const { flags, precision, letter } = conversion
  const isSigned = letter === "d" || letter === "i"
  const bits = isSigned
    ? BigInt.asIntN(64, integerBits(value >= 2 ** 63 ? NaN : value))
    : BigInt.asUintN(64, integerBits(value))
  const size = bits < 0n ? -bits : bits
  const base = letter === "o" ? 8 : letter === "x" || letter === "X" ? 16 : 10
  const digits = precision === 0 && size === 0n ? "" : size.toString(base).padStart(precision ?? 1, "0")
  const isAlternate = flags.includes("#")
  const octal = isAlternate && base === 8 && !digits.startsWith("0") ? `0${digits}` : digits
  const prefix = isAlternate && base === 16 && size !== 0n ? "0x" : ""
  const text = padded(
    isSigned ? signOf(bits < 0n, flags) : prefix,
    octal,
    conversion,
    precision === undefined
  )
  return letter === "X" ? text.toUpperCase() : text
}
