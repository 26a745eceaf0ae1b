/**
 * JSON text spaced anew without reading it as values, and template values as JSON the way Go writes them.
 *
 * Key order, duplicate keys, spelling of numbers and escapes stay as received; a parse and a print would lose them.
 */
import { Float, Nil, noValue, Pointer, Struct } from "./gotemplate/value.ts"

export interface JsonOptions {
  /** Writes `<`, `>` and `&` inside strings as `\u003c`, `\u003e`, `\u0026`. */
  readonly escapeHtml?: boolean
}

/** A string, a literal or number, one of the six marks, or white space. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}[\]:,"]+|[{}[\]:,]|\s+/gsu

const htmlEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029"
}

const escapeHtml = (text: string): string => text.replace(/[<>&\u2028\u2029]/g, (it) => htmlEscapes[it] ?? it)

/** Two spaces a level; `{}` and `[]` stay on one line. The text is taken to be valid JSON. */
export const indentJson = (text: string, options: JsonOptions = {}): string => {
  const parts: Array<string> = []
  let depth = 0
  let isOpen = false
  const line = () => parts.push("\n", "  ".repeat(depth))
  for (const [token] of text.matchAll(tokens)) {
    if (/^\s/.test(token)) continue
    if (token === "}" || token === "]") {
      depth--
      if (!isOpen) line()
      isOpen = false
      parts.push(token)
      continue
    }
    if (isOpen) line()
    isOpen = token === "{" || token === "["
    if (isOpen) depth++
    parts.push(token === ":" ? ": " : options.escapeHtml === true ? escapeHtml(token) : token)
    if (token === ",") line()
  }
  return parts.join("")
}

/** Without any insignificant white space. */
export const compactJson = (text: string, options: JsonOptions = {}): string => {
  const parts: Array<string> = []
  for (const [token] of text.matchAll(tokens)) if (!/^\s/.test(token)) parts.push(token)
  return options.escapeHtml === true ? escapeHtml(parts.join("")) : parts.join("")
}

/** A string as Go's encoder writes it: U+2028 and U+2029 escaped, bytes that are no text replaced. */
export const jsonString = (text: string, options: JsonOptions = {}): string => {
  const plain = text.isWellFormed()
    ? JSON.stringify(text)
    : `"${text.split(/\p{Cs}/u).map((it) => JSON.stringify(it).slice(1, -1)).join("\\ufffd")}"`
  const quoted = plain.replace(/[\u2028\u2029\x7f]/g, (it) => htmlEscapes[it] ?? it)
  return options.escapeHtml === true ? escapeHtml(quoted) : quoted
}

/** An object of the given members in their order; those that are `undefined` are left out. */
export const jsonObject = (
  members: ReadonlyArray<readonly [key: string, json: string | undefined]>,
  options: JsonOptions = {}
): string =>
  `{${members.flatMap(([key, json]) => json === undefined ? [] : [`${jsonString(key, options)}:${json}`]).join(",")}}`

/** A map with its keys sorted. */
export const jsonMap = (entries: Iterable<readonly [string, string]>, options: JsonOptions = {}): string =>
  jsonObject([...entries].sort(([a], [b]) => a < b ? -1 : 1), options)

const float = (value: number): string => {
  if (!Number.isFinite(value)) throw new Error(`json: unsupported value: ${value}`)
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return String(value)
  return value.toExponential()
}

/** A template value as compact JSON; throws for what cannot be written. */
export const marshal = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return jsonString(value)
    case "boolean":
    case "bigint":
      return String(value)
    case "number":
      return float(value)
    default:
      break
  }
  if (value === undefined || value === null || value === noValue || value instanceof Nil) return "null"
  if (value instanceof Float) return float(value.value)
  if (value instanceof Pointer) return marshal(value.value)
  if (value instanceof Uint8Array) return jsonString(Buffer.from(value).toString("base64"))
  if (Array.isArray(value)) return `[${value.map(marshal).join(",")}]`
  if (value instanceof Map) {
    return jsonMap([...value].map(([key, item]): [string, string] => [String(key), marshal(item)]))
  }
  if (!(value instanceof Struct)) throw new Error("json: unsupported type")
  if (value.behaviour.json !== undefined) return value.behaviour.json()
  if (value.behaviour.text !== undefined) return jsonString(value.behaviour.text)
  return jsonObject(Object.entries(value.fields).map(([key, item]) => [key, marshal(item)]))
}
