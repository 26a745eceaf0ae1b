/** Arguments and results of library functions as Lua 5.1 has them: integers are numbers without their fraction. */
import { bytesOf, inside, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, longestString, raise } from "./guard.ts"
import { numberText } from "./numberText.ts"
import { newText, release } from "./strings.ts"

/** Argument n as text, or a default when it is nil or absent. */
export const textOr = (L: LuaState, n: number, otherwise: string): string =>
  lua.lua_isnoneornil(L, n) ? otherwise : textOf(lauxlib.luaL_checkstring(L, n))

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Bytes as text for people and paths; what is no UTF-8 is replaced. */
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

export const pushBytes = (L: LuaState, bytes: Uint8Array): number => {
  lua.lua_pushlstring(L, bytes, bytes.length)
  return 1
}

/** As `pushBytes`, of bytes that were made for it and that nobody needs afterwards. */
export const pushOwned = (L: LuaState, bytes: Uint8Array): number => {
  pushBytes(L, bytes)
  release(bytes)
  return 1
}

/** A string of one letter for each byte. */
export const pushLetters = (L: LuaState, letters: string): number => {
  lua.lua_pushnil(L)
  const machine = inside(L)
  machine.stack[machine.top - 1]?.setsvalue(newText(machine, letters))
  return 1
}

/** The string or number on top of the stack as letters. */
export const lettersOnTop = (L: LuaState): string => {
  const machine = inside(L)
  const value = machine.stack[machine.top - 1]
  return value?.ttisstring() ? value.tsvalue().hash : numberText(lua.lua_tonumber(L, -1))
}

export const pushText = (L: LuaState, text: string): number => pushBytes(L, bytesOf(text))

/** `nil, message, code`, as functions of files fail. */
export const pushFailure = (L: LuaState, message: string, code: number): number => {
  lua.lua_pushnil(L)
  pushText(L, message)
  lua.lua_pushnumber(L, code)
  return 3
}

/** Raises `bad argument #n to 'f' (message)`. */
export const badArgument = (L: LuaState, n: number, message: string): never =>
  lauxlib.luaL_argerror(L, n, bytesOf(message))

/** Before a string of so many bytes comes to be. */
export const claim = (L: LuaState, guard: Guard, bytes: number): void => {
  guard.charge(L, bytes)
  refuseLonger(L, bytes)
}

/** Raises when a string would be longer than one may be. */
export const refuseLonger = (L: LuaState, bytes: number): void => {
  if (bytes > longestString) raise(L, "resulting string too large")
}

/** Makes a table of functions the global of that name, and `package.loaded` of it; the table is left on the stack. */
export const pushLibrary = (L: LuaState, name: string, functions: Readonly<Record<string, LuaFunction>>): void => {
  lauxlib.luaL_newlib(L, functions)
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, bytesOf("_LOADED"))
  lua.lua_pushvalue(L, -2)
  lua.lua_setfield(L, -2, bytesOf(name))
  lua.lua_pop(L, 1)
  lua.lua_pushvalue(L, -1)
  lua.lua_setglobal(L, bytesOf(name))
}
