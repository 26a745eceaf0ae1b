/** What keeps a script in its bounds while it runs: time, memory. */
import { getHeapStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { bytesOf, inside, lauxlib, lua, type LuaState } from "./fengari.ts"

/**
 * Whoever loops or creates on behalf of a script asks first. Both raise a Lua error; once time or memory is used up they
 * raise it again at each call, so that no `pcall` holds on.
 */
export interface Guard {
  /** To be called at least every 10,000 steps of anything that a script can make long. */
  readonly check: (L: LuaState) => void
  /** Before something of so many bytes comes to be: a string, a list. Refuses what is longer than `longestString`. */
  readonly charge: (L: LuaState, bytes: number) => void
}

/** The longest string a script can make, in bytes. */
export const longestString = 64 * 1024 * 1024

/** Why a script may go on no more. */
export interface End {
  readonly reason: "time" | "memory"
  readonly message: string
}

export interface EndingGuard extends Guard {
  /** What ended the script, once something has. */
  readonly end: () => End | undefined
}

export interface Bounds {
  /** The text of the error, once the time is over: `Context error: context deadline exceeded`. */
  readonly isOver: () => string | undefined
  /** Bytes that the thread may use; 512 MiB unless given. */
  readonly memory?: number
  /** Bytes that the thread uses, garbage included. */
  readonly used?: () => number
}

/** Memory is looked at after so many bytes were asked for, and after so many checks. */
const charges = 16 * 1024 * 1024
const checks = 10

/** Instructions between two checks. */
const interval = 1000

const usedByThread = (): number => {
  const { external_memory: external, used_heap_size: heap } = getHeapStatistics()
  return heap + external
}

let collector: unknown

/** Frees what is no longer needed. `last-resort` also gives it back to the system. */
const collect = (flavor: "regular" | "last-resort"): void => {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc")
    collector = runInNewContext("gc")
  }
  if (typeof collector === "function") collector({ type: "major", execution: "sync", flavor })
}

/** More than a thread uses before its script does anything. */
const plenty = 64 * 1024 * 1024

/**
 * To be called when a script and its state are gone: what a thread leaves at its end stays with the process (faults
 * S03). Takes half a second where there is much of it.
 */
export const giveBack = (): void => {
  const { external_memory: external, total_physical_size: heap } = getHeapStatistics()
  if (heap + external > plenty) collect("last-resort")
}

/** Raises a text with the place of the nearest Lua function in front. */
export const raise = (L: LuaState, message: string): never => {
  lua.lua_checkstack(L, 20)
  const activation = new lua.lua_Debug()
  for (let level = 0; level < 8 && lua.lua_getstack(L, level, activation) > 0; level++) {
    lua.lua_getinfo(L, bytesOf("l"), activation)
    if (activation.currentline <= 0) continue
    lauxlib.luaL_where(L, level)
    lua.lua_pushstring(L, bytesOf(message))
    lua.lua_concat(L, 2)
    return lua.lua_error(L)
  }
  lua.lua_pushstring(L, bytesOf(message))
  return lua.lua_error(L)
}

/** A guard over the thread it is made in. */
export const makeGuard = ({ isOver, memory = 512 * 1024 * 1024, used = usedByThread }: Bounds): EndingGuard => {
  let end: End | undefined
  let charged = 0
  let checked = 0
  const raiseEnd = (L: LuaState, { message }: End): never => raise(L, message)
  const weigh = (L: LuaState, more: number): void => {
    charged = 0
    checked = 0
    if (used() + more <= memory) return
    // Garbage must not count.
    collect("regular")
    if (used() + more <= memory) return
    end = { reason: "memory", message: "not enough memory" }
    raiseEnd(L, end)
  }
  const checkTime = (L: LuaState): void => {
    if (end === undefined) {
      const message = isOver()
      if (message !== undefined) end = { reason: "time", message }
    }
    if (end !== undefined) raiseEnd(L, end)
  }
  const check = (L: LuaState): void => {
    checkTime(L)
    if (++checked >= checks) weigh(L, 0)
  }
  const charge = (L: LuaState, bytes: number): void => {
    if (end !== undefined) raiseEnd(L, end)
    if (bytes > longestString) raise(L, "resulting string too large")
    charged += bytes
    if (charged < charges) return
    // What is large takes time as well.
    checkTime(L)
    weigh(L, bytes)
  }
  return { check, charge, end: () => end }
}

/** Asks a guard every so many instructions, in all coroutines made from now on as well. */
export const installGuard = (L: LuaState, guard: Guard): void => {
  inside(L).l_G.guard = guard
  lua.lua_sethook(L, guard.check, lua.LUA_MASKCOUNT, interval)
}
