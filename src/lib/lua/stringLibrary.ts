/** The library `string` of Lua 5.1: patterns, `format`, and methods on strings. Nothing in it outlives a deadline. */
import { badArgument, claim, lettersOnTop, pushBytes, pushLetters, pushLibrary, pushOwned } from "./arguments.ts"
import { bytesOf, integerAt, integerOr, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import { compilePattern, indexOfBytes, Matcher, type Pattern, PatternProblem } from "./luaPattern.ts"
import { Parts } from "./parts.ts"
import { formatString } from "./stringFormat.ts"
import { bytesOfLetters } from "./strings.ts"
import type { Surroundings } from "./surroundings.ts"

/** Sets the global `string`, and the metatable that all strings share. */
export const openString = (L: LuaState, { guard }: Surroundings): void => {
  pushLibrary(L, "string", { ...bytesLibrary(guard), ...patternLibrary(guard), format: formatString(guard) })
  lua.lua_createtable(L, 0, 1)
  lua.lua_pushvalue(L, -2)
  lua.lua_setfield(L, -2, bytesOf("__index"))
  pushBytes(L, new Uint8Array(0))
  lua.lua_pushvalue(L, -2)
  lua.lua_setmetatable(L, -2)
  lua.lua_pop(L, 3)
}

/** A position counted from 1, or from the end when negative. */
const positionIn = (length: number, position: number): number =>
  position >= 0 ? position : Math.max(position + length + 1, 0)

/** What lies between two positions, from 0, its end excluded. */
const rangeOf = (first: number, last: number, length: number) => {
  const from = Math.max(positionIn(length, first), 1)
  const to = Math.min(positionIn(length, last), length)
  return { from: from - 1, to: Math.max(to, from - 1) }
}

const bytesLibrary = (guard: Guard): Readonly<Record<string, LuaFunction>> => {
  const changed = (change: (byte: number, at: number, all: Uint8Array) => number): LuaFunction => (L) => {
    const source = lauxlib.luaL_checkstring(L, 1)
    guard.charge(L, source.length)
    return pushOwned(L, source.map(change))
  }
  return {
    byte: (L) => {
      const source = lauxlib.luaL_checkstring(L, 1)
      const first = integerOr(L, 2, 1)
      const { from, to } = rangeOf(first, integerOr(L, 3, positionIn(source.length, first)), source.length)
      lauxlib.luaL_checkstack(L, to - from, bytesOf("string slice too long"))
      guard.charge(L, (to - from) * 64)
      for (const byte of source.subarray(from, to)) lua.lua_pushnumber(L, byte)
      return Math.max(to - from, 0)
    },
    char: (L) => {
      const bytes = new Uint8Array(lua.lua_gettop(L))
      for (let n = 1; n <= bytes.length; n++) {
        const byte = integerAt(L, n)
        if (byte < 0 || byte > 255) badArgument(L, n, "invalid value")
        bytes[n - 1] = byte
      }
      return pushBytes(L, bytes)
    },
    dump: (L) => {
      lauxlib.luaL_checktype(L, 1, lua.LUA_TFUNCTION)
      return raise(L, "unable to dump given function")
    },
    len: (L) => {
      lua.lua_pushnumber(L, lauxlib.luaL_checkstring(L, 1).length)
      return 1
    },
    lower: changed((byte) => byte >= 65 && byte <= 90 ? byte + 32 : byte),
    upper: changed((byte) => byte >= 97 && byte <= 122 ? byte - 32 : byte),
    reverse: changed((_byte, at, all) => all[all.length - 1 - at] ?? 0),
    rep: (L) => {
      const source = lauxlib.luaL_checkstring(L, 1)
      const length = source.length * Math.max(integerAt(L, 2), 0)
      claim(L, guard, length)
      return length === 0 ? pushBytes(L, source.subarray(0, 0)) : pushOwned(L, Buffer.alloc(length, source))
    },
    sub: (L) => {
      const source = lauxlib.luaL_checkstring(L, 1)
      const { from, to } = rangeOf(integerAt(L, 2), integerOr(L, 3, -1), source.length)
      guard.charge(L, to - from)
      return pushBytes(L, source.subarray(from, to))
    }
  }
}

/** Patterns used lately, by their bytes. */
class Compiled {
  private readonly known = new Map<string, Pattern>()

  of(L: LuaState, source: Uint8Array): Pattern {
    const key = source.length <= 256 ? Buffer.from(source).toString("latin1") : undefined
    const known = key === undefined ? undefined : this.known.get(key)
    if (known !== undefined) return known
    try {
      const pattern = compilePattern(source)
      if (key !== undefined) {
        if (this.known.size >= 100) this.known.clear()
        this.known.set(key, pattern)
      }
      return pattern
    } catch (cause) {
      // What the compiler of patterns throws is for the script; all else is not its doing.
      if (cause instanceof PatternProblem) return raise(L, cause.message)
      throw cause
    }
  }
}

const specials = bytesOf("^$*+?.([%-")
const isPlain = (pattern: Uint8Array): boolean => !pattern.some((it) => specials.includes(it))

const pushCapture = (L: LuaState, { starts, ends, subject }: Matcher, capture: number): void => {
  const [start = 0, end = 0] = [starts[capture], ends[capture]]
  if (end < 0) lua.lua_pushnumber(L, start + 1)
  else pushBytes(L, subject.subarray(start, end))
}

/** All captures, or the whole match when there are none; gives their number. */
const pushCaptures = (L: LuaState, matcher: Matcher, start: number, end: number): number => {
  const count = matcher.pattern.captures
  lauxlib.luaL_checkstack(L, Math.max(count, 1), bytesOf("too many captures"))
  if (count === 0) return pushBytes(L, matcher.subject.subarray(start, end))
  for (let capture = 0; capture < count; capture++) pushCapture(L, matcher, capture)
  return count
}

const patternLibrary = (guard: Guard): Readonly<Record<string, LuaFunction>> => {
  const compiled = new Compiled()

  const matcherOf = (L: LuaState, subject: Uint8Array, pattern: Uint8Array): Matcher =>
    new Matcher(compiled.of(L, pattern), subject, () => guard.check(L))

  const found = (isFind: boolean): LuaFunction => (L) => {
    const subject = lauxlib.luaL_checkstring(L, 1)
    const pattern = lauxlib.luaL_checkstring(L, 2)
    const from = Math.min(Math.max(positionIn(subject.length, integerOr(L, 3, 1)) - 1, 0), subject.length)
    if (isFind && (lua.lua_toboolean(L, 4) || isPlain(pattern))) {
      const at = indexOfBytes(subject, pattern, from, () => guard.check(L))
      if (at < 0) return pushNothing(L)
      lua.lua_pushnumber(L, at + 1)
      lua.lua_pushnumber(L, at + pattern.length)
      return 2
    }
    const matcher = matcherOf(L, subject, pattern)
    for (let start = from; start <= subject.length; start++) {
      const end = matcher.matchAt(start)
      if (end >= 0) {
        guard.charge(L, end - start)
        if (!isFind) return pushCaptures(L, matcher, start, end)
        lua.lua_pushnumber(L, start + 1)
        lua.lua_pushnumber(L, end)
        return 2 + (matcher.pattern.captures === 0 ? 0 : pushCaptures(L, matcher, start, end))
      }
      if (matcher.pattern.isAnchored) break
    }
    return pushNothing(L)
  }

  /** An iterator; an anchored pattern is found once at most, as upstream has it. */
  const gmatch: LuaFunction = (L) => {
    lauxlib.luaL_checkstring(L, 1)
    const pattern = compiled.of(L, lauxlib.luaL_checkstring(L, 2))
    // An iterator may stay: bytes that it held would outlive its thread (faults S03).
    lua.lua_pushvalue(L, 1)
    const letters = lettersOnTop(L)
    let next = 0
    lua.lua_pushcfunction(L, (caller) => {
      const subject = bytesOfLetters(letters)
      const running = new Matcher(pattern, subject, () => guard.check(caller))
      for (; next <= subject.length; next++) {
        const [start, end] = [next, running.matchAt(next)]
        if (end < 0 && !pattern.isAnchored) continue
        next = pattern.isAnchored ? subject.length + 1 : end === start ? end + 1 : end
        if (end < 0) break
        guard.charge(caller, end - start)
        return pushCaptures(caller, running, start, end)
      }
      return pushNothing(caller)
    })
    return 1
  }

  const gsub: LuaFunction = (L) => {
    const matcher = matcherOf(L, lauxlib.luaL_checkstring(L, 1), lauxlib.luaL_checkstring(L, 2))
    const { subject, pattern } = matcher
    const replacement = replacementAt(L, guard, matcher)
    const most = integerOr(L, 4, subject.length + 1)
    const parts = new Parts(L, guard)
    let [at, kept, count] = [0, 0, 0]
    while (count < most) {
      const end = matcher.matchAt(at)
      if (end >= 0) {
        count++
        parts.add(subject.subarray(kept, at))
        parts.add(replacement(at, end))
        kept = end
      }
      if (end > at) at = end
      else if (at < subject.length) at++
      else break
      if (pattern.isAnchored) break
    }
    parts.add(subject.subarray(kept))
    pushLetters(L, parts.joined())
    lua.lua_pushnumber(L, count)
    return 2
  }

  return { find: found(true), match: found(false), gmatch, gfind: gmatch, gsub }
}

const pushNothing = (L: LuaState): number => {
  lua.lua_pushnil(L)
  return 1
}

type Replacement = (start: number, end: number) => Uint8Array

/** The third argument of gsub: a text with `%1`, a table or a function of the first capture. */
const replacementAt = (L: LuaState, guard: Guard, matcher: Matcher): Replacement => {
  const type = lua.lua_type(L, 3)
  if (type === lua.LUA_TSTRING || type === lua.LUA_TNUMBER) return replacementText(L, guard, matcher)
  if (type !== lua.LUA_TTABLE && type !== lua.LUA_TFUNCTION) badArgument(L, 3, "string/function/table expected")
  return (start, end) => {
    if (type === lua.LUA_TTABLE) {
      if (matcher.pattern.captures === 0) pushBytes(L, matcher.subject.subarray(start, end))
      else pushCapture(L, matcher, 0)
      lua.lua_gettable(L, 3)
    } else {
      lua.lua_pushvalue(L, 3)
      lua.lua_call(L, pushCaptures(L, matcher, start, end), 1)
    }
    const isKept = !lua.lua_toboolean(L, -1)
    if (!isKept && !lua.lua_isstring(L, -1)) {
      const name = Buffer.from(lauxlib.luaL_typename(L, -1)).toString()
      raise(L, `invalid replacement value (a ${name})`)
    }
    const result = isKept ? undefined : lua.lua_tostring(L, -1)
    lua.lua_pop(L, 1)
    return result ?? matcher.subject.subarray(start, end)
  }
}

const replacementText = (L: LuaState, guard: Guard, matcher: Matcher): Replacement => {
  const text = lauxlib.luaL_checkstring(L, 3)
  const percent = 37
  if (!text.includes(percent)) return () => text
  return (start, end) => {
    const parts = new Parts(L, guard)
    for (let at = 0; at < text.length; at++) {
      const next = text.indexOf(percent, at)
      parts.add(text.subarray(at, next < 0 ? text.length : next))
      if (next < 0) break
      at = next + 1
      // A `%` at the end stands for itself (regbot description, 14.3).
      const digit = (text[at] ?? percent) - 48
      if (digit < 0 || digit > 9) parts.add(at < text.length ? text.subarray(at, at + 1) : text.subarray(next))
      else parts.add(captured(L, matcher, digit, start, end))
    }
    return Buffer.from(parts.joined(), "latin1")
  }
}

const captured = (L: LuaState, matcher: Matcher, digit: number, start: number, end: number): Uint8Array => {
  const count = matcher.pattern.captures
  if (digit > Math.max(count, 1)) raise(L, "invalid capture index")
  if (digit === 0 || count === 0) return matcher.subject.subarray(start, end)
  pushCapture(L, matcher, digit - 1)
  const bytes = lua.lua_tostring(L, -1)
  lua.lua_pop(L, 1)
  return bytes ?? new Uint8Array(0)
}
