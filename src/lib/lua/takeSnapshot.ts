/** Takes functions and all they reach out of a state. */
import { type Baseline, binary, type Identity, identityAt, pushKnown } from "./baseline.ts"
import { heldAt } from "./convert.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import type { Node, Snapshot, Value } from "./snapshot.ts"

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
