/** Runs Lua in a state of its own and tells what it printed. */
import { newState, runSource } from "../../../src/lib/lua/state.ts"
import type { Surroundings } from "../../../src/lib/lua/surroundings.ts"

export class Exited extends Error {
  readonly status: number

  constructor(status: number) {
    super(`exit ${status}`)
    this.status = status
  }
}

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly error: string | undefined
}

const unguarded: Surroundings["guard"] = { check: () => undefined, charge: () => undefined }

/** Output is what went through `io.write` and files of the standard streams; `error` what ended the script. */
export const runScript = (source: string, changes: Partial<Surroundings> = {}): Ran => {
  const output = { stdout: "", stderr: "" }
  const releases = new Set<() => void>()
  const L = newState({
    guard: unguarded,
    write: (stream, bytes) => {
      output[stream] += Buffer.from(bytes).toString("latin1")
    },
    flush: () => undefined,
    exit: (status) => {
      throw new Exited(status)
    },
    isSandboxed: false,
    environment: new Map([["PATH", process.env["PATH"] ?? ""], ["TZ", "UTC"]]),
    releases,
    ...changes
  })
  try {
    const raised = runSource(L, Buffer.from(source))
    return { ...output, error: raised?.message }
  } finally {
    for (const release of releases) release()
  }
}
