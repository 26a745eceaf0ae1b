/** The one door to fengari: its patches come first. */
import { integerOf } from "./integers.ts" // a group of its own, to stay in front of the next

import fengari, { type LuaState } from "fengari"
import ldo from "fengari/src/ldo.js"
import lobject from "fengari/src/lobject.js"
import lvm from "fengari/src/lvm.js"
import { isMachine, type Machine } from "./tables.ts"

export const { lauxlib, lua, lualib } = fengari

/** Inner modules, in which what the other three do not offer is found. */
export { ldo, lobject, lvm }

const encoder = new TextEncoder()

/** The bytes of a text in UTF-8. */
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

/** A thread from the inside, for the few functions that fengari has no door for. */
export const inside = (L: LuaState): Machine => {
  if (!isMachine(L)) throw new TypeError("not a thread of Lua")
  return L
}

/** The argument as an integer: what stands behind the point is cut off. Raises when it is no number. */
export const integerAt = (L: LuaState, n: number): number => integerOf(lauxlib.luaL_checknumber(L, n))

/** As `integerAt`; an absent or nil argument is another number. */
export const integerOr = (L: LuaState, n: number, otherwise: number): number =>
  lua.lua_isnoneornil(L, n) ? otherwise : integerAt(L, n)

export type { LClosure, TValue } from "fengari/src/lobject.js"

export type { LuaDebug, LuaFunction, LuaHook, LuaState } from "fengari"
