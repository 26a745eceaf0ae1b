/** The entry of a script's thread: takes its work, runs it in a fresh state, tells how it ended. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { textOf } from "./arguments.ts"
import { type Baseline, baselineOf } from "./baseline.ts"
import {
  type Answer,
  type CommandQuestion,
  type Message,
  type Output,
  overText,
  type Question,
  shared,
  type Start
} from "./channel.ts"
import { bytesOf, lua, type LuaState } from "./fengari.ts"
import { giveBack, type Guard, makeGuard } from "./guard.ts"
import { type Border, install } from "./host.ts"
import { callFor, opened, parallel } from "./parallel.ts"
import { newState, runSource } from "./state.ts"
import type { Surroundings } from "./surroundings.ts"

// What `startThread` gives, and nobody else starts this module.
const { isSandboxed, limit, memory, names, port, work } = workerData as Start & { readonly port: MessagePort }
const numbers = new Int32Array(memory)

/** Output is sent along with the next question, or by itself when it is more than this, or older. */
const heldBytes = 8 * 1024
const heldTime = 100

let output: Array<Output> = []
let outputBytes = 0
let since = 0

/** Posts a question, and blocks until it is answered. */
const answerTo = <A>(question: Message | CommandQuestion): A => {
  const before = Atomics.load(numbers, shared.answers)
  port.postMessage(question)
  Atomics.wait(numbers, shared.answers, before)
  for (;;) {
    const received: { readonly message: A } | undefined = receiveMessageOnPort(port)
    if (received !== undefined) return received.message
  }
}

/** Blocks until the host has answered. */
const exchange = (question: Question): Answer => {
  const sent = { ...question, output }
  output = []
  outputBytes = 0
  return answerTo(sent)
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

/** The line of the script goes where it is seen when this thread has to be ended. */
const note = (L: LuaState): void => {
  const activation = new lua.lua_Debug()
  for (let level = 0; level < 20 && lua.lua_getstack(L, level, activation) !== 0; level++) {
    lua.lua_getinfo(L, bytesOf("Sl"), activation)
    if (activation.currentline > 0 && textOf(activation.short_src).startsWith("<string>")) {
      Atomics.store(numbers, shared.line, activation.currentline)
      return
    }
  }
}

const bounds = makeGuard({
  isOver: () => Atomics.load(numbers, shared.over) === 1 ? overText : undefined,
  memory: limit
})

/** Checks between two looks at the line. */
const looks = 16
let checked = 0

const guard: Guard = {
  check: (L) => {
    if (++checked % looks === 0) note(L)
    bounds.check(L)
    if (outputBytes > 0 && performance.now() - since > heldTime) flush()
  },
  charge: bounds.charge
}

const border: Border = {
  guard,
  ask: (L, question) => {
    note(L)
    return exchange(question)
  }
}

/** Open files of the state that runs. */
const releases = new Set<() => void>()

const release = (): void => {
  for (const it of releases) it()
  releases.clear()
}

const surroundings: Surroundings = {
  guard,
  releases,
  command: (command) => answerTo({ tag: "command", command }),
  write,
  flush,
  exit: (status) => {
    // The host ends this thread and answers nothing.
    for (;;) exchange({ tag: "exit", status })
  },
  isSandboxed,
  environment: new Map(Object.entries(process.env).flatMap(([key, value]) => value === undefined ? [] : [[key, value]]))
}

/** A state with everything that scripts find, and how it is before one runs in it. */
const fresh = (isNested: boolean): LuaState => {
  const L = newState(surroundings)
  install(L, names, border)
  let baseline: Baseline | undefined
  lua.lua_pushcfunction(L, parallel(border, surroundings.environment, () => baseline))
  lua.lua_setglobal(L, bytesOf("parallel"))
  if (!isNested) baseline = baselineOf(L)
  return L
}

const isMemory = (): boolean => bounds.end()?.reason === "memory"

/** What was made is gone when this returns. */
const ran = (source: Uint8Array) => {
  const L = fresh(false)
  // Its time begins here.
  port.postMessage({ tag: "ready" })
  const raised = runSource(L, source)
  return raised === undefined ? {} : { failed: raised }
}

const runScript = (source: Uint8Array): void => {
  const ending = ran(source)
  release()
  giveBack()
  exchange({ tag: "end", ...ending, isMemory: isMemory() })
}

const runItems = (bytes: Uint8Array, first: number): void => {
  const parcel = opened(bytes)
  for (let index = first;;) {
    surroundings.environment.clear()
    for (const [key, value] of parcel.environment) surroundings.environment.set(key, value)
    const called = callFor(fresh(true), guard, parcel, index)
    release()
    giveBack()
    const answer = exchange({ tag: "end", ...called, isMemory: isMemory() })
    if (answer.tag === "item") index = answer.index
  }
}

if (work.tag === "source") runScript(work.source)
else runItems(work.parcel, work.first)
