/**
 * Strings of the machine: letters on the heap of their thread, one for each byte, which are their keys in tables as well
 * and compare as the bytes do. Bytes are made when somebody asks for them: kept ones would be memory of the process, of
 * which a thread leaves much behind (faults S03). Long strings are charged. Evaluated before all of fengari that copies
 * these functions.
 */
import type { Machine } from "fengari/src/lstate.js"
import lstring, { type TString } from "fengari/src/lstring.js"
import { spoken } from "./numbers.ts"

// A used import: a bundler drops one that is not.
if (spoken !== 503) throw new Error("this fengari is none of Lua 5.3")

/** A shorter one is left to the count of what the heap holds. */
const worthCharging = 256

/** Views of up to so many bytes lie on the heap, until somebody asks for their buffer. */
const onHeap = 64

/** A longer text made of bytes at once would not lie on the heap. */
const piece = 512 * 1024

/** One letter for each byte. */
export const lettersOf = (bytes: Uint8Array): string => {
  const { length } = bytes
  let text = ""
  if (length <= onHeap) {
    for (let at = 0; at < length; at++) text += String.fromCharCode(bytes[at] ?? 0)
    return text
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, length)
  for (let at = 0; at < length; at += piece) text += buffer.toString("latin1", at, at + piece)
  return text
}

const freshBytes = (letters: string): Uint8Array => {
  const { length } = letters
  const bytes = new Uint8Array(length)
  if (length > onHeap) Buffer.from(bytes.buffer).write(letters, "latin1")
  else for (let at = 0; at < length; at++) bytes[at] = letters.charCodeAt(at)
  return bytes
}

/** Bytes of strings that were asked for lately, as scripts go through one letter by letter. */
const worthKeeping = 1024
const mostKept = 8
const mostBytesKept = 4 * 1024 * 1024
let kept: Array<{ readonly letters: string; readonly bytes: Uint8Array }> = []

const recentBytes = (letters: string): Uint8Array => {
  const { length } = letters
  // Texts of one length are few, and unequal ones differ early.
  const found = kept.findIndex((it) => it.bytes.length === length && it.letters === letters)
  const known = kept[found]
  if (found === 0 && known !== undefined) return known.bytes
  const it = known ?? { letters, bytes: freshBytes(letters) }
  const next = [it]
  let sum = length
  for (const other of kept) {
    sum += other.bytes.length
    if (sum > mostBytesKept || next.length === mostKept) break
    if (other !== it) next.push(other)
  }
  kept = next
  return it.bytes
}

/** The bytes of a string, which nobody may change. */
export const bytesOfLetters = (letters: string): Uint8Array =>
  letters.length < worthKeeping ? freshBytes(letters) : recentBytes(letters)

/** A string of Lua. */
class Text implements TString {
  readonly hash: string

  constructor(letters: string) {
    this.hash = letters
  }

  getstr(): Uint8Array {
    return bytesOfLetters(this.hash)
  }

  tsslen(): number {
    return this.hash.length
  }
}

/** Fewer bytes are left to the collector, which is faster. */
const worthReleasing = 4096

/** Gives back the memory of bytes that nobody needs any more, if they are all of it. */
export const release = (bytes: Uint8Array): void => {
  const { length } = bytes
  if (length < worthReleasing) return
  const { buffer } = bytes
  if (length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/**
 * The same in one piece. What was added up is a tree until somebody looks into it, and takes its memory then: by far too
 * much at once when many are, which ends the process, and nobody was asked.
 */
export const flat = (letters: string): string => {
  if (letters.charCodeAt(0) > 255) throw new RangeError("no letter of a string")
  return letters
}

/** A string of these letters, none beyond the 256th. */
export const newText = (L: Machine, letters: string): TString => {
  if (letters.length >= worthCharging) L.l_G.guard?.charge(L, letters.length)
  return new Text(flat(letters))
}

/** A string as a key of a table. */
export const keyOf = (text: TString): string => text.hash

lstring.luaS_hash = lettersOf
lstring.luaS_hashlongstr = keyOf
lstring.luaS_eqlngstr = (a, b) => a === b || a.hash === b.hash
lstring.luaS_bless = (L, bytes) => {
  if (bytes.length >= worthCharging) L.l_G.guard?.charge(L, bytes.length)
  const text = new Text(flat(lettersOf(bytes)))
  // They were made to be taken.
  release(bytes)
  return text
}
// fengari calls it with `new` as well, which no arrow function allows.
lstring.luaS_new = function(L, bytes) {
  return newText(L, lettersOf(bytes))
}
// fengari's own words for it show what it is written in.
lstring.luaS_newliteral = (L, text) => newText(L, lettersOf(Buffer.from(text.replace(/^JS stack/, "stack"))))

/** Used by whoever needs this to be there first. */
export const isCounted = true
