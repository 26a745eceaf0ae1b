/** Arguments of host functions, and what is wrong with them (regbot description, 6, 9). */
import { Effect } from "effect"
import type { HostFailure, LuaTable, LuaValue } from "../../../lib/lua/border.ts"
import { isTable, typeOf } from "../../../lib/lua/border.ts"
import { numberText } from "../../../lib/lua/numberText.ts"
import { parseRef, type Ref } from "../../../schemas/Ref.ts"
import { type ManifestState, stateOf } from "./objects.ts"

/** `bad argument #n to f (message)`. */
export const wrongArgument = (argument: number, message: string): HostFailure => ({ argument, message })

const expected = (what: string, value: LuaValue, n: number): HostFailure =>
  wrongArgument(n, `${what} expected, got ${typeOf(value)}`)

/** Bytes that are no UTF-8 are no text of the registries' world: they become replacement characters. */
const decoder = new TextDecoder()

/** A string, or a number as Lua writes it. */
export const textArgument = (value: LuaValue, n: number): Effect.Effect<string, HostFailure> => {
  if (typeof value === "string") return Effect.succeed(value)
  if (value instanceof Uint8Array) return Effect.succeed(decoder.decode(value))
  return typeof value === "number" ? Effect.succeed(numberText(value)) : Effect.fail(expected("string", value, n))
}

/** A string, absent when so many arguments were not given; a `nil` that was given is no string. */
export const optionalText = (
  args: ReadonlyArray<LuaValue>,
  n: number
): Effect.Effect<string | undefined, HostFailure> =>
  args.length < n ? Effect.succeed(undefined) : textArgument(args[n - 1], n)

/** A number; a text of one is none. */
export const numberArgument = (value: LuaValue, n: number): Effect.Effect<number, HostFailure> =>
  typeof value === "number" ? Effect.succeed(value) : Effect.fail(expected("number", value, n))

/** A table, absent when so many arguments were not given. */
export const optionalTable = (
  args: ReadonlyArray<LuaValue>,
  n: number
): Effect.Effect<LuaTable | undefined, HostFailure> => {
  const value = args[n - 1]
  if (args.length < n) return Effect.succeed(undefined)
  return value !== undefined && isTable(value) ? Effect.succeed(value) : Effect.fail(expected("table", value, n))
}

const textIn = (value: LuaValue): string | undefined =>
  value instanceof Uint8Array ? decoder.decode(value) : typeof value === "string" ? value : undefined

/** REF: a text, a reference, or the reference of a manifest or configuration. */
export const refArgument = (value: LuaValue, n: number): Effect.Effect<Ref, HostFailure> => {
  const state = stateOf("reference", value) ?? stateOf("manifest", value) ?? stateOf("imageconfig", value)
  if (state !== undefined) return Effect.succeed(state.ref)
  const text = textIn(value)
  if (text === undefined) return Effect.fail(wrongArgument(n, "reference expected"))
  return Effect.mapError(parsed(text), ({ message }) => wrongArgument(n, message))
}

/** What MAN stands for: a manifest that is here, or one to fetch. */
export type Named = { readonly manifest: ManifestState } | { readonly ref: Ref }

/** MAN: a manifest, that of a configuration, or the text or reference of one. */
export const manifestArgument = (value: LuaValue, n: number): Effect.Effect<Named, HostFailure> => {
  const manifest = stateOf("manifest", value) ?? stateOf("imageconfig", value)?.manifest
  if (manifest !== undefined) return Effect.succeed({ manifest })
  const reference = stateOf("reference", value)
  if (reference !== undefined) return Effect.succeed({ ref: reference.ref })
  const text = textIn(value)
  if (text === undefined) return Effect.fail(wrongArgument(n, "manifest expected"))
  return Effect.map(parsed(text), (ref) => ({ ref }))
}

const parsed = (text: string): Effect.Effect<Ref, HostFailure> =>
  Effect.mapError(
    Effect.fromResult(parseRef(text)),
    ({ message }) => ({ message: `reference parsing failed: ${message}` })
  )
