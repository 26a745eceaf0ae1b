/** Starts and ends the threads of scripts. Nothing of Lua is loaded on this side. */
import { getAsset, isSea } from "node:sea"
import { MessageChannel, Worker, type WorkerOptions } from "node:worker_threads"
import { type Answer, type CommandQuestion, type Message, shared, sharedBytes, type Start } from "./channel.ts"
import { type CommandEnd, startCommand } from "./commandHost.ts"

/** A thread that ended although nobody ended it. */
export interface Death {
  readonly tag: "death"
  readonly isMemory: boolean
  readonly detail: string
}

export interface Thread {
  /** Wakes the thread up. Throws when the answer is no plain data; the thread goes on waiting then. */
  readonly answer: (answer: Answer) => void
  /** From now on the guard of the thread raises. */
  readonly setOver: () => void
  /** The line that was last seen to run; 0 when none was. */
  readonly line: () => number
  /** Ends it, whatever it does; resolves once it is gone. */
  readonly end: () => Promise<unknown>
}

/** Megabytes of the stack of a thread: deep recursion is to be an error of Lua, never one of the machine. */
const stack = 16

const mebibyte = 1024 * 1024

/**
 * Megabytes for what is between two looks of the guard: answers of the host, and the longest string while it is put
 * together, in two-byte letters where it is shown. It is taken by nobody unless it is needed.
 */
const room = 1024

/**
 * Megabytes for what was made just now. V8's own choice is many times that: scripts are a twentieth faster with it,
 * take a quarter more memory, and leave twice as much of it behind (faults S03).
 */
const young = 8

/** From the sources the entry is a file beside this one, in the bundle one beside the tools; an executable holds it. */
const workerWith = (options: WorkerOptions): Worker =>
  isSea()
    ? new Worker(getAsset("luaThread.cjs", "utf8"), { ...options, eval: true })
    : new Worker(
      new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "../luaThread.js", import.meta.url),
      options
    )

/** What a message brings along is told in order; after a death nothing is told. */
export const startThread = (
  start: Omit<Start, "memory">,
  tell: (message: Message | Death) => void
): Thread => {
  const memory = new SharedArrayBuffer(sharedBytes)
  const numbers = new Int32Array(memory)
  const { port1: port, port2: theirs } = new MessageChannel()
  const given: Start = { ...start, memory }
  const worker = workerWith({
    workerData: { ...given, port: theirs },
    transferList: [theirs],
    execArgv: [],
    // More than the guard allows, so that a script is told of it in Lua wherever it can be: a string that finds no room
    // ends the process.
    resourceLimits: {
      maxOldGenerationSizeMb: Math.ceil(start.limit / mebibyte) + room,
      maxYoungGenerationSizeMb: young,
      stackSizeMb: stack
    }
  })
  let isDead = false
  const died = (isMemory: boolean, detail: string) => {
    if (isDead) return
    isDead = true
    tell({ tag: "death", isMemory, detail })
  }
  let killCommand = () => {}
  const answer = (answered: Answer | CommandEnd) => {
    port.postMessage(answered)
    Atomics.add(numbers, shared.answers, 1)
    Atomics.notify(numbers, shared.answers)
  }
  port.on("message", (message: Message | CommandQuestion) => {
    if (isDead) return
    if (message.tag !== "command") tell(message)
    // A command asked for while the time ran out is not begun.
    else if (Atomics.load(numbers, shared.over) === 1) answer({ status: 1, output: new Uint8Array() })
    else killCommand = startCommand(message.command, answer)
  })
  // What cannot be read is no answer to wait for.
  port.on("messageerror", ({ message }) => died(false, message))
  worker.on("error", (error: NodeJS.ErrnoException) => {
    died(error.code === "ERR_WORKER_OUT_OF_MEMORY", error.message)
  })
  worker.on("exit", () => {
    killCommand()
    died(false, "the thread ended")
    port.close()
  })
  return {
    answer,
    setOver: () => {
      Atomics.store(numbers, shared.over, 1)
      killCommand()
    },
    line: () => Atomics.load(numbers, shared.line),
    end: () => {
      isDead = true
      killCommand()
      return worker.terminate()
    }
  }
}
