/**
 * What a YAML text has too much of, found from its marks alone: the parser builds trees of all it is given, and takes
 * its time and its stack for it (faults K07). Refuses only what a reader of the tree would refuse, too.
 */
import { Lexer } from "yaml"

export interface Bounds {
  /** Levels of nesting. */
  readonly depth: number
  /** Values of lists and maps. */
  readonly values: number
}

export interface Excess {
  readonly problem: string
  /** Characters from the start. */
  readonly at: number
}

/** Marks of a text of so many values with all the blanks, line ends and comments that anybody would write. */
const marksPerValue = 15
/** Brackets closed that were never opened, after which the parser's list of them helps nobody. */
const maxStray = 100

/** Levels a tree may have less than there are columns: the root, and a value behind its key. */
const slack = 2

/** Marks that begin something at their column: an anchor, a tag, an alias, a quoted or a plain text. */
const openers: ReadonlySet<string> = new Set(["&", "!", "*", "\"", "'", "\u001f"])

/** Counts while the lexer reads, and reads no further than the first excess. */
export const excessOf = (text: string, { depth, values }: Bounds): Excess | undefined => {
  let [at, column, marks, heads, entries, flow, stray] = [0, 0, 0, 0, 0, 0, 0]
  /** Columns at which open blocks began. */
  const columns: Array<number> = []
  let isFirst = true
  for (const mark of new Lexer().lex(text)) {
    const first = mark.charAt(0)
    if (flow === 0 && (first === "-" || first === "?" || first === ":") && mark.length === 1) {
      if (first !== "?") entries++
      if (first !== ":") openAt(columns, column)
      isFirst = first !== ":"
    } else if (first === "[" || first === "{") {
      flow++
      heads++
    } else if (first === "]" || first === "}") {
      if (flow > 0) flow--
      else stray++
    } else if (openers.has(first)) {
      if (first !== "&" && first !== "!") heads++
      if (flow === 0 && isFirst) openAt(columns, column)
      isFirst = false
    }
    if (columns.length + flow > depth + slack) return { problem: `nested more than ${depth} levels deep`, at }
    // Each value has one key at most.
    if (entries > values || heads > 2 * values + 1) return { problem: `more than ${values} values`, at }
    if (stray > maxStray || ++marks > values * marksPerValue) return { problem: "more marks than any file needs", at }
    // These stand for no text.
    if (mark === "\u0002" || mark === "\u001f" || mark === "\u0018") continue
    at += mark.length
    const line = mark.lastIndexOf("\n")
    column = line < 0 ? column + mark.length : mark.length - line - 1
    isFirst ||= line >= 0
  }
  return undefined
}

const openAt = (columns: Array<number>, column: number): void => {
  while ((columns.at(-1) ?? -1) > column) columns.pop()
  if ((columns.at(-1) ?? -1) < column) columns.push(column)
}
