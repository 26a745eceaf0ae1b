/** Go literals: quoted strings, characters and numbers, as written in templates. */
import { bytesOf, Float, textOf } from "./value.ts"

const simple: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\"
}

/** The text of a string literal in double or back quotes, or of a character; `undefined` when it is malformed. */
export const unquote = (literal: string): string | undefined => {
  const quote = literal[0] ?? ""
  const inner = literal.slice(1, -1)
  if (quote === "`") return inner.replaceAll("\r", "")
  const parts: Array<string> = []
  for (let at = 0; at < inner.length;) {
    if (inner[at] !== "\\") {
      parts.push(inner[at++] ?? "")
      continue
    }
    const escape = escapeAt(inner, at + 1, quote)
    if (escape === undefined) return undefined
    parts.push(escape.text)
    at = escape.next
  }
  const text = parts.join("")
  // Bytes given one by one may make up characters together.
  return text.isWellFormed() ? text : textOf(bytesOf(text))
}

const escapeAt = (text: string, at: number, quote: string): { text: string; next: number } | undefined => {
  const letter = text[at] ?? ""
  const plain = letter === quote ? letter : simple[letter]
  if (plain !== undefined) return { text: plain, next: at + 1 }
  const octal = /^[0-7]{3}/.exec(text.slice(at, at + 3))?.[0]
  if (octal !== undefined) return byte(Number.parseInt(octal, 8), at + 3)
  const length = { x: 2, u: 4, U: 8 }[letter]
  const hex = length === undefined ? "" : text.slice(at + 1, at + 1 + length)
  if (length === undefined || hex.length < length || !/^[0-9a-fA-F]+$/.test(hex)) return undefined
  const code = Number.parseInt(hex, 16)
  if (letter === "x") return byte(code, at + 3)
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined
  return { text: String.fromCodePoint(code), next: at + 1 + length }
}

const byte = (value: number, next: number): { text: string; next: number } | undefined =>
  value > 255 ? undefined : { text: String.fromCharCode(value < 128 ? value : 0xdc00 + value), next }

export type Literal = { readonly value: unknown } | { readonly problem: string }

/** A number's value: a whole number, a bigint beyond 2^53, or a `Float`. */
export const numberOf = (text: string, type: "charConstant" | "complex" | "number"): Literal => {
  if (type === "charConstant") {
    const value = unquote(text)
    if (value === undefined || value === "") return { problem: "invalid syntax" }
    const characters = [...value]
    if (characters.length > 1) return { problem: `malformed character constant: ${text}` }
    const code = value.codePointAt(0) ?? 0
    return { value: code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code }
  }
  const illegal = { problem: `illegal number syntax: ${JSON.stringify(text)}` }
  if (type === "complex") return { problem: `complex numbers are not supported: ${JSON.stringify(text)}` }
  const [, sign = "", digits = ""] = /^([+-]?)(.*)$/.exec(text) ?? []
  if (!isSeparated(digits)) return illegal
  const plain = digits.replaceAll("_", "").toLowerCase()
  const isHex = plain.startsWith("0x")
  if (isHex ? /[.p]/.test(plain) : /[.e]/.test(plain)) {
    const value = isHex ? hexFloat(plain) : /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain) ? Number(plain) : Number.NaN
    return Number.isFinite(value) ? { value: new Float(sign === "-" ? -value : value) } : illegal
  }
  const octal = /^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain
  if (!/^(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0|[1-9][0-9]*)$/.test(octal)) return illegal
  const value = BigInt(octal) * (sign === "-" ? -1n : 1n)
  if (value >= 1n << 64n || value < -(1n << 63n)) return { problem: `integer overflow: ${JSON.stringify(text)}` }
  return { value: value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value }
}

/** Underscores stand between digits, or between a base's prefix and a digit. */
const isSeparated = (digits: string): boolean =>
  !digits.includes("_") || /^(0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO](_?[0-7])+|\d+(_?\d)*([.eE].*)?)$/.test(digits)

const hexFloat = (text: string): number => {
  const [, whole = "", fraction = "", exponent] = /^0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/.exec(text) ?? []
  if (exponent === undefined || whole + fraction === "") return Number.NaN
  return Number.parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length)
}
