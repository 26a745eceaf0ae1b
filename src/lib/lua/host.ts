/** The host's functions and objects in a Lua state (regbot description, 5.3, 6, 9). */
import { textOf } from "./arguments.ts"
import type { HostFailure, HostName, HostNames } from "./border.ts"
import type { Answer, Question } from "./channel.ts"
import { argumentsOf, callableKey, heldAt, metatableKey, push } from "./convert.ts"
import { bytesOf, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import { rawText } from "./values.ts"

/** The way to the host, from inside a state. */
export interface Border {
  readonly guard: Guard
  /** Blocks until the host has answered. */
  readonly ask: (L: LuaState, question: Question) => Answer
}

/** Raises a text as it is. */
export const raiseText = (L: LuaState, text: string): never => {
  lua.lua_pushstring(L, bytesOf(text))
  return lua.lua_error(L)
}

/** `ls` of `tag.ls`, `put` of `manifest:put`. */
const shortOf = (name: HostName): string => name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf(":")) + 1)

const textOfFailure = (name: HostName, { argument, message }: HostFailure): string =>
  argument === undefined ? message : `bad argument #${argument} to ${shortOf(name)} (${message})`

/** A function that the host runs: its arguments go there, what comes back is what it returns or raises. */
const hostFunction = (name: HostName, { ask, guard }: Border): LuaFunction => (L) => {
  guard.check(L)
  const answer = ask(L, { tag: "call", name, args: argumentsOf(L, guard) })
  if (answer.tag === "failure") return raise(L, textOfFailure(name, answer.failure))
  if (answer.tag !== "values") return raiseText(L, answer.tag === "raised" ? answer.message : "no answer")
  const object = answer.self === undefined ? undefined : heldAt(L, 1)
  if (object !== undefined && answer.self !== undefined) object.state = answer.self.state
  lua.lua_checkstack(L, answer.values.length + 8)
  for (const value of answer.values) push(L, guard, value)
  return answer.values.length
}

const setFunction = (L: LuaState, key: string, f: LuaFunction): void => {
  lua.lua_pushstring(L, bytesOf(key))
  lua.lua_pushcfunction(L, f)
  lua.lua_rawset(L, -3)
}

/** The raw field of the table of an object's kind, which scripts may change. */
const fieldOfKind = (L: LuaState, field: string): number => {
  lua.lua_pushvalue(L, lua.lua_upvalueindex(1))
  lua.lua_pushstring(L, bytesOf(field))
  const type = lua.lua_rawget(L, -2)
  lua.lua_remove(L, -2)
  return type
}

/** `x.field`: the data first, then the methods. */
const index: LuaFunction = (L) => {
  if (heldAt(L, 1) !== undefined && lua.lua_getuservalue(L, 1) === lua.LUA_TTABLE) {
    lua.lua_pushvalue(L, 2)
    if (lua.lua_rawget(L, -2) !== lua.LUA_TNIL) return 1
  }
  const methods = fieldOfKind(L, "__index")
  if (methods === lua.LUA_TFUNCTION) {
    lua.lua_pushvalue(L, 1)
    lua.lua_pushvalue(L, 2)
    lua.lua_call(L, 2, 1)
  } else if (methods === lua.LUA_TTABLE) {
    lua.lua_pushvalue(L, 2)
    lua.lua_gettable(L, -2)
  } else lua.lua_pushnil(L)
  return 1
}

const assign: LuaFunction = (L) =>
  raise(L, `attempt to index a non-table object(userdata) with key '${textOf(rawText(L, 2))}'`)

const tostring: LuaFunction = (L) => {
  if (fieldOfKind(L, "__tostring") === lua.LUA_TFUNCTION) {
    lua.lua_pushvalue(L, 1)
    lua.lua_call(L, 1, 1)
    return 1
  }
  lua.lua_pushstring(L, rawText(L, 1))
  return 1
}

/** `m:config()` of a table in the data: the table is left out, the object is the method's first argument. */
const calling = (method: LuaFunction): LuaFunction => (L) => {
  lua.lua_remove(L, 1)
  return method(L)
}

/**
 * The metatable of a kind's objects. It is not the kind's global table itself, which shows its methods under `__index`
 * where the data of an object comes first, but gives that table for itself.
 */
const setMetatable = (L: LuaState, kind: string): void => {
  lua.lua_newtable(L)
  lua.lua_pushstring(L, bytesOf("__metatable"))
  lua.lua_pushvalue(L, -3)
  lua.lua_rawset(L, -3)
  for (const [event, f] of [["__index", index], ["__newindex", assign], ["__tostring", tostring]] as const) {
    lua.lua_pushstring(L, bytesOf(event))
    lua.lua_pushvalue(L, -3)
    lua.lua_pushcclosure(L, f, 1)
    lua.lua_rawset(L, -3)
  }
  lua.lua_rawsetp(L, lua.LUA_REGISTRYINDEX, metatableKey(kind))
}

const setCallable = (L: LuaState, kind: string, name: string, method: LuaFunction): void => {
  lua.lua_newtable(L)
  setFunction(L, "__call", calling(method))
  lua.lua_rawsetp(L, lua.LUA_REGISTRYINDEX, callableKey(kind, name))
}

const setLibrary = (L: LuaState, border: Border, kind: string, names: HostNames["tables"][string]): void => {
  lua.lua_newtable(L)
  for (const name of names.functions) setFunction(L, name, hostFunction(`${kind}.${name}`, border))
  if (names.hasText) setFunction(L, "__tostring", hostFunction(`${kind}:__tostring`, border))
  lua.lua_pushstring(L, bytesOf("__index"))
  lua.lua_newtable(L)
  for (const name of names.methods) {
    const method = hostFunction(`${kind}:${name}`, border)
    setFunction(L, name, method)
    setCallable(L, kind, name, method)
  }
  lua.lua_rawset(L, -3)
  setMetatable(L, kind)
  lua.lua_setglobal(L, bytesOf(kind))
}

/** Makes the host's functions and tables globals of a fresh state. */
export const install = (L: LuaState, names: HostNames, border: Border): void => {
  for (const name of names.globals) {
    lua.lua_pushcfunction(L, hostFunction(name, border))
    lua.lua_setglobal(L, bytesOf(name))
  }
  for (const [kind, table] of Object.entries(names.tables)) setLibrary(L, border, kind, table)
}
