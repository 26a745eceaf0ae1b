/** Values of Lua as what crosses the border, and back. Tables are read raw: no metamethod runs. */
import type { LuaObject, LuaTable, LuaValue } from "./border.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"

/** How deep tables may lie in one another, and how many keys and values may cross at once. */
const deepest = 100
const most = 2_000_000

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder("utf-8", { ignoreBOM: true })

/** Bytes as a text; those that are none as replacement characters. */
export const textOf = (bytes: Uint8Array): string => lenient.decode(bytes)

const stringOf = (bytes: Uint8Array): string | Uint8Array => {
  try {
    return strict.decode(bytes)
  } catch {
    return bytes.slice()
  }
}

/** An object of the host, as its thread keeps it: what Lua holds is an empty userdata. */
export interface Held {
  readonly kind: string
  state: unknown
  readonly callable: ReadonlyArray<string>
}

const held = new WeakMap<object, Held>()

/** What stands behind a userdata, if the host made it. */
export const heldAt = (L: LuaState, at: number): Held | undefined => {
  if (lua.lua_type(L, at) !== lua.LUA_TUSERDATA) return undefined
  const userdata = lua.lua_touserdata(L, at)
  return typeof userdata === "object" && userdata !== null ? held.get(userdata) : undefined
}

/** Where the metatables of objects lie in the registry. */
export const metatableKeys = new Map<string, object>()

/** Of a kind's objects. */
export const metatableKey = (kind: string): object => {
  const key = metatableKeys.get(kind) ?? {}
  metatableKeys.set(kind, key)
  return key
}

/** Of a table in the data that can be called, because its name is a method's as well. */
export const callableKey = (kind: string, name: string): object => metatableKey(`${kind}:${name}`)

/** Makes the userdata of an object whose data table, or nil, is on top of the stack, and puts it in its place. */
export const wrap = (L: LuaState, { callable, kind, state }: Held): void => {
  held.set(lua.lua_newuserdata(L, 0), { kind, state, callable })
  lua.lua_insert(L, -2)
  if (lua.lua_type(L, -1) === lua.LUA_TTABLE) {
    for (const name of callable) {
      lua.lua_pushstring(L, bytesOf(name))
      if (lua.lua_rawget(L, -2) === lua.LUA_TTABLE) {
        lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, callableKey(kind, name))
        lua.lua_setmetatable(L, -2)
      }
      lua.lua_pop(L, 1)
    }
  }
  lua.lua_setuservalue(L, -2)
  lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, metatableKey(kind))
  lua.lua_setmetatable(L, -2)
}

/**
 * The tables of one value, each pushed once: one that the host gave two names is one in Lua too, so that a change under
 * a name is seen under the other. They lie in a list on the stack.
 */
interface Pushed {
  readonly list: number
  readonly places: Map<LuaTable, number>
}

const pushObject = (
  L: LuaState,
  guard: Guard,
  { callable = [], data, kind, state }: LuaObject,
  pushed: Pushed
): void => {
  if (data === undefined) lua.lua_pushnil(L)
  else pushTable(L, guard, data, pushed)
  wrap(L, { kind, state, callable })
}

const pushTable = (L: LuaState, guard: Guard, table: LuaTable, pushed: Pushed): void => {
  const known = pushed.places.get(table)
  if (known !== undefined) {
    lua.lua_rawgeti(L, pushed.list, known)
    return
  }
  const { fields, list } = table
  lauxlib.luaL_checkstack(L, 6, bytesOf("table is nested too deep"))
  guard.charge(L, 128 + 64 * (list.length + fields.size))
  lua.lua_createtable(L, list.length, fields.size)
  const place = pushed.places.size + 1
  pushed.places.set(table, place)
  lua.lua_pushvalue(L, -1)
  lua.lua_rawseti(L, pushed.list, place)
  for (const [index, value] of list.entries()) {
    pushPart(L, guard, value, pushed)
    lua.lua_rawseti(L, -2, index + 1)
  }
  for (const [key, value] of fields) {
    lua.lua_pushstring(L, bytesOf(key))
    pushPart(L, guard, value, pushed)
    lua.lua_rawset(L, -3)
  }
}

/** Pushes a value that came from the host. */
export const push = (L: LuaState, guard: Guard, value: LuaValue): void => {
  lauxlib.luaL_checkstack(L, 6, bytesOf("table is nested too deep"))
  lua.lua_newtable(L)
  const pushed = { list: lua.lua_gettop(L), places: new Map<LuaTable, number>() }
  pushPart(L, guard, value, pushed)
  lua.lua_remove(L, pushed.list)
}

const pushPart = (L: LuaState, guard: Guard, value: LuaValue, pushed: Pushed): void => {
  if (value === undefined) return lua.lua_pushnil(L)
  if (typeof value === "boolean") return lua.lua_pushboolean(L, value)
  if (typeof value === "number") return lua.lua_pushnumber(L, value)
  if (typeof value === "string" || value instanceof Uint8Array) {
    const bytes = typeof value === "string" ? bytesOf(value) : value
    guard.charge(L, bytes.length)
    lua.lua_pushlstring(L, bytes, bytes.length)
    return
  }
  if ("foreign" in value) return lua.lua_pushnil(L)
  if ("kind" in value) return pushObject(L, guard, value, pushed)
  pushTable(L, guard, value, pushed)
}

interface Budget {
  readonly guard: Guard
  left: number
  /** Tables that were read to their end: what is one in Lua crosses once. */
  readonly seen: Map<object, LuaTable>
}

const readTable = (L: LuaState, at: number, budget: Budget, depth: number): LuaTable => {
  const pointer = lua.lua_topointer(L, at)
  const known = pointer === null ? undefined : budget.seen.get(pointer)
  if (known !== undefined) return known
  if (depth > deepest) return raise(L, "table is nested too deep")
  lauxlib.luaL_checkstack(L, 6, bytesOf("table is nested too deep"))
  const list: Array<LuaValue> = []
  for (let index = 1, length = lua.lua_rawlen(L, at); index <= length; index++) {
    lua.lua_rawgeti(L, at, index)
    list.push(read(L, lua.lua_gettop(L), budget, depth))
    lua.lua_pop(L, 1)
  }
  const fields = new Map<string, LuaValue>()
  lua.lua_pushnil(L)
  while (lua.lua_next(L, at) !== 0) {
    const key = lua.lua_type(L, -2) === lua.LUA_TSTRING ? lua.lua_tostring(L, -2) : null
    if (key !== null) fields.set(textOf(key), read(L, lua.lua_gettop(L), budget, depth))
    else spend(L, budget)
    lua.lua_pop(L, 1)
  }
  const table = { list, fields }
  if (pointer !== null) budget.seen.set(pointer, table)
  return table
}

const spend = (L: LuaState, budget: Budget): void => {
  budget.left--
  if (budget.left < 0) raise(L, "table is too big")
  if (budget.left % 4096 === 0) budget.guard.check(L)
}

const readObject = (L: LuaState, at: number, { callable, kind, state }: Held, budget: Budget, depth: number) => {
  const hasData = lua.lua_getuservalue(L, at) === lua.LUA_TTABLE
  const data = hasData ? readTable(L, lua.lua_gettop(L), budget, depth + 1) : undefined
  lua.lua_pop(L, 1)
  return { kind, state, ...(data === undefined ? {} : { data }), ...(callable.length === 0 ? {} : { callable }) }
}

const read = (L: LuaState, at: number, budget: Budget, depth: number): LuaValue => {
  spend(L, budget)
  switch (lua.lua_type(L, at)) {
    case lua.LUA_TNIL:
      return undefined
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, at)
    case lua.LUA_TNUMBER:
      return lua.lua_tonumber(L, at)
    case lua.LUA_TSTRING: {
      const bytes = lua.lua_tostring(L, at) ?? new Uint8Array()
      if (bytes.length > 1_000_000) budget.guard.charge(L, bytes.length)
      return stringOf(bytes)
    }
    case lua.LUA_TTABLE:
      return readTable(L, at, budget, depth + 1)
    case lua.LUA_TFUNCTION:
      return { foreign: "function" }
    case lua.LUA_TTHREAD:
      return { foreign: "thread" }
  }
  const object = heldAt(L, at)
  return object === undefined ? { foreign: "userdata" } : readObject(L, at, object, budget, depth)
}

/** The value at a place of the stack; raises when it is nested too deep, which a circle is as well. */
export const valueAt = (L: LuaState, guard: Guard, at: number): LuaValue =>
  read(L, lua.lua_absindex(L, at), { guard, left: most, seen: new Map() }, 0)

/** All arguments of the running function. */
export const argumentsOf = (L: LuaState, guard: Guard): ReadonlyArray<LuaValue> => {
  const budget: Budget = { guard, left: most, seen: new Map() }
  return Array.from({ length: lua.lua_gettop(L) }, (_, index) => read(L, index + 1, budget, 0))
}
