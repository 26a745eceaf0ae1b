/**
 * Runs the commands of scripts for their threads, which stand still meanwhile: so a command can be ended with its
 * script, together with everything it has started, and leaves nothing behind.
 */
import { type ChildProcess, spawn } from "node:child_process"

export interface Command {
  readonly text: string
  readonly environment: Readonly<Record<string, string>>
  /** What it reads; the standard input of the tool unless given. */
  readonly input?: Uint8Array
  /** Its output is collected instead of shown, up to so many bytes: more of it ends the command. */
  readonly collected?: number
}

export interface CommandEnd {
  /** As the shell has it: 128 and its number above for a signal, 127 when there is no shell. */
  readonly status: number
  readonly output: Uint8Array
}

const killed = 128 + 9
const noShell = 127

/** Nothing when the system refuses the text: it is too long, or has a NUL in it. */
const spawned = ({ collected, environment, input, text }: Command): ChildProcess | undefined => {
  try {
    return spawn("/bin/sh", ["-c", text], {
      // A group of its own, that can be ended as a whole.
      detached: true,
      env: environment,
      stdio: [input === undefined ? "inherit" : "pipe", collected === undefined ? "inherit" : "pipe", "inherit"]
    })
  } catch {
    return undefined
  }
}

/** Starts a command. `tell` is called once, when it is over; gives what ends it at once. */
export const startCommand = (
  command: Command,
  tell: (end: CommandEnd) => void
): () => void => {
  const { collected, input } = command
  const output: Array<Uint8Array> = []
  let size = 0
  let isTold = false
  const end = (status: number): void => {
    if (isTold) return
    isTold = true
    tell({ status, output: new Uint8Array(Buffer.concat(output)) })
  }
  const child = spawned(command)
  if (child === undefined) {
    end(noShell)
    return () => undefined
  }
  const kill = (): void => {
    if (child.pid === undefined || isTold) return
    try {
      process.kill(-child.pid, "SIGKILL")
    } catch {
      // It is over already.
    }
  }
  child.on("error", () => end(noShell))
  child.on("close", (status) => end(status ?? killed))
  // A command need not read what it is given.
  child.stdin?.on("error", () => undefined)
  child.stdin?.end(input)
  child.stdout?.on("data", (part: Buffer) => {
    size += part.length
    if (size > (collected ?? 0)) kill()
    else output.push(part)
  })
  return kill
}
