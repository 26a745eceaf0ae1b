/** Texts of numbers, as source text, `tonumber` and arithmetic on strings read them: always doubles. */

const shape =
  /^[\t\n\v\f\r ]*([+-]?)(?:0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))[\t\n\v\f\r ]*$/

/** Each digit counts, however many there are. */
const hexadecimal = (digits: string): number => {
  let value = 0
  for (const digit of digits) value = value * 16 + Number.parseInt(digit, 16)
  return value
}

/** The longest text that is looked at; no number needs more. */
const longest = 400

/** The number that a text is, with spaces around it allowed; nothing when it is none. */
export const numeralOf = (text: Uint8Array): number | undefined => {
  if (text.length > longest) return undefined
  const found = shape.exec(String.fromCharCode(...text))
  if (found === null) return undefined
  const [, sign = "", whole, fraction = "", exponent = "0", decimal] = found
  if (decimal !== undefined) return Number(sign + decimal)
  if (whole === undefined || whole + fraction === "") return undefined
  const value = hexadecimal(whole + fraction) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === "-" ? -value : value
}

/** The number that digits of a base are, from 2 to 36. */
export const digitsOf = (text: Uint8Array, base: number): number | undefined => {
  if (text.length > longest) return undefined
  const found = /^[\t\n\v\f\r ]*([+-]?)([0-9a-zA-Z]+)[\t\n\v\f\r ]*$/.exec(String.fromCharCode(...text))
  if (found === null) return undefined
  const [, sign, digits = ""] = found
  let value = 0
  for (const letter of digits) {
    const digit = Number.parseInt(letter, 36)
    if (digit >= base) return undefined
    value = value * base + digit
  }
  return sign === "-" ? -value : value
}
