/** Coroutines as in Lua 5.1; none outlives what ended the script. */
import { afterError } from "./errors.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { setFunctions } from "./values.ts"

const coroutineAt = (L: LuaState, n: number): LuaState =>
  lua.lua_tothread(L, n) ?? lauxlib.luaL_argerror(L, n, bytesOf("thread expected"))

/** Runs a coroutine on with values from the top of the stack; gives how many it left there, -1 for an error. */
const run = (L: LuaState, thread: LuaState, args: number): number => {
  if (lua.lua_status(thread) === lua.LUA_OK && lua.lua_gettop(thread) === 0) {
    lua.lua_pushliteral(L, "cannot resume dead coroutine")
    return -1
  }
  if (!lua.lua_checkstack(thread, args)) {
    lua.lua_pushliteral(L, "too many arguments to resume")
    return -1
  }
  lua.lua_xmove(L, thread, args)
  const status = lua.lua_resume(thread, L, args)
  if (status !== lua.LUA_OK && status !== lua.LUA_YIELD) {
    lua.lua_xmove(thread, L, 1)
    afterError(L)
    return -1
  }
  const results = lua.lua_gettop(thread)
  if (!lua.lua_checkstack(L, results + 1)) {
    lua.lua_pop(thread, results)
    lua.lua_pushliteral(L, "too many results to resume")
    return -1
  }
  lua.lua_xmove(thread, L, results)
  return results
}

const create = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TFUNCTION)
  const thread = lua.lua_newthread(L)
  lua.lua_pushvalue(L, 1)
  lua.lua_xmove(L, thread, 1)
  return 1
}

const resume = (L: LuaState): number => {
  const results = run(L, coroutineAt(L, 1), lua.lua_gettop(L) - 1)
  lua.lua_pushboolean(L, results >= 0)
  const count = Math.max(results, 1)
  if (results === 0) return 1
  lua.lua_insert(L, -(count + 1))
  return count + 1
}

/** Nil in the main thread. */
const running = (L: LuaState): number => {
  if (!lua.lua_pushthread(L)) return 1
  lua.lua_pushnil(L)
  return 1
}

const statusOf = (L: LuaState, thread: LuaState): string => {
  if (L === thread) return "running"
  const status = lua.lua_status(thread)
  if (status === lua.LUA_YIELD) return "suspended"
  if (status !== lua.LUA_OK) return "dead"
  if (lua.lua_getstack(thread, 0, new lua.lua_Debug()) > 0) return "normal"
  return lua.lua_gettop(thread) === 0 ? "dead" : "suspended"
}

const status = (L: LuaState): number => {
  lua.lua_pushliteral(L, statusOf(L, coroutineAt(L, 1)))
  return 1
}

const runWrapped = (L: LuaState): number => {
  const results = run(L, coroutineAt(L, lua.lua_upvalueindex(1)), lua.lua_gettop(L))
  return results < 0 ? lua.lua_error(L) : results
}

const wrap = (L: LuaState): number => {
  create(L)
  lua.lua_pushcclosure(L, runWrapped, 1)
  return 1
}

const yieldValues = (L: LuaState): number => lua.lua_yield(L, lua.lua_gettop(L))

const functions = { create, resume, running, status, wrap, yield: yieldValues }

/** Opens the library as the global `coroutine`. */
export const openCoroutine = (L: LuaState): void => {
  lauxlib.luaL_requiref(L, bytesOf("coroutine"), (opened) => {
    lua.lua_newtable(opened)
    setFunctions(opened, functions)
    return 1
  }, 1)
  lua.lua_pop(L, 1)
}
