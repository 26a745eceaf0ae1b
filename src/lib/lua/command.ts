/** Commands of the shell for `os.execute` and `io.popen`, run to their end; the end of a script's time ends them. */
import { spawnSync } from "node:child_process"
import type { Command, CommandEnd } from "./commandHost.ts"
import type { LuaState } from "./fengari.ts"
import { longestString } from "./guard.ts"
import type { Surroundings } from "./surroundings.ts"

export interface CommandInput {
  /** What it reads; the script's own standard input unless given. */
  readonly input?: Uint8Array
  /** Its output is collected instead of shown. */
  readonly isCollected?: boolean
}

/** In this thread, which can do nothing else meanwhile: for a state that has no host. */
const runHere = ({ collected, environment, input, text }: Command): CommandEnd => {
  const ended = spawnSync("/bin/sh", ["-c", text], {
    env: environment,
    stdio: [input === undefined ? "inherit" : "pipe", collected === undefined ? "inherit" : "pipe", "inherit"],
    killSignal: "SIGKILL",
    ...(collected === undefined ? {} : { maxBuffer: collected }),
    ...(input === undefined ? {} : { input })
  })
  return { status: ended.status ?? (ended.signal === null ? 127 : 128 + 9), output: ended.stdout ?? new Uint8Array(0) }
}

/** The thread stands still meanwhile. More output than a string can have ends the command as well. */
export const runCommand = (
  L: LuaState,
  { command = runHere, environment, flush, guard }: Surroundings,
  text: Uint8Array,
  { input, isCollected = false }: CommandInput
): CommandEnd => {
  guard.check(L)
  flush()
  const ended = command({
    text: Buffer.from(text).toString(),
    environment: Object.fromEntries(environment),
    ...(input === undefined ? {} : { input }),
    ...(isCollected ? { collected: longestString } : {})
  })
  guard.check(L)
  return ended
}
