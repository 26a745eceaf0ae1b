/** The debug functions of Lua 5.1, without hooks: those are the guard's. */
import { debugEnvironmentFunctions } from "./environment.ts"
import { bytesOf, lauxlib, lua, lualib, type LuaState } from "./fengari.ts"
import { clearFields, setFunctions } from "./values.ts"

const absent = [
  "debug",
  "gethook",
  "getregistry",
  "getuservalue",
  "sethook",
  "setuservalue",
  "upvalueid",
  "upvaluejoin"
]

/** Opens the library as the global `debug`. */
export const openDebug = (L: LuaState): void => {
  lauxlib.luaL_requiref(L, bytesOf("debug"), lualib.luaopen_debug, 1)
  setFunctions(L, debugEnvironmentFunctions)
  clearFields(L, absent)
  lua.lua_pop(L, 1)
}
