/** Failures of the system as C names them, for functions of files. */
import { getSystemErrorMap } from "node:util"
import { pushFailure } from "./arguments.ts"
import type { LuaState } from "./fengari.ts"

const others: Readonly<Record<string, string>> = {
  EISDIR: "Is a directory",
  EBADF: "Bad file descriptor",
  ENOENT: "No such file or directory",
  EXDEV: "Invalid cross-device link",
  EPIPE: "Broken pipe",
  ESPIPE: "Illegal seek"
}

export interface SystemError {
  readonly message: string
  /** Of C: positive. */
  readonly code: number
}

export const systemErrorOf = (cause: unknown): SystemError => {
  const errno = cause instanceof Error && "errno" in cause && typeof cause.errno === "number" ? cause.errno : 0
  const [name, text] = getSystemErrorMap().get(errno) ?? []
  // What has no number was refused before it reached the system: a NUL in a name.
  if (name === undefined || text === undefined) return { message: "Invalid argument", code: 22 }
  return { message: others[name] ?? text.charAt(0).toUpperCase() + text.slice(1), code: Math.abs(errno) }
}

/** Is it of the system, or of a call that was refused before it? Errors of Lua and of the machine are not. */
export const isSystemError = (cause: unknown): cause is Error => cause instanceof Error && "code" in cause

/** What an attempt pushes; when the system fails, `nil, "subject: message", code`. */
export const attempt = (L: LuaState, subject: string | undefined, run: () => number): number => {
  let error: SystemError
  try {
    return run()
  } catch (cause) {
    if (!isSystemError(cause)) throw cause
    error = systemErrorOf(cause)
  }
  return pushFailure(L, subject === undefined ? error.message : `${subject}: ${error.message}`, error.code)
}
