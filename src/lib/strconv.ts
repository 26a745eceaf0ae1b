/** Go's reading of flag values: its spellings, its ranges, its error texts. */

export type Parsed<A> = { readonly value: A } | { readonly problem: string }

const problem = (name: string, text: string, what: string) => ({
  problem: `strconv.${name}: parsing ${JSON.stringify(text)}: ${what}`
})

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text) => [text, false] as const)
])

export const parseBool = (text: string): Parsed<boolean> => {
  const value = booleans.get(text)
  return value === undefined ? problem("ParseBool", text, "invalid syntax") : { value }
}

const decimal = /^(?:0|[1-9](?:_?[0-9])*)$/
const based = /^0(?:[xX](?:_?[0-9a-fA-F])+|[bB](?:_?[01])+|[oO]?(?:_?[0-7])+)$/

/** Digits with Go's prefixes (`0x`, `0o`, `0b`, a leading zero for octal) and underscores between digits. */
const magnitude = (text: string): bigint | undefined => {
  if (decimal.test(text)) return BigInt(text.replaceAll("_", ""))
  if (!based.test(text)) return undefined
  const digits = text.replaceAll("_", "").toLowerCase()
  return BigInt(/^0[xbo]/.test(digits) ? digits : `0o${digits.slice(1)}`)
}

/** A 64-bit integer; what a number cannot hold exactly is out of range too. */
export const parseInt64 = (text: string): Parsed<number> => {
  const found = magnitude(text.replace(/^[+-]/, ""))
  if (found === undefined) return problem("ParseInt", text, "invalid syntax")
  const value = Number(text.startsWith("-") ? -found : found)
  return Number.isSafeInteger(value) ? { value } : problem("ParseInt", text, "value out of range")
}

export const parseUint64 = (text: string): Parsed<number> => {
  const found = magnitude(text)
  if (found === undefined) return problem("ParseUint", text, "invalid syntax")
  const value = Number(found)
  return Number.isSafeInteger(value) ? { value } : problem("ParseUint", text, "value out of range")
}

const float = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

/** Decimal forms; infinities and NaN mean nothing for a flag and are refused. */
export const parseFloat64 = (text: string): Parsed<number> => {
  const value = Number(text)
  if (!float.test(text)) return problem("ParseFloat", text, "invalid syntax")
  return Number.isFinite(value) ? { value } : problem("ParseFloat", text, "value out of range")
}
