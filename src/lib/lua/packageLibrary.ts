/**
 * `require`, `module` and `package` of Lua 5.1. Modules are looked for in `package.preload`, along the path of
 * `LUA_PATH`, and at last among those that come with the tool: a user's own one goes before ours of that name.
 */
import { readFileSync, statSync } from "node:fs"
import { pushLibrary, pushText, textOf } from "./arguments.ts"
import { loadSource } from "./baseLibrary.ts"
import { pushRunning, setEnvironment } from "./environment.ts"
import { bytesOf, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, longestString, raise } from "./guard.ts"
import { jsonModules } from "./jsonModule.ts"
import { openSemver } from "./semverModule.ts"
import { withoutShebang } from "./source.ts"
import type { Surroundings } from "./surroundings.ts"

const machinePath = "/usr/local/share/lua/5.1/?.lua;/usr/local/share/lua/5.1/?/init.lua"
const defaultPath = `./?.lua;${machinePath}`

/** `LUA_PATH`, in which `;;` stands for the default; a sandbox has no default and never the current directory in it. */
const pathOf = ({ environment, isSandboxed }: Surroundings): string => {
  const given = environment.get("LUA_PATH")
  if (given === undefined) return isSandboxed ? "" : defaultPath
  return given.replace(";;", () => `;${isSandboxed ? machinePath : defaultPath};`).replace(/^;|;$/g, "")
}

/** Sets the globals `require`, `module`, and `package` unless in a sandbox. */
export const openPackage = (L: LuaState, surroundings: Surroundings): void => {
  const path = pathOf(surroundings)
  // The table is there in a sandbox as well, where no script can reach it.
  if (surroundings.isSandboxed) lua.lua_newtable(L)
  else pushLibrary(L, "package", { seeall })
  for (const [name, text] of [["path", path], ["cpath", ""], ["config", "/\n;\n?\n!\n-\n"]] as const) {
    pushText(L, text)
    lua.lua_setfield(L, -2, bytesOf(name))
  }
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, bytesOf("_LOADED"))
  lua.lua_setfield(L, -2, bytesOf("loaded"))
  lua.lua_newtable(L)
  lua.lua_setfield(L, -2, bytesOf("preload"))
  const loaders = [preloaded, inPath(surroundings), bundled(surroundings.guard)]
  lua.lua_createtable(L, loaders.length, 0)
  for (const [at, loader] of loaders.entries()) {
    lua.lua_pushvalue(L, -2)
    lua.lua_pushcclosure(L, loader, 1)
    lua.lua_rawseti(L, -2, at + 1)
  }
  lua.lua_setfield(L, -2, bytesOf("loaders"))
  lua.lua_pushcclosure(L, requireModule, 1)
  lua.lua_setglobal(L, bytesOf("require"))
  lua.lua_pushcfunction(L, declareModule)
  lua.lua_setglobal(L, bytesOf("module"))
}

/** A field of `package`, which all functions here have with them. */
const pushField = (L: LuaState, name: string): number => lua.lua_getfield(L, lua.lua_upvalueindex(1), bytesOf(name))

const preloaded: LuaFunction = (L) => {
  const name = lauxlib.luaL_checkstring(L, 1)
  if (pushField(L, "preload") !== lua.LUA_TTABLE) return raise(L, "'package.preload' must be a table")
  if (lua.lua_getfield(L, -1, name) !== lua.LUA_TNIL) return 1
  return pushText(L, `\n\tno field package.preload['${textOf(name)}']`)
}

const isModuleFile = (path: string): boolean => {
  try {
    const status = statSync(path)
    return status.isFile() && status.size <= longestString
  } catch {
    // Whatever keeps it from being looked at, it is no module here.
    return false
  }
}

const inPath = ({ isSandboxed, guard }: Surroundings): LuaFunction => (L) => {
  const name = textOf(lauxlib.luaL_checkstring(L, 1))
  if (pushField(L, "path") !== lua.LUA_TSTRING) return raise(L, "'package.path' must be a string")
  const templates = textOf(lauxlib.luaL_checkstring(L, -1)).split(";").filter((it) => it !== "")
  const place = name.replaceAll(".", "/")
  // A name that is a path of its own, as `.etc.x` is, would lead anywhere with a template that begins with `?`.
  const isAllowed = (template: string) => !(isSandboxed && place.startsWith("/") && template.startsWith("?"))
  const paths = templates.filter(isAllowed).map((it) => it.replaceAll("?", () => place))
  const path = paths.find(isModuleFile)
  if (path === undefined) return pushText(L, paths.map((it) => `\n\tno file '${it}'`).join(""))
  let source: Uint8Array
  try {
    source = readFileSync(path)
  } catch {
    return raise(L, `error loading module '${name}' from file '${path}':\n\tcannot be read`)
  }
  guard.charge(L, source.length)
  if (loadSource(L, withoutShebang(source), bytesOf(`@${path}`)) === 1) return 1
  return raise(L, `error loading module '${name}' from file '${path}':\n\t${textOf(lauxlib.luaL_checkstring(L, -1))}`)
}

/** The modules that come with the tool. */
const bundled = (guard: Guard): LuaFunction => {
  const modules: Readonly<Record<string, LuaFunction>> = { ...jsonModules(guard), semver: openSemver }
  return (L) => {
    const name = textOf(lauxlib.luaL_checkstring(L, 1))
    const open = Object.hasOwn(modules, name) ? modules[name] : undefined
    if (open === undefined) return pushText(L, `\n\tno bundled module '${name}'`)
    lua.lua_pushcfunction(L, open)
    return 1
  }
}

/** What `package.loaded` has while a module is loading. */
const loading = { isLoading: true }

const requireModule: LuaFunction = (L) => {
  const name = lauxlib.luaL_checkstring(L, 1)
  lua.lua_settop(L, 1)
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, bytesOf("_LOADED"))
  lua.lua_getfield(L, 2, name)
  if (lua.lua_toboolean(L, -1)) {
    if (lua.lua_touserdata(L, -1) === loading) raise(L, `loop or previous error loading module '${textOf(name)}'`)
    return 1
  }
  pushLoader(L, name)
  lua.lua_pushlightuserdata(L, loading)
  lua.lua_setfield(L, 2, name)
  lua.lua_pushvalue(L, 1)
  lua.lua_call(L, 1, 1)
  if (!lua.lua_isnil(L, -1)) lua.lua_setfield(L, 2, name)
  lua.lua_getfield(L, 2, name)
  if (lua.lua_touserdata(L, -1) === loading) {
    lua.lua_pushboolean(L, true)
    lua.lua_pushvalue(L, -1)
    lua.lua_setfield(L, 2, name)
  }
  return 1
}

/** What the first loader gives that has the module; raises with what all of them say when none has. */
const pushLoader = (L: LuaState, name: Uint8Array): void => {
  if (pushField(L, "loaders") !== lua.LUA_TTABLE) raise(L, "'package.loaders' must be a table")
  const loaders = lua.lua_gettop(L)
  let tried = ""
  for (let at = 1; lua.lua_rawgeti(L, loaders, at) !== lua.LUA_TNIL; at++) {
    lua.lua_pushvalue(L, 1)
    lua.lua_call(L, 1, 1)
    if (lua.lua_isfunction(L, -1)) return
    if (lua.lua_type(L, -1) === lua.LUA_TSTRING) tried += textOf(lauxlib.luaL_checkstring(L, -1))
    lua.lua_pop(L, 1)
  }
  raise(L, `module '${textOf(name)}' not found:${tried}`)
}

/** The table that a name with dots leads to from the one at a place; made where missing, false where other values are. */
const pushTableOf = (L: LuaState, at: number, name: string): boolean => {
  lua.lua_pushvalue(L, at)
  for (const part of name.split(".")) {
    pushText(L, part)
    const type = lua.lua_rawget(L, -2)
    if (type === lua.LUA_TNIL) {
      lua.lua_pop(L, 1)
      lua.lua_newtable(L)
      pushText(L, part)
      lua.lua_pushvalue(L, -2)
      lua.lua_rawset(L, -4)
    } else if (type !== lua.LUA_TTABLE) return false
    lua.lua_remove(L, -2)
  }
  return true
}

/** `module(name, ...)`: makes the table of the module the environment of whoever called. */
const declareModule: LuaFunction = (L) => {
  const name = textOf(lauxlib.luaL_checkstring(L, 1))
  const options = lua.lua_gettop(L)
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, bytesOf("_LOADED"))
  if (lua.lua_getfield(L, -1, bytesOf(name)) !== lua.LUA_TTABLE) {
    lua.lua_pop(L, 1)
    lua.lua_pushglobaltable(L)
    if (!pushTableOf(L, -1, name)) raise(L, `name conflict for module '${name}'`)
    lua.lua_remove(L, -2)
    lua.lua_pushvalue(L, -1)
    lua.lua_setfield(L, -3, bytesOf(name))
  }
  const table = lua.lua_gettop(L)
  if (lua.lua_getfield(L, table, bytesOf("_NAME")) === lua.LUA_TNIL) {
    lua.lua_pushvalue(L, table)
    lua.lua_setfield(L, table, bytesOf("_M"))
    pushText(L, name)
    lua.lua_setfield(L, table, bytesOf("_NAME"))
    pushText(L, name.slice(0, name.lastIndexOf(".") + 1))
    lua.lua_setfield(L, table, bytesOf("_PACKAGE"))
  }
  lua.lua_settop(L, table)
  pushRunning(L, 1)
  lua.lua_pushvalue(L, table)
  if (!setEnvironment(L)) raise(L, "'module' not called from a Lua function")
  for (let n = 2; n <= options; n++) {
    if (!lua.lua_isfunction(L, n)) continue
    lua.lua_pushvalue(L, n)
    lua.lua_pushvalue(L, table)
    lua.lua_call(L, 1, 0)
  }
  return 0
}

/** Lets a module see the globals. */
const seeall: LuaFunction = (L) => {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE)
  if (!lua.lua_getmetatable(L, 1)) {
    lua.lua_createtable(L, 0, 1)
    lua.lua_pushvalue(L, -1)
    lua.lua_setmetatable(L, 1)
  }
  lua.lua_pushglobaltable(L)
  lua.lua_setfield(L, -2, bytesOf("__index"))
  return 0
}
