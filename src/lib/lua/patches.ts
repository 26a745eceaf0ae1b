/**
 * fengari made a machine of Lua 5.1, where all numbers are doubles. It has to be evaluated before the rest of fengari,
 * whose modules take over what they find here when they are loaded.
 */
import lapi from "fengari/src/lapi.js" // before lua.js, which copies its functions
import lobject from "fengari/src/lobject.js"
import { spoken } from "./numbers.ts"

// A used import: a bundler drops one that is not.
if (spoken !== 503) throw new Error("this fengari is none of Lua 5.3")

interface TaggedValue {
  setfltvalue: (value: number) => void
  setivalue: (value: number) => void
}

// fengari's integers have 32 bits and wrap: with this no operation makes one.
const { prototype } = lobject["TValue"] as { readonly prototype: TaggedValue }
prototype.setivalue = prototype.setfltvalue
lapi["lua_pushinteger"] = lapi["lua_pushnumber"]

/** Used by whoever needs the patches to be there first. */
export const isPatched = true
