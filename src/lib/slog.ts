/** Log lines in the two forms of Go's slog: `key=value` text and JSON, with levels that have offsets. */
import { asciiControls, cut, needsQuotes, quoted } from "./visibleText.ts"

/** Numbers as in slog, so that `warn+2` falls between two names. */
export const levels = { TRACE: -8, DEBUG: -4, INFO: 0, WARN: 4, ERROR: 8 } as const

const names: Readonly<Record<string, number>> = { DEBUG: -4, INFO: 0, WARN: 4, ERROR: 8 }

/** Reads `warn`, `debug-4`, `trace`; a problem in slog's words else. */
export const parseLevel = (text: string): { readonly level: number } | { readonly problem: string } => {
  if (text === "trace") return { level: levels.TRACE }
  const at = text.search(/[+-]/)
  const name = at < 0 ? text : text.slice(0, at)
  const offset = at < 0 ? "+0" : text.slice(at)
  const bad = (why: string) => ({ problem: `slog: level string ${quoted(text)}: ${why}` })
  if (!/^[+-][0-9]+$/.test(offset)) return bad(`strconv.Atoi: parsing ${quoted(offset)}: invalid syntax`)
  const base = names[name.toUpperCase()]
  return base === undefined ? bad("unknown name") : { level: base + Number(offset) }
}

/** `WARN`, `DEBUG-4`, `ERROR+4`. */
export const levelName = (level: number): string => {
  const [name, base] = level < 0
    ? ["DEBUG", -4]
    : level < 4
    ? ["INFO", 0]
    : level < 8
    ? ["WARN", 4]
    : ["ERROR", 8]
  const offset = level - Number(base)
  return offset === 0 ? String(name) : `${name}${offset > 0 ? "+" : ""}${offset}`
}

export interface Entry {
  readonly time: Date
  readonly level: number
  readonly message: string
  readonly attributes: ReadonlyArray<readonly [key: string, value: unknown]>
}

/** Characters of one value, and of a whole message. */
const limit = 2_000
const messageLimit = 8_000

const two = (value: number): string => String(value).padStart(2, "0")

/** RFC 3339 with milliseconds in the zone of this machine. */
const localTime = (time: Date): string => {
  const offset = -time.getTimezoneOffset()
  const minutes = Math.abs(offset)
  const zone = offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:` +
    `${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, "0")}${zone}`
}

/** A value that reads otherwise in text than in JSON: a duration, a record. */
export class Shown {
  readonly #text: string
  readonly #json: unknown
  constructor(text: string, json: unknown) {
    this.#text = text
    this.#json = json
  }
  toString(): string {
    return this.#text
  }
  toJSON(): unknown {
    return this.#json
  }
}

const textOf = (value: unknown): string => {
  if (typeof value === "string") return value
  if (value instanceof Error) return value.message
  if (typeof value !== "object" || value === null || value instanceof Shown) return String(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(" ")}]`
  return JSON.stringify(value) ?? ""
}

const field = (key: string, value: string, most = limit): string => {
  const [left, right] = [key, cut(value, most)].map((it) => needsQuotes(it) ? quoted(it) : it)
  return `${left}=${right}`
}

/** `time=… level=WARN msg="text here" key=value`, without a newline. */
export const textLine = ({ attributes, level, message, time }: Entry): string =>
  [
    `time=${localTime(time)}`,
    `level=${levelName(level)}`,
    field("msg", message, messageLimit),
    ...attributes.map(([key, value]) => field(key, textOf(value)))
  ].join(" ")

/** One JSON object, without a newline. Values keep their characters; those that act on a terminal are spelled `\\uXXXX`. */
export const jsonLine = ({ attributes, level, message, time }: Entry): string => {
  const pairs: ReadonlyArray<readonly [string, unknown]> = [
    ["time", localTime(time)],
    ["level", levelName(level)],
    ["msg", cut(message, messageLimit)],
    ...attributes.map(([key, value]) => [key, plain(value)] as const)
  ]
  return `{${pairs.map(([key, value]) => `${json(key)}:${json(value)}`).join(",")}}`
}

const json = (value: unknown): string => asciiControls(JSON.stringify(value) ?? "null")

/** Numbers, booleans and structures stay what they are. */
const plain = (value: unknown): unknown =>
  typeof value === "string" || value instanceof Error ? cut(textOf(value), limit) : value
