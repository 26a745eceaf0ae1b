/** A Lua state with the libraries that scripts find (regbot description, 5.1). */
import { openBase } from "./baseLibrary.ts"
import { openCoroutine } from "./coroutineLibrary.ts"
import { openDebug } from "./debugLibrary.ts"
import { nativeError } from "./errors.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { installGuard } from "./guard.ts"
import { openIo } from "./ioLibrary.ts"
import { openMath } from "./mathLibrary.ts"
import { openOs } from "./osLibrary.ts"
import { openPackage } from "./packageLibrary.ts"
import { leniently, withoutShebang } from "./source.ts"
import { openString } from "./stringLibrary.ts"
import type { Surroundings } from "./surroundings.ts"
import { openTable } from "./tableLibrary.ts"
import { rawText, textAt } from "./values.ts"

/** A fresh state, bound by the guard of its surroundings: nothing is shared with another. */
export const newState = (surroundings: Surroundings): LuaState => {
  const L = lauxlib.luaL_newstate()
  lua.lua_atnativeerror(L, nativeError)
  openBase(L, surroundings)
  openTable(L)
  openString(L, surroundings)
  openOs(L, surroundings)
  openIo(L, surroundings)
  openPackage(L, surroundings)
  openMath(L)
  openCoroutine(L)
  if (!surroundings.isSandboxed) openDebug(L)
  installGuard(L, surroundings.guard)
  return L
}

/** What a script raised: its text with its place, and the stack of Lua. */
export interface Raised {
  readonly message: string
  readonly traceback: string
}

const decoder = new TextDecoder()

/** The text of an error value; when it has one of its own that fails, what any such value shows. */
const textOfError = (L: LuaState): string => {
  if (lua.lua_topointer(L, -1) === nativeError) return "stack overflow"
  lua.lua_pushcfunction(L, (called) => {
    const text = textAt(called, 1)
    lua.lua_pushlstring(called, text, text.length)
    return 1
  })
  lua.lua_pushvalue(L, -2)
  const text = lua.lua_pcall(L, 1, 1, 0) === lua.LUA_OK ? rawText(L, -1) : rawText(L, -2)
  lua.lua_pop(L, 1)
  return decoder.decode(text)
}

const tracebackOf = (L: LuaState): string => {
  lauxlib.luaL_traceback(L, L, null, 1)
  const text = decoder.decode(rawText(L, -1))
  lua.lua_pop(L, 1)
  return text
}

/** Compiles and runs a source as the chunk `<string>`; what it raised, if anything. */
export const runSource = (L: LuaState, source: Uint8Array): Raised | undefined => {
  const text = leniently(withoutShebang(source))
  let traceback = ""
  lua.lua_pushcfunction(L, (failed) => {
    traceback = tracebackOf(failed)
    return 1
  })
  const isLoaded = lauxlib.luaL_loadbufferx(L, text, text.length, bytesOf("=<string>"), bytesOf("t")) === lua.LUA_OK
  if (isLoaded && lua.lua_pcall(L, 0, 0, -2) === lua.LUA_OK) {
    lua.lua_pop(L, 1)
    return undefined
  }
  const raised = { message: textOfError(L), traceback: isLoaded ? traceback || "stack traceback:" : "" }
  lua.lua_settop(L, 0)
  return raised
}
