/**
 * `parallel(list, n, fn)`: calls `fn(item, index)` for the items of a list, each in a state of its own, `n` at a time,
 * and gives the list of the results in the order of the items. A function sees what it reaches as it was when `parallel`
 * was called: changes it makes to globals, upvalues and tables are seen by nobody else. Results are data: tables,
 * strings, numbers, booleans, objects. The first error is raised in the caller; no further call starts then.
 */
import { deserialize, serialize } from "node:v8"
import { textOf } from "./arguments.ts"
import type { Baseline } from "./baseline.ts"
import type { LuaValue } from "./border.ts"
import type { Failed } from "./channel.ts"
import { dataOnTop, push } from "./convert.ts"
import { bytesOf, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import { type Border, raiseText } from "./host.ts"
import { putSnapshot } from "./putSnapshot.ts"
import type { Snapshot } from "./snapshot.ts"
import { takeSnapshot, tooMuch } from "./takeSnapshot.ts"

/** Threads of one call: each is a Lua of its own, with its memory. */
const most = 64

/** What a state in which a function runs is told from outside of it; it travels as bytes, which the host never opens. */
interface Parcel {
  readonly snapshot: Snapshot
  readonly environment: ReadonlyArray<readonly [string, string]>
}

/** Bytes a parcel may have. */
const heaviest = 64 * 1024 * 1024

const packed = (L: LuaState, parcel: Parcel): Uint8Array => {
  const bytes = serialize(parcel)
  if (bytes.length > heaviest) raise(L, tooMuch)
  // Shared by all threads that open it.
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

/** What `packed` made of a parcel. */
export const opened = (bytes: Uint8Array): Parcel => deserialize(Buffer.from(bytes))

const wrong = (L: LuaState, n: number, message: string): never =>
  raise(L, `bad argument #${n} to parallel (${message})`)

const typeName = (L: LuaState, at: number): string =>
  lua.lua_gettop(L) < at ? "no value" : textOf(lua.lua_typename(L, lua.lua_type(L, at)))

/** The global function of a state with this baseline; `undefined` for one that runs such a function itself. */
export const parallel =
  (border: Border, environment: ReadonlyMap<string, string>, baseline: () => Baseline | undefined): LuaFunction =>
  (L) => {
    border.guard.check(L)
    const known = baseline()
    if (known === undefined) return raise(L, "parallel cannot be called inside parallel")
    if (lua.lua_type(L, 1) !== lua.LUA_TTABLE) return wrong(L, 1, `table expected, got ${typeName(L, 1)}`)
    if (lua.lua_type(L, 2) !== lua.LUA_TNUMBER) return wrong(L, 2, `number expected, got ${typeName(L, 2)}`)
    const wanted = Math.trunc(lua.lua_tonumber(L, 2))
    if (!(wanted >= 1)) return wrong(L, 2, "at least 1 expected")
    if (lua.lua_type(L, 3) !== lua.LUA_TFUNCTION) return wrong(L, 3, `function expected, got ${typeName(L, 3)}`)
    const snapshot = takeSnapshot(L, border.guard, known, 1, 3)
    const count = snapshot.items.length
    const parcel = packed(L, { snapshot, environment: [...environment] })
    const answer = count === 0
      ? { tag: "values", values: [{ list: [], fields: new Map<string, LuaValue>() }] } as const
      : border.ask(L, { tag: "parallel", count, atOnce: Math.min(wanted, count, most), parcel })
    if (answer.tag === "failure") return raise(L, answer.failure.message)
    if (answer.tag !== "values") return raiseText(L, answer.tag === "raised" ? answer.message : "no answer")
    for (const value of answer.values) push(L, border.guard, value)
    return answer.values.length
  }

/** Where the function at this index begins, as it stands in front of messages; nothing for one that is not Lua. */
const placeOf = (L: LuaState, at: number): string => {
  const activation = new lua.lua_Debug()
  lua.lua_pushvalue(L, at)
  lua.lua_getinfo(L, bytesOf(">S"), activation)
  return activation.linedefined > 0 ? `${textOf(activation.short_src)}:${activation.linedefined}: ` : ""
}

/** How a call of the function ended: what it gave, or what it raised. */
export interface Called {
  readonly value?: LuaValue
  /** About how many bytes that is. */
  readonly size?: number
  readonly failed?: Failed
}

/** Calls the function of a parcel in a fresh state for the item of this number, from 0. */
export const callFor = (L: LuaState, guard: Guard, { snapshot }: Parcel, index: number): Called => {
  let called: Called = {}
  const body: LuaFunction = (inner) => {
    putSnapshot(inner, guard, snapshot, index)
    const place = placeOf(inner, -3)
    lua.lua_call(inner, 2, 1)
    called = dataOnTop(inner, guard) ?? raiseText(inner, `${place}parallel: only data can be a result`)
    return 0
  }
  lua.lua_pushcfunction(L, body)
  if (lua.lua_pcall(L, 0, 0, 0) === lua.LUA_OK) return called
  return { failed: { message: textOf(lauxlib.luaL_tolstring(L, -1)), traceback: "" } }
}
