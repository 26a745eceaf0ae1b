/**
 * What a template sees: values with the shapes of Go.
 *
 * `undefined` and `null` are nil; a `Uint8Array` is a byte slice; an array is a slice; a `Map` is a map with string
 * keys; an integer is a number that is whole or a bigint; `Float` is a float64. Anything with named fields or methods
 * is a `Struct`.
 */

export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** A nil that knows what it is the nil of: `[]` and `map[]` when printed, `null` in JSON. A plain nil is a pointer. */
export class Nil {
  readonly kind: "slice" | "map" | "pointer"
  readonly type: string
  constructor(kind: "slice" | "map" | "pointer", type: string) {
    this.kind = kind
    this.type = type
  }
}

/** A pointer to a scalar: prints as the scalar, is true whatever that is. */
export class Pointer {
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}

/** A method; its result is a value again. A thrown `Error` ends the template with its message. */
export type Method = (...args: ReadonlyArray<unknown>) => unknown

export interface Behaviour {
  /** Found like fields; called with the arguments that follow them, as many as the function declares. */
  readonly methods?: Readonly<Record<string, Method>>
  /** Compact JSON, when it is not the fields under their own names. */
  readonly json?: () => string
  /** What `{{ . }}` prints, when the type has a String method. */
  readonly string?: () => string
  /** What `printPretty` prints; without it the indented JSON. */
  readonly pretty?: () => string
  /** A named string type: compares, counts and indexes as this text. */
  readonly text?: string
  /** A named number type: compares and formats as this number. */
  readonly number?: number | bigint
  /** Unexported fields, which printing alone shows, after the others. */
  readonly hidden?: Readonly<Record<string, unknown>>
  /** Fields of an embedded struct, found as if they were its own; printing shows the embedded one. */
  readonly promoted?: Readonly<Record<string, unknown>>
  /** Whether it is a pointer in Go, which `printf "%v"` marks with `&`. */
  readonly isPointer?: boolean
}

export class Struct {
  /** Go's name of the type, for error texts. */
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly behaviour: Behaviour
  constructor(type: string, fields: Readonly<Record<string, unknown>>, behaviour: Behaviour = {}) {
    this.type = type
    this.fields = fields
    this.behaviour = behaviour
  }
}

/** The absence of a value, such as a map's missing key: prints `<no value>`. */
export const noValue: unique symbol = Symbol("no value")

/** A failure with the text users of Go templates know; position and context are added where it is caught. */
export class TemplateFailure extends Error {}

/** Raised by a function whose caller got the arguments wrong; told without `error calling`. */
export class ArgumentFailure extends Error {}

export const isNil = (value: unknown): boolean => value === undefined || value === null || value instanceof Nil

/** Reads an argument of a method or function as a string. */
export const stringArg = (value: unknown): string => {
  if (typeof value === "string") return value
  throw new ArgumentFailure(wrongType("string", value))
}

export const wrongType = (expected: string, value: unknown): string =>
  value === noValue
    ? `invalid value; expected ${expected}`
    : `wrong type for value; expected ${expected}; got ${typeName(value)}`

/** Go's name for the type of a value. */
export const typeName = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return "string"
    case "boolean":
      return "bool"
    case "bigint":
      return "int"
    case "number":
      return Number.isInteger(value) ? "int" : "float64"
    default:
      break
  }
  if (value instanceof Struct) return (value.behaviour.isPointer === true ? "*" : "") + value.type
  if (value instanceof Float) return "float64"
  if (value instanceof Nil) return value.type
  if (value instanceof Pointer) return `*${typeName(value.value)}`
  if (value instanceof Uint8Array) return "[]uint8"
  if (Array.isArray(value)) return `[]${elementType(value[0])}`
  if (value instanceof Map) return `map[string]${elementType(value.values().next().value)}`
  return "interface {}"
}

const elementType = (first: unknown): string => first === undefined ? "string" : typeName(first)

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * Bytes as text. A byte that is no UTF-8 becomes a lone surrogate U+DC80 to U+DCFF, from which `bytesOf` makes the
 * same byte again: a string here carries any bytes, as Go's do.
 */
export const textOf = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    return lossless(bytes)
  }
}

const lossless = (bytes: Uint8Array): string => {
  const parts: Array<string> = []
  let valid = 0
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    if (length === 0) {
      parts.push(decoder.decode(bytes.subarray(valid, at)), String.fromCharCode(0xdc00 + (bytes[at] ?? 0)))
      valid = at + 1
    }
    at += Math.max(length, 1)
  }
  parts.push(decoder.decode(bytes.subarray(valid)))
  return parts.join("")
}

/** Length of the valid UTF-8 sequence that starts here, 0 for none (RFC 3629, section 4). */
const sequenceLength = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const length = first >= 0xc2 && first < 0xe0
    ? 2
    : first >= 0xe0 && first < 0xf0
    ? 3
    : first >= 0xf0 && first < 0xf5
    ? 4
    : 0
  for (let next = 1; next < length; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1] ?? 0
  const isOverlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90)
  const isOutside = (first === 0xed && second > 0x9f) || (first === 0xf4 && second > 0x8f)
  return isOverlong || isOutside ? 0 : length
}

/** The bytes of a text made by `textOf`, or of any other text. */
export const bytesOf = (text: string): Uint8Array => {
  if (text.isWellFormed()) return new TextEncoder().encode(text)
  const encoder = new TextEncoder()
  // With the flag u only lone surrogates match, and every second part is a run of them.
  const parts = text.split(/([\udc80-\udcff]+)/u).map((part, at) =>
    at % 2 === 0
      ? encoder.encode(part)
      : Uint8Array.from({ length: part.length }, (_, byte) => part.charCodeAt(byte) - 0xdc00)
  )
  return Buffer.concat(parts)
}
