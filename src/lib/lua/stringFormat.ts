/** `string.format` of Lua 5.1, with the rules of `printf` (regbot description, 14.3). */
import { badArgument, pushLetters } from "./arguments.ts"
import { bytesOf, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import { type Conversion, formatFloat, formatInteger } from "./luaFormat.ts"
import { Parts } from "./parts.ts"
import { textAt } from "./values.ts"

const [percent, blank] = [37, 32]

/** Reads `%` and what belongs to it; `undefined` is none that is allowed. */
const conversionAt = (L: LuaState, format: Uint8Array, at: number) => {
  const text = Buffer.from(format.subarray(at, at + 16)).toString("latin1")
  const found = /^%([-+ #0]*)(\d*)(?:\.(\d*))?([^]?)/.exec(text)
  const [whole = "", flags = "", width = "", precision, letter = ""] = found ?? []
  if (flags.length > 5) raise(L, "invalid format (repeated flags)")
  if (width.length > 2 || (precision ?? "").length > 2) raise(L, "invalid format (width or precision too long)")
  const conversion: Conversion = {
    flags,
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    letter
  }
  return { conversion, length: whole.length }
}

/** A text cut to the precision and filled to the width. */
const fitted = (bytes: Uint8Array, { flags, width, precision }: Conversion): Uint8Array => {
  const cut = precision === undefined ? bytes : bytes.subarray(0, precision)
  if (cut.length >= width) return cut
  const filled = new Uint8Array(width).fill(blank)
  filled.set(cut, flags.includes("-") ? 0 : width - cut.length)
  return filled
}

/** A text as Lua source has it: `%q`. */
const quoted = (L: LuaState, guard: Guard, bytes: Uint8Array): Uint8Array => {
  const [quote, backslash, newline, carriageReturn] = [34, 92, 10, 13]
  const parts = new Parts(L, guard)
  parts.addLetters("\"")
  let kept = 0
  for (const [at, byte] of bytes.entries()) {
    const isEscaped = byte === quote || byte === backslash || byte === newline
    if (!isEscaped && byte !== carriageReturn && byte !== 0) continue
    parts.add(bytes.subarray(kept, at))
    parts.addLetters(isEscaped ? "\\" : byte === 0 ? "\\000" : "\\r")
    kept = isEscaped ? at : at + 1
  }
  parts.add(bytes.subarray(kept))
  parts.addLetters("\"")
  return Buffer.from(parts.joined(), "latin1")
}

/** What an argument becomes. */
const converted = (L: LuaState, guard: Guard, n: number, conversion: Conversion): Uint8Array => {
  switch (conversion.letter) {
    case "c":
      return fitted(Uint8Array.of(lauxlib.luaL_checknumber(L, n)), { ...conversion, precision: undefined })
    case "d":
    case "i":
    case "o":
    case "u":
    case "x":
    case "X":
      return bytesOf(formatInteger(lauxlib.luaL_checknumber(L, n), conversion))
    case "e":
    case "E":
    case "f":
    case "g":
    case "G":
      return bytesOf(formatFloat(lauxlib.luaL_checknumber(L, n), conversion))
    case "q": {
      const bytes = lauxlib.luaL_checkstring(L, n)
      return quoted(L, guard, bytes)
    }
    case "s": {
      if (lua.lua_type(L, n) === lua.LUA_TNONE) badArgument(L, n, "no value")
      return fitted(textAt(L, n), conversion)
    }
    default:
      return raise(L, `invalid option '%${conversion.letter}' to 'format'`)
  }
}

export const formatString = (guard: Guard): LuaFunction => (L) => {
  const format = lauxlib.luaL_checkstring(L, 1)
  const parts = new Parts(L, guard)
  let argument = 1
  for (let at = 0; at < format.length;) {
    const next = format.indexOf(percent, at)
    parts.add(format.subarray(at, next < 0 ? format.length : next))
    if (next < 0) break
    if (format[next + 1] === percent) {
      parts.add(Uint8Array.of(percent))
      at = next + 2
      continue
    }
    const { conversion, length: read } = conversionAt(L, format, next)
    argument++
    parts.add(converted(L, guard, argument, conversion))
    at = next + read
  }
  return pushLetters(L, parts.joined())
}
