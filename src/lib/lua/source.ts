/**
 * Source texts of Lua 5.1 for a reader of Lua 5.3 (regbot description, 5.1, 14.2): a backslash in front of a letter that
 * means nothing is dropped, functions with any number of arguments have the table `arg`. No line moves.
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

/** Where a text in quotes ends; `found` hears of each backslash in it. */
const quotedEnd = (source: Uint8Array, from: number, found: (at: number) => void): number => {
  const quote = source[from]
  for (let at = from + 1; at < source.length; at++) {
    const byte = source[at]
    if (byte === quote || byte === newline || byte === carriageReturn) return at + 1
    if (byte !== backslash) continue
    found(at)
    // An escaped end of line may have two bytes.
    at += source[at + 1] === carriageReturn && source[at + 2] === newline ? 2 : 1
  }
  return source.length
}

/** Calls for each text and each comment, in order, and for each backslash in a text in quotes. */
const scan = (
  source: Uint8Array,
  span: (from: number, to: number) => void,
  escape: (at: number) => void
): void => {
  for (let at = 0; at < source.length;) {
    const byte = source[at]
    const from = at
    if (byte === code("\"") || byte === code("'")) at = quotedEnd(source, at, escape)
    else if (byte === hyphen && source[at + 1] === hyphen) at = commentEnd(source, at)
    else {
      const level = byte === bracket ? levelAt(source, at) : -1
      if (level < 0) {
        at++
        continue
      }
      at = longEnd(source, at, level)
    }
    span(from, at)
  }
}

/** Without the backslashes that only Lua 5.3 reads as something. */
const withoutStrangers = (source: Uint8Array): Uint8Array => {
  if (!source.includes(backslash)) return source
  // Looked for twice: a list of them may be far larger than the source.
  const each = (found: (at: number) => void): void =>
    scan(source, () => {}, (at) => {
      if (!isKnown(source[at + 1] ?? newline)) found(at)
    })
  let count = 0
  each(() => count++)
  if (count === 0) return source
  const kept = new Uint8Array(source.length - count)
  let from = 0
  let end = 0
  const keep = (at: number): void => {
    kept.set(source.subarray(from, at), end)
    end += at - from
    from = at + 1
  }
  each(keep)
  keep(source.length)
  return kept
}

/** A function or block that is open: what was seen of it. */
interface Open {
  readonly isFunction: boolean
  /** Behind its parameters. */
  body: number
  isVararg: boolean
  hasDots: boolean
  hasArg: boolean
}

/** Names behind a point or colon are fields, whatever they are called. */
const words = /\.{2,3}|[.:]\s*[a-zA-Z_]\w*|\b(?:function|if|do|repeat|until|end|arg)\b|[()]/g

/** Where functions begin that name `arg`, have more arguments than names for them, and do not use `...`. */
const argumentTables = (text: string): ReadonlyArray<number> => {
  const found: Array<number> = []
  const open: Array<Open> = []
  // A function whose parameters are still being read.
  let begun: Open | undefined
  for (const { 0: word, index } of text.matchAll(words)) {
    // Deeper than any source that compiles.
    if (open.length > 500) return []
    const inner = open.findLast(({ isFunction }) => isFunction)
    if (begun !== undefined) {
      if (word === "...") begun.isVararg = true
      else if (word === ")") {
        begun.body = index + 1
        begun = undefined
      }
    } else if (word === "end" || word === "until") {
      const closed = open.pop()
      if (closed?.isVararg === true && closed.hasArg && !closed.hasDots) found.push(closed.body)
    } else if (word === "...") {
      if (inner !== undefined) inner.hasDots = true
    } else if (word === "arg") {
      for (const each of open) each.hasArg = true
    } else if (/^[a-z]/.test(word)) {
      const opened = { isFunction: word === "function", body: 0, isVararg: false, hasDots: false, hasArg: false }
      open.push(opened)
      if (opened.isFunction) begun = opened
    }
  }
  return found.toSorted((a, b) => a - b)
}

const argumentTable = Buffer.from(" local arg={n=select('#',...),...} ")

/** With the table `arg` in functions that Lua 5.1 gives one. */
const withArgumentTables = (source: Uint8Array): Uint8Array => {
  const text = Buffer.from(source)
  if (!text.includes("arg") || !text.includes("...")) return source
  scan(source, (from, to) => text.fill(" ", from, to), () => {})
  const places = argumentTables(text.toString("latin1"))
  if (places.length === 0) return source
  const starts = [0, ...places]
  return Buffer.concat(starts.flatMap((from, index) => {
    const part = source.subarray(from, starts[index + 1])
    return index === places.length ? [part] : [part, argumentTable]
  }))
}

/** The source as Lua 5.1 reads it. */
export const leniently = (source: Uint8Array): Uint8Array => withArgumentTables(withoutStrangers(source))

/** A script or file without its byte order mark and its first line, when that is one for a shell. */
export const withoutShebang = (source: Uint8Array): Uint8Array => {
  const isMarked = source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf
  const text = isMarked ? source.subarray(3) : source
  if (text[0] !== hash) return text
  const end = text.indexOf(newline)
  return end === -1 ? new Uint8Array() : text.subarray(end)
}
