/** Arguments of host functions, and what is wrong with them (regbot description, 6, 9). */
import { Effect } from "effect"
import type { HostFailure, LuaValue } from "../../../lib/lua/border.ts"
import { typeOf } from "../../../lib/lua/border.ts"
import { numberText } from "../../../lib/lua/numberText.ts"
import { parseRef, type Ref } from "../../../schemas/Ref.ts"
import { stateOf } from "./objects.ts"

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

/** REF: a text, a reference, or the reference of a manifest or configuration. */
export const refArgument = (value: LuaValue, n: number): Effect.Effect<Ref, HostFailure> => {
  const state = stateOf("reference", value) ?? stateOf("manifest", value) ?? stateOf("imageconfig", value)
  if (state !== undefined) return Effect.succeed(state.ref)
  if (typeof value !== "string") return Effect.fail(wrongArgument(n, "reference expected"))
  return Effect.mapError(
    Effect.fromResult(parseRef(value)),
    ({ message }) => wrongArgument(n, `reference parsing failed: ${message}`)
  )
}
