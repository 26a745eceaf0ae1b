/** Changes of inputs that know nothing of what they change: bits, parts, numbers, characters nobody expects. */
import type { Random } from "../campaign.ts"

export type Mutator = (input: Buffer, random: Random) => Buffer

/** What programs stumble over, each to be put anywhere. */
const strangers: ReadonlyArray<string> = [
  "\u0000",
  "\u001b[2J\u001b]0;title\u0007",
  "\u007f\u0080\u009b31m",
  "\u202e\u2066\u200f\u061c",
  "\u2028\u2029\u0085",
  "\ufeff",
  "\r\n",
  "\n\n",
  "\r\nSet-Cookie: a=b\r\n\r\n",
  "\ntime=2026-01-01T00:00:00Z level=ERROR msg=forged",
  "\t",
  "\\",
  "\"",
  "'",
  "`",
  "%00",
  "%2e%2e%2f",
  "../../../etc/passwd",
  "..",
  "//",
  "@",
  ":",
  ";",
  ",",
  "<",
  ">",
  "=",
  "{{",
  "}}",
  "${x}",
  "*",
  "&a",
  "<<: *a",
  "!!js/function x",
  "__proto__",
  "constructor",
  "null",
  "true",
  "[]",
  "{}",
  "NaN",
  "-0",
  "ſ",
  "İ",
  "é",
  "𝒳",
  "(a+)+$",
  "\\1",
  "(?=x)"
]

/** Bytes that are no UTF-8, each in its own way. */
const broken: ReadonlyArray<ReadonlyArray<number>> = [
  [0xff, 0xfe],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf8, 0x88, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80]
]

export const numbers: ReadonlyArray<string> = [
  "-1",
  "0",
  "1.5",
  "1e999",
  "-1e-999",
  "9007199254740992",
  "9223372036854775808",
  "18446744073709551616",
  "99999999999999999999999999999999999999",
  "0x7fffffff",
  "0777",
  "00",
  "+1",
  "1_000",
  ".5",
  "5.",
  "9".repeat(400)
]

/** Deep structures in the brackets of many languages. */
const nests: ReadonlyArray<readonly [string, string]> = [
  ["[", "]"],
  ["{\"a\":", "}"],
  ["(", ")"],
  ["{a: ", "}"],
  ["{{if ", "}}"],
  ["- ", ""],
  ["a/", ""],
  ["..", ""]
]

export const nested = (random: Random): string => {
  const [open, close] = random.pick(nests)
  const depth = random.pick([10, 70, 110, 1_000, 20_000])
  return open.repeat(depth) + (random.chance(0.5) ? "" : close.repeat(depth))
}

/** A word of one letter or a few that come again, long enough to be a burden. */
export const longToken = (random: Random): string => {
  const part = random.pick([
    "a",
    "A",
    "9",
    "-",
    ".",
    "a.",
    "a-",
    "_",
    "aA0",
    " ",
    "\t",
    "/",
    "a/",
    ":",
    "\"",
    "é",
    "=",
    ","
  ])
  return part.repeat(random.pick([130, 300, 5_000, 20_000, 70_000]))
}

export const stranger = (random: Random): Buffer =>
  random.chance(0.2) ? Buffer.from(random.pick(broken)) : Buffer.from(random.pick(strangers))

const spliced = (input: Buffer, from: number, to: number, part: Buffer | string): Buffer =>
  Buffer.concat([input.subarray(0, from), Buffer.from(part), input.subarray(to)])

const span = ({ length }: Buffer, random: Random): readonly [number, number] => {
  const from = random.below(length + 1)
  return [from, Math.min(length, from + 1 + random.below(random.pick([4, 16, 64, 512])))]
}

const flipped: Mutator = (input, random) => {
  const changed = Buffer.from(input)
  for (let left = 1 + random.below(8); left > 0 && changed.length > 0; left--) {
    const at = random.below(changed.length)
    changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  }
  return changed
}

const replaced: Mutator = (input, random) => {
  const [from, to] = span(input, random)
  return spliced(input, from, to, Buffer.from(Array.from({ length: to - from }, () => random.below(256))))
}

const removed: Mutator = (input, random) => {
  const [from, to] = span(input, random)
  return spliced(input, from, to, "")
}

const cut: Mutator = (input, random) => input.subarray(0, random.below(input.length + 1))
const beheaded: Mutator = (input, random) => input.subarray(random.below(input.length + 1))

const repeated: Mutator = (input, random) => {
  const [from, to] = span(input, random)
  const part = input.subarray(from, to)
  const times = Math.min(random.pick([1, 2, 20, 1_000]), Math.ceil(100_000 / Math.max(1, part.length)))
  return spliced(input, to, to, Buffer.concat(Array.from({ length: times }, () => part)))
}

const swapped: Mutator = (input, random) => {
  const [from, to] = span(input, random)
  const [its, end] = span(input, random)
  if (its < to) return input
  return Buffer.concat([
    input.subarray(0, from),
    input.subarray(its, end),
    input.subarray(to, its),
    input.subarray(from, to),
    input.subarray(end)
  ])
}

const strange: Mutator = (input, random) => {
  const [from, to] = span(input, random)
  return spliced(input, from, random.chance(0.7) ? from : to, stranger(random))
}

const lengthened: Mutator = (input, random) => {
  const at = random.below(input.length + 1)
  return spliced(input, at, at, longToken(random))
}

const deepened: Mutator = (input, random) => {
  const at = random.below(input.length + 1)
  return spliced(input, at, at, nested(random))
}

/** One of the numbers in the text becomes another. */
const renumbered: Mutator = (input, random) => {
  const found = [...input.toString("latin1").matchAll(/-?\d+(?:\.\d+)?/g)]
  if (found.length === 0) return input
  const { 0: number, index } = random.pick(found)
  return spliced(input, index, index + number.length, random.pick(numbers))
}

/** Two words of the text change places, or one is put in the place of the other. */
const reworded: Mutator = (input, random) => {
  const found = [...input.toString("latin1").matchAll(/[\w.-]+/g)]
  if (found.length < 2) return input
  const { 0: word, index } = random.pick(found)
  return spliced(input, index, index + word.length, Buffer.from(random.pick(found)[0], "latin1"))
}

const recased: Mutator = (input, random) => {
  const [from, to] = span(input, random)
  const text = input.toString("latin1", from, to)
  return spliced(input, from, to, Buffer.from(random.chance(0.5) ? text.toUpperCase() : text.toLowerCase(), "latin1"))
}

const unbroken: Mutator = (input, random) =>
  Buffer.from(input.toString("latin1").replaceAll("\n", random.pick(["\r\n", "\r", " ", "\n\n", "\u0085"])), "latin1")

export const anyBytes: ReadonlyArray<Mutator> = [flipped, replaced, removed, cut, beheaded, repeated, swapped]

export const anyText: ReadonlyArray<Mutator> = [
  ...anyBytes,
  strange,
  strange,
  lengthened,
  deepened,
  renumbered,
  renumbered,
  reworded,
  recased,
  unbroken
]
