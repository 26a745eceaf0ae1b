/** Prints YAML as the Go tools print theirs: block style, lists not indented under their key, quotes where they have them. */
import { quoted } from "./visibleText.ts"

/** Numbers print as they are, a `Plain` without a look at it. */
export type Printable =
  | string
  | number
  | boolean
  | null
  | Plain
  | ReadonlyArray<Printable>
  | ReadonlyMap<string, Printable>

export class Plain {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Read by some parser as something else than text. */
const words = new Set(
  ["null", "true", "false", "y", "yes", "n", "no", "on", "off"].flatMap((it) => [
    it,
    it.toUpperCase(),
    `${it.charAt(0).toUpperCase()}${it.slice(1)}`
  ])
)

const looksLikeNumber =
  /^[-+]?(?:0x[0-9a-fA-F]+|0o?[0-7]+|0b[01]+|0|[1-9][0-9_]*|[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+)$/

/** A date with a time or without, or hours and minutes. */
const timeForm =
  /^\d{4}-(?:0\d|1[0-2])-[0-3]\d(?:[Tt]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d\d:\d\d(?:[.,]\d+)?)?$|^(?:[01]?\d|2[0-3]):[0-5]?\d$/

const looksLikeTime = (text: string): boolean => {
  if (!timeForm.test(text)) return false
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? []
  if (day === undefined) return true
  const isLeap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0)
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return Number(day) >= 1 && Number(day) <= (days[Number(month) - 1] ?? 0)
}

/** What has no place outside of double quotes, though the Go tool prints some of it bare. */
const isUnprintable = (text: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Cs}/u.test(text)

/** Quoted by the Go tool whether there is a line break in it or not. */
const isSpecial = (text: string): boolean =>
  /^[*&[{}\],!|>%'"@#` ]|^-$|[: ]$|[#\\]|[:-] /.test(text) || isUnprintable(text)

/** Bare in the Go tool, and lost when read again: marks by themselves, tabs at an end. */
const isLost = (text: string): boolean => /^\?(?:$|[ \t])|^-\t|^\t|\t$|:\t|^(?:---|\.\.\.)(?:$|\s)/.test(text)

const needsQuotes = (text: string): boolean =>
  text === "" || text === "~" || words.has(text) || looksLikeNumber.test(text) || looksLikeTime(text) ||
  isSpecial(text) || isLost(text)

/** A text on its line, or as a block whose lines stand at `indent`; empty lines of a list's item stay empty. */
const textAt = (text: string, indent: string, isItem: boolean): string => {
  if (!text.includes("\n")) return needsQuotes(text) ? quoted(text) : text
  // The first line that holds something tells how far a block is indented.
  if (isSpecial(text) || /^\n*(?:$|[ \t])/.test(text)) return quoted(text)
  const lines = text.split("\n")
  const end = text.endsWith("\n\n") ? "|+" : text.endsWith("\n") ? "|" : "|-"
  const shown = text.endsWith("\n") ? lines.slice(0, -1) : lines
  return [end, ...shown.map((line, at) => line === "" && (isItem || at === shown.length - 1) ? "" : indent + line)]
    .join("\n")
}

const keyOf = (key: string): string => key === "<<" || key.includes("\n") ? quoted(key) : textAt(key, "", false)

const isList = (value: Printable): value is ReadonlyArray<Printable> => Array.isArray(value)

/** The text after `key:` or `-`; a list stands below its key at the same indent, a map deeper. */
const write = (value: Printable, indent: string, isItem: boolean): string => {
  if (value instanceof Plain) return ` ${value.text}`
  if (typeof value === "string") return ` ${textAt(value, `${indent}  `, isItem)}`
  if (typeof value !== "object" || value === null) return ` ${String(value)}`
  if (isList(value)) {
    if (value.length === 0) return " []"
    const at = isItem ? `${indent}  ` : indent
    return value.map((item) => `\n${at}-${write(item, at, true)}`).join("")
  }
  if (value.size === 0) return " {}"
  const inside = `${indent}  `
  const lines = [...value].map(([key, it]) => `${keyOf(key)}:${write(it, inside, false)}`)
  return isItem ? ` ${lines.join(`\n${inside}`)}` : lines.map((line) => `\n${inside}${line}`).join("")
}

/** The document of a map, with a last newline. */
export const goYaml = (document: ReadonlyMap<string, Printable>): string =>
  [...document].map(([key, value]) => `${keyOf(key)}:${write(value, "", false)}\n`).join("")
