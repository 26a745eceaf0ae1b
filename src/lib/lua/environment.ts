/**
 * Environments of functions as Lua 5.1 has them, in a machine where they are a variable outside of a function: each
 * function that was given one gets a variable of its own, and functions made inside of it share that.
 */
import {
  bytesOf,
  inside,
  integerAt,
  integerOr,
  lauxlib,
  type LClosure,
  lobject,
  lua,
  type LuaState
} from "./fengari.ts"
import { environmentName } from "./patches.ts"
import { keyOf } from "./strings.ts"

const tableTag = 5

/** Environments of functions that use none. */
const unused = new WeakMap<LClosure, object>()

const variableOf = ({ p }: LClosure): number =>
  p.upvalues.findIndex(({ name }) => name !== null && keyOf(name) === environmentName)

/** The function on top of the stack, when it is one of Lua. */
const closureOnTop = (L: LuaState): LClosure | undefined => {
  const value = lua.lua_topointer(L, -1)
  return value instanceof lobject.LClosure ? value : undefined
}

const pushTable = (L: LuaState, table: unknown): void => {
  lua.lua_pushnil(L)
  const machine = inside(L)
  machine.stack[machine.top - 1]?.setfrom(new lobject.TValue(tableTag, table))
}

/** Replaces the function on top of the stack by its environment. */
const toEnvironment = (L: LuaState): void => {
  const closure = closureOnTop(L)
  lua.lua_pop(L, 1)
  const at = closure === undefined ? -1 : variableOf(closure)
  const variable = closure?.upvals[at]
  const other = closure === undefined ? undefined : unused.get(closure)
  if (variable !== undefined) {
    lua.lua_pushnil(L)
    const machine = inside(L)
    machine.stack[machine.top - 1]?.setfrom(variable)
  } else if (other !== undefined) pushTable(L, other)
  else lua.lua_pushglobaltable(L)
}

/** Gives the function below the table on top of the stack that environment, and takes both; false when it has none. */
export const setEnvironment = (L: LuaState): boolean => {
  const table = lua.lua_topointer(L, -1)
  lua.lua_pop(L, 1)
  const closure = closureOnTop(L)
  lua.lua_pop(L, 1)
  if (closure === undefined || table === null) return false
  const at = variableOf(closure)
  if (at === -1) unused.set(closure, table)
  else closure.upvals[at] = new lobject.TValue(tableTag, table)
  return true
}

/** Pushes the function that runs at a level; 1 is who called. Raises when there is none. */
export const pushRunning = (L: LuaState, level: number): void => {
  const activation = new lua.lua_Debug()
  if (level < 0 || lua.lua_getstack(L, level, activation) === 0) {
    return lauxlib.luaL_argerror(L, 1, bytesOf("invalid level"))
  }
  lua.lua_getinfo(L, bytesOf("f"), activation)
}

/** Pushes the function that the first argument is, or that runs at the level it names. */
const pushFunction = (L: LuaState): void => {
  if (lua.lua_isfunction(L, 1)) lua.lua_pushvalue(L, 1)
  else pushRunning(L, integerOr(L, 1, 1))
}

/** `getfenv([f])`: of a function, of a level, 0 for the globals. */
const getfenv = (L: LuaState): number => {
  if (lua.lua_type(L, 1) === lua.LUA_TNUMBER && integerAt(L, 1) === 0) lua.lua_pushglobaltable(L)
  else {
    pushFunction(L)
    toEnvironment(L)
  }
  return 1
}

/** `setfenv(f, table)`: gives the function back; of level 0, what is loaded from now on has the table for its globals. */
const setfenv = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 2, lua.LUA_TTABLE)
  if (lua.lua_type(L, 1) === lua.LUA_TNUMBER && integerAt(L, 1) === 0) {
    lua.lua_pushvalue(L, 2)
    lua.lua_rawseti(L, lua.LUA_REGISTRYINDEX, lua.LUA_RIDX_GLOBALS)
    return 0
  }
  pushFunction(L)
  lua.lua_pushvalue(L, -1)
  lua.lua_pushvalue(L, 2)
  if (!setEnvironment(L)) {
    return lauxlib.luaL_error(L, bytesOf("'setfenv' cannot change environment of given object"))
  }
  return 1
}

/** As `getfenv`, of values alone. */
const debugGetfenv = (L: LuaState): number => {
  lauxlib.luaL_checkany(L, 1)
  lua.lua_pushvalue(L, 1)
  toEnvironment(L)
  return 1
}

const debugSetfenv = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 2, lua.LUA_TTABLE)
  lua.lua_settop(L, 2)
  lua.lua_pushvalue(L, 1)
  lua.lua_insert(L, 1)
  if (!setEnvironment(L)) {
    return lauxlib.luaL_error(L, bytesOf("'setfenv' cannot change environment of given object"))
  }
  return 1
}

/** Of the base library. */
export const environmentFunctions = { getfenv, setfenv }

/** Of the debug library. */
export const debugEnvironmentFunctions = { getfenv: debugGetfenv, setfenv: debugSetfenv }
