/** What a run of the benchmarks leaves behind: nothing. Every process and directory it makes is noted and removed. */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const children = new Set<ChildProcess>()

/** All that is written goes here: memory where the machine has /dev/shm. */
export const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "regclient-bench-"))

export const isInMemory = scratch.startsWith("/dev/shm")

const signal = (child: ChildProcess, name: NodeJS.Signals) => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name)
  } catch {
    // It has ended on its own.
  }
}

/** Starts a process in a group of its own, so that it can be stopped with all that it starts. */
export const start = (command: ReadonlyArray<string>, options: SpawnOptions): ChildProcess => {
  const [file = "", ...args] = command
  const child = spawn(file, args, { ...options, detached: true })
  children.add(child)
  child.once("close", () => children.delete(child))
  return child
}

/** Stops a process and waits for its end. */
export const stop = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    signal(child, "SIGTERM")
    setTimeout(() => signal(child, "SIGKILL"), 3_000).unref()
  })

/** Stops whatever still runs and removes the directory. */
const leave = () => {
  for (const child of children) signal(child, "SIGKILL")
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}

process.once("exit", leave)
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => {
    leave()
    process.exit(130)
  })
}
