/**
 * Strings of the machine: what stands for one as a key keeps two apart and their order that of the bytes, and costs as
 * much memory as they have; long ones are charged. Evaluated before all of fengari that copies these functions.
 */
import lstring, { type TString } from "fengari/src/lstring.js"
import { spoken } from "./numbers.ts"

// A used import: a bundler drops one that is not.
if (spoken !== 503) throw new Error("this fengari is none of Lua 5.3")

/** A shorter one is left to the count of what the heap holds. */
const worthCharging = 256

/** One letter for each byte: such texts compare as the bytes do. */
const letters = (bytes: Uint8Array): string => {
  if (bytes.length > 24) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** A string as a key of a table. */
export const keyOf = (text: TString): string => text.hash ??= letters(text.realstring)

const { TString: StringOf } = lstring

lstring.luaS_hash = letters
lstring.luaS_hashlongstr = keyOf
lstring.luaS_eqlngstr = (a, b) => {
  if (a === b) return true
  const { length } = a.realstring
  if (length !== b.realstring.length) return false
  if (a.hash !== null && b.hash !== null) return a.hash === b.hash
  if (length > 64) return Buffer.compare(a.realstring, b.realstring) === 0
  for (let at = 0; at < length; at++) {
    if (a.realstring[at] !== b.realstring[at]) return false
  }
  return true
}
lstring.luaS_bless = (L, bytes) => {
  if (bytes.length >= worthCharging) L.l_G.guard?.charge(L, bytes.length)
  return new StringOf(L, bytes)
}
// fengari calls it with `new` as well, which no arrow function allows.
lstring.luaS_new = function(L, bytes) {
  return lstring.luaS_bless(L, new Uint8Array(bytes))
}
// fengari's own words for it show what it is written in.
lstring.luaS_newliteral = (L, text) => lstring.luaS_bless(L, Buffer.from(text.replace(/^JS stack/, "stack")))

/** Used by whoever needs this to be there first. */
export const isCounted = true
