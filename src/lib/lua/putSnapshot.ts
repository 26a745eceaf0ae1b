/** Puts functions and all they reach into a fresh state. */
import { bytesOfBinary, pushAtEnd } from "./baseline.ts"
import { wrap } from "./convert.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import type { Guard } from "./guard.ts"
import type { Snapshot, Value } from "./snapshot.ts"

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
