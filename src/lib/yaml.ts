/**
 * YAML documents as trees that know where each value stands: duplicate keys, anchors and merges as the Go tools read
 * them, within limits that no small file gets past (faults K01, K04, K07, K08).
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml"
import { excessOf } from "./yamlExcess.ts"

interface Place {
  /** From 1. */
  readonly line: number
  readonly column: number
}

export interface YamlMap extends Place {
  readonly kind: "map"
  /** By key, in order; of a key given twice the last one. */
  readonly entries: ReadonlyMap<string, YamlEntry>
}

export interface YamlEntry extends Place {
  readonly value: YamlNode
  /** Given more than once, merges not counted. */
  readonly isRepeated: boolean
}

export interface YamlList extends Place {
  readonly kind: "list"
  readonly items: ReadonlyArray<YamlNode>
}

export interface YamlScalar extends Place {
  readonly kind: "scalar"
  /** By YAML 1.2's core schema. */
  readonly value: string | number | bigint | boolean | null
  /** As it stands in the file, escapes of quoted texts resolved. */
  readonly text: string
  readonly isQuoted: boolean
}

export type YamlNode = YamlMap | YamlList | YamlScalar

export interface YamlProblem extends Place {
  readonly problem: string
  /** More than a file may hold. */
  readonly isLimit?: true
  /** Sound YAML that no file may use: an odd tag, a merge of what is no map. */
  readonly isForbidden?: true
}

/** Bytes of a file, levels of nesting, and values, those that aliases stand for included. */
const limits = { size: 4 * 1024 * 1024, depth: 64, values: 100_000 }

/** Merges are how large files are written: ten thousand entries on one anchor are no attack. */
const mergeDiscount = 10

class Refused extends Error {
  readonly at: number
  readonly why: Pick<YamlProblem, "isLimit" | "isForbidden">

  constructor(problem: string, at: number, why: Pick<YamlProblem, "isLimit" | "isForbidden"> = {}) {
    super(problem)
    this.at = at
    this.why = why
  }
}

const limit = { isLimit: true } as const
const forbidden = { isForbidden: true } as const

/** Reads the first document of a text; `undefined` for one without content. */
export const parseYaml = (text: string): { readonly node: YamlNode | undefined } | YamlProblem => {
  if (text.length > limits.size) {
    return { problem: `more than ${limits.size} bytes`, line: 1, column: 1, isLimit: true }
  }
  const excess = excessOf(text, limits)
  if (excess !== undefined) {
    const before = text.slice(0, excess.at)
    const line = before.split("\n").length
    return { problem: excess.problem, line, column: excess.at - before.lastIndexOf("\n"), isLimit: true }
  }
  const lineCounter = new LineCounter()
  const placeOf = (offset: number): Place => {
    const { col, line } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  try {
    const document = parseDocument(text, {
      lineCounter,
      merge: false,
      prettyErrors: false,
      strict: true,
      uniqueKeys: false,
      intAsBigInt: false
    })
    const error = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS")
    if (error !== undefined) {
      throw new Refused(messageOf(error), error.pos[0], error.code === "RESOURCE_EXHAUSTION" ? limit : {})
    }
    return { node: document.contents === null ? undefined : read(document, placeOf) }
  } catch (error) {
    if (error instanceof Refused) {
      return { problem: error.message, ...placeOf(error.at), ...error.why }
    }
    // The parser goes down a level for each level of the text.
    if (error instanceof RangeError) return { problem: "nested too deeply", line: 1, column: 1, isLimit: true }
    throw error
  }
}

const messageOf = ({ code, message }: { readonly code: string; readonly message: string }): string =>
  code === "TAB_AS_INDENT"
    ? "found character '\\t' that cannot start any token"
    : message.startsWith("Maximum call stack")
    ? "nested too deeply"
    : message

const plainTags: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((it) => `tag:yaml.org,2002:${it}`)
)

const read = (document: Document.Parsed, placeOf: (offset: number) => Place): YamlNode => {
  const anchors = new Map<string, { readonly node: YamlNode; readonly size: number } | "open">()
  /** Values that aliases stand for, of merges a part; then all values but those merged. */
  let expanded = 0
  let values = 0
  let size = 0

  const offsetOf = (it: unknown): number => (it as { range?: readonly [number, ...Array<number>] }).range?.[0] ?? 0

  const counted = (count: number, at: number): void => {
    values += count
    if (values > limits.values) throw new Refused(`more than ${limits.values} values`, at, limit)
  }

  const nodeOf = (it: unknown, depth: number, isMerge = false): YamlNode => {
    const at = offsetOf(it)
    if (depth > limits.depth) throw new Refused(`nested more than ${limits.depth} levels deep`, at, limit)
    if (isAlias(it)) {
      const found = anchors.get(it.source)
      if (found === undefined) throw new Refused(`cannot find anchor by alias name ${it.source}`, at)
      if (found === "open") throw new Refused(`alias ${it.source} stands inside of what it names`, at, limit)
      expanded += isMerge ? found.size / mergeDiscount : found.size
      size += found.size
      if (expanded > limits.values)
        throw new Refused(`aliases stand for more than ${limits.values} values`, at, limit)
      if (!isMerge) counted(found.size, at)
      return found.node
    }
    const { anchor, tag } = it as { anchor?: string; tag?: string }
    if (tag !== undefined && tag !== "!" && !plainTags.has(tag))
      throw new Refused(`tag ${tag} is not allowed`, at, forbidden)
    counted(1, at)
    const before = size++
    if (anchor !== undefined) anchors.set(anchor, "open")
    const node = valueOf(it, at, depth)
    if (anchor !== undefined) anchors.set(anchor, { node, size: size - before })
    return node
  }

  const valueOf = (it: unknown, at: number, depth: number): YamlNode => {
    if (isMap(it)) return { kind: "map", entries: entriesOf(it, depth), ...placeOf(at) }
    if (isSeq(it)) return { kind: "list", items: it.items.map((item) => nodeOf(item, depth + 1)), ...placeOf(at) }
    if (!isScalar(it)) return { kind: "scalar", value: null, text: "", isQuoted: false, ...placeOf(at) }
    const { source = "", type, value } = it
    const isQuoted = type !== undefined && type !== "PLAIN"
    const known = typeof value === "string" || typeof value === "number" || typeof value === "boolean" ||
      typeof value === "bigint"
    return { kind: "scalar", value: known ? value : null, text: source, isQuoted, ...placeOf(at) }
  }

  const entriesOf = (map: YAMLMap, depth: number): ReadonlyMap<string, YamlEntry> => {
    const entries = new Map<string, YamlEntry>()
    const own = new Set<string>()
    for (const { key, value } of map.items) {
      const at = offsetOf(key)
      if (!isScalar(key)) throw new Refused("only texts can be keys", at)
      const name = typeof key.value === "string" ? key.value : key.source ?? ""
      const isMerge = name === "<<" && key.type === "PLAIN"
      const node = nodeOf(value ?? {}, depth + 1, isMerge)
      if (isMerge) {
        // By position: what stands further down wins, be it merged or written.
        for (const merged of mergedOf(node, at)) for (const [its, entry] of merged.entries) entries.set(its, entry)
        continue
      }
      entries.set(name, { value: node, isRepeated: own.has(name), ...placeOf(at) })
      own.add(name)
    }
    return entries
  }

  const mergedOf = (node: YamlNode, at: number): ReadonlyArray<YamlMap> => {
    // Of a list of maps the first ones win.
    const maps = node.kind === "list" ? node.items.toReversed() : [node]
    return maps.map((it) => {
      if (it.kind !== "map") throw new Refused("only maps can be merged", at, forbidden)
      return it
    })
  }

  return nodeOf(document.contents, 0)
}
