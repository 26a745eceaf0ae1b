/**
 * fengari made a machine of Lua 5.1, where all numbers are doubles and a guard is asked before anything long or large.
 * It has to be evaluated before the rest of fengari, whose modules take over what they find here when they are loaded.
 */
import { isCounted } from "./strings.ts" // a group of its own, to stay in front of the next

import lapi from "fengari/src/lapi.js" // before lua.js, which copies its functions
import ldebug from "fengari/src/ldebug.js"
import ldo from "fengari/src/ldo.js"
import lfunc from "fengari/src/lfunc.js"
import lobject from "fengari/src/lobject.js"
import lopcodes from "fengari/src/lopcodes.js"
import type { Machine } from "fengari/src/lstate.js"
import lvm from "fengari/src/lvm.js"
import { numeralOf } from "./numerals.ts"
import { Table } from "./tables.ts"

if (!isCounted || typeof Table !== "function") throw new Error("fengari came before its patches")

// fengari's integers have 32 bits and wrap: with this no operation makes one.
const { prototype } = lobject.TValue
prototype.setivalue = prototype.setfltvalue
lapi.lua_pushinteger = lapi.lua_pushnumber
lobject.luaO_str2num = (text, into) => {
  const value = numeralOf(text)
  if (value === undefined) return 0
  into.setfltvalue(value)
  return text.length + 1
}

/** Asks for the memory of so many strings on top of the stack before they become one. */
const chargeConcat = (L: Machine, top: number, count: number): void => {
  if (L.l_G.guard === undefined) return
  let bytes = 0
  for (let at = top - count; at < top; at++) {
    const value = L.stack[at]
    if (value?.ttisstring()) bytes += value.vslen()
  }
  if (bytes > 4096) L.l_G.guard.charge(L, bytes)
}

const { luaV_concat } = lvm
lvm.luaV_concat = (L, count) => {
  chargeConcat(L, L.top, count)
  luaV_concat(L, count)
}

const { OP_CONCAT } = lopcodes.OpCodesI
const countEvent = 3

// Asked before each instruction. fengari loses the permission to call hooks where an error is caught in a coroutine.
ldebug.luaG_traceexec = (L) => {
  const { ci } = L
  const instruction = ci.l_code[ci.l_savedpc - 1]
  if (instruction !== undefined && instruction.opcode === OP_CONCAT) {
    chargeConcat(L, ci.l_base + instruction.C + 1, instruction.C - instruction.B + 1)
  }
  if (--L.hookcount > 0) return
  L.hookcount = L.basehookcount
  L.allowhook = 1
  ldo.luaD_hook(L, countEvent, -1)
}

// Each evaluation of `function` makes another function, which can have an environment of its own.
Object.defineProperty(lfunc.Proto.prototype, "cache", { get: () => null, set: () => {} })

const encoder = new TextEncoder()
const overflow = encoder.encode("stack overflow")

/** Is it `JS stack overflow`, fengari's text for too many calls within calls? */
const isNative = (format: Uint8Array): boolean =>
  format.length === overflow.length + 3 && format[0] === 74 && format[1] === 83

const { luaG_runerror, lua_getinfo } = ldebug
ldebug.luaG_runerror = (L, format, ...values) => luaG_runerror(L, isNative(format) ? overflow : format, ...values)

// Functions that are not of Lua show as in any Lua.
ldebug.lua_getinfo = (L, what, activation) => {
  const status = lua_getinfo(L, what, activation)
  if (activation.what?.[0] === 74) {
    activation.what = encoder.encode("C")
    activation.source = encoder.encode("=[C]")
    activation.short_src = encoder.encode("[C]")
  }
  return status
}

/** Used by whoever needs the patches to be there first. */
export const isPatched = true
