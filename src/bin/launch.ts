/**
 * A command line process from start to end: code cache, signals, closed output, exit status.
 *
 * The first SIGINT or SIGTERM asks the run to end, which then has five seconds unless told otherwise; the second ends
 * the process at once.
 */
import { existsSync, mkdirSync } from "node:fs"
import module from "node:module"
import { homedir } from "node:os"
import { basename, join } from "node:path"
import { plainVersion } from "../layers/plainVersion.ts"
import type { Tool } from "../programs/cli/command.ts"
import { isTooOld, runByPinned } from "./runtime.ts"

/** Why the run shall end. */
export type Stop = "signal" | "closed"

/** Milliseconds a run has to clean up, unless told otherwise. */
export const deadline = 5_000

const signals = [["SIGINT", 130], ["SIGTERM", 143]] as const

/**
 * Runs `run` with the arguments of this process; the promise's number is the exit status. `grace` says how many
 * milliseconds a run of these arguments has to clean up; the tool itself is for who prepares its start.
 */
export const launch: typeof start = (run, grace, tool) => {
  if (isTooOld(process.versions.node)) return void runByPinned()
  keepCode()
  start(run, grace, tool)
}

/** Node's own place for compiled code is the directory for temporary files, where others may write: this is the user's. */
const keepCode = (): void => {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache")
  const directory = join(base, "regclient", "node")
  try {
    // One by one: told to make parents, Node tries forever where a file system takes no directories, such as /proc.
    for (const it of existsSync(directory) ? [] : [base, join(base, "regclient"), directory]) {
      if (!existsSync(it)) mkdirSync(it, { mode: 0o700 })
    }
    module.enableCompileCache(directory)
  } catch {
    // It starts without, a little later.
  }
}

/** The same where there is no code to keep and Node is the right one. */
export const start = (
  run: (args: ReadonlyArray<string>, stop: AbortSignal) => Promise<number>,
  grace: (args: ReadonlyArray<string>) => number,
  _tool: () => Promise<Tool>
): void => {
  const stop = new AbortController()
  const end = (why: Stop) => {
    if (stop.signal.aborted) return
    setTimeout(() => process.exit(1), grace(process.argv.slice(2))).unref()
    stop.abort(why)
  }
  for (const [name, status] of signals) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(status)
      end("signal")
    })
  }
  // A run that waits for nothing any more would end with status 0 otherwise.
  process.exitCode = 1
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that went away has what it wanted; a full disk has not (faults L01, L05).
    if (error.code !== "EPIPE" && !stop.signal.aborted)
      process.stderr.write(`failed to write output: ${error.message}\n`)
    end("closed")
  })
  // Who closed stderr does not want to hear of it.
  process.stderr.on("error", () => {})
  const args = process.argv.slice(2)
  const version = basename(process.argv[1] ?? "").startsWith("docker-")
    ? undefined
    : plainVersion(args, process.env)
  if (version !== undefined) {
    // What is wrong with the output is told before the end.
    process.stdout.write(version, () => setImmediate(finish, 0))
    return
  }
  run(args, stop.signal).then(finish, (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error)
    // Parts of the program are loaded when they are needed.
    process.stderr.write(
      text.startsWith("EMFILE: ") ? `${text}: raise their limit (ulimit -n)\n` : `internal error: ${text}\n`
    )
    finish(1)
  })
}

/** Ends the process once all output is written: open sockets of a pool would keep it alive. Output nobody read is a failure. */
const finish = (status: number): void => {
  process.stdout.write("", (error) => {
    process.stderr.write("", () => process.exit(error == null ? status : 1))
  })
}
