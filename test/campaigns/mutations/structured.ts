/** Changes that keep the form of what they change, so that they get further: JSON, YAML, the headers of tar files. */
import type { Random } from "../campaign.ts"
import { anyBytes, anyText, longToken, type Mutator, nested, numbers, stranger } from "./bytes.ts"

const wrong: ReadonlyArray<string> = [
  "null",
  "true",
  "\"\"",
  "\"text\"",
  "[]",
  "{}",
  "[null]",
  "[[]]",
  "{\"\":\"\"}",
  "{\"__proto__\":{\"a\":1}}",
  "[\"a\",1,null]",
  "\"\\ud800\"",
  "\"\\u0000\\u001b\\u202e\"",
  "\"../../x\"",
  `"sha256:${"0".repeat(64)}"`,
  `"sha256:${"A".repeat(64)}"`,
  "\"sha256:..\"",
  "\"md5:d41d8cd98f00b204e9800998ecf8427e\""
]

const oddValue = (random: Random): string => {
  switch (random.below(6)) {
    case 0:
      return random.pick(numbers)
    case 1:
      return nested(random)
    case 2:
      return JSON.stringify(longToken(random))
    case 3:
      return JSON.stringify(stranger(random).toString())
    default:
      return random.pick(wrong)
  }
}

const countOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Object.values(value).reduce<number>((sum, it) => sum + countOf(it), 1)
    : 1

/** One place of the document is left out, given twice, renamed, moved, or has a value of another kind. */
const changedJson: Mutator = (input, random) => {
  // What an earlier change nested deeply is left to those that know nothing of it.
  if (/(?:[[{][^[{]{0,8}){100}/.test(input.toString("latin1"))) return input
  let document: unknown
  try {
    document = JSON.parse(input.toString())
  } catch {
    return input
  }
  let left = random.below(countOf(document))
  const how = random.below(8)
  const odd = oddValue(random)
  const print = (value: unknown): string => {
    if (left-- === 0 && how < 4) return odd
    if (typeof value !== "object" || value === null) return JSON.stringify(value)
    if (Array.isArray(value)) {
      const items = value.flatMap((it) => {
        const isHere = left === 0
        const text = print(it)
        return isHere && how === 4
          ? []
          : isHere && how === 5
          ? [text, text]
          : isHere && how === 6
          ? [text, odd]
          : [text]
      })
      return `[${items.join(",")}]`
    }
    const members = Object.entries(value).flatMap(([key, it]) => {
      const isHere = left === 0
      const text = `${JSON.stringify(key)}:${print(it)}`
      if (!isHere || how < 4) return [text]
      if (how === 4) return []
      if (how === 5) return [text, `${JSON.stringify(key)}:${odd}`]
      if (how === 6) return [`${JSON.stringify(stranger(random).toString())}:${print(it)}`]
      return [text, `${JSON.stringify(key.toUpperCase())}:${odd}`]
    })
    return `{${members.join(",")}}`
  }
  return Buffer.from(print(document))
}

const oddYaml = (random: Random): string => {
  switch (random.below(7)) {
    case 0:
      return random.pick(numbers)
    case 1:
      return nested(random)
    case 2:
      return longToken(random)
    case 3:
      return `"${stranger(random).toString()}"`
    default:
      return random.pick([
        "",
        "~",
        "yes",
        "[a, b]",
        "{a: b}",
        "*x",
        "&x",
        "&x [*x]",
        "!!js/function \"x\"",
        "!!binary aGk=",
        "!!set {a}",
        "| \n",
        ">-",
        "2001-12-14",
        "0o17",
        ".inf",
        "-1h",
        "99999999h",
        "{{ env \"HOME\" }}",
        "{{ . }}",
        "{{ range",
        "[[[[",
        "? a",
        "%YAML 9.9",
        "---",
        "...",
        "# none",
        "<<: [a]"
      ])
  }
}

/** Lines are what a YAML file is edited by. */
const changedYaml: Mutator = (input, random) => {
  const lines = input.toString("latin1").split("\n")
  const at = random.below(lines.length)
  const line = lines[at] ?? ""
  const indent = /^[\s-]*/.exec(line)?.[0] ?? ""
  switch (random.below(8)) {
    case 0:
      lines.splice(at, 1)
      break
    case 1:
      lines.splice(at, 0, line)
      break
    case 2:
      lines[at] = random.pick([" ", "  ", "\t", "      "]) + line
      break
    case 3:
      lines[at] = line.replace(/^ {1,2}/, "")
      break
    case 4:
      lines.splice(random.below(lines.length), 0, ...lines.splice(at, 1 + random.below(4)))
      break
    case 5:
      lines.splice(
        at,
        0,
        `${indent}${random.pick(["<<: *x", "a: &x {b: c}", "x-own: 1", "__proto__: {a: b}", "sorce: x"])}`
      )
      break
    default:
      lines[at] = line.replace(/(:\s+|- )(\S.*)?$/, (_, mark: string) => `${mark}${oddYaml(random)}`)
  }
  return Buffer.from(lines.join("\n"), "latin1")
}

const tarFields: ReadonlyArray<readonly [at: number, length: number]> = [
  [0, 100],
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [124, 12],
  [124, 12],
  [136, 12],
  [156, 1],
  [156, 1],
  [157, 100],
  [257, 8],
  [329, 8],
  [337, 8],
  [345, 155],
  [386, 97],
  [482, 13]
]

const tarValues: ReadonlyArray<string> = [
  "",
  "\0",
  "../../../../tmp/escaped",
  "/tmp/escaped",
  "a/../../b",
  "..\\..\\c",
  "C:\\x",
  "a\0b",
  "./",
  "..",
  "/",
  "00000000001\0",
  "77777777777\0",
  "-0000000001\0",
  "99999999999\0",
  "\u0080\0\0\0\0\0\0\u0001\0\0\0\0",
  "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff",
  "1.5\0",
  " ",
  ..."01234567xgLKSVDM?".split("")
]

/** Where headers are, as far as the sizes in them lead. */
const headersOf = (input: Buffer): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let at = 0; at + 512 <= input.length && found.length < 100; at += 512) {
    if (input.toString("latin1", at + 257, at + 262) === "ustar") found.push(at)
  }
  return found
}

/** Fields of a header change, and its checksum with them. */
const changedTar: Mutator = (input, random) => {
  const headers = headersOf(input)
  if (headers.length === 0) return input
  const changed = Buffer.from(input)
  for (let left = 1 + random.below(3); left > 0; left--) {
    const header = changed.subarray(random.pick(headers)).subarray(0, 512)
    const [at, length] = random.pick(tarFields)
    const value = random.chance(0.2) ? stranger(random) : Buffer.from(random.pick(tarValues), "latin1")
    if (random.chance(0.8)) header.fill(0, at, at + length)
    value.copy(header, at, 0, Math.min(length, value.length))
    header.fill(0x20, 148, 156)
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  }
  return changed
}

/** Whole blocks come again, change places or are left out. */
const reblocked: Mutator = (input, random) => {
  const count = Math.floor(input.length / 512)
  const blocks = Array.from({ length: count }, (_, at) => input.subarray(at * 512, (at + 1) * 512))
  const taken = blocks.splice(random.below(count + 1), 1 + random.below(4))
  if (random.chance(0.7))
    blocks.splice(random.below(blocks.length + 1), 0, ...taken, ...(random.chance(0.5) ? taken : []))
  return Buffer.concat(blocks)
}

export type Form = "bytes" | "text" | "json" | "yaml" | "tar"

const byForm: Readonly<Record<Form, ReadonlyArray<Mutator>>> = {
  bytes: anyBytes,
  text: anyText,
  json: [changedJson, changedJson, changedJson, ...anyText.slice(0, 2)],
  yaml: [changedYaml, changedYaml, changedYaml],
  tar: [changedTar, changedTar, changedTar, reblocked, ...anyBytes]
}

/** Longest inputs that are tried, in bytes. */
const longest = 512 * 1024

/** One to three changes, those that know the form first. */
export const mutated = (seed: Buffer, form: Form, random: Random): Buffer => {
  const isKnowing = random.chance(0.7)
  let input = seed
  for (let left = 1 + random.below(3); left > 0; left--) {
    input = random.pick(isKnowing || form === "bytes" || form === "tar" ? byForm[form] : anyText)(input, random)
  }
  return input.subarray(0, longest)
}
