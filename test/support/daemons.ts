/** Programs that go on while a test looks at them. */
import { spawn } from "node:child_process"
import { tool } from "./programs.ts"

export interface Daemon {
  readonly err: () => string
  readonly signal: (name: "SIGHUP" | "SIGUSR1" | "SIGTERM" | "SIGKILL") => void
  /** Status, or the name of the signal that ended it. */
  readonly ended: Promise<number | string | null>
}

/** `regsync` in a directory that is its home too. */
export const regsync = (dir: string, args: ReadonlyArray<string>): Daemon =>
  daemon(dir, [process.execPath, tool("regsync"), ...args])

export const regbot = (dir: string, args: ReadonlyArray<string>): Daemon =>
  daemon(dir, [process.execPath, tool("regbot"), ...args])

/** A program in a directory that is its home too. */
export const daemon = (dir: string, [file = "", ...args]: ReadonlyArray<string>): Daemon => {
  const child = spawn(file, args, {
    cwd: dir,
    env: { ...process.env, HOME: dir, DOCKER_CONFIG: dir, DOCKER_AUTH_CONFIG: undefined },
    stdio: ["ignore", "ignore", "pipe"]
  })
  let err = ""
  child.stderr.on("data", (it: Buffer) => void (err += it.toString()))
  return {
    err: () => err,
    signal: (name) => void child.kill(name),
    ended: new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)))
  }
}

/** Waits for something another process does. */
export const until = async (what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await isTrue()); tries++) {
    if (tries > 3_000) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
