/** Numbers where functions of fengari want an integer: cut off, as Lua 5.1 does (regbot description, 14.1). */
import { isPatched } from "./patches.ts" // a group of its own, to stay in front of the next

import lauxlib from "fengari/src/lauxlib.js"

if (!isPatched) throw new Error("fengari came before its patches")

/** No position or count is greater. */
const most = 2 ** 53

/** The integer part, for a place in a list or a text; `NaN` is 0. */
export const integerOf = (value: number): number =>
  Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, -most), most)) + 0

lauxlib.luaL_checkinteger = (L, n) => integerOf(lauxlib.luaL_checknumber(L, n))
lauxlib.luaL_optinteger = (L, n, otherwise) => integerOf(lauxlib.luaL_optnumber(L, n, otherwise))
