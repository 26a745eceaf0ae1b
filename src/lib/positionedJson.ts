/** JSON of a configuration file with the places of its values, so that a problem is shown with line and column. */

export interface Place {
  /** From 1. */
  readonly line: number
  readonly column: number
  /** The line with every value replaced by `[censored]`: a broken file may hold a password anywhere. */
  readonly text: string
}

export type Positioned =
  | { readonly value: unknown; readonly at: (path: ReadonlyArray<PropertyKey>) => Place }
  | { readonly problem: string; readonly place: Place }

const maxDepth = 100

const literal = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.+-])/y
// oxlint-disable-next-line no-control-regex -- JSON forbids control characters inside a string
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const space = /[ \t\r\n]*/y

/** Reads one document; the problem of one that is none never quotes it. */
export const positionedJson = (source: string): Positioned => {
  const places = new Map<string, number>()
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(source)?.[0]
    at += found?.length ?? 0
    return found
  }
  const next = (): string => {
    take(space)
    return source.charAt(at)
  }
  const expected = (what: string) => at >= source.length ? "unexpected end" : `expected ${what}`

  const container = (end: string, depth: number, item: (index: number) => string | undefined): string | undefined => {
    at++
    if (depth > maxDepth) return `nested deeper than ${maxDepth} levels`
    if (next() === end) {
      at++
      return undefined
    }
    for (let index = 0;; index++) {
      const problem = item(index)
      if (problem !== undefined) return problem
      const separator = next()
      if (separator !== "," && separator !== end) return expected(`"," or "${end}"`)
      at++
      if (separator === end) return undefined
    }
  }
  const value = (path: string, depth: number): string | undefined => {
    const first = next()
    places.set(path, at)
    switch (first) {
      case "{":
        return container("}", depth, () => {
          if (next() !== "\"") return expected("a key in quotes")
          const key = take(string)
          if (key === undefined) return "unfinished string"
          if (next() !== ":") return expected("\":\"")
          at++
          return value(`${path}\0${String(JSON.parse(key))}`, depth + 1)
        })
      case "[":
        return container("]", depth, (index) => value(`${path}\0${index}`, depth + 1))
      case "\"":
        return take(string) === undefined ? "unfinished string" : undefined
      default:
        return take(literal) === undefined ? expected("a value") : undefined
    }
  }

  const problem = value("", 1) ?? (next() === "" ? undefined : "unexpected text after the document")
  if (problem !== undefined) return { problem, place: placeOf(source, at) }
  return {
    value: JSON.parse(source),
    at: (path) => {
      for (let length = path.length; length > 0; length--) {
        const found = places.get(["", ...path.slice(0, length)].map(String).join("\0"))
        if (found !== undefined) return placeOf(source, found)
      }
      return placeOf(source, places.get("") ?? 0)
    }
  }
}

const placeOf = (source: string, at: number): Place => {
  const start = source.lastIndexOf("\n", at - 1) + 1
  const end = source.indexOf("\n", at)
  return {
    line: source.slice(0, start).split("\n").length,
    column: at - start + 1,
    text: censored(source.slice(start, end === -1 ? source.length : end).trim()).slice(0, 200)
  }
}

/** Keys and punctuation stay. */
const censored = (line: string): string =>
  line.replaceAll(
    /("(?:[^"\\]|\\.)*"\s*:)|"(?:[^"\\]|\\.)*"?|[^\s{}[\],:"]+/g,
    (_, key: string | undefined) => key ?? "[censored]"
  )
