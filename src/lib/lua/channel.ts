/**
 * How a script's thread and its host talk: a message goes out, the thread blocks until the answer is there. Next to the
 * messages a few numbers are shared, which both sides see at once.
 */
import type { HostFailure, HostName, HostNames, LuaValue } from "./border.ts"
import type { Command } from "./commandHost.ts"

/** Places of the shared numbers. */
export const shared = {
  /** Counts the answers; the thread waits for it to change. */
  answers: 0,
  /** Whether the script's time is over: 0 or 1. */
  over: 1,
  /** The line of the script that was last seen to run; 0 when none was. */
  line: 2
} as const

export const sharedBytes = 3 * Int32Array.BYTES_PER_ELEMENT

/** What every call raises once the script's time is over. */
export const overText = "Context error: context deadline exceeded"

export interface Output {
  readonly stream: "stdout" | "stderr"
  readonly bytes: Uint8Array
}

/** How a job ended that did not end well. */
export interface Failed {
  /** The text of the error, with its place. */
  readonly message: string
  /** The stack of Lua; may be empty. */
  readonly traceback: string
}

/** What the thread asks; all of it but `ready` is answered, and takes along what the script wrote before. */
export type Question =
  | { readonly tag: "call"; readonly name: HostName; readonly args: ReadonlyArray<LuaValue> }
  | { readonly tag: "output" }
  | { readonly tag: "exit"; readonly status: number }
  | { readonly tag: "parallel"; readonly count: number; readonly atOnce: number; readonly parcel: Uint8Array }
  /** A job is done, with a value of about so many bytes; the answer is the next one. */
  | {
    readonly tag: "end"
    readonly failed?: Failed
    readonly value?: LuaValue
    readonly size?: number
    readonly isMemory: boolean
  }

export type Message =
  | { readonly tag: "ready" }
  | Question & { readonly output: ReadonlyArray<Output> }

/** What the thread asks its door, which does not tell the host: to run a command. Answered with a `CommandEnd`. */
export interface CommandQuestion {
  readonly tag: "command"
  readonly command: Command
}

/** `raised` goes into Lua as it is, a failure of a host function gets its position first. */
export type Answer =
  | { readonly tag: "values"; readonly values: ReadonlyArray<LuaValue>; readonly self?: { readonly state: unknown } }
  | { readonly tag: "failure"; readonly failure: HostFailure }
  | { readonly tag: "raised"; readonly message: string }
  | { readonly tag: "item"; readonly index: number }

/** What a thread is to do: run a source, or call a function that travelled, for items told one by one. */
export type Work =
  | { readonly tag: "source"; readonly source: Uint8Array }
  | { readonly tag: "items"; readonly parcel: Uint8Array; readonly first: number }

/** What a thread is given at its start. */
export interface Start {
  readonly memory: SharedArrayBuffer
  readonly work: Work
  readonly names: HostNames
  readonly isSandboxed: boolean
  /** Bytes that the script may use. */
  readonly limit: number
}
