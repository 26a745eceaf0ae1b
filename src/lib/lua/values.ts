/** Values of Lua as scripts see them as texts, and how functions of the machine become some of Lua. */
import { bytesOf, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { numberText } from "./numberText.ts"

const textField = bytesOf("__tostring")

/** `table: 0x1f`. */
const addressOf = (L: LuaState, at: number): Uint8Array => {
  const value = lua.lua_topointer(L, at)
  const name = new TextDecoder().decode(lauxlib.luaL_typename(L, at))
  return bytesOf(`${name}: 0x${addressIn(L, value).toString(16).padStart(8, "0")}`)
}

/** Functions have no number of their own: they are given one when it is first asked for. */
const numbers = new WeakMap<object, number>()
let given = 0x1000

const addressIn = (_L: LuaState, value: unknown): number => {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return 0
  const known = numbers.get(value)
  if (known !== undefined) return known
  given += 0x10
  numbers.set(value, given)
  return given
}

/** The text of a value without its metamethods; of a string, its bytes. */
export const rawText = (L: LuaState, at: number): Uint8Array => {
  switch (lua.lua_type(L, at)) {
    case lua.LUA_TNIL:
    case lua.LUA_TNONE:
      return bytesOf("nil")
    case lua.LUA_TBOOLEAN:
      return bytesOf(lua.lua_toboolean(L, at) ? "true" : "false")
    case lua.LUA_TNUMBER:
      return bytesOf(numberText(lua.lua_tonumber(L, at)))
    case lua.LUA_TSTRING:
      return lua.lua_tostring(L, at) ?? new Uint8Array()
    default:
      return addressOf(L, at)
  }
}

/** `tostring`: pushes the text, or whatever `__tostring` gives instead. */
export const pushText = (L: LuaState, at: number): void => {
  const value = lua.lua_absindex(L, at)
  if (lauxlib.luaL_getmetafield(L, value, textField) === lua.LUA_TNIL) {
    lua.lua_pushstring(L, rawText(L, value))
    return
  }
  lua.lua_pushvalue(L, value)
  lua.lua_call(L, 1, 1)
}

/** `tostring` as bytes, for output. */
export const textAt = (L: LuaState, at: number): Uint8Array => {
  pushText(L, at)
  const text = rawText(L, -1)
  lua.lua_pop(L, 1)
  return text
}

/** Puts functions into the table on top of the stack. */
export const setFunctions = (L: LuaState, functions: Readonly<Record<string, LuaFunction>>): void => {
  for (const [name, f] of Object.entries(functions)) {
    lua.lua_pushcfunction(L, f)
    lua.lua_setfield(L, -2, bytesOf(name))
  }
}

/** Removes fields of the table on top of the stack. */
export const clearFields = (L: LuaState, names: ReadonlyArray<string>): void => {
  for (const name of names) {
    lua.lua_pushnil(L)
    lua.lua_setfield(L, -2, bytesOf(name))
  }
}
