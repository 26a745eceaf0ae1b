/** A Lua state with the libraries that scripts find (regbot description, 5.1). */
import { bytesOf, lauxlib, lua, lualib, type LuaState } from "./fengari.ts"
import { openString } from "./stringLibrary.ts"
import type { Surroundings } from "./surroundings.ts"

const libraries = [
  ["_G", lualib.luaopen_base],
  ["table", lualib.luaopen_table],
  ["math", lualib.luaopen_math],
  ["coroutine", lualib.luaopen_coroutine]
] as const

/** A fresh state: nothing is shared with another. */
export const newState = (surroundings: Surroundings): LuaState => {
  const L = lauxlib.luaL_newstate()
  for (const [name, open] of libraries) {
    lauxlib.luaL_requiref(L, bytesOf(name), open, 1)
    lua.lua_pop(L, 1)
  }
  openString(L, surroundings)
  return L
}

/** What a script raised: its text with its place, and the stack of Lua. */
export interface Raised {
  readonly message: string
  readonly traceback: string
}

/** Compiles and runs a source as the chunk `<string>`; what it raised, if anything. */
export const runSource = (L: LuaState, source: Uint8Array): Raised | undefined => {
  const failed = lauxlib.luaL_loadbufferx(L, source, source.length, bytesOf("=<string>"), bytesOf("t")) !== lua.LUA_OK
    || lua.lua_pcall(L, 0, 0, 0) !== lua.LUA_OK
  if (!failed) return undefined
  return { message: new TextDecoder().decode(lauxlib.luaL_tolstring(L, -1)), traceback: "" }
}
