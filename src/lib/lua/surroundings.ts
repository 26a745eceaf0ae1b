/** What a Lua state has around it. */
import type { Command, CommandEnd } from "./commandHost.ts"
import type { Guard } from "./guard.ts"

export interface Surroundings {
  readonly guard: Guard
  /** Output of `print`, `io.write`, files of the standard streams: collected, in order, until flushed. */
  readonly write: (stream: "stdout" | "stderr", bytes: Uint8Array) => void
  readonly flush: () => void
  /** `os.exit`: never returns. */
  readonly exit: (status: number) => never
  /** Closes what reaches the machine it runs on (faults S09). */
  readonly isSandboxed: boolean
  /** The environment as the script sees and changes it, a copy of its own. */
  readonly environment: Map<string, string>
  /** Runs a command to its end, or to that of the script's time; in this thread unless given. */
  readonly command?: (command: Command) => CommandEnd
  /** What is to be called when the state ends, however it ends: open files. */
  readonly releases?: Set<() => void>
}
