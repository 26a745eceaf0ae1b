/** What a Lua state has around it. */
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
  /** Milliseconds to the deadline; `undefined` without one. What blocks the thread waits no longer. */
  readonly timeLeft?: () => number | undefined
  /** What is to be called when the state ends, however it ends: open files. */
  readonly releases?: Set<() => void>
}
