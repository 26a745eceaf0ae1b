/**
 * The modules `json` and `lunajson`, with the functions, the rules of arrays and the error texts of lunajson: `decode`,
 * `encode`, and the makers of both in `lunajson.decoder` and `lunajson.encoder`.
 */
import { badArgument, pushLetters } from "./arguments.ts"
import { bytesOf, integerAt, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import { JsonReader } from "./jsonReader.ts"
import { formatFloat } from "./luaFormat.ts"
import { Parts } from "./parts.ts"

/** Openers by the names that `require` is given. */
export const jsonModules = (guard: Guard): Readonly<Record<string, LuaFunction>> => {
  const functions = { decode: decode(guard), encode: encode(guard) }
  const open: LuaFunction = (L) => {
    lauxlib.luaL_newlib(L, functions)
    return 1
  }
  const maker = (f: LuaFunction): LuaFunction => (L) => {
    lua.lua_pushcfunction(L, (caller) => {
      lua.lua_pushcfunction(caller, f)
      return 1
    })
    return 1
  }
  return {
    json: open,
    lunajson: open,
    "lunajson.decoder": maker(functions.decode),
    "lunajson.encoder": maker(functions.encode)
  }
}

/**
 * `decode(text [, position [, null [, hasLength]]])`: with a position, the value that begins there and the position after
 * it. Without `null`, null is nil; with `hasLength`, field 0 of an array is its length.
 */
const decode = (guard: Guard): LuaFunction => (L) => {
  const text = lauxlib.luaL_checkstring(L, 1)
  const isPart = !lua.lua_isnoneornil(L, 2)
  const position = isPart ? integerAt(L, 2) : 1
  if (position < 1) return badArgument(L, 2, "position out of range")
  const hasLength = lua.lua_toboolean(L, 4)
  lua.lua_settop(L, 3)
  const reader = new JsonReader(L, guard, text, position - 1, hasLength)
  reader.value(0)
  if (!isPart) {
    reader.end()
    return 1
  }
  lua.lua_pushnumber(L, reader.at + 1)
  return 2
}

/** `encode(value [, null])`: a table with a number in field 0, or with a value in field 1, is an array. */
const encode = (guard: Guard): LuaFunction => (L) => {
  lua.lua_settop(L, 2)
  const writer = new Writer(L, guard)
  lua.lua_pushvalue(L, 1)
  writer.value(0)
  return pushLetters(L, writer.parts.joined())
}

const mostLevels = 1000
const short = new Map([[34, "\\\""], [92, "\\\\"], [8, "\\b"], [12, "\\f"], [10, "\\n"], [13, "\\r"], [9, "\\t"]])

/** Writes the value on top of the stack and takes it. */
class Writer {
  readonly parts: Parts
  private readonly L: LuaState
  private readonly guard: Guard
  private readonly open = new Set<unknown>()

  constructor(L: LuaState, guard: Guard) {
    this.L = L
    this.guard = guard
    this.parts = new Parts(L, guard)
  }

  value(level: number): void {
    const { L, parts } = this
    this.guard.check(L)
    lauxlib.luaL_checkstack(L, 8, bytesOf("too deeply nested"))
    // The second argument of `encode`, nil without one.
    if (lua.lua_rawequal(L, -1, 2)) parts.addLetters("null")
    else {
      switch (lua.lua_type(L, -1)) {
        case lua.LUA_TBOOLEAN:
          parts.addLetters(lua.lua_toboolean(L, -1) ? "true" : "false")
          break
        case lua.LUA_TNUMBER:
          this.number(lua.lua_tonumber(L, -1))
          break
        case lua.LUA_TSTRING:
          this.string(lauxlib.luaL_checkstring(L, -1))
          break
        case lua.LUA_TTABLE:
          this.table(level)
          break
        default:
          raise(L, "invalid type value")
      }
    }
    lua.lua_pop(L, 1)
  }

  private number(value: number): void {
    if (!Number.isFinite(value)) raise(this.L, "invalid number")
    this.parts.addLetters(formatFloat(value, { flags: "", width: 0, precision: 17, letter: "g" }))
  }

  private string(bytes: Uint8Array): void {
    const { parts } = this
    parts.addLetters("\"")
    let kept = 0
    for (const [at, byte] of bytes.entries()) {
      if (byte >= 32 && byte !== 34 && byte !== 92) continue
      parts.add(bytes.subarray(kept, at))
      parts.addLetters(short.get(byte) ?? `\\u${byte.toString(16).toUpperCase().padStart(4, "0")}`)
      kept = at + 1
    }
    parts.add(bytes.subarray(kept))
    parts.addLetters("\"")
  }

  private table(level: number): void {
    const { L } = this
    const table = lua.lua_topointer(L, -1)
    if (this.open.has(table)) raise(L, "loop detected")
    if (level >= mostLevels) raise(L, "too deeply nested")
    this.open.add(table)
    const length = this.pushElement(0) === lua.LUA_TNUMBER ? integerAt(L, -1) : undefined
    lua.lua_pop(L, 1)
    const isArray = length !== undefined || this.pushElement(1) !== lua.LUA_TNIL
    if (length === undefined) lua.lua_pop(L, 1)
    if (isArray) this.array(level, length)
    else this.object(level)
    this.open.delete(table)
  }

  /** An element of the table on top of the stack; gives its type. */
  private pushElement(at: number): number {
    lua.lua_pushnumber(this.L, at)
    return lua.lua_gettable(this.L, -2)
  }

  private array(level: number, length: number | undefined): void {
    const { L, parts } = this
    parts.addLetters("[")
    const most = length ?? Infinity
    for (let at = 1; at <= most; at++) {
      const type = this.pushElement(at)
      if (length === undefined && type === lua.LUA_TNIL) {
        lua.lua_pop(L, 1)
        break
      }
      if (at > 1) parts.addLetters(",")
      this.value(level + 1)
    }
    parts.addLetters("]")
  }

  private object(level: number): void {
    const { L, parts } = this
    parts.addLetters("{")
    let isFirst = true
    lua.lua_pushnil(L)
    while (lua.lua_next(L, -2) !== 0) {
      if (lua.lua_type(L, -2) !== lua.LUA_TSTRING) raise(L, "non-string key")
      if (!isFirst) parts.addLetters(",")
      isFirst = false
      this.string(lauxlib.luaL_checkstring(L, -2))
      parts.addLetters(":")
      this.value(level + 1)
    }
    parts.addLetters("}")
  }
}
