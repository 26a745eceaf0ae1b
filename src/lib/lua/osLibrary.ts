/** The library `os` of Lua 5.1 with `setenv`; in a sandbox what only tells the time and the environment. */
import { randomUUID } from "node:crypto"
import { closeSync, lstatSync, openSync, renameSync, rmdirSync, unlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { claim, pushBytes, pushLibrary, pushText, textOf, textOr } from "./arguments.ts"
import { dateText, type Fields, fieldsOf, isDated, secondsOf } from "./calendar.ts"
import { runCommand } from "./command.ts"
import { bytesOf, integerOr, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { raise } from "./guard.ts"
import { localTime, utc } from "./localTime.ts"
import type { Surroundings } from "./surroundings.ts"
import { attempt } from "./systemError.ts"

/** Sets the global `os`. */
export const openOs = (L: LuaState, surroundings: Surroundings): void => {
  pushLibrary(L, "os", {
    ...timeFunctions(surroundings),
    ...(surroundings.isSandboxed ? {} : machineFunctions(surroundings))
  })
  lua.lua_pop(L, 1)
}

const pushNumber = (L: LuaState, value: number): number => {
  lua.lua_pushnumber(L, value)
  return 1
}

const pushBoolean = (L: LuaState, value: boolean): number => {
  lua.lua_pushboolean(L, value)
  return 1
}

const pushFields = (L: LuaState, fields: Fields): number => {
  lua.lua_createtable(L, 0, 9)
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "boolean") lua.lua_pushboolean(L, value)
    else lua.lua_pushnumber(L, value)
    lua.lua_setfield(L, -2, bytesOf(name))
  }
  return 1
}

/** A field of the table that is the first argument, as an integer. */
const fieldAt = (L: LuaState, name: string, otherwise?: number): number => {
  lua.lua_getfield(L, 1, bytesOf(name))
  const value = lua.lua_isnumber(L, -1) ? Math.trunc(lua.lua_tonumber(L, -1)) : otherwise
  lua.lua_pop(L, 1)
  return value ?? raise(L, `field '${name}' missing in date table`)
}

const summerAt = (L: LuaState): { readonly isdst?: boolean } => {
  const isGiven = lua.lua_getfield(L, 1, bytesOf("isdst")) !== lua.LUA_TNIL
  const isdst = lua.lua_toboolean(L, -1)
  lua.lua_pop(L, 1)
  return isGiven ? { isdst } : {}
}

const timeFunctions = ({ environment, guard }: Surroundings): Readonly<Record<string, LuaFunction>> => {
  const started = performance.now()
  const now = () => Math.floor(Date.now() / 1000)
  const zone = () => localTime(environment.get("TZ"))
  return {
    clock: (L) => pushNumber(L, (performance.now() - started) / 1000),
    /** `!` is UTC, `*t` gives the fields, everything else is the format. An instant without a date is nil. */
    date: (L) => {
      // One letter a byte: what is no specifier passes through as it is.
      const given = lua.lua_isnoneornil(L, 1) ? "%c" : Buffer.from(lauxlib.luaL_checkstring(L, 1)).toString("latin1")
      // Its parts are looked at one by one.
      claim(L, guard, given.length * 100)
      const seconds = integerOr(L, 2, now())
      if (!isDated(seconds)) {
        lua.lua_pushnil(L)
        return 1
      }
      const isUtc = given.startsWith("!")
      const format = isUtc ? given.slice(1) : given
      const at = isUtc ? utc : zone()
      return format.startsWith("*t")
        ? pushFields(L, fieldsOf(seconds, at))
        : pushBytes(L, Buffer.from(dateText(format, seconds, at), "latin1"))
    },
    difftime: (L) => pushNumber(L, lauxlib.luaL_checknumber(L, 1) - lauxlib.luaL_optnumber(L, 2, 0)),
    getenv: (L) => {
      const value = environment.get(textOf(lauxlib.luaL_checkstring(L, 1)))
      // An empty one counts as none, as upstream has it.
      if (value !== undefined && value !== "") return pushText(L, value)
      lua.lua_pushnil(L)
      return 1
    },
    /** The hour is noon unless given; `isdst` only chooses between two instants that a clock shows alike. */
    time: (L) => {
      if (lua.lua_isnoneornil(L, 1)) return pushNumber(L, now())
      lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
      const moment = {
        sec: fieldAt(L, "sec", 0),
        min: fieldAt(L, "min", 0),
        hour: fieldAt(L, "hour", 12),
        day: fieldAt(L, "day"),
        month: fieldAt(L, "month"),
        year: fieldAt(L, "year"),
        ...summerAt(L)
      }
      const seconds = secondsOf(moment, zone())
      if (!Number.isNaN(seconds)) return pushNumber(L, seconds)
      lua.lua_pushnil(L)
      return 1
    }
  }
}

const temporaryFile = (): string => {
  const name = join(tmpdir(), `lua_${randomUUID().slice(0, 8)}`)
  closeSync(openSync(name, "wx", 0o600))
  return name
}

const machineFunctions = (surroundings: Surroundings): Readonly<Record<string, LuaFunction>> => ({
  /** 0 or 1; without a command 1, for there is a shell (regbot description, 14.2). */
  execute: (L) => {
    if (lua.lua_isnoneornil(L, 1)) return pushNumber(L, 1)
    return pushNumber(L, runCommand(L, surroundings, lauxlib.luaL_checkstring(L, 1), {}).status === 0 ? 0 : 1)
  },
  exit: (L) => {
    const given = lua.lua_type(L, 1)
    const status = given === lua.LUA_TBOOLEAN ? (lua.lua_toboolean(L, 1) ? 0 : 1) : integerOr(L, 1, 0)
    for (const release of surroundings.releases ?? []) release()
    surroundings.flush()
    return surroundings.exit(status & 0xff)
  },
  remove: (L) => {
    const name = lauxlib.luaL_checkstring(L, 1)
    const path = Buffer.from(name)
    return attempt(L, textOf(name), () => {
      if (lstatSync(path).isDirectory()) rmdirSync(path)
      else unlinkSync(path)
      return pushBoolean(L, true)
    })
  },
  rename: (L) => {
    const from = lauxlib.luaL_checkstring(L, 1)
    const to = lauxlib.luaL_checkstring(L, 2)
    return attempt(L, textOf(from), () => {
      renameSync(Buffer.from(from), Buffer.from(to))
      return pushBoolean(L, true)
    })
  },
  /** Changes the script's own environment, which its commands are given. Without a value the name is removed. */
  setenv: (L) => {
    const name = textOf(lauxlib.luaL_checkstring(L, 1))
    if (name === "" || /[=\0]/.test(name)) return pushBoolean(L, false)
    const value = textOr(L, 2, "")
    if (value.includes("\0")) return pushBoolean(L, false)
    if (lua.lua_isnoneornil(L, 2)) surroundings.environment.delete(name)
    else surroundings.environment.set(name, value)
    return pushBoolean(L, true)
  },
  setlocale: (L) => {
    if (["", "C", "POSIX"].includes(textOr(L, 1, ""))) return pushText(L, "C")
    lua.lua_pushnil(L)
    return 1
  },
  tmpname: (L) => attempt(L, undefined, () => pushText(L, temporaryFile()))
})
