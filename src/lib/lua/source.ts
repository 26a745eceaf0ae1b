/**
 * Source texts of Lua 5.1 for a reader of Lua 5.3: a backslash in front of a letter that means nothing is dropped, as
 * Lua 5.1 does (regbot description, 14.2). No line moves.
 */

const code = (letter: string): number => letter.charCodeAt(0)

const backslash = code("\\")
const newline = code("\n")
const carriageReturn = code("\r")
const hyphen = code("-")
const bracket = code("[")
const closing = code("]")
const equals = code("=")
const hash = code("#")

/** What may follow a backslash in both: digits come on top. */
const known = new Set([..."abfnrtv\\\"'\n\r"].map(code))

const isKnown = (byte: number): boolean => known.has(byte) || (byte >= code("0") && byte <= code("9"))

/** Behind `[==[` at a position: how many equals signs, or -1. */
const levelAt = (source: Uint8Array, at: number): number => {
  if (source[at] !== bracket) return -1
  let end = at + 1
  while (source[end] === equals) end++
  return source[end] === bracket ? end - at - 1 : -1
}

/** Where the long text that opens at a position ends. */
const longEnd = (source: Uint8Array, from: number, level: number): number => {
  for (let at = source.indexOf(closing, from + level + 2); at !== -1; at = source.indexOf(closing, at + 1)) {
    let end = at + 1
    while (source[end] === equals) end++
    if (end - at - 1 === level && source[end] === closing) return end + 1
  }
  return source.length
}

const commentEnd = (source: Uint8Array, at: number): number => {
  const level = levelAt(source, at + 2)
  if (level >= 0) return longEnd(source, at + 2, level)
  const end = source.indexOf(newline, at)
  return end === -1 ? source.length : end
}

/** Where the backslashes are that only Lua 5.3 reads as something. */
const strangers = (source: Uint8Array): ReadonlyArray<number> => {
  const found: Array<number> = []
  let quote = 0
  for (let at = 0; at < source.length;) {
    const byte = source[at] ?? 0
    if (quote !== 0) {
      if (byte === backslash) {
        const next = source[at + 1] ?? newline
        if (!isKnown(next)) found.push(at)
        // An escaped end of line may have two bytes.
        at += next === carriageReturn && source[at + 2] === newline ? 3 : 2
        continue
      }
      if (byte === quote || byte === newline || byte === carriageReturn) quote = 0
      at++
    } else if (byte === code("\"") || byte === code("'")) {
      quote = byte
      at++
    } else if (byte === hyphen && source[at + 1] === hyphen) at = commentEnd(source, at)
    else {
      const level = byte === bracket ? levelAt(source, at) : -1
      at = level >= 0 ? longEnd(source, at, level) : at + 1
    }
  }
  return found
}

/** The source as Lua 5.1 reads it. */
export const leniently = (source: Uint8Array): Uint8Array => {
  if (!source.includes(backslash)) return source
  const drop = strangers(source)
  if (drop.length === 0) return source
  const kept = new Uint8Array(source.length - drop.length)
  let from = 0
  let end = 0
  for (const at of [...drop, source.length]) {
    kept.set(source.subarray(from, at), end)
    end += at - from
    from = at + 1
  }
  return kept
}

/** A script or file without its byte order mark and its first line, when that is one for a shell. */
export const withoutShebang = (source: Uint8Array): Uint8Array => {
  const isMarked = source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf
  const text = isMarked ? source.subarray(3) : source
  if (text[0] !== hash) return text
  const end = text.indexOf(newline)
  return end === -1 ? new Uint8Array() : text.subarray(end)
}
