/**
 * Reads the values of a YAML configuration as the Go tools decode theirs: typed, case-sensitive, forgiving where they
 * are. Every problem is noted with its place and stands in for a default, so that a file's problems are all told at once.
 */
import { distance } from "../lib/distance.ts"
import { goDurationProblem, parseGoDuration } from "../lib/goDuration.ts"
import type { YamlMap, YamlNode, YamlScalar } from "../lib/yaml.ts"

export interface SettingProblem {
  /** Such as `sync[3].tags.allow[0]`. */
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly detail: string
}

/** A key that nobody here knows, or that is given twice; `near` is the known key it is close to. */
export interface OddKey {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly near?: string
  readonly isRepeated: boolean
}

const kindOf = (node: YamlNode): string => {
  if (node.kind !== "scalar") return node.kind === "map" ? "mapping" : "sequence"
  return typeof node.value === "string" ? "string" : node.value === null ? "null" : typeof node.value
}

const isNull = (node: YamlNode | undefined): boolean =>
  node === undefined || (node.kind === "scalar" && node.value === null && !node.isQuoted)

/** The members of a map, by key; each reader below takes the value and the path of the member. */
export interface Members {
  readonly at: (key: string) => YamlNode | undefined
  readonly path: (key: string) => string
}

const none: Members = { at: () => undefined, path: (key) => key }

/** One reading of one file. */
export class SettingsReader {
  readonly problems: Array<SettingProblem> = []
  readonly oddKeys: Array<OddKey> = []

  /** Notes what is wrong with a value. */
  readonly refuse = (node: { readonly line: number; readonly column: number }, path: string, detail: string): void => {
    this.problems.push({ path, line: node.line, column: node.column, detail })
  }

  /** Neither absent nor null. */
  readonly isSaid = (node: YamlNode | undefined): boolean => !isNull(node)

  private wrong(node: YamlNode, path: string, expected: string): void {
    this.refuse(node, path, `${kindOf(node)} was used where ${expected} is expected`)
  }

  /** A map of which these keys are known; `x-` keys are the user's own. */
  readonly members = (node: YamlNode | undefined, path: string, known: ReadonlyArray<string>): Members => {
    if (node === undefined || isNull(node)) return none
    if (node.kind !== "map") {
      this.wrong(node, path, "mapping")
      return none
    }
    const inside = (key: string) => path === "" ? key : `${path}.${key}`
    for (const [key, { column, isRepeated, line }] of node.entries) {
      const isKnown = known.includes(key)
      if (isRepeated || (!isKnown && !key.startsWith("x-"))) {
        const near = isKnown ? undefined : known.find((it) => distance(it.toLowerCase(), key.toLowerCase()) <= 2)
        this.oddKeys.push({ path: inside(key), line, column, isRepeated, ...(near === undefined ? {} : { near }) })
      }
    }
    return { at: (key) => node.entries.get(key)?.value, path: inside }
  }

  /** Numbers, dates and the like are texts as they stand in the file. */
  readonly text = (node: YamlNode | undefined, path: string): string => {
    if (node === undefined || isNull(node)) return ""
    if (node.kind === "scalar") return node.isQuoted || typeof node.value !== "string" ? node.text : node.value
    this.wrong(node, path, "string")
    return ""
  }

  /** A whole number; a quoted one counts, decimals are cut off. */
  readonly integer = (node: YamlNode | undefined, path: string): number => {
    const value = this.number(node, path, "int")
    return Math.trunc(value)
  }

  /** A whole number of at least 0. */
  readonly count = (node: YamlNode | undefined, path: string): number => {
    const value = this.integer(node, path)
    if (node !== undefined && value < 0) this.refuse(node, path, "expected a number of at least 0")
    return value
  }

  readonly decimal = (node: YamlNode | undefined, path: string): number => this.number(node, path, "float64")

  private number(node: YamlNode | undefined, path: string, type: string): number {
    if (node === undefined || isNull(node)) return 0
    if (node.kind !== "scalar") {
      this.wrong(node, path, type)
      return 0
    }
    const value = numberOf(node)
    if (value !== undefined) return value
    this.refuse(node, path, `cannot unmarshal ${kindOf(node)} into Go struct field of type ${type}`)
    return 0
  }

  /** `undefined` where nothing is said. */
  readonly boolean = (node: YamlNode | undefined, path: string): boolean | undefined => {
    if (node === undefined || isNull(node)) return undefined
    if (node.kind === "scalar" && !node.isQuoted && typeof node.value === "boolean") return node.value
    if (node.kind === "scalar") this.refuse(node, path, "cannot unmarshal string into Go struct field of type bool")
    else this.wrong(node, path, "bool")
    return undefined
  }

  /** Milliseconds of a text in Go's form; a bare number is none. */
  readonly duration = (node: YamlNode | undefined, path: string): number => {
    if (node === undefined || isNull(node)) return 0
    if (node.kind !== "scalar") {
      this.wrong(node, path, "duration")
      return 0
    }
    const isText = node.isQuoted || typeof node.value === "string"
    const value = isText ? parseGoDuration(node.text) : undefined
    if (value !== undefined && value < 0) this.refuse(node, path, "expected a duration of at least 0s")
    if (value !== undefined) return value
    this.refuse(node, path, goDurationProblem(node.text))
    return 0
  }

  /** Each item read by itself; absent and null are `undefined`. */
  readonly list = <A>(
    node: YamlNode | undefined,
    path: string,
    item: (node: YamlNode, path: string) => A
  ): ReadonlyArray<A> | undefined => {
    if (node === undefined || isNull(node)) return undefined
    if (node.kind === "list") return node.items.map((it, at) => item(it, `${path}[${at}]`))
    this.wrong(node, path, "sequence")
    return undefined
  }

  readonly texts = (node: YamlNode | undefined, path: string): ReadonlyArray<string> =>
    this.list(node, path, this.text) ?? []

  /** A map of any keys to texts. */
  readonly textMap = (node: YamlNode | undefined, path: string): Readonly<Record<string, string>> => {
    if (node === undefined || isNull(node)) return {}
    if (node.kind === "map") {
      return Object.fromEntries(entriesOf(node).map(([key, value]) => [key, this.text(value, `${path}.${key}`)]))
    }
    this.wrong(node, path, "mapping")
    return {}
  }
}

const entriesOf = (map: YamlMap): ReadonlyArray<readonly [string, YamlNode]> =>
  [...map.entries].map(([key, { value }]) => [key, value])

const numberOf = ({ isQuoted, text, value }: YamlScalar): number | undefined => {
  if (!isQuoted && typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value === "boolean" || value === null) return undefined
  const plain = text.trim().replaceAll("_", "")
  if (!/^[-+]?(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|\.[0-9]+)$/.test(plain))
    return undefined
  const found = Number(plain)
  return Number.isFinite(found) ? found : undefined
}
