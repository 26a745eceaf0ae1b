/** The basic functions of Lua 5.1 (regbot description, 5.1, 14.2). */
import { getHeapStatistics } from "node:v8"
import { environmentFunctions } from "./environment.ts"
import { afterError } from "./errors.ts"
import { bytesOf, inside, integerAt, integerOr, lauxlib, lua, lualib, type LuaState } from "./fengari.ts"
import { openFile, standardInput } from "./fileChannel.ts"
import { raise } from "./guard.ts"
import { digitsOf, numeralOf } from "./numerals.ts"
import { OpenedFile } from "./openedFile.ts"
import { leniently, withoutShebang } from "./source.ts"
import type { Surroundings } from "./surroundings.ts"
import { isSystemError, systemErrorOf } from "./systemError.ts"
import { clearFields, pushText, setFunctions, textAt } from "./values.ts"

/** What Lua 5.3 has and scripts of 5.1 take for a sign of another version. */
const younger = ["rawlen"]

const assert = (L: LuaState): number => {
  lauxlib.luaL_checkany(L, 1)
  if (lua.lua_toboolean(L, 1)) return lua.lua_gettop(L)
  if (lua.lua_isnoneornil(L, 2)) return raise(L, "assertion failed!")
  lua.lua_settop(L, 2)
  if (lua.lua_type(L, 2) === lua.LUA_TSTRING) {
    lauxlib.luaL_where(L, 1)
    lua.lua_insert(L, 2)
    lua.lua_concat(L, 2)
  }
  return lua.lua_error(L)
}

const collectgarbage = (L: LuaState): number => {
  const option = lua.lua_isnoneornil(L, 1) ? "collect" : new TextDecoder().decode(lauxlib.luaL_checkstring(L, 1))
  lua.lua_pushnumber(L, option === "count" ? getHeapStatistics().used_heap_size / 1024 : 0)
  return 1
}

const next = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
  lua.lua_settop(L, 2)
  if (lua.lua_next(L, 1) !== 0) return 2
  lua.lua_pushnil(L)
  return 1
}

const pairs = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
  lua.lua_pushcfunction(L, next)
  lua.lua_pushvalue(L, 1)
  lua.lua_pushnil(L)
  return 3
}

const following = (L: LuaState): number => {
  const at = integerAt(L, 2) + 1
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
  lua.lua_pushnumber(L, at)
  return lua.lua_rawgeti(L, 1, at) === lua.LUA_TNIL ? 1 : 2
}

const ipairs = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
  lua.lua_pushcfunction(L, following)
  lua.lua_pushvalue(L, 1)
  lua.lua_pushnumber(L, 0)
  return 3
}

const select = (L: LuaState): number => {
  const count = lua.lua_gettop(L)
  if (lua.lua_type(L, 1) === lua.LUA_TSTRING && lua.lua_tostring(L, 1)?.[0] === 35) {
    lua.lua_pushnumber(L, count - 1)
    return 1
  }
  const asked = integerAt(L, 1)
  const from = asked < 0 ? count + asked : Math.min(asked, count)
  if (from < 1) return lauxlib.luaL_argerror(L, 1, bytesOf("index out of range"))
  return count - from
}

const tonumber = (L: LuaState): number => {
  const base = integerOr(L, 2, 10)
  lauxlib.luaL_checkany(L, 1)
  if (base < 2 || base > 36) return lauxlib.luaL_argerror(L, 2, bytesOf("base out of range"))
  if (base === 10 && lua.lua_type(L, 1) === lua.LUA_TNUMBER) {
    lua.lua_settop(L, 1)
    return 1
  }
  const text = lua.lua_tostring(L, 1)
  const value = text === null ? undefined : base === 10 ? numeralOf(text) : digitsOf(text, base)
  if (value === undefined) lua.lua_pushnil(L)
  else lua.lua_pushnumber(L, value)
  return 1
}

const tostring = (L: LuaState): number => {
  lauxlib.luaL_checkany(L, 1)
  pushText(L, 1)
  return 1
}

const unpack = (L: LuaState): number => {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
  const from = integerOr(L, 2, 1)
  const to = lua.lua_isnoneornil(L, 3) ? lua.lua_rawlen(L, 1) : integerAt(L, 3)
  const count = to - from + 1
  if (count <= 0) return 0
  if (count >= 900_000 || !lua.lua_checkstack(L, count)) {
    return lauxlib.luaL_error(L, bytesOf("too many results to unpack"))
  }
  inside(L).l_G.guard?.charge(L, count * 64)
  for (let at = from; at <= to; at++) lua.lua_rawgeti(L, 1, at)
  return count
}

/** A userdata: with a fresh metatable, that of another proxy, or none. */
const newproxy = (L: LuaState): number => {
  lua.lua_settop(L, 1)
  lua.lua_newuserdata(L)
  if (lua.lua_isuserdata(L, 1) && lua.lua_getmetatable(L, 1)) lua.lua_setmetatable(L, 2)
  else if (lua.lua_type(L, 1) === lua.LUA_TBOOLEAN) {
    if (!lua.lua_toboolean(L, 1)) return 1
    lua.lua_newtable(L)
    lua.lua_setmetatable(L, 2)
  } else if (!lua.lua_isnil(L, 1)) {
    return lauxlib.luaL_argerror(L, 1, bytesOf("boolean or proxy expected"))
  }
  return 1
}

/** What a protected call gives; `extra` values lie below. */
const finish = (L: LuaState, status: number, extra: number): number => {
  if (status === lua.LUA_OK || status === lua.LUA_YIELD) return lua.lua_gettop(L) - extra
  afterError(L)
  lua.lua_pushboolean(L, false)
  lua.lua_pushvalue(L, -2)
  return 2
}

const pcall = (L: LuaState): number => {
  lauxlib.luaL_checkany(L, 1)
  lua.lua_pushboolean(L, true)
  lua.lua_insert(L, 1)
  return finish(L, lua.lua_pcallk(L, lua.lua_gettop(L) - 2, lua.LUA_MULTRET, 0, 0, finish), 0)
}

const xpcall = (L: LuaState): number => {
  const count = lua.lua_gettop(L)
  lauxlib.luaL_checkany(L, 2)
  lua.lua_pushboolean(L, true)
  lua.lua_pushvalue(L, 1)
  lua.lua_rotate(L, 3, 2)
  return finish(L, lua.lua_pcallk(L, count - 2, lua.LUA_MULTRET, 2, 2, finish), 2)
}

/** Compiles a source: pushes the function, or nil and the error. Bytecode is refused. */
export const loadSource = (L: LuaState, source: Uint8Array, name: Uint8Array): number => {
  const text = leniently(source)
  if (lauxlib.luaL_loadbufferx(L, text, text.length, name, bytesOf("t")) === lua.LUA_OK) return 1
  afterError(L)
  lua.lua_pushnil(L)
  lua.lua_insert(L, -2)
  return 2
}

/** As messages show a chunk: `=name` and `@name` as the name, any other text as it is. */
const chunkName = (L: LuaState, n: number): Uint8Array => {
  if (lua.lua_isnoneornil(L, n)) return bytesOf("=<string>")
  const name = lauxlib.luaL_checkstring(L, n)
  return name[0] === 61 || name[0] === 64 ? name : Uint8Array.of(61, ...name.subarray(0, 200))
}

/** `load(function or text [, name [, mode [, environment]]])`. */
const load = (L: LuaState): number => {
  const hasEnvironment = lua.lua_type(L, 4) === lua.LUA_TTABLE
  const name = chunkName(L, 2)
  const results = loadSource(L, lua.lua_isfunction(L, 1) ? readAll(L) : lauxlib.luaL_checkstring(L, 1), name)
  if (results === 1 && hasEnvironment) {
    lua.lua_pushvalue(L, 4)
    lua.lua_setupvalue(L, -2, 1)
  }
  return results
}

/** What the function that is the first argument gives until nil or an empty text. */
const readAll = (L: LuaState): Uint8Array => {
  const parts: Array<Uint8Array> = []
  for (;;) {
    lua.lua_pushvalue(L, 1)
    lua.lua_call(L, 0, 1)
    if (!lua.lua_isnil(L, -1) && !lua.lua_isstring(L, -1)) {
      return lauxlib.luaL_error(L, bytesOf("reader function must return a string"))
    }
    const part = lua.lua_tostring(L, -1)
    lua.lua_pop(L, 1)
    if (part === null || part.length === 0) return Buffer.concat(parts)
    inside(L).l_G.guard?.charge(L, part.length)
    parts.push(part)
  }
}

const loadstring = (L: LuaState): number => loadSource(L, lauxlib.luaL_checkstring(L, 1), chunkName(L, 2))

/** The bytes of a file, or of standard input. */
const contentOf = (L: LuaState, surroundings: Surroundings, name: Uint8Array | undefined): Uint8Array => {
  const channel = name === undefined ? standardInput(surroundings) : openFile(Buffer.from(name), "r")
  try {
    return Buffer.from(new OpenedFile(channel, surroundings.guard, false).all(L), "latin1")
  } finally {
    channel.close(L)
  }
}

/** Compiles a file, or standard input; pushes as `loadSource` does. */
const loadFile = (surroundings: Surroundings) => (L: LuaState): number => {
  const name = lua.lua_isnoneornil(L, 1) ? undefined : lauxlib.luaL_checkstring(L, 1)
  let source: Uint8Array
  try {
    source = contentOf(L, surroundings, name)
  } catch (cause) {
    if (!isSystemError(cause)) throw cause
    const reason = bytesOf(`: ${systemErrorOf(cause).message}`)
    lua.lua_pushnil(L)
    lua.lua_pushstring(L, Buffer.concat([bytesOf("cannot open "), name ?? bytesOf("stdin"), reason]))
    return 2
  }
  return loadSource(L, withoutShebang(source), name === undefined ? bytesOf("=stdin") : Uint8Array.of(64, ...name))
}

const dofile = (surroundings: Surroundings) => (L: LuaState): number => {
  lua.lua_settop(L, 1)
  if (loadFile(surroundings)(L) === 2) return lua.lua_error(L)
  lua.lua_call(L, 0, lua.LUA_MULTRET)
  return lua.lua_gettop(L) - 1
}

/** `print`: as `tostring` shows each value, with tabs between them. */
const printTo = ({ write }: Surroundings) => (L: LuaState): number => {
  const count = lua.lua_gettop(L)
  const parts: Array<Uint8Array> = []
  for (let at = 1; at <= count; at++) {
    if (at > 1) parts.push(bytesOf("\t"))
    parts.push(textAt(L, at))
  }
  parts.push(bytesOf("\n"))
  inside(L).l_G.guard?.charge(L, parts.reduce((sum, { length }) => sum + length, 0))
  write("stdout", Buffer.concat(parts))
  return 0
}

const functions = {
  assert,
  collectgarbage,
  ipairs,
  load,
  loadstring,
  newproxy,
  next,
  pairs,
  pcall,
  select,
  tonumber,
  tostring,
  unpack,
  xpcall,
  ...environmentFunctions
}

/** Opens the basic functions as globals. */
export const openBase = (L: LuaState, surroundings: Surroundings): void => {
  lauxlib.luaL_requiref(L, bytesOf("_G"), lualib.luaopen_base, 1)
  setFunctions(L, { ...functions, print: printTo(surroundings) })
  if (surroundings.isSandboxed) clearFields(L, [...younger, "dofile", "loadfile"])
  else {
    clearFields(L, younger)
    setFunctions(L, { dofile: dofile(surroundings), loadfile: loadFile(surroundings) })
  }
  lua.lua_pushstring(L, bytesOf("Lua 5.1"))
  lua.lua_setfield(L, -2, bytesOf("_VERSION"))
  lua.lua_pop(L, 1)
}
