/** The functions of tables of Lua 5.1, as lenient as scripts know them (regbot description, 5.1, 14.2, 14.3). */
import { lettersOnTop, pushLetters, refuseLonger } from "./arguments.ts"
import {
  bytesOf,
  inside,
  integerAt,
  integerOr,
  lauxlib,
  ldo,
  lobject,
  lua,
  type LuaState,
  lvm,
  type TValue
} from "./fengari.ts"
import { raise } from "./guard.ts"
import { lettersOf } from "./strings.ts"
import { setFunctions } from "./values.ts"

const table = (L: LuaState): void => lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)

/** After so many steps the guard is asked. */
const turn = 10_000

const checkAt = (L: LuaState, step: number): void => {
  if (step % turn === turn - 1) inside(L).l_G.guard?.check(L)
}

/** The length of the table that is the first argument. */
const lengthOf = (L: LuaState): number => lua.lua_rawlen(L, 1)

const getn = (L: LuaState): number => {
  table(L)
  lua.lua_pushnumber(L, lengthOf(L))
  return 1
}

/** The greatest positive integer key that has a place in the list. */
const maxn = getn

/** `t[at] = ` the value on top of the stack, for any number. */
const set = (L: LuaState, at: number): void => {
  lua.lua_pushnumber(L, at)
  lua.lua_insert(L, -2)
  lua.lua_rawset(L, 1)
}

/** `insert(t, value)`, `insert(t, position, value)`: a position far behind or before the list is allowed. */
const insert = (L: LuaState): number => {
  table(L)
  const count = lua.lua_gettop(L)
  if (count < 2) return lauxlib.luaL_error(L, bytesOf("wrong number of arguments to 'insert'"))
  const length = lengthOf(L)
  if (count === 2) {
    set(L, length + 1)
    return 0
  }
  lua.lua_settop(L, 3)
  const position = integerAt(L, 2)
  // A position before the list moves nothing.
  const last = position < 1 ? length + 1 : position
  for (let at = length; at >= last; at--) {
    checkAt(L, length - at)
    lua.lua_rawgeti(L, 1, at)
    lua.lua_rawseti(L, 1, at + 1)
  }
  set(L, position)
  return 0
}

/** `remove(t [, position])`: nothing when there is nothing there; a position before the list is its end. */
const remove = (L: LuaState): number => {
  table(L)
  const length = lengthOf(L)
  const asked = integerOr(L, 2, length)
  if (length === 0 || asked > length) {
    lua.lua_pushnil(L)
    return 1
  }
  const position = asked < 1 ? length : asked
  lua.lua_rawgeti(L, 1, position)
  for (let at = position; at < length; at++) {
    checkAt(L, at)
    lua.lua_rawgeti(L, 1, at + 1)
    lua.lua_rawseti(L, 1, at)
  }
  lua.lua_pushnil(L)
  lua.lua_rawseti(L, 1, length)
  return 1
}

/** The bytes of the texts and numbers of a list, joined; a list ends where it ends, whatever is asked for. */
const concat = (L: LuaState): number => {
  table(L)
  const separator = lua.lua_isnoneornil(L, 2) ? "" : lettersOf(lauxlib.luaL_checkstring(L, 2))
  const from = integerOr(L, 3, 1)
  const to = Math.min(integerOr(L, 4, lengthOf(L)), lengthOf(L))
  let letters = ""
  for (let at = Math.max(from, -turn); at <= to; at++) {
    checkAt(L, at - from)
    lua.lua_rawgeti(L, 1, at)
    if (!lua.lua_isstring(L, -1)) {
      const type = new TextDecoder().decode(lauxlib.luaL_typename(L, -1))
      return lauxlib.luaL_error(L, bytesOf(`invalid value (${type}) at index ${at} in table for 'concat'`))
    }
    if (at > from) letters += separator
    letters += lettersOnTop(L)
    lua.lua_pop(L, 1)
    refuseLonger(L, letters.length)
  }
  inside(L).l_G.guard?.charge(L, letters.length)
  return pushLetters(L, letters)
}

type Less = (a: TValue, b: TValue) => boolean

/** Asks the function that is the second argument. */
const lessByFunction = (L: LuaState): Less => {
  const machine = inside(L)
  const at = lua.lua_gettop(L)
  return (a, b) => {
    lua.lua_pushvalue(L, 2)
    lobject.pushobj2s(machine, a)
    lobject.pushobj2s(machine, b)
    ldo.luaD_callnoyield(machine, machine.top - 3, 1)
    const isLess = lua.lua_toboolean(L, -1)
    lua.lua_settop(L, at)
    return isLess
  }
}

/** Tables and userdata may have an order of their own. */
const mayHaveOrder = ({ type }: TValue): boolean => (type & 15) === lua.LUA_TTABLE || (type & 15) === lua.LUA_TUSERDATA

const hasOrder = (a: TValue, b: TValue): boolean => {
  const kind = a.type & 15
  const isPlain = kind === (b.type & 15) && (kind === lua.LUA_TNUMBER || kind === lua.LUA_TSTRING)
  return isPlain || mayHaveOrder(a) || mayHaveOrder(b)
}

const typeName = (L: LuaState, { type }: TValue): string => new TextDecoder().decode(lua.lua_typename(L, type & 15))

/** As `<` does. */
const lessByOperator = (L: LuaState): Less => {
  const machine = inside(L)
  let step = 0
  return (a, b) => {
    checkAt(L, step++)
    if (!hasOrder(a, b)) return raise(L, `attempt to compare ${typeName(L, a)} with ${typeName(L, b)}`)
    return lvm.luaV_lessthan(machine, a, b) === 1
  }
}

/** Sorts by merging, which ends whatever `less` says. */
const sorted = (values: ReadonlyArray<TValue>, less: Less): ReadonlyArray<TValue> => {
  let from = [...values]
  let into = [...values]
  for (let width = 1; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) merge(from, into, start, width, less)
    const merged = into
    into = from
    from = merged
  }
  return from
}

/** Merges two ascending runs next to each other; equals keep their order. */
const merge = (
  from: ReadonlyArray<TValue>,
  into: Array<TValue>,
  start: number,
  width: number,
  less: Less
): void => {
  const middle = Math.min(start + width, from.length)
  const end = Math.min(start + 2 * width, from.length)
  let left = start
  let right = middle
  for (let at = start; at < end; at++) {
    const a = from[left]
    const b = from[right]
    if (a === undefined || b === undefined || left >= middle || right >= end) {
      const one = left < middle ? from[left++] : from[right++]
      if (one !== undefined) into[at] = one
    } else if (less(b, a)) {
      into[at] = b
      right++
    } else {
      into[at] = a
      left++
    }
  }
}

/** `sort(t [, less])`: an error of the comparison leaves the table as it was. */
const sort = (L: LuaState): number => {
  table(L)
  const hasFunction = !lua.lua_isnoneornil(L, 2)
  if (hasFunction) lauxlib.luaL_checktype(L, 2, lua.LUA_TFUNCTION)
  lua.lua_settop(L, 2)
  lauxlib.luaL_checkstack(L, 8, bytesOf(""))
  const length = lengthOf(L)
  const machine = inside(L)
  if (length > 100) machine.l_G.guard?.check(L)
  const values: Array<TValue> = []
  for (let at = 1; at <= length; at++) {
    machine.l_G.guard?.charge(L, 64)
    lua.lua_rawgeti(L, 1, at)
    const value = machine.stack[machine.top - 1]
    if (value !== undefined) values.push(new lobject.TValue(value.type, value.value))
    lua.lua_pop(L, 1)
  }
  sorted(values, hasFunction ? lessByFunction(L) : lessByOperator(L)).forEach((value, index) => {
    lobject.pushobj2s(machine, value)
    lua.lua_rawseti(L, 1, index + 1)
  })
  return 0
}

/** Opens the library as the global `table`. */
export const openTable = (L: LuaState): void => {
  lauxlib.luaL_requiref(L, bytesOf("table"), (opened) => {
    lua.lua_newtable(opened)
    setFunctions(opened, { concat, getn, insert, maxn, remove, sort })
    return 1
  }, 1)
  lua.lua_pop(L, 1)
}
