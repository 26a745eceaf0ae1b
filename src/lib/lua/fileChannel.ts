/** Where a file of a script reads from and writes to. Each throws what the system throws. */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs"
import { runCommand } from "./command.ts"
import type { LuaState } from "./fengari.ts"
import { longestString } from "./guard.ts"
import type { Surroundings } from "./surroundings.ts"

export interface Channel {
  /** Fills the beginning of a buffer and gives how much; 0 is the end, `undefined` nothing yet. */
  readonly read: (into: Uint8Array, L: LuaState) => number | undefined
  readonly write: (bytes: Uint8Array) => void
  readonly flush: () => void
  /** Where it is now, or after it was moved; from the beginning in bytes. */
  readonly seek: (whence: "set" | "cur" | "end", offset: number) => number
  /** What closing gives in Lua: `true`, or the status of a command. */
  readonly close: (L: LuaState) => true | number
}

/** An error of the system that no call of it made. */
const systemFailure = (errno: number, code: string): Error => Object.assign(new Error(code), { errno: -errno, code })

const refused = {
  read: () => {
    throw systemFailure(9, "EBADF")
  },
  write: () => {
    throw systemFailure(9, "EBADF")
  },
  seek: () => {
    throw systemFailure(29, "ESPIPE")
  },
  flush: () => undefined
}

const isEmptyYet = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "EAGAIN" || cause.code === "EWOULDBLOCK")

const nap = new Int32Array(new SharedArrayBuffer(4))

/** Waits for whoever reads too slowly; only the end of the thread ends that. */
const writeAll = (descriptor: number, bytes: Uint8Array, position: number | null): void => {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at, bytes.length - at, position === null ? null : position + at)
    } catch (cause) {
      if (!isEmptyYet(cause)) throw cause
      Atomics.wait(nap, 0, 0, 10)
    }
  }
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK, O_EXCL } = constants

/** Flags of the modes of C; `b` means nothing here. A file that would block answers that it has nothing yet. */
const flagsOf = (mode: string): number => {
  const both = mode.includes("+")
  const kind = mode.startsWith("r") ? 0 : O_CREAT | (mode.startsWith("w") ? O_TRUNC : O_APPEND)
  const exclusive = mode.includes("x") ? O_EXCL : 0
  return (both ? O_RDWR : mode.startsWith("r") ? O_RDONLY : O_WRONLY) | kind | exclusive | O_NONBLOCK
}

export const isMode = (mode: string): boolean => /^[rwa](\+?b?|b\+)$/.test(mode)

/** A file by its path and mode. What is written is kept until there is enough of it. */
export const openFile = (path: Buffer, mode: string): Channel => {
  const descriptor = openSync(path, flagsOf(mode), 0o666)
  const isAppended = mode.startsWith("a")
  const isSeekable = fstatSync(descriptor).isFile()
  let position = 0
  let waiting: Array<Uint8Array> = []
  let waitingBytes = 0
  const flush = (): void => {
    if (waitingBytes === 0) return
    const bytes = Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
    writeAll(descriptor, bytes, isSeekable && !isAppended ? position : null)
    position = isAppended && isSeekable ? fstatSync(descriptor).size : position + bytes.length
  }
  return {
    read: (into) => {
      flush()
      try {
        const count = readSync(descriptor, into, 0, into.length, isSeekable ? position : null)
        position += count
        return count
      } catch (cause) {
        // Every other failure is the caller's to tell.
        if (isEmptyYet(cause)) return undefined
        throw cause
      }
    },
    write: (bytes) => {
      if (mode.startsWith("r") && !mode.includes("+")) throw systemFailure(9, "EBADF")
      waiting.push(Uint8Array.from(bytes))
      waitingBytes += bytes.length + 16
      if (waitingBytes > 64 * 1024) flush()
    },
    flush,
    seek: (whence, offset) => {
      flush()
      if (!isSeekable) throw systemFailure(29, "ESPIPE")
      const base = whence === "set" ? 0 : whence === "cur" ? position : fstatSync(descriptor).size
      if (base + offset < 0) throw systemFailure(22, "EINVAL")
      position = base + offset
      return position
    },
    close: () => {
      try {
        flush()
      } finally {
        closeSync(descriptor)
      }
      return true
    }
  }
}

/** Standard input, opened when it is first used: read so that waiting for it can be given up. */
export const standardInput = (surroundings: Surroundings): Channel => {
  let input: Channel | undefined
  const opened = (): Channel | undefined => {
    try {
      return openFile(Buffer.from("/dev/stdin"), "r")
    } catch {
      // A socket cannot be opened by its name.
      return undefined
    }
  }
  /** No thread can be ended that waits for a socket: a command reads it to its end. */
  const read = (L: LuaState): Channel => {
    const { status, output } = runCommand(L, surroundings, Buffer.from("cat"), { isCollected: true })
    return commandOutput(output, status)
  }
  return {
    ...refused,
    read: (into, L) => (input ??= opened() ?? read(L)).read(into, L),
    seek: (whence, offset) => ((input ??= opened()) ?? refused).seek(whence, offset),
    close: (L) => input?.close(L) ?? true
  }
}

/** Standard output or error of the script. */
export const standardOutput = ({ write, flush }: Surroundings, stream: "stdout" | "stderr"): Channel => ({
  ...refused,
  write: (bytes) => write(stream, Uint8Array.from(bytes)),
  flush,
  close: () => true
})

/** The output of a command that has ended. */
export const commandOutput = (output: Uint8Array, status: number): Channel => {
  let at = 0
  return {
    ...refused,
    read: (into) => {
      const part = output.subarray(at, at + into.length)
      into.set(part)
      at += part.length
      return part.length
    },
    close: () => status
  }
}

/** The input of a command, which runs when it is closed. */
export const commandInput = (run: (L: LuaState, input: Uint8Array) => number): Channel => {
  const parts: Array<Uint8Array> = []
  let size = 0
  return {
    ...refused,
    write: (bytes) => {
      size += bytes.length
      if (size > longestString) throw systemFailure(27, "EFBIG")
      parts.push(Uint8Array.from(bytes))
    },
    close: (L) => run(L, Buffer.concat(parts))
  }
}
