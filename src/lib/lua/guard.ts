/** What keeps a script in its bounds while it runs: time, memory. */
import type { LuaState } from "./fengari.ts"

/**
 * Whoever loops or creates on behalf of a script asks first. Both raise a Lua error; once time or memory is used up they
 * raise it again at each call, so that no `pcall` holds on.
 */
export interface Guard {
  /** To be called at least every 10,000 steps of anything that a script can make long. */
  readonly check: (L: LuaState) => void
  /** Before something of so many bytes comes to be: a string, a list. */
  readonly charge: (L: LuaState, bytes: number) => void
}

/** The longest string a script can make, in bytes. */
export const longestString = 64 * 1024 * 1024
