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

/** A method; its result is a value again. A thrown `Error` ends the template with its message. */
export type Method = (...args: ReadonlyArray<unknown>) => unknown

export interface Behaviour {
  /** Found like fields; called with the arguments that follow them. */
  readonly methods?: Readonly<Record<string, Method>>
  /** Compact JSON, when it is not the fields under their own names. */
  readonly json?: () => string
  /** What `{{ . }}` prints, when the type has a String method. */
  readonly string?: () => string
  /** What `printPretty` prints; without it the indented JSON. */
  readonly pretty?: () => string
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
