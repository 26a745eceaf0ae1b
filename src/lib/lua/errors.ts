/** Errors that are none of Lua, and what catches errors has to see to. */
import { bytesOf, inside, lua, type LuaState } from "./fengari.ts"
import { raise } from "./guard.ts"

const overflow = "stack overflow"

/** What an error of the machine below is in Lua: too deep, too large, or a fault of a library. */
export const nativeError = (L: LuaState): number => {
  const cause = lua.lua_touserdata(L, 1)
  if (cause instanceof RangeError) return raise(L, /call stack/.test(cause.message) ? overflow : "not enough memory")
  return raise(L, cause instanceof Error ? cause.message : String(cause))
}

/**
 * To be called with an error caught, on top of the stack, before anybody else sees it: raises again what ended the
 * script, and names an error that there was no room left to name.
 */
export const afterError = (L: LuaState): void => {
  inside(L).l_G.guard?.check(L)
  const isUnnamed = lua.lua_type(L, -1) === lua.LUA_TLIGHTUSERDATA || lua.lua_topointer(L, -1) === nativeError
  if (!isUnnamed) return
  lua.lua_pop(L, 1)
  lua.lua_pushstring(L, bytesOf(overflow))
}
