/**
 * JSON as a registry may send it, read without surprises: a problem for trailing bytes, nesting beyond a depth,
 * or a key given twice in one object, which `JSON.parse` alone would pass over.
 */

export interface StrictOptions {
  /** How deep arrays and objects may nest. */
  readonly depth: number
  /** Keys that must not be repeated within one object; others may. */
  readonly unique: ReadonlySet<string>
}

export type Strict = { readonly value: unknown } | { readonly problem: string; readonly tooDeep?: boolean }

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Parses UTF-8 bytes. */
export const strictJson = (bytes: Uint8Array, options: StrictOptions): Strict => {
  let source: string
  try {
    source = text.decode(bytes)
  } catch {
    return { problem: "not UTF-8 text" }
  }
  return strictJsonText(source, options)
}

/** Parses text that was decoded already. */
export const strictJsonText = (source: string, options: StrictOptions): Strict => {
  const found = scan(source, options)
  if (found !== undefined) return found
  try {
    return { value: JSON.parse(source) }
  } catch (error) {
    return { problem: problemOf(error) }
  }
}

/** The engine's message, without the piece of the text that it may quote with its line breaks. */
const problemOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(
    /, (?:\.{3})?".*"(?:\.{3})? is not valid JSON$/s,
    " in JSON"
  )

/** One pass over the tokens, keeping for each open container the keys seen so far; arrays keep none. */
const scan = (source: string, { depth, unique }: StrictOptions): Exclude<Strict, { value: unknown }> | undefined => {
  const open: Array<Set<string> | undefined> = []
  let isKey = false
  for (let at = 0; at < source.length; at++) {
    switch (source[at]) {
      case "{":
      case "[":
        isKey = source[at] === "{"
        if (open.push(isKey ? new Set() : undefined) > depth) {
          return { problem: `nested deeper than ${depth} levels`, tooDeep: true }
        }
        break
      case "}":
      case "]":
        open.pop()
        isKey = false
        break
      case ",":
        isKey = open.at(-1) !== undefined
        break
      case "\"": {
        const end = stringEnd(source, at)
        const keys = open.at(-1)
        if (isKey && keys !== undefined) {
          const key = unescaped(source.slice(at, end + 1))
          if (unique.has(key) && keys.has(key)) return { problem: `key "${key}" is given twice` }
          keys.add(key)
          isKey = false
        }
        at = end
        break
      }
    }
  }
  return undefined
}

const stringEnd = (source: string, start: number): number => {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === "\\") at++
    else if (source[at] === "\"") return at
  }
  return source.length
}

const unescaped = (quoted: string): string => {
  try {
    return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
  } catch {
    return quoted
  }
}
