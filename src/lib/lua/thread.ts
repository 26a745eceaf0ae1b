/** The entry of a script's thread: takes its work, runs it in a fresh state, tells how it ended. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { type Answer, type Failed, type Output, overText, type Question, shared, type Start } from "./channel.ts"
import type { LuaState } from "./fengari.ts"
import type { Guard } from "./guard.ts"
import { type Border, install, placeOf, raiseHere } from "./host.ts"
import { newState, runSource } from "./state.ts"
import type { Surroundings } from "./surroundings.ts"

// What `startThread` gives, and nobody else starts this module.
const { isSandboxed, memory, names, port, work } = workerData as Start & { readonly port: MessagePort }
const numbers = new Int32Array(memory)

/** Output is sent along with the next question, or by itself when it is more than this, or older. */
const heldBytes = 8 * 1024
const heldTime = 100

let output: Array<Output> = []
let outputBytes = 0
let since = 0

/** Blocks until the host has answered. */
const exchange = (question: Question): Answer => {
  const before = Atomics.load(numbers, shared.answers)
  port.postMessage({ ...question, output })
  output = []
  outputBytes = 0
  Atomics.wait(numbers, shared.answers, before)
  for (;;) {
    const received: { readonly message: Answer } | undefined = receiveMessageOnPort(port)
    if (received !== undefined) return received.message
  }
}

const flush = (): void => {
  if (outputBytes > 0) exchange({ tag: "output" })
}

const write = (stream: Output["stream"], bytes: Uint8Array): void => {
  if (bytes.length === 0) return
  if (outputBytes === 0) since = performance.now()
  const last = output.at(-1)
  if (last !== undefined && last.stream === stream && last.bytes.length + bytes.length <= heldBytes) {
    output[output.length - 1] = { stream, bytes: Buffer.concat([last.bytes, bytes]) }
  } else output.push({ stream, bytes: bytes.slice() })
  outputBytes += bytes.length
  if (outputBytes > heldBytes) flush()
}

/** The place goes where it is seen when this thread has to be ended. */
const note = (L: LuaState): void => {
  const place = placeOf(L)
  if (place !== undefined) Atomics.store(numbers, shared.line, place.line)
}

const isOver = (): boolean => Atomics.load(numbers, shared.over) === 1

const guard: Guard = {
  check: (L) => {
    note(L)
    if (isOver()) raiseHere(L, overText)
    if (outputBytes > 0 && performance.now() - since > heldTime) flush()
  },
  charge: () => {}
}

const border: Border = {
  guard,
  ask: (L, question) => {
    note(L)
    return exchange(question)
  }
}

const surroundings: Surroundings = {
  guard,
  write,
  flush,
  exit: (status) => {
    // The host ends this thread and answers nothing.
    for (;;) exchange({ tag: "exit", status })
  },
  isSandboxed,
  environment: new Map(Object.entries(process.env).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]))
}

const fresh = (): LuaState => {
  const L = newState(surroundings)
  install(L, names, border)
  return L
}

const runScript = (source: Uint8Array): Failed | undefined => {
  const raised = runSource(fresh(), source)
  return raised === undefined ? undefined : { ...raised, isMemory: false }
}

port.postMessage({ tag: "ready" })
if (work.tag === "source") {
  const failed = runScript(work.source)
  exchange({ tag: "end", ...(failed === undefined ? {} : { failed }) })
}
