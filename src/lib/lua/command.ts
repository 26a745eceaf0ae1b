/** Commands of the shell, run to their end; a script's deadline ends them. */
import { spawnSync } from "node:child_process"
import type { LuaState } from "./fengari.ts"
import { longestString } from "./guard.ts"
import type { Surroundings } from "./surroundings.ts"

export interface CommandEnd {
  /** As the shell has it; 128 and the signal's number above when one ended it, 127 when there is no shell. */
  readonly status: number
  readonly output: Uint8Array
}

export interface CommandInput {
  /** What it reads; the script's own standard input unless given. */
  readonly input?: Uint8Array
  /** Its output is collected instead of shown. */
  readonly isCollected?: boolean
}

/**
 * The thread stands still meanwhile. At the deadline the shell is killed; what it has put into the background goes on.
 * More output than a string can have ends the command as well.
 */
export const runCommand = (
  L: LuaState,
  { guard, flush, environment, timeLeft }: Surroundings,
  command: Uint8Array,
  { input, isCollected = false }: CommandInput
): CommandEnd => {
  guard.check(L)
  flush()
  const timeout = timeLeft?.()
  const ended = spawnSync("/bin/sh", ["-c", Buffer.from(command).toString()], {
    env: Object.fromEntries(environment),
    stdio: [input === undefined ? "inherit" : "pipe", isCollected ? "pipe" : "inherit", "inherit"],
    maxBuffer: longestString,
    killSignal: "SIGKILL",
    ...(input === undefined ? {} : { input }),
    ...(timeout === undefined ? {} : { timeout: Math.max(1, Math.ceil(timeout)) })
  })
  guard.check(L)
  const status = ended.status ?? (ended.signal === null ? 127 : 128 + 9)
  return { status, output: ended.stdout ?? new Uint8Array(0) }
}
