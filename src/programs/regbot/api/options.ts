/** Tables of named options, read as the flags of commands are: what is left out has the flag's default. */
import { Effect } from "effect"
import { type HostFailure, isTable, type LuaValue, typeOf } from "../../../lib/lua/border.ts"
import { quoted } from "../../../lib/visibleText.ts"
import { commonName } from "../../../schemas/Ref.ts"
import { numberArgument, refArgument, textArgument, wrongArgument } from "./arguments.ts"

interface Kinds {
  readonly text: string
  readonly texts: ReadonlyArray<string>
  readonly flag: boolean
  /** 0 when left out. */
  readonly number: number
  /** A string as it is. */
  readonly bytes: Uint8Array | undefined
  /** Whatever names content, as text; empty for none. */
  readonly ref: string
}

export type OptionKinds = Readonly<Record<string, keyof Kinds>>
export type Options<K extends OptionKinds> = { readonly [Name in keyof K]: Kinds[K[Name]] }

type Reading<A> = Effect.Effect<A, HostFailure>

const defaults: Kinds = { text: "", texts: [], flag: false, number: 0, bytes: undefined, ref: "" }

const text = (value: LuaValue, n: number): Reading<string> =>
  typeof value === "object" && !(value instanceof Uint8Array)
    ? Effect.fail(wrongArgument(n, `string expected, got ${typeOf(value)}`))
    : textArgument(value, n)

const readers: { readonly [Kind in keyof Kinds]: (value: LuaValue, n: number) => Reading<unknown> } = {
  text,
  texts: (value, n) =>
    value !== undefined && typeof value === "object" && isTable(value)
      ? Effect.forEach(value.list, (it) => text(it, n))
      : Effect.map(text(value, n), (it) => [it]),
  flag: (value, n) =>
    typeof value === "boolean"
      ? Effect.succeed(value)
      : Effect.fail(wrongArgument(n, `boolean expected, got ${typeOf(value)}`)),
  number: numberArgument,
  bytes: (value, n) =>
    value instanceof Uint8Array
      ? Effect.succeed(value)
      : Effect.map(text(value, n), (it) => new TextEncoder().encode(it)),
  ref: (value, n) => Effect.map(refArgument(value, n), commonName)
}

/** The options of a table, argument `n`; no table is an empty one. Unknown names and values of other types fail. */
export const optionsOf = Effect.fnUntraced(function*<K extends OptionKinds>(kinds: K, value: LuaValue, n: number) {
  if (value !== undefined && !isTable(value)) {
    return yield* Effect.fail(wrongArgument(n, `table expected, got ${typeOf(value)}`))
  }
  const fields = value?.fields ?? new Map<string, LuaValue>()
  for (const name of fields.keys()) {
    if (!Object.hasOwn(kinds, name)) return yield* Effect.fail(wrongArgument(n, `unknown option ${quoted(name)}`))
  }
  const read: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(kinds)) {
    const given = fields.get(name)
    read[name] = given === undefined ? defaults[kind] : yield* Effect.mapError(
      readers[kind](given, n),
      ({ message }) => wrongArgument(n, `option ${quoted(name)}: ${message}`)
    )
  }
  return read as Options<K> // one by one, by the kind of each
})
