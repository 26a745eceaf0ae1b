/** The functions every Go template has. */
import { sprint, sprintf, sprintln } from "./printf.ts"
import { bytesOf, Float, isNil, Nil, noValue, Pointer, Struct, TemplateFailure, textOf, typeName } from "./value.ts"

export interface Func {
  /** Types of the fixed arguments. */
  readonly params: ReadonlyArray<ParamType>
  /** Any number of arguments of this type follow. */
  readonly rest?: ParamType
  /** A thrown `Error` ends the template with `error calling name: message`. */
  readonly call: (...args: ReadonlyArray<unknown>) => unknown
}

export type ParamType = "any" | "string" | "[]string"

export type Funcs = Readonly<Record<string, Func>>

const fail = (text: string): never => {
  throw new TemplateFailure(text)
}

/** Whether a value counts as true: not false, 0, nil, or empty. */
export const isTrue = (value: unknown): boolean => {
  if (value === noValue || isNil(value)) return false
  if (value instanceof Float) return value.value !== 0
  if (value instanceof Struct) return value.behaviour.text !== "" && Number(value.behaviour.number ?? 1) !== 0
  if (value instanceof Pointer) return true
  if (value instanceof Map) return value.size > 0
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0
  return Boolean(value)
}

/** A named string or number is one to what compares, counts and indexes. */
const scalar = (value: unknown): unknown =>
  value instanceof Struct ? value.behaviour.text ?? value.behaviour.number ?? value : value

/** Bytes or elements in a value; `undefined` when it has no length. */
const lengthOf = (given: unknown): number | undefined => {
  const value = scalar(given)
  if (typeof value === "string") return bytesOf(value).length
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length
  if (value instanceof Map) return value.size
  return value instanceof Nil && value.kind !== "pointer" ? 0 : undefined
}

const len = (value: unknown): number => {
  if (value === noValue) return fail("len of untyped nil")
  if (isNil(value) && !(value instanceof Nil && value.kind !== "pointer")) return fail("len of nil pointer")
  return lengthOf(value) ?? fail(`len of type ${typeName(value)}`)
}

/** Checks an index; as in Go the length itself is let through here. */
const indexOf = (index: unknown, length: number): number => {
  if (index === noValue || isNil(index)) return fail("cannot index slice/array with nil")
  const at = typeof index === "bigint" ? Number(index) : index
  if (typeof at !== "number" || !Number.isInteger(at)) {
    return fail(`cannot index slice/array with type ${typeName(index)}`)
  }
  return at < 0 || at > length ? fail(`index out of range: ${at}`) : at
}

/** What a map gives for a key it does not have: the zero value of its elements. */
const zeroLike = (value: unknown): unknown => {
  if (value === undefined || typeof value === "string") return ""
  if (Array.isArray(value)) return new Nil("slice", typeName(value))
  if (value instanceof Map) return new Nil("map", typeName(value))
  if (typeof value === "number" || typeof value === "bigint") return 0
  if (typeof value === "boolean") return false
  return value instanceof Struct && Object.keys(value.fields).length === 0 ? value : undefined
}

const index = (given: unknown, ...indexes: ReadonlyArray<unknown>): unknown => {
  let item = given
  for (const each of indexes) item = indexOnce(item, each)
  return item
}

const indexOnce = (given: unknown, key: unknown): unknown => {
  const item = scalar(given)
  if (item === noValue || item === undefined || item === null) return fail("index of untyped nil")
  if (item instanceof Map || (item instanceof Nil && item.kind === "map")) {
    if (key === noValue || isNil(key)) return fail("value is nil; should be of type string")
    const name = scalar(key)
    if (typeof name !== "string") return fail(`value has type ${typeName(key)}; should be string`)
    if (item instanceof Nil) return ""
    return item.has(name) ? item.get(name) : zeroLike(item.values().next().value)
  }
  if (item instanceof Nil && item.kind === "pointer") return fail("index of nil pointer")
  const values = typeof item === "string" ? bytesOf(item) : item instanceof Nil ? [] : item
  if (!Array.isArray(values) && !(values instanceof Uint8Array)) {
    return fail(`can't index item of type ${typeName(given)}`)
  }
  const at = indexOf(key, values.length)
  const kind = typeof item === "string" ? "string" : "slice"
  return at === values.length ? fail(`reflect: ${kind} index out of range`) : values[at]
}

const slice = (given: unknown, ...indexes: ReadonlyArray<unknown>): unknown => {
  const item = scalar(given)
  if (item === noValue || item === undefined || item === null) return fail("slice of untyped nil")
  if (indexes.length > 3) return fail(`too many slice indexes: ${indexes.length}`)
  if (typeof item === "string" && indexes.length === 3) return fail("cannot 3-index slice a string")
  const values = typeof item === "string" ? bytesOf(item) : item instanceof Nil ? [] : item
  if (!Array.isArray(values) && !(values instanceof Uint8Array)) {
    return fail(`can't slice item of type ${typeName(given)}`)
  }
  const [from = 0, to = values.length, end = values.length] = indexes.map((it) => indexOf(it, values.length))
  if (from > to) return fail(`invalid slice index: ${from} > ${to}`)
  if (to > end) return fail(`invalid slice index: ${to} > ${end}`)
  const part = values.slice(from, to)
  return typeof item === "string" && part instanceof Uint8Array ? textOf(part) : part
}

type Kind = "bool" | "int" | "float" | "string" | undefined

const kindOf = (value: unknown): Kind => {
  if (typeof value === "boolean") return "bool"
  if (typeof value === "string") return "string"
  if (value instanceof Float) return "float"
  if (typeof value === "bigint") return "int"
  return typeof value === "number" ? Number.isInteger(value) ? "int" : "float" : undefined
}

const numeric = (value: unknown): unknown => value instanceof Float ? value.value : value

const isAbsent = (value: unknown): boolean => value === noValue || isNil(value)

const incompatible = (a: unknown, b: unknown): never =>
  fail(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`)

const equals = (left: unknown, right: unknown): boolean => {
  const [a, b] = [scalar(left), scalar(right)]
  const [kindA, kindB] = [kindOf(a), kindOf(b)]
  if (kindA !== kindB) {
    return (a === noValue || b === noValue || a === undefined || b === undefined) ? false : incompatible(left, right)
  }
  // A bigint equals the number of the same value only by the loose comparison.
  // oxlint-disable-next-line eqeqeq
  if (kindA !== undefined) return numeric(a) == numeric(b)
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) === isAbsent(b)
  if (!(b instanceof Struct) && !(b instanceof Pointer))
    return fail(`non-comparable type ${sprint([b])}: ${typeName(b)}`)
  return a === b || (a instanceof Struct && b instanceof Struct && a.type === b.type && sprint([a]) === sprint([b]))
}

const less = (left: unknown, right: unknown): boolean => {
  const [a, b] = [scalar(left), scalar(right)]
  const [kindA, kindB] = [kindOf(a), kindOf(b)]
  if (kindA === undefined || kindB === undefined) return fail("invalid type for comparison")
  if (kindA !== kindB) return incompatible(left, right)
  if (kindA === "bool") return fail("invalid type for comparison")
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(bytesOf(a), bytesOf(b)) < 0
  // Both are numbers, bigints or Floats by their kinds.
  return (numeric(a) as number) < (numeric(b) as number)
}

const eq = (first: unknown, ...others: ReadonlyArray<unknown>): boolean => {
  if (others.length === 0) fail("missing argument for comparison")
  return others.some((other) => equals(first, other))
}

const entities: Readonly<Record<string, string>> = {
  "\"": "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\0": "\ufffd"
}

const joined = (values: ReadonlyArray<unknown>): string =>
  values.length === 1 && typeof values[0] === "string"
    ? values[0]
    : sprint(values.map((it) => it === noValue ? "<no value>" : it))

const html = (...values: ReadonlyArray<unknown>): string =>
  joined(values).replace(/["'&<>\0]/g, (it) => entities[it] ?? it)

const js = (...values: ReadonlyArray<unknown>): string =>
  joined(values).replace(/[\\'"<>&=\x00-\x1f]|[^\x00-\x7f]/gu, (it) => {
    if (it === "\\" || it === "'" || it === "\"") return `\\${it}`
    if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(it) && !"<>&=".includes(it)) return it
    return `\\u${(it.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
  })

const urlquery = (...values: ReadonlyArray<unknown>): string =>
  Array.from(bytesOf(joined(values)), (byte) => {
    const character = String.fromCharCode(byte)
    if (/[A-Za-z0-9_.~-]/.test(character)) return character
    return byte === 0x20 ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
  }).join("")

/** `and`, `or` and `call` need the expressions of their arguments and are evaluated by `evaluate.ts`. */
export const builtins: Funcs = {
  and: { params: ["any"], rest: "any", call: () => undefined },
  or: { params: ["any"], rest: "any", call: () => undefined },
  call: { params: ["any"], rest: "any", call: () => undefined },
  not: { params: ["any"], call: (value) => !isTrue(value) },
  len: { params: ["any"], call: len },
  index: { params: ["any"], rest: "any", call: index },
  slice: { params: ["any"], rest: "any", call: slice },
  print: { params: [], rest: "any", call: (...values) => sprint(values) },
  printf: { params: ["string"], rest: "any", call: (text, ...values) => sprintf(String(text), values) },
  println: { params: [], rest: "any", call: (...values) => sprintln(values) },
  html: { params: [], rest: "any", call: html },
  js: { params: [], rest: "any", call: js },
  urlquery: { params: [], rest: "any", call: urlquery },
  eq: { params: ["any"], rest: "any", call: eq },
  ne: { params: ["any", "any"], call: (a, b) => !equals(a, b) },
  lt: { params: ["any", "any"], call: less },
  le: { params: ["any", "any"], call: (a, b) => less(a, b) || equals(a, b) },
  gt: { params: ["any", "any"], call: (a, b) => !less(a, b) && !equals(a, b) },
  ge: { params: ["any", "any"], call: (a, b) => !less(a, b) }
}
