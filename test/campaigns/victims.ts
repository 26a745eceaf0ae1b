/** Processes that are killed: at once when something happens, without a word to them. */
import { spawn } from "node:child_process"
import { existsSync, type FSWatcher, watch } from "node:fs"
import type { Gate } from "../support/gates.ts"
import { tool } from "../support/programs.ts"
import type { Random } from "./campaign.ts"

export type Tool = "regctl" | "regsync" | "regbot"

export interface Command {
  readonly tool: Tool
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly input?: string | Uint8Array
}

export interface Ended {
  /** Status; a signal's name for who was killed. */
  readonly end: number | string | null
  readonly err: string
}

/** When to kill; `arm` gets what kills, gives what takes the trap away. */
export interface Moment {
  readonly name: string
  readonly arm: (kill: () => void) => () => void
}

export const never: Moment = { name: "never", arm: () => () => {} }

/** Runs a command, killed when its moment comes before its end. */
export const victim = ({ args, cwd, env, input, tool: name }: Command, { arm }: Moment = never): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool(name), ...args], { cwd, env, stdio: ["pipe", "ignore", "pipe"] })
    let err = ""
    const disarm = arm(() => child.kill("SIGKILL"))
    child.stderr.on("data", (it: Buffer) => void (err += it.toString()))
    child.on("error", reject)
    child.on("close", (code, signal) => {
      disarm()
      resolve({ end: signal ?? code, err })
    })
    child.stdin.on("error", () => {})
    child.stdin.end(input ?? "")
  })

export const afterDelay = (milliseconds: number): Moment => ({
  name: "delay",
  arm: (kill) => {
    const timer = setTimeout(kill, milliseconds)
    return () => clearTimeout(timer)
  }
})

/** The change of this number of files in a directory or below it; directories made meanwhile are seen, too. */
const atChange = (dir: string, number: number): Moment => ({
  name: "file",
  arm: (kill) => {
    const watchers = new Map<string, FSWatcher>()
    let left = number
    const look = () => {
      for (const sub of ["", "/blobs", "/blobs/sha256"]) {
        if (watchers.has(sub) || !existsSync(dir + sub)) continue
        const watcher = watch(dir + sub, () => {
          look()
          if (--left === 0) kill()
        })
        watcher.on("error", () => {})
        watchers.set(sub, watcher)
      }
    }
    look()
    return () => watchers.forEach((it) => it.close())
  }
})

export interface Moments {
  /** Where something passes through, and how many bytes about. */
  readonly gate?: { readonly gate: Gate; readonly bytes: number; readonly requests: number }
  readonly watched?: { readonly dir: string; readonly changes: number }
  /** Milliseconds the command takes, about. */
  readonly usual: number
}

/** A random moment of those at which a command can be met. */
export const momentOf = (random: Random, { gate, usual, watched }: Moments): Moment => {
  const choices: Array<() => Moment> = [() => afterDelay(usual * (0.35 + 0.75 * random.next()))]
  if (gate !== undefined) {
    const at = (moment: { readonly bytes?: number; readonly request?: number }, name: string): Moment => ({
      name,
      arm: (kill) => (gate.gate.shutAt(moment, kill), () => {})
    })
    choices.push(
      () => at({ bytes: random.below(gate.bytes * 1.02) }, "byte"),
      () => at({ bytes: random.below(gate.bytes * 1.02) }, "byte"),
      () => at({ request: random.below(gate.requests + 1) }, "request")
    )
  }
  if (watched !== undefined) {
    const change = () => atChange(watched.dir, 1 + random.below(watched.changes))
    choices.push(change, change)
  }
  return random.pick(choices)()
}
