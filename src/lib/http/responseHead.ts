/**
 * The head of an HTTP/1.1 response (RFC 9112), read strictly: what two readers could understand differently is refused,
 * so that no byte of one response is ever taken for the beginning of the next.
 */

/** A message that is none; the text says what of it. */
export class Malformed extends Error {}

/** How the end of a body is known (RFC 9112, section 6.3): its length, its last chunk, or the connection's end. */
export type Framing = number | "chunked" | "close"

export interface ResponseHead {
  readonly status: number
  /** By lower-case name, each value in the order it came. */
  readonly headers: Readonly<Record<string, ReadonlyArray<string>>>
  readonly framing: Framing
  /** Whether the connection may serve another request after the body. */
  readonly isKept: boolean
}

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/
const name = /[!#$%&'*+.^_`|~0-9A-Za-z-]/
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/

/** Bytes of a field's name and of its value (RFC 9110, sections 5.1 and 5.5). */
export const isNameByte = (byte: number): boolean => name.test(String.fromCharCode(byte))
export const isValueByte = (byte: number): boolean => byte === 9 || (byte >= 32 && byte !== 127)

const started = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+(?::[\t\x20-\x7e\x80-\xff]*)?)?\r?$/

/**
 * Throws `Malformed` when what has come of a head can be the beginning of none, so that nobody waits for the rest of
 * it. `from`: where its last line began when that was asked before. Gives where it begins now.
 */
export const checkHeadSoFar = (text: string, from: number): number => {
  let at = from
  for (let end = text.indexOf("\r\n", at); end >= 0; end = text.indexOf("\r\n", at)) {
    const line = text.slice(at, end)
    if (!(at === 0 ? statusLine : field).test(line)) throw new Malformed("a line of the head that is none")
    at = end + 2
  }
  const rest = text.slice(at)
  if (at > 0 ? !started.test(rest) : !statusStarted(rest)) throw new Malformed("a line of the head that is none")
  return at
}

const statusStarted = (text: string): boolean =>
  statusLine.test(text.replace(/\r$/, "") + "HTTP/1.1 200".slice(text.length))

/**
 * Reads a head without its last empty line, bytes as characters. `isBodiless`: the answer to HEAD, whatever its length
 * says. Throws `Malformed`.
 */
export const parseResponseHead = (text: string, isBodiless: boolean): ResponseHead => {
  const lines = text.split("\r\n")
  const first = statusLine.exec(lines[0] ?? "")
  if (first === null) throw new Malformed("no status line of HTTP/1.1")
  const status = Number(first[2])
  const headers: Record<string, Array<string>> = Object.create(null)
  for (let at = 1; at < lines.length; at++) {
    const found = field.exec(lines[at] ?? "")
    if (found === null) throw new Malformed("a header line that is none")
    const [, name = "", value = ""] = found
    const key = name.toLowerCase()
    const values = headers[key]
    if (values === undefined) headers[key] = [withoutBlanks(value)]
    else values.push(withoutBlanks(value))
  }
  const isOld = first[1] === "0"
  const isInterim = status < 200
  const framing = framingOf(headers, isOld)
  const hasNone = isBodiless || isInterim || status === 204 || status === 304
  const isKept = keeps(headers["connection"], isOld)
  return {
    status,
    headers,
    framing: hasNone ? 0 : framing,
    isKept: isKept && (hasNone || framing !== "close")
  }
}

/** Spaces and tabs alone are left off, in one look at each: a pattern would look again and again. */
const withoutBlanks = (value: string): string => {
  let [from, to] = [0, value.length]
  while (from < to && isBlank(value.charCodeAt(from))) from++
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--
  return value.slice(from, to)
}

const isBlank = (code: number): boolean => code === 32 || code === 9

/** A length beside chunks, two lengths or any other coding is how one response is smuggled into another: refused. */
const framingOf = (headers: Readonly<Record<string, ReadonlyArray<string>>>, isOld: boolean): Framing => {
  const lengths = headers["content-length"]
  const codings = headers["transfer-encoding"]
  if (codings !== undefined) {
    if (lengths !== undefined) throw new Malformed("a length beside a transfer coding")
    if (codings.length !== 1 || codings[0]?.toLowerCase() !== "chunked") throw new Malformed("unknown transfer coding")
    if (isOld) throw new Malformed("a transfer coding of HTTP/1.0")
    return "chunked"
  }
  if (lengths === undefined) return "close"
  const [length = ""] = lengths
  if (lengths.length !== 1) throw new Malformed("two lengths")
  if (!/^\d{1,16}$/.test(length) || !Number.isSafeInteger(Number(length))) throw new Malformed("a length that is none")
  return Number(length)
}

const keeps = (values: ReadonlyArray<string> | undefined, isOld: boolean): boolean => {
  if (values === undefined) return !isOld
  const tokens = new Set(values.flatMap((value) => value.toLowerCase().split(",").map((token) => token.trim())))
  return !tokens.has("close") && (!isOld || tokens.has("keep-alive"))
}
