/** Text in Go's quotes (strconv.Quote). */

const named: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\"
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export const goQuote = (text: string, isAscii = false): string =>
  `"${Array.from(text, (it) => it === "\"" ? "\\\"" : escaped(it, isAscii)).join("")}"`

export const goQuoteRune = (character: string, isAscii = false): string =>
  `'${character === "'" ? "\\'" : escaped(character, isAscii)}'`

const escaped = (character: string, isAscii: boolean): string => {
  const name = named[character]
  if (name !== undefined) return name
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`
  if (printable.test(character) && (!isAscii || code < 0x80)) return character
  const hex = code.toString(16)
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`
}
