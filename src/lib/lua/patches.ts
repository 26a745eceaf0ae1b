/**
 * fengari made a machine of Lua 5.1, where all numbers are doubles and a guard is asked before anything long or large.
 * It has to be evaluated before the rest of fengari, whose modules take over what they find here when they are loaded.
 */
import { lapi } from "./inner.ts" // a group of its own, to stay in front of the next

import ldebug from "fengari/src/ldebug.js"
import ldo from "fengari/src/ldo.js"
import lfunc from "fengari/src/lfunc.js"
import llex from "fengari/src/llex.js"
import lobject from "fengari/src/lobject.js"
import lopcodes from "fengari/src/lopcodes.js"
import type { CallInfo, Machine } from "fengari/src/lstate.js"
import lvm from "fengari/src/lvm.js"
import { defs } from "./definitions.ts"
import { numeralOf } from "./numerals.ts"
import { newText } from "./strings.ts"
import { Table } from "./tables.ts"

if (typeof Table !== "function") throw new Error("fengari came before its patches")

const encoder = new TextEncoder()

// fengari's integers have 32 bits and wrap: with this no operation makes one.
const { prototype } = lobject.TValue
prototype.setivalue = prototype.setfltvalue
lapi.lua_pushinteger = lapi.lua_pushnumber
// fengari's own gives the string back, as bytes that nobody uses.
lapi.lua_pushstring = (L, bytes) => {
  if (bytes === null || bytes === undefined) lapi.lua_pushnil(L)
  else lapi.lua_pushlstring(L, bytes, bytes.length)
}
lobject.luaO_str2num = (text, into) => {
  const value = numeralOf(text)
  if (value === undefined) return 0
  into.setfltvalue(value)
  return text.length + 1
}

/**
 * Joins so many strings and numbers on top of the stack in the place of the last one, once their memory was asked for.
 * The others are empty then: what is left to fengari, which copies bytes, costs nothing. Other values stay.
 */
const join = (L: Machine, top: number, count: number): void => {
  let length = 0
  let isText = true
  for (let at = top - count; at < top; at++) {
    const value = L.stack[at]
    if (value?.ttisstring()) length += value.vslen()
    else isText &&= value !== undefined && lvm.cvt2str(value)
  }
  if (length > 4096) L.l_G.guard?.charge(L, length)
  if (!isText) return
  let letters = ""
  for (let at = top - count; at < top; at++) {
    const value = L.stack[at]
    if (value === undefined) continue
    if (!value.ttisstring()) lobject.luaO_tostring(L, value)
    letters += value.tsvalue().hash
    value.setsvalue(newText(L, at === top - 1 ? letters : ""))
  }
}

const { luaV_concat } = lvm
lvm.luaV_concat = (L, count) => {
  join(L, L.top, count)
  luaV_concat(L, count)
}

const { OP_CALL, OP_CONCAT, OP_SETLIST, OP_TAILCALL, OP_VARARG } = lopcodes.OpCodesI
const countEvent = 3

/** Bytes of a value on the stack or in a table, and so many of them cost nothing worth counting. */
const valueBytes = 64
const fewValues = 100

/** Before an instruction that takes as many values as there are: a stack of them is copied at once. */
const chargeValues = (L: Machine, count: number): void => {
  if (count > fewValues) L.l_G.guard?.charge(L, count * valueBytes)
}

// Asked before each instruction. fengari loses the permission to call hooks where an error is caught in a coroutine.
ldebug.luaG_traceexec = (L) => {
  const { ci } = L
  const instruction = ci.l_code[ci.l_savedpc - 1]
  if (instruction !== undefined) {
    const { B, C, opcode } = instruction
    if (opcode === OP_CONCAT) join(L, ci.l_base + C + 1, C - B + 1)
    else if (B === 0) {
      if (opcode === OP_CALL || opcode === OP_TAILCALL || opcode === OP_SETLIST) {
        chargeValues(L, L.top - ci.l_base - instruction.A)
      } else if (opcode === OP_VARARG) chargeValues(L, ci.l_base - ci.funcOff)
    }
  }
  if (--L.hookcount > 0) return
  L.hookcount = L.basehookcount
  L.allowhook = 1
  ldo.luaD_hook(L, countEvent, -1)
}

// Each evaluation of `function` makes another function, which can have an environment of its own.
Object.defineProperty(lfunc.Proto.prototype, "cache", { get: () => null, set: () => {} })

/** What the variable of environments is called: nothing that a source can name. */
export const environmentName = "*env"
llex.LUA_ENV.set(encoder.encode(environmentName))

/** Tokens between two looks at the bounds: a source may be long, and what it becomes is longer. */
const fewTokens = 1000
let tokens = 0

const { luaX_next } = llex
llex.luaX_next = (lexer) => {
  if (++tokens % fewTokens === 0) lexer.L.l_G.guard?.check(lexer.L)
  luaX_next(lexer)
}

// Errors that are none of Lua are turned into some in the frame in which they came up, which may be full.
const { lua_checkstack, lua_pushcfunction } = lapi
lapi.lua_pushcfunction = (L, f) => {
  if (f === L.l_G.atnativeerror) lua_checkstack(L, 20)
  lua_pushcfunction(L, f)
}

const decoder = new TextDecoder()

/** fengari's own words for a depth show what it is written in. */
const plainly = (text: unknown): unknown =>
  text instanceof Uint8Array && text[0] === 74 && text[1] === 83 && text[2] === 32 ? text.subarray(3) : text

const { luaO_pushfstring } = lobject
lobject.luaO_pushfstring = (L, format, ...values) => luaO_pushfstring(L, format, ...values.map(plainly))

const isLua = 1 << 1

/** The nearest function of Lua that runs, from a call outwards. */
const nearest = (from: CallInfo | null): CallInfo | null => {
  let ci = from
  while (ci !== null && (ci.callstatus & isLua) === 0) ci = ci.previous
  return ci
}

const { luaG_runerror, lua_getinfo } = ldebug

// Errors of the machine within functions of libraries have the place of who called those.
ldebug.luaG_runerror = (L, format, ...values) => {
  const words = encoder.encode(decoder.decode(format).replace(/^JS |JS(?=-call)/, (found) => found === "JS" ? "C" : ""))
  const caller = nearest(L.ci)
  if (caller === L.ci || caller === null) return luaG_runerror(L, words, ...values)
  lua_checkstack(L, 20)
  const activation = new defs.lua_Debug()
  activation.i_ci = caller
  lua_getinfo(L, encoder.encode("Sl"), activation)
  const placed = encoder.encode(`%s:%d: ${decoder.decode(words)}`)
  return luaG_runerror(L, placed, activation.short_src, activation.currentline, ...values)
}

const where = encoder.encode("Sl")
const inTraceback = encoder.encode("Slnt")
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

// A place is that of the nearest function of Lua, also when a library called what raises; functions that are not of Lua
// show as in any Lua, and all functions of a traceback as in Lua 5.1.
ldebug.lua_getinfo = (L, what, activation) => {
  if (same(what, where)) activation.i_ci = nearest(activation.i_ci) ?? activation.i_ci
  const status = lua_getinfo(L, what, activation)
  if (activation.what?.[0] === 74) {
    activation.what = encoder.encode("C")
    activation.source = encoder.encode("=[C]")
    activation.short_src = encoder.encode("[C]")
  }
  if (same(what, inTraceback) && activation.namewhat.length > 0) activation.namewhat = encoder.encode("function")
  return status
}

/** Used by whoever needs the patches to be there first. */
export const isPatched = true
