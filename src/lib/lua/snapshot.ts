/**
 * Functions and all they reach, taken out of one state and put into another: upvalues stay shared, tables keep their
 * metatables, what every state has is named. Coroutines, open files and other things of their state cannot go.
 */
import {
  type Baseline,
  binary,
  bytesOfBinary,
  type Identity,
  identityAt,
  pushAtEnd,
  pushKnown,
  type Way
} from "./baseline.ts"
import { type Held, heldAt, wrap } from "./convert.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"

/** Strings are one byte a character. */
type Value = undefined | boolean | number | string | { readonly node: number }

type Node =
  | { readonly tag: "builtin"; readonly way: Way }
  | { readonly tag: "table"; readonly entries: Array<readonly [Value, Value]>; metatable: Value }
  | { readonly tag: "function"; readonly code: number; readonly upvalues: Array<number> }
  | { readonly tag: "object"; readonly held: Held; data: Value }

export interface Snapshot {
  readonly function: Value
  readonly items: ReadonlyArray<Value>
  readonly nodes: ReadonlyArray<Node>
  /** Upvalues, which functions may share. */
  readonly cells: ReadonlyArray<Value>
  readonly codes: ReadonlyArray<Uint8Array>
  /** Of tables that every state has: what is different in this one. */
  readonly changes: ReadonlyArray<
    Node & { readonly tag: "table" } & { readonly of: Way; readonly hasMetatable: boolean }
  >
}

/** Values that may be passed on at once, and bytes of strings and of code. */
const most = 2_000_000
const mostBytes = 64 * 1024 * 1024

export const tooMuch = "parallel: too much to pass on"

/** Takes values out of a state. A thing that cannot go raises, or is left out where nobody may need it. */
class Taking {
  readonly nodes: Array<Node> = []
  readonly cells: Array<Value> = []
  readonly codes: Array<Uint8Array> = []
  /** Whether what cannot go is left out. */
  isLenient = false
  private readonly known = new Map<Identity, number>()
  private readonly cellOf = new Map<object, number>()
  private readonly codeOf = new Map<unknown, number>()
  private done = 0
  private left = most
  private bytesLeft = mostBytes
  private readonly L: LuaState
  private readonly guard: Guard
  private readonly baseline: Baseline
  /** The stack place of a list of the values that nodes stand for. */
  private readonly list: number

  constructor(L: LuaState, guard: Guard, baseline: Baseline) {
    this.L = L
    this.guard = guard
    this.baseline = baseline
    lua.lua_newtable(L)
    this.list = lua.lua_gettop(L)
  }

  /** The value on top of the stack, which is taken off. What it reaches is looked at by `finish`. */
  take(): Value {
    const { L } = this
    const value = this.valueOnTop()
    lua.lua_settop(L, lua.lua_gettop(L) - 1)
    return value
  }

  /** Looks at everything met so far, and what that reaches. */
  finish(): void {
    for (; this.done < this.nodes.length; this.done++) {
      const node = this.nodes[this.done]
      if (node === undefined || node.tag === "builtin") continue
      lua.lua_rawgeti(this.L, this.list, this.done + 1)
      if (node.tag === "table") this.fillTable(node)
      else if (node.tag === "function") this.fillFunction(node)
      else {
        lua.lua_getuservalue(this.L, -1)
        node.data = this.take()
      }
      lua.lua_pop(this.L, 1)
    }
  }

  /** The fields of the table on top of the stack that are not as they were. */
  changesOf(was: ReadonlyMap<Identity, Identity>): Array<readonly [Value, Value]> {
    const { L } = this
    const at = lua.lua_gettop(L)
    const changed: Array<readonly [Value, Value]> = []
    const left = new Set(was.keys())
    lua.lua_pushnil(L)
    while (lua.lua_next(L, at) !== 0) {
      const key = identityAt(L, -2)
      left.delete(key)
      if (was.has(key) && Object.is(was.get(key), identityAt(L, -1))) lua.lua_pop(L, 1)
      else {
        const value = this.take()
        lua.lua_pushvalue(L, -1)
        changed.push([this.take(), value])
      }
    }
    for (const key of left) {
      if (typeof key === "string") changed.push([key.slice(1), undefined])
      else if (typeof key === "number" || typeof key === "boolean") changed.push([key, undefined])
    }
    return changed
  }

  private spend(values: number, bytes: number): void {
    this.left -= values
    this.bytesLeft -= bytes
    if (this.left < 0 || this.bytesLeft < 0) raise(this.L, tooMuch)
    if (this.left % 4096 === 0) this.guard.check(this.L)
    this.guard.charge(this.L, 64 * values + bytes)
  }

  private valueOnTop(): Value {
    const { L } = this
    this.spend(1, 0)
    switch (lua.lua_type(L, -1)) {
      case lua.LUA_TNIL:
        return undefined
      case lua.LUA_TBOOLEAN:
        return lua.lua_toboolean(L, -1)
      case lua.LUA_TNUMBER:
        return lua.lua_tonumber(L, -1)
      case lua.LUA_TSTRING: {
        const bytes = lua.lua_tostring(L, -1) ?? new Uint8Array()
        this.spend(0, bytes.length)
        return binary(bytes)
      }
    }
    const identity = identityAt(L, -1)
    const met = this.known.get(identity)
    if (met !== undefined) return { node: met }
    const node = this.nodeOnTop(identity)
    if (node === undefined) return undefined
    const place = this.nodes.push(node)
    this.known.set(identity, place - 1)
    lua.lua_pushvalue(L, -1)
    lua.lua_rawseti(L, this.list, place)
    return { node: place - 1 }
  }

  private nodeOnTop(identity: Identity): Node | undefined {
    const { L } = this
    const way = this.baseline.ways.get(identity)
    if (way !== undefined) return { tag: "builtin", way }
    const type = lua.lua_type(L, -1)
    if (type === lua.LUA_TTABLE) return { tag: "table", entries: [], metatable: undefined }
    if (type === lua.LUA_TFUNCTION && !lua.lua_iscfunction(L, -1)) {
      return { tag: "function", code: this.codeOnTop(), upvalues: [] }
    }
    const held = heldAt(L, -1)
    if (held !== undefined) return { tag: "object", held: { ...held }, data: undefined }
    if (this.isLenient) return undefined
    const what = type === lua.LUA_TTHREAD ? "a coroutine" : type === lua.LUA_TFUNCTION ? "an iterator" : "a file"
    return raise(L, `parallel: ${what} cannot be passed on`)
  }

  /** Functions made by one piece of source share their code. */
  private codeOnTop(): number {
    const { L } = this
    const closure = lua.lua_topointer(L, -1)
    const prototype = closure !== null && "p" in closure ? closure.p : closure
    const met = this.codeOf.get(prototype)
    if (met !== undefined) return met
    const parts: Array<Uint8Array> = []
    lua.lua_dump(
      L,
      (_, part, size) => {
        this.spend(0, size)
        parts.push(part.slice(0, size))
        return 0
      },
      null,
      false
    )
    const code = this.codes.push(new Uint8Array(Buffer.concat(parts))) - 1
    this.codeOf.set(prototype, code)
    return code
  }

  private fillTable(node: Node & { readonly tag: "table" }): void {
    const { L } = this
    const at = lua.lua_gettop(L)
    if (lua.lua_getmetatable(L, at)) node.metatable = this.take()
    lua.lua_pushnil(L)
    while (lua.lua_next(L, at) !== 0) {
      const value = this.take()
      lua.lua_pushvalue(L, -1)
      const key = this.take()
      if (key !== undefined && value !== undefined) node.entries.push([key, value])
    }
  }

  private fillFunction(node: Node & { readonly tag: "function" }): void {
    const { L } = this
    const at = lua.lua_gettop(L)
    for (let n = 1; lua.lua_getupvalue(L, at, n) !== null; n++) {
      const identity = lua.lua_upvalueid(L, at, n)
      const met = this.cellOf.get(identity)
      if (met !== undefined) lua.lua_pop(L, 1)
      else {
        this.cellOf.set(identity, this.cells.length)
        this.cells.push(this.take())
      }
      node.upvalues.push(met ?? this.cells.length - 1)
    }
  }
}

/** The function and the items of the list at two places of the stack, and what the script changed in its state. */
export const takeSnapshot = (
  L: LuaState,
  guard: Guard,
  baseline: Baseline,
  list: number,
  f: number
): Snapshot => {
  const top = lua.lua_gettop(L)
  lauxlib.luaL_checkstack(L, 20, bytesOf("stack overflow"))
  const taking = new Taking(L, guard, baseline)
  lua.lua_pushvalue(L, f)
  const main = taking.take()
  const items = Array.from({ length: lua.lua_rawlen(L, list) }, (_, index) => {
    lua.lua_rawgeti(L, list, index + 1)
    return taking.take()
  })
  taking.finish()
  taking.isLenient = true
  const changes: Array<Snapshot["changes"][number]> = []
  for (const [identity, known] of baseline.tables) {
    pushKnown(L, known)
    const entries = taking.changesOf(known.fields)
    if (!lua.lua_getmetatable(L, -1)) lua.lua_pushnil(L)
    const hasMetatable = identityAt(L, -1) !== known.metatable
    const metatable = taking.take()
    lua.lua_pop(L, 1)
    const of = baseline.ways.get(identity)
    if (of !== undefined && (entries.length > 0 || hasMetatable)) {
      changes.push({ tag: "table", of, entries, metatable, hasMetatable })
    }
  }
  taking.finish()
  lua.lua_settop(L, top)
  return { function: main, items, nodes: taking.nodes, cells: taking.cells, codes: taking.codes, changes }
}

/** About what a value, and a table or function that is empty, takes in a state. */
const valueBytes = 64
const nodeBytes = 400

/** Puts values into a fresh state, each when it is needed. */
class Putting {
  private readonly owners = new Map<number, { readonly node: number; readonly upvalue: number }>()
  private readonly made = new Set<number>()
  private readonly queue: Array<number> = []
  private readonly L: LuaState
  private readonly guard: Guard
  private readonly snapshot: Snapshot
  /** The stack place of the list of what is made. */
  private readonly list: number

  constructor(L: LuaState, guard: Guard, snapshot: Snapshot) {
    this.L = L
    this.guard = guard
    this.snapshot = snapshot
    lua.lua_newtable(L)
    this.list = lua.lua_gettop(L)
    // Before anything is changed, so that the ways still lead there.
    for (const [index, node] of snapshot.nodes.entries()) {
      if (node.tag !== "builtin") continue
      pushAtEnd(L, node.way)
      lua.lua_rawseti(L, this.list, index + 1)
      this.made.add(index)
    }
  }

  push(value: Value): void {
    const { L } = this
    this.guard.charge(L, valueBytes)
    if (value === undefined) return lua.lua_pushnil(L)
    if (typeof value === "boolean") return lua.lua_pushboolean(L, value)
    if (typeof value === "number") return lua.lua_pushnumber(L, value)
    if (typeof value === "string") {
      lua.lua_pushlstring(L, bytesOfBinary(value), value.length)
      return
    }
    const { node } = value
    if (!this.made.has(node)) {
      this.made.add(node)
      this.queue.push(node)
      this.guard.charge(L, nodeBytes)
      this.pushEmpty(node)
      lua.lua_rawseti(L, this.list, node + 1)
    }
    lua.lua_rawgeti(L, this.list, node + 1)
  }

  /** Fills what was made so far, and what that needs. */
  finish(): void {
    for (let index = this.queue.pop(); index !== undefined; index = this.queue.pop()) {
      const node = this.snapshot.nodes[index]
      lua.lua_rawgeti(this.L, this.list, index + 1)
      if (node?.tag === "table") this.fill(node.entries, node.metatable)
      if (node?.tag === "function") this.join(index, node.upvalues)
      if (node?.tag === "object") {
        this.push(node.data)
        lua.lua_setuservalue(this.L, -2)
      }
      lua.lua_pop(this.L, 1)
    }
  }

  /** Of the table on top of the stack. */
  fill(entries: ReadonlyArray<readonly [Value, Value]>, metatable: Value): void {
    const { L } = this
    for (const [key, value] of entries) {
      if (key === undefined) continue
      this.push(key)
      this.push(value)
      lua.lua_rawset(L, -3)
    }
    if (metatable === undefined) return
    this.push(metatable)
    lua.lua_setmetatable(L, -2)
  }

  private pushEmpty(index: number): void {
    const { L, snapshot } = this
    const node = snapshot.nodes[index]
    if (node?.tag === "function") {
      let code = snapshot.codes[node.code] ?? null
      lua.lua_load(
        L,
        () => {
          const part = code
          code = null
          return part
        },
        null,
        bytesOf("="),
        bytesOf("b")
      )
    } else if (node?.tag === "object") {
      lua.lua_pushnil(L)
      // The tables of its data bring their metatables along.
      wrap(L, { ...node.held })
    } else lua.lua_newtable(L)
  }

  /** Gives the function on top of the stack its upvalues: the first that has one keeps it for all. */
  private join(index: number, upvalues: ReadonlyArray<number>): void {
    const { L, owners } = this
    for (const [at, cell] of upvalues.entries()) {
      const owner = owners.get(cell)
      if (owner === undefined) {
        owners.set(cell, { node: index, upvalue: at + 1 })
        this.push(this.snapshot.cells[cell])
        lua.lua_setupvalue(L, -2, at + 1)
      } else {
        lua.lua_rawgeti(L, this.list, owner.node + 1)
        lua.lua_upvaluejoin(L, -2, at + 1, -1, owner.upvalue)
        lua.lua_pop(L, 1)
      }
    }
  }
}

/** Makes a fresh state what the script's is, and pushes its function, and the item and its number as arguments. */
export const putSnapshot = (L: LuaState, guard: Guard, snapshot: Snapshot, index: number): void => {
  lauxlib.luaL_checkstack(L, 20, bytesOf("stack overflow"))
  const putting = new Putting(L, guard, snapshot)
  const tables = snapshot.changes.map((change) => {
    pushAtEnd(L, change.of)
    return lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX)
  })
  for (const [at, { entries, hasMetatable, metatable }] of snapshot.changes.entries()) {
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, tables[at] ?? 0)
    if (hasMetatable && metatable === undefined) {
      lua.lua_pushnil(L)
      lua.lua_setmetatable(L, -2)
    }
    putting.fill(entries, hasMetatable ? metatable : undefined)
    lua.lua_pop(L, 1)
  }
  putting.push(snapshot.function)
  putting.push(snapshot.items[index])
  putting.finish()
  lua.lua_pushnumber(L, index + 1)
}
