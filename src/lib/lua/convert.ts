/** Values of Lua as what crosses the border, and back. Tables are read raw: no metamethod runs. */
import { textOf } from "./arguments.ts"
import type { LuaForeign, LuaObject, LuaTable, LuaValue } from "./border.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { type Guard, longestString, raise } from "./guard.ts"

/** How deep tables may lie in one another, how many keys and values may cross at once, and be met on a walk. */
const deepest = 100
const most = 2_000_000
const mostSteps = 4 * most

/** Of all strings: the longest one may cross, and what it is passed on with. */
const mostBytes = longestString + 1024 * 1024

const tooDeep = "table is nested too deep"

/** What a key or value costs besides its text. */
const bytesEach = 32

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

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
  lauxlib.luaL_checkstack(L, 6, bytesOf(tooDeep))
  guard.charge(L, 128)
  lua.lua_createtable(L, list.length, fields.size)
  const place = pushed.places.size + 1
  pushed.places.set(table, place)
  lua.lua_pushvalue(L, -1)
  lua.lua_rawseti(L, pushed.list, place)
  for (const [index, value] of list.entries()) {
    guard.charge(L, 64)
    pushPart(L, guard, value, pushed)
    lua.lua_rawseti(L, -2, index + 1)
  }
  for (const [key, value] of fields) {
    guard.charge(L, 64)
    lua.lua_pushstring(L, bytesOf(key))
    pushPart(L, guard, value, pushed)
    lua.lua_rawset(L, -3)
  }
}

/** Pushes a value that came from the host. */
export const push = (L: LuaState, guard: Guard, value: LuaValue): void => {
  lauxlib.luaL_checkstack(L, 6, bytesOf(tooDeep))
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

/** What may cross at once; what stands in several places is sent once, and walked through in each. */
interface Budget {
  readonly guard: Guard
  /** Keys and values, each once. */
  left: number
  /** Keys and values, in each place. */
  steps: number
  /** Of strings, in each place. */
  bytes: number
  /** How deep tables lie in the value that was read last. */
  height: number
  /** Something was met that is no data. */
  hasForeign: boolean
  /** Tables that were read to their end: what is one in Lua crosses once. */
  readonly seen: Map<object, Seen>
}

interface Seen extends Pick<Budget, "steps" | "bytes" | "height"> {
  readonly table: LuaTable
}

const newBudget = (guard: Guard): Budget => ({
  guard,
  left: most,
  steps: mostSteps,
  bytes: mostBytes,
  height: 0,
  hasForeign: false,
  seen: new Map()
})

/** Counts a table once more that stands in another place as well. */
const again = (L: LuaState, budget: Budget, { bytes, height, steps, table }: Seen, depth: number): LuaTable => {
  if (depth + height > deepest) return raise(L, tooDeep)
  spend(L, budget, steps, bytes)
  budget.height = height + 1
  return table
}

const readTable = (L: LuaState, at: number, budget: Budget, depth: number): LuaTable => {
  const pointer = lua.lua_topointer(L, at)
  const known = pointer === null ? undefined : budget.seen.get(pointer)
  if (known !== undefined) return again(L, budget, known, depth)
  if (depth > deepest) return raise(L, tooDeep)
  lauxlib.luaL_checkstack(L, 6, bytesOf(tooDeep))
  const { bytes, steps } = budget
  let height = 0
  const part = (): LuaValue => {
    const value = read(L, lua.lua_gettop(L), budget, depth)
    height = Math.max(height, budget.height)
    return value
  }
  const list: Array<LuaValue> = []
  for (let index = 1, length = lua.lua_rawlen(L, at); index <= length; index++) {
    lua.lua_rawgeti(L, at, index)
    list.push(part())
    lua.lua_pop(L, 1)
  }
  const fields = new Map<string, LuaValue>()
  lua.lua_pushnil(L)
  while (lua.lua_next(L, at) !== 0) {
    const key = lua.lua_type(L, -2) === lua.LUA_TSTRING ? lua.lua_tostring(L, -2) : null
    if (key !== null) {
      spend(L, budget, 0, key.length)
      fields.set(textOf(key), part())
    } else spendOne(L, budget)
    lua.lua_pop(L, 1)
  }
  const table = { list, fields }
  budget.height = height + 1
  if (pointer !== null) {
    budget.seen.set(pointer, { table, height, steps: steps - budget.steps, bytes: bytes - budget.bytes })
  }
  return table
}

const spend = (L: LuaState, budget: Budget, steps: number, bytes: number): void => {
  budget.steps -= steps
  budget.bytes -= bytes
  if (budget.steps < 0 || budget.bytes < 0) raise(L, "table is too big")
}

const spendOne = (L: LuaState, budget: Budget): void => {
  budget.left--
  if (budget.left < 0) raise(L, "table is too big")
  spend(L, budget, 1, 0)
  if (budget.left % 4096 === 0) budget.guard.check(L)
}

const readObject = (L: LuaState, at: number, { callable, kind, state }: Held, budget: Budget, depth: number) => {
  const hasData = lua.lua_getuservalue(L, at) === lua.LUA_TTABLE
  const data = hasData ? readTable(L, lua.lua_gettop(L), budget, depth + 1) : undefined
  lua.lua_pop(L, 1)
  return { kind, state, ...(data === undefined ? {} : { data }), ...(callable.length === 0 ? {} : { callable }) }
}

const readString = (L: LuaState, bytes: Uint8Array, budget: Budget): string | Uint8Array => {
  spend(L, budget, 0, bytes.length)
  if (bytes.length > 1_000_000) budget.guard.charge(L, bytes.length)
  return stringOf(bytes)
}

const foreign = (budget: Budget, what: LuaForeign["foreign"]): LuaForeign => {
  budget.hasForeign = true
  return { foreign: what }
}

const read = (L: LuaState, at: number, budget: Budget, depth: number): LuaValue => {
  spendOne(L, budget)
  budget.height = 0
  switch (lua.lua_type(L, at)) {
    case lua.LUA_TNIL:
      return undefined
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, at)
    case lua.LUA_TNUMBER:
      return lua.lua_tonumber(L, at)
    case lua.LUA_TSTRING:
      return readString(L, lua.lua_tostring(L, at) ?? new Uint8Array(), budget)
    case lua.LUA_TTABLE:
      return readTable(L, at, budget, depth + 1)
    case lua.LUA_TFUNCTION:
      return foreign(budget, "function")
    case lua.LUA_TTHREAD:
      return foreign(budget, "thread")
  }
  const object = heldAt(L, at)
  return object === undefined ? foreign(budget, "userdata") : readObject(L, at, object, budget, depth)
}

/**
 * The value on top of the stack, and about how many bytes it is; nothing when there is more in it than data. Raises when
 * it is nested too deep, which a circle is as well.
 */
export const dataOnTop = (
  L: LuaState,
  guard: Guard
): { readonly value: LuaValue; readonly size: number } | undefined => {
  const budget = newBudget(guard)
  const value = read(L, lua.lua_gettop(L), budget, 0)
  return budget.hasForeign
    ? undefined
    : { value, size: mostBytes - budget.bytes + bytesEach * (most - budget.left) }
}

/** All arguments of the running function. */
export const argumentsOf = (L: LuaState, guard: Guard): ReadonlyArray<LuaValue> => {
  const budget = newBudget(guard)
  return Array.from({ length: lua.lua_gettop(L) }, (_, index) => read(L, index + 1, budget, 0))
}
