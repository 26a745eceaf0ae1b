/**
 * What a fresh state holds before its script runs: every state has the same, so a builtin can be named by the way to
 * it, and of the tables only what a script changed has to travel.
 */
import { metatableKeys } from "./convert.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"

/** What two values have to share to be one: strings are texts of one byte a character behind an `s`. */
export type Identity = unknown

/** A step to a builtin: the field of a table, or its metatable. */
export type Step = { readonly field: string } | "metatable"

export interface Way {
  readonly root: string
  readonly steps: ReadonlyArray<Step>
}

export interface KnownTable {
  /** Its place in the list of tables in the registry. */
  readonly place: number
  readonly fields: ReadonlyMap<Identity, Identity>
  readonly metatable: Identity
}

export interface Baseline {
  readonly ways: ReadonlyMap<Identity, Way>
  readonly tables: ReadonlyMap<Identity, KnownTable>
}

/** Where the list of known tables lies in the registry. */
const listKey = {}

/** A string of bytes, one a character. */
export const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

/** The bytes of such a string. */
export const bytesOfBinary = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

export const identityAt = (L: LuaState, at: number): Identity => {
  switch (lua.lua_type(L, at)) {
    case lua.LUA_TNIL:
      return undefined
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, at)
    case lua.LUA_TNUMBER:
      return lua.lua_tonumber(L, at)
    case lua.LUA_TSTRING:
      return `s${binary(lua.lua_tostring(L, at) ?? new Uint8Array())}`
    default:
      return lua.lua_topointer(L, at)
  }
}

/** Pushes what the ways of a state begin at; false when there is no such root. */
const pushRoot = (L: LuaState, root: string): boolean => {
  if (root === "globals") {
    lua.lua_pushglobaltable(L)
    return true
  }
  if (root === "loaded") {
    lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, bytesOf("_LOADED"))
    return true
  }
  if (root === "string") {
    lua.lua_pushstring(L, bytesOf(""))
    const has = lua.lua_getmetatable(L, -1)
    lua.lua_remove(L, has ? -2 : -1)
    return has
  }
  const key = metatableKeys.get(root.slice("object ".length))
  if (key === undefined) return false
  lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, key)
  return true
}

const roots = (): ReadonlyArray<string> => [
  "globals",
  "loaded",
  "string",
  ...[...metatableKeys.keys()].map((it) => `object ${it}`)
]

const hasIdentity = (L: LuaState, at: number): boolean => {
  const type = lua.lua_type(L, at)
  return type === lua.LUA_TTABLE || type === lua.LUA_TFUNCTION || type === lua.LUA_TUSERDATA
}

/** Looks at all of a fresh state, breadth first. */
export const baselineOf = (L: LuaState): Baseline => {
  const ways = new Map<Identity, Way>()
  const tables = new Map<Identity, KnownTable>()
  const top = lua.lua_gettop(L)
  lua.lua_newtable(L)
  const list = lua.lua_gettop(L)
  const queue: Array<Way> = []
  /** Takes the value off the stack. */
  const meet = (way: Way): void => {
    const identity = identityAt(L, -1)
    if (hasIdentity(L, -1) && !ways.has(identity)) {
      ways.set(identity, way)
      queue.push(way)
      lua.lua_rawseti(L, list, queue.length)
    } else lua.lua_pop(L, 1)
  }
  for (const root of roots()) {
    if (pushRoot(L, root)) meet({ root, steps: [] })
  }
  for (const [index, { root, steps }] of queue.entries()) {
    const place = index + 1
    lua.lua_rawgeti(L, list, place)
    const at = lua.lua_gettop(L)
    let metatable: Identity
    if (lua.lua_type(L, at) !== lua.LUA_TFUNCTION && lua.lua_getmetatable(L, at)) {
      metatable = identityAt(L, -1)
      meet({ root, steps: [...steps, "metatable"] })
    }
    if (lua.lua_type(L, at) === lua.LUA_TTABLE) {
      const fields = new Map<Identity, Identity>()
      lua.lua_pushnil(L)
      while (lua.lua_next(L, at) !== 0) {
        fields.set(identityAt(L, -2), identityAt(L, -1))
        const key = lua.lua_type(L, -2) === lua.LUA_TSTRING ? lua.lua_tostring(L, -2) : null
        if (key === null) lua.lua_pop(L, 1)
        else meet({ root, steps: [...steps, { field: binary(key) }] })
      }
      tables.set(identityAt(L, at), { place, fields, metatable })
    }
    lua.lua_settop(L, list)
  }
  lua.lua_rawsetp(L, lua.LUA_REGISTRYINDEX, listKey)
  lua.lua_settop(L, top)
  return { ways, tables }
}

/** Pushes a table that was there in the beginning, wherever the script has put it. */
export const pushKnown = (L: LuaState, { place }: KnownTable): void => {
  lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, listKey)
  lua.lua_rawgeti(L, -1, place)
  lua.lua_remove(L, -2)
}

/** Pushes what is at the end of a way in a state that no script has changed. */
export const pushAtEnd = (L: LuaState, { root, steps }: Way): void => {
  if (!pushRoot(L, root)) return lua.lua_pushnil(L)
  for (const step of steps) {
    if (step === "metatable") {
      if (!lua.lua_getmetatable(L, -1)) lua.lua_pushnil(L)
    } else if (lua.lua_type(L, -1) === lua.LUA_TTABLE) {
      lua.lua_pushstring(L, bytesOfBinary(step.field))
      lua.lua_rawget(L, -2)
    } else lua.lua_pushnil(L)
    lua.lua_remove(L, -2)
  }
}
