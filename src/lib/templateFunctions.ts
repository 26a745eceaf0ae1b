/** The functions users of `--format` have besides Go's own; two of them look at the process and its files. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs"
import type { Funcs } from "./gotemplate/builtins.ts"
import { isTrue } from "./gotemplate/builtins.ts"
import { sprint } from "./gotemplate/printf.ts"
import { noValue, Struct, textOf } from "./gotemplate/value.ts"
import { timeFunctions } from "./goTimeView.ts"
import { compactJson, indentJson, marshal } from "./json.ts"
import { asciiControls } from "./visibleText.ts"

const maxFile = 1024 * 1024

/** Text from `env` or `file` that is missing is told here, and empty in the template. */
export interface Surroundings {
  readonly env: (name: string) => string | undefined
  readonly file: (name: string) => string | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly warn: (text: string) => void
}

export const processEnvironment = (name: string): string | undefined => process.env[name]

/** The text of a regular file of at most 1 MiB; `undefined` for anything else. */
export const smallFile = (name: string): string | undefined => {
  let handle: number | undefined
  try {
    // A pipe without a writer must not hold us.
    handle = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = fstatSync(handle)
    return stat.isFile() && stat.size <= maxFile ? textOf(readFileSync(handle)) : undefined
  } catch {
    return undefined
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

/** JSON of a value with a newline, or nothing for what has none. */
const json = (space: (text: string) => string) => (value: unknown): string => {
  try {
    return `${space(marshal(value))}\n`
  } catch {
    return ""
  }
}

const printPretty = (value: unknown): string =>
  value instanceof Struct && value.behaviour.pretty !== undefined
    ? value.behaviour.pretty()
    // What is printed when nobody asks for more is for a terminal, too; as JSON it stays the same.
    : json((text) => indentJson(asciiControls(text)))(value)

/** Go's `unicode.IsSpace`, which leaves the byte order mark alone. */
const trimSpace = (text: string): string => text.replace(/^(?:(?!\ufeff)[\s\u0085])+|(?:(?!\ufeff)[\s\u0085])+$/g, "")

const isZero = (value: unknown): boolean =>
  value === noValue || (value instanceof Struct && value.behaviour.text === undefined
    ? Object.keys(value.fields).length > 0 && Object.values(value.fields).every(isZero)
    : !isTrue(value))

export const templateFunctions = ({ env, file, now, warn }: Surroundings): Funcs => ({
  default: { params: ["any", "any"], call: (otherwise, value) => isZero(value) ? otherwise : value },
  env: {
    params: ["string"],
    call: (name) => {
      const value = env(String(name))
      if (value === undefined) warn(`template: environment variable ${JSON.stringify(name)} is not set`)
      return value ?? ""
    }
  },
  file: {
    params: ["string"],
    call: (name) => {
      const text = file(String(name))
      if (text === undefined) warn(`template: file ${JSON.stringify(name)} cannot be read`)
      return trimSpace(text ?? "")
    }
  },
  join: {
    params: ["[]string", "string"],
    call: (list, separator) => Array.isArray(list) ? list.map((it) => sprint([it])).join(String(separator)) : ""
  },
  json: { params: ["any"], call: json(compactJson) },
  jsonPretty: { params: ["any"], call: json(indentJson) },
  lower: { params: ["string"], call: (text) => String(text).toLowerCase() },
  printPretty: { params: ["any"], call: printPretty },
  split: {
    params: ["string", "string"],
    call: (text, separator) => separator === "" ? [...String(text)] : String(text).split(String(separator))
  },
  time: { params: [], call: () => timeFunctions(now) },
  trimSpace: { params: ["string"], call: (text) => trimSpace(String(text)) },
  upper: { params: ["string"], call: (text) => String(text).toUpperCase() }
})
