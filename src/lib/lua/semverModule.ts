/**
 * The module `semver`, with the functions and error texts of kikito's semver.lua: `semver("1.2.3-rc.1+b")` or
 * `semver(1, 2, 3)`, comparison by Semantic Versioning 2.0, `a ^ b` (b can replace a), `nextMajor` and the like.
 */
import { badArgument, pushText, textOf } from "./arguments.ts"
import { bytesOf, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { raise } from "./guard.ts"

interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly prerelease?: string | undefined
  readonly build?: string | undefined
}

const numbers = ["major", "minor", "patch"] as const
const labels = ["prerelease", "build"] as const
const keys = {
  major: bytesOf("major"),
  minor: bytesOf("minor"),
  patch: bytesOf("patch"),
  prerelease: bytesOf("prerelease"),
  build: bytesOf("build")
}
const identifiers = /^[-+][0-9A-Za-z][-.0-9A-Za-z]*$/

/** What of a version follows its numbers: `-rc.1+build`. */
const labelsOf = (L: LuaState, text: string): Pick<Version, "prerelease" | "build"> => {
  if (text === "") return {}
  if (!/^[-+]./.test(text)) {
    raise(L, `The parameter "${text}" must begin with + or - to denote a prerelease or a build`)
  }
  const plus = text.indexOf("+")
  const [prerelease, build] = plus < 0 ? [text, ""] : [text.slice(0, plus), text.slice(plus)]
  if (prerelease !== "" && !identifiers.test(prerelease)) {
    raise(L, `The prerelease "${prerelease}" is not a slash followed by alphanumerics, dots and slashes`)
  }
  if (build !== "" && !identifiers.test(build)) {
    raise(L, `The build "${build}" is not a + sign followed by alphanumerics, dots and slashes`)
  }
  return {
    prerelease: prerelease === "" ? undefined : prerelease.slice(1),
    build: build === "" ? undefined : build.slice(1)
  }
}

const parsed = (L: LuaState, text: string): Version => {
  const found = /^(\d+)\.?(\d*)\.?(\d*)([^]*)$/.exec(text)
  if (found === null) return raise(L, `Could not extract version number(s) from "${text}"`)
  const [, major = "", minor = "", patch = "", rest = ""] = found
  return { major: Number(major), minor: Number(minor), patch: Number(patch), ...labelsOf(L, rest) }
}

const textAt = (L: LuaState, n: number): string | undefined =>
  lua.lua_isnoneornil(L, n) ? undefined : textOf(lauxlib.luaL_checkstring(L, n))

/** Pushes a version as a table; the metatable of versions is the function's upvalue. */
const pushVersion = (L: LuaState, version: Version): number => {
  lua.lua_createtable(L, 0, 5)
  for (const name of numbers) {
    const value = version[name]
    if (value < 0) raise(L, `${name} must be a valid positive number`)
    if (!Number.isInteger(value)) raise(L, `${name} must be an integer`)
    lua.lua_pushnumber(L, value)
    lua.lua_setfield(L, -2, keys[name])
  }
  for (const name of labels) {
    const value = version[name]
    if (value === undefined) continue
    pushText(L, value)
    lua.lua_setfield(L, -2, keys[name])
  }
  lua.lua_pushvalue(L, lua.lua_upvalueindex(1))
  lua.lua_setmetatable(L, -2)
  return 1
}

/** `semver(...)`: the module itself is the first argument. */
const make: LuaFunction = (L) => {
  if (lua.lua_isnoneornil(L, 2)) raise(L, "At least one parameter is needed")
  if (lua.lua_type(L, 2) === lua.LUA_TSTRING) {
    return pushVersion(L, parsed(L, textOf(lauxlib.luaL_checkstring(L, 2))))
  }
  return pushVersion(L, {
    major: lauxlib.luaL_checknumber(L, 2),
    minor: lauxlib.luaL_optnumber(L, 3, 0),
    patch: lauxlib.luaL_optnumber(L, 4, 0),
    prerelease: textAt(L, 5),
    build: textAt(L, 6)
  })
}

/** Reads the version that argument n is. */
const versionAt = (L: LuaState, n: number): Version => {
  if (lua.lua_type(L, n) !== lua.LUA_TTABLE) return badArgument(L, n, "version expected")
  const number = (name: typeof numbers[number]): number => {
    lua.lua_getfield(L, n, keys[name])
    const value = lua.lua_isnumber(L, -1) ? lua.lua_tonumber(L, -1) : badArgument(L, n, "version expected")
    lua.lua_pop(L, 1)
    return value
  }
  const label = (name: typeof labels[number]): string | undefined => {
    lua.lua_getfield(L, n, keys[name])
    const bytes = lua.lua_tostring(L, -1)
    lua.lua_pop(L, 1)
    return bytes === null ? undefined : textOf(bytes)
  }
  return {
    major: number("major"),
    minor: number("minor"),
    patch: number("patch"),
    prerelease: label("prerelease"),
    build: label("build")
  }
}

const order = (a: bigint | number | string, b: bigint | number | string): number => a < b ? -1 : a > b ? 1 : 0

/** Numbers by their value and below words; what is missing is below everything. */
const orderIdentifiers = (a: string | undefined, b: string | undefined): number => {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return order(BigInt(a), BigInt(b))
  return isNumber === isOtherNumber ? order(a, b) : isNumber ? -1 : 1
}

const orderPrereleases = (a: string | undefined, b: string | undefined): number => {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1
  const [mine, others] = [a.split("."), b.split(".")]
  for (let at = 0; at < Math.max(mine.length, others.length); at++) {
    const found = orderIdentifiers(mine[at], others[at])
    if (found !== 0) return found
  }
  return 0
}

/** By Semantic Versioning 2.0, section 11: builds do not count. */
const orderVersions = (a: Version, b: Version): number =>
  numbers.map((name) => order(a[name], b[name])).find((it) => it !== 0) ?? orderPrereleases(a.prerelease, b.prerelease)

const compared = (holds: (a: Version, b: Version) => boolean): LuaFunction => (L) => {
  lua.lua_pushboolean(L, holds(versionAt(L, 1), versionAt(L, 2)))
  return 1
}

const textOfVersion: LuaFunction = (L) => {
  const { major, minor, patch, prerelease, build } = versionAt(L, 1)
  const rest = (prerelease === undefined ? "" : `-${prerelease}`) + (build === undefined ? "" : `+${build}`)
  return pushText(L, `${major}.${minor}.${patch}${rest}`)
}

const next = (change: (version: Version) => Version): LuaFunction => (L) => pushVersion(L, change(versionAt(L, 1)))

const methods: Readonly<Record<string, LuaFunction>> = {
  nextMajor: next(({ major }) => ({ major: major + 1, minor: 0, patch: 0 })),
  nextMinor: next(({ major, minor }) => ({ major, minor: minor + 1, patch: 0 })),
  nextPatch: next(({ major, minor, patch }) => ({ major, minor, patch: patch + 1 }))
}

const metamethods: Readonly<Record<string, LuaFunction>> = {
  __eq: compared((a, b) => orderVersions(a, b) === 0),
  __lt: compared((a, b) => orderVersions(a, b) < 0),
  __le: compared((a, b) => orderVersions(a, b) <= 0),
  __pow: compared((a, b) => a.major === 0 ? orderVersions(a, b) === 0 : a.major === b.major && a.minor <= b.minor),
  __tostring: textOfVersion
}

/** Sets functions into the table on top of the stack, each with the metatable at a place as its upvalue. */
const setWith = (L: LuaState, functions: Readonly<Record<string, LuaFunction>>, metatable: number): void => {
  for (const [name, f] of Object.entries(functions)) {
    lua.lua_pushvalue(L, metatable)
    lua.lua_pushcclosure(L, f, 1)
    lua.lua_setfield(L, -2, bytesOf(name))
  }
}

/** Leaves the module on the stack. */
export const openSemver: LuaFunction = (L) => {
  lua.lua_newtable(L)
  const metatable = lua.lua_gettop(L)
  setWith(L, metamethods, metatable)
  lua.lua_newtable(L)
  setWith(L, methods, metatable)
  lua.lua_setfield(L, metatable, bytesOf("__index"))
  lua.lua_newtable(L)
  lua.lua_newtable(L)
  setWith(L, { __call: make }, metatable)
  lua.lua_setmetatable(L, -2)
  pushText(L, "semver for Lua")
  lua.lua_setfield(L, -2, bytesOf("_DESCRIPTION"))
  lua.lua_pushvalue(L, -1)
  pushText(L, "1.2.1")
  lua.lua_call(L, 1, 1)
  lua.lua_setfield(L, -2, bytesOf("_VERSION"))
  return 1
}
