/**
 * Tables as scripts of Lua 5.1 know them (regbot description, 5.1): `pairs` sees the positive integers in ascending
 * order, then all other keys in the order in which they came; the length is the largest positive integer.
 */
import { lapi } from "./inner.ts" // a group of its own, to stay in front of the next

import ldebug from "fengari/src/ldebug.js"
import lobject, { type TValue } from "fengari/src/lobject.js"
import lstate, { type Machine } from "fengari/src/lstate.js"
import type { TString } from "fengari/src/lstring.js"
import ltable from "fengari/src/ltable.js"
import { keyOf } from "./strings.ts"

// A used import: a bundler drops one that is not.
if (lapi === undefined) throw new Error("fengari came in the wrong order")

/** Tags of values, as fengari has them. */
const tag = { nil: 0, boolean: 1, lightUserdata: 2, number: 3, string: 4, integer: 19, longString: 20 } as const

/** Greater ones are keys like any other. */
const greatestPosition = 2 ** 26 - 1

const { luaO_nilobject: nothing } = lobject

interface Entry {
  readonly key: TValue
  /** Absent once it was removed: the place is kept for a traversal that stands there, and for the key's return. */
  value: TValue | undefined
  next: Entry | undefined
}

/** fengari reads `id`, `metatable`, `flags` and, of the table of a scanner, `strong`. */
export class Table {
  readonly id: number
  metatable: Table | null = null
  /** Metamethods known to be absent, one bit each. */
  flags = ~0
  /** What `1..n` hold; the last one is never absent. */
  list: Array<TValue | undefined> = []
  /** Positive integers far behind the list. */
  far: Map<number, TValue> | undefined
  /** The keys of `far` in order, when it is known; those of removed ones may be among them, never as the last. */
  farKeys: Array<number> | undefined
  /** All other keys. */
  strong = new Map<unknown, Entry>()
  first: Entry | undefined
  last: Entry | undefined
  /** Entries without a value. */
  removed = 0

  constructor(L: Machine) {
    this.id = L.l_G.id_counter++
  }
}

const isPosition = (key: unknown): key is number =>
  typeof key === "number" && key > 0 && key <= greatestPosition && (key | 0) === key

const copyOf = (value: TValue): TValue => new lobject.TValue(value.type, value.value)

/** Light userdata with the identity of an object must not be found under the object itself. */
const shadows = new WeakMap<object, object>()

const shadowOf = (value: unknown): unknown => {
  if (typeof value !== "object" && typeof value !== "function") return `\u{100}${typeof value}${String(value)}`
  if (value === null) return "\u{100}null"
  const known = shadows.get(value)
  if (known !== undefined) return known
  const shadow = {}
  shadows.set(value, shadow)
  return shadow
}

/** What stands for a key that is neither nil nor a position; letters of strings have one byte, those of others two. */
const hashOf = (key: TValue): unknown => {
  switch (key.type) {
    case tag.string:
    case tag.longString:
      return keyOf(key.tsvalue())
    case tag.lightUserdata:
      return shadowOf(key.value)
    default:
      return key.value
  }
}

const positionValue = (table: Table, key: number): TValue => {
  if (key <= table.list.length) return table.list[key - 1] ?? nothing
  return table.far?.get(key) ?? nothing
}

/** May a list of so many be made longer up to this position? What is wasted is little, whatever a script assigns. */
const isNear = (length: number, key: number): boolean => key <= length + 64

const setFar = (table: Table, far: Map<number, TValue>, key: number, value: TValue): void => {
  const { farKeys } = table
  if (farKeys !== undefined && !far.has(key)) {
    if (key > (farKeys.at(-1) ?? 0)) farKeys.push(key)
    else table.farKeys = undefined
  }
  far.set(key, value)
}

const removeFar = (table: Table, far: Map<number, TValue>, key: number): void => {
  far.delete(key)
  const keys = table.farKeys ?? []
  for (let last = keys.at(-1); last !== undefined && !far.has(last); last = keys.at(-1)) keys.pop()
  if (far.size === 0) table.far = table.farKeys = undefined
}

/** Takes over from `far` what now follows the list. */
const gather = (table: Table): void => {
  for (;;) {
    const key = table.list.length + 1
    const value = table.far?.get(key)
    if (table.far === undefined || value === undefined) return
    table.list.push(value)
    removeFar(table, table.far, key)
  }
}

const setPosition = (table: Table, key: number, value: TValue): void => {
  const { list } = table
  const { length } = list
  const isNil = value.type === tag.nil
  if (key <= length) {
    const slot = list[key - 1]
    if (!isNil) {
      if (slot === undefined) list[key - 1] = copyOf(value)
      else slot.setfrom(value)
    } else if (key < length) list[key - 1] = undefined
    else {
      list.pop()
      while (list.length > 0 && list[list.length - 1] === undefined) list.pop()
    }
  } else if (table.far === undefined && (isNil || isNear(length, key))) {
    if (isNil) return
    for (let gap = length + 1; gap < key; gap++) list.push(undefined)
    list.push(copyOf(value))
  } else if (key === length + 1 && !isNil) {
    list.push(copyOf(value))
    if (table.far !== undefined) removeFar(table, table.far, key)
    gather(table)
  } else if (!isNil) setFar(table, table.far ??= new Map(), key, copyOf(value))
  else if (table.far !== undefined) removeFar(table, table.far, key)
}

/** Forgets the places of removed keys when they are the most; only a new key may do so. */
const tidy = (table: Table): void => {
  let last: Entry | undefined
  for (let entry = table.first; entry !== undefined; entry = entry.next) {
    if (entry.value === undefined) {
      table.strong.delete(hashOf(entry.key))
      continue
    }
    if (last === undefined) table.first = entry
    else last.next = entry
    last = entry
  }
  if (last === undefined) table.first = undefined
  else last.next = undefined
  table.last = last
  table.removed = 0
}

const setHashed = (table: Table, hash: unknown, key: TValue, value: TValue): void => {
  const entry = table.strong.get(hash)
  if (value.type === tag.nil) {
    if (entry?.value === undefined) return
    entry.value = undefined
    table.removed++
  } else if (entry === undefined) {
    if (table.removed > 32 && table.removed > table.strong.size >> 1) tidy(table)
    const added: Entry = { key: copyOf(key), value: copyOf(value), next: undefined }
    if (key.type === tag.integer) added.key.type = tag.number
    table.strong.set(hash, added)
    if (table.last === undefined) table.first = added
    else table.last.next = added
    table.last = added
  } else if (entry.value === undefined) {
    entry.value = copyOf(value)
    table.removed--
  } else entry.value.setfrom(value)
}

const sortedFar = (table: Table): ReadonlyArray<number> => {
  const { far } = table
  if (far === undefined) return []
  return table.farKeys ??= [...far.keys()].sort((a, b) => a - b)
}

/** Of what an ascending list holds, where the first one greater than a number stands. */
const after = (sorted: ReadonlyArray<number>, key: number): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = sorted[middle]
    if (found !== undefined && found <= key) low = middle + 1
    else high = middle
  }
  return low
}

const lengthOf = (table: Table): number => sortedFar(table).at(-1) ?? table.list.length

const give = (L: Machine, at: number, key: number, value: TValue): true => {
  L.stack[at]?.setfltvalue(key)
  L.stack[at + 1]?.setfrom(value)
  return true
}

/** The next position with a value; then the first of all other keys. */
const nextPosition = (L: Machine, table: Table, at: number, key: number): boolean => {
  const { list } = table
  for (let index = key; index < list.length; index++) {
    const value = list[index]
    if (value !== undefined) return give(L, at, index + 1, value)
  }
  if (table.far !== undefined) {
    const keys = sortedFar(table)
    for (let index = after(keys, key); index < keys.length; index++) {
      const found = keys[index] ?? 0
      const value = table.far.get(found)
      if (value !== undefined) return give(L, at, found, value)
    }
  }
  return nextEntry(L, table.first, at)
}

const nextEntry = (L: Machine, from: Entry | undefined, at: number): boolean => {
  let entry = from
  while (entry !== undefined && entry.value === undefined) entry = entry.next
  if (entry?.value === undefined) return false
  L.stack[at]?.setfrom(entry.key)
  L.stack[at + 1]?.setfrom(entry.value)
  return true
}

/** Raises what a key must not be. */
const refuse = (L: Machine, message: string): never => ldebug.luaG_runerror(L, new TextEncoder().encode(message))

ltable.Table = Table
ltable.luaH_new = (L) => new Table(L)
ltable.luaH_getn = lengthOf
ltable.luaH_getint = (table, key) =>
  isPosition(key) ? positionValue(table, key) : table.strong.get(key)?.value ?? nothing
ltable.luaH_getstr = (table, key: TString) => table.strong.get(key.hash ?? keyOf(key))?.value ?? nothing
ltable.luaH_get = (_L, table, key) => {
  const { type, value } = key
  if (type === tag.longString) return table.strong.get(hashOf(key))?.value ?? nothing
  if (type === tag.nil) return nothing
  if (isPosition(value) && type !== tag.lightUserdata) return positionValue(table, value)
  return table.strong.get(hashOf(key))?.value ?? nothing
}
ltable.luaH_setint = (table, key, value) => {
  if (isPosition(key)) setPosition(table, key, value)
  else setHashed(table, key, new lobject.TValue(tag.number, key), value)
}
ltable.luaH_setfrom = (L, table, key, value) => {
  const { type } = key
  if (type === tag.nil) refuse(L, "table index is nil")
  if (isPosition(key.value) && type !== tag.lightUserdata) setPosition(table, key.value, value)
  else if (typeof key.value === "number" && key.value !== key.value) refuse(L, "table index is NaN")
  else setHashed(table, hashOf(key), key, value)
}
ltable.luaH_next = (L, table, at) => {
  const key = L.stack[at]
  if (key === undefined || key.type === tag.nil) return nextPosition(L, table, at, 0)
  if (isPosition(key.value) && key.type !== tag.lightUserdata) return nextPosition(L, table, at, key.value)
  const entry = table.strong.get(hashOf(key))
  if (entry === undefined) return refuse(L, "invalid key to 'next'")
  return nextEntry(L, entry.next, at)
}

export type { Machine }

/** A thread from the inside. */
export const isMachine = (L: unknown): L is Machine => L instanceof lstate.lua_State
