/** A thread that runs Lua: started, answered until its work is done, and gone afterwards, whatever happens. */
import { Cause, Data, Deferred, Effect, Exit, Fiber, Queue } from "effect"
import { type HostName, type HostNames, type LuaValue, tableOf } from "../../lib/lua/border.ts"
import { type Answer, type Failed, type Message, overText, type Work } from "../../lib/lua/channel.ts"
import { type Death, startThread, type Thread } from "../../lib/lua/spawn.ts"
import { tooManyFiles } from "../../lib/tooManyFiles.ts"
import { ScriptError, ScriptExit, type ScriptReason } from "../../schemas/ScriptError.ts"
import { Depth, type Host, type HostFunction, type Script } from "../LuaEngine.ts"

/** How long what the host does has to clean up once the script's time is over. */
const cleanUp = "400 millis"

/** Bytes that a thread of `parallel` may use at least. */
const leastMemory = 64 * 1024 * 1024

export interface Run<R> {
  readonly script: Script
  readonly host: Host<R>
  readonly functions: ReadonlyMap<HostName, HostFunction<R>>
  readonly names: HostNames
  /** The script runs. */
  readonly started: Deferred.Deferred<void>
  /** Its time is over. */
  readonly over: Deferred.Deferred<void>
  readonly threads: Set<Thread>
  /** What the host does and still cleans up. */
  readonly unfinished: Set<Fiber.Fiber<unknown, unknown>>
}

/** Bytes that all results of one call of `parallel` may have: the host keeps them until the last is there. */
const mostResults = 64 * 1024 * 1024

/** Bytes a script may use (faults, section 6). */
export const memoryLimit = 512 * 1024 * 1024

export const failure = <R>({ script }: Run<R>, reason: ScriptReason) => new ScriptError({ script: script.name, reason })

const broken = <R>(run: Run<R>, defect: unknown) =>
  failure(run, {
    _tag: "ScriptError",
    detail: defect instanceof Error ? defect.message : String(defect),
    defect
  })

/** Raised for a string longer than a script may make, before there is one (faults S03), and for bytecode (S09). */
const tooLong = "resulting string too large"
const bytecode = "attempt to load a binary chunk"

/** The failure that a job's end stands for: whatever ends a script whose time is over, its time did. */
export const ended = <R>(run: Run<R>, { message, traceback }: Failed, isMemory: boolean) => {
  const detail = traceback === "" ? message : `${message}\n${traceback}`
  if (Deferred.isDoneUnsafe(run.over)) return failure(run, { _tag: "ScriptTimeout", detail })
  if (isMemory || message.endsWith(tooLong)) return failure(run, { _tag: "ScriptMemory", detail })
  return failure(run, { _tag: message.includes(bytecode) ? "ScriptDenied" : "ScriptError", detail })
}

export const placed = (line: number, text: string): string => line === 0 ? text : `<string>:${line}: ${text}`

/** Asks what the host does to end, and waits a moment for it. */
const stop = <R>({ unfinished }: Run<R>, fiber: Fiber.Fiber<unknown, unknown>) =>
  Effect.gen(function*() {
    unfinished.add(fiber)
    yield* Effect.timeoutOption(Fiber.interrupt(fiber), cleanUp)
    if (fiber.pollUnsafe() !== undefined) unfinished.delete(fiber)
  })

/** How an effect of the host ends; nothing when the script's time is over before. */
const untilOver = <A, E, R>(
  run: Run<R>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Exit.Exit<A, E> | undefined, never, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      if (Deferred.isDoneUnsafe(run.over)) return undefined
      const fiber = yield* Effect.forkDetach(effect, { startImmediately: true })
      const done = fiber.pollUnsafe()
      if (done !== undefined) return done
      const exit = yield* restore(
        Effect.raceFirst(Fiber.await(fiber), Effect.as(Deferred.await(run.over), undefined))
      ).pipe(Effect.onInterrupt(() => Fiber.interrupt(fiber)))
      if (exit === undefined) yield* restore(stop(run, fiber))
      return exit
    })
  )

const overAnswer: Answer = { tag: "failure", failure: { message: overText } }

/** Runs a host function; a defect of it ends the script, which cannot catch it. */
const call = <R>(run: Run<R>, name: HostName, args: ReadonlyArray<LuaValue>): Effect.Effect<Answer, ScriptError, R> =>
  Effect.gen(function*() {
    const host = run.functions.get(name)
    if (host === undefined) return yield* broken(run, `the host has no function ${name}`)
    const exit = yield* untilOver(run, Effect.suspend(() => host.run(...args)))
    if (exit === undefined) return host.late === undefined ? overAnswer : { tag: "values", ...host.late }
    if (Exit.isSuccess(exit)) return { tag: "values", ...exit.value }
    const failed = exit.cause.reasons.find(Cause.isFailReason)
    if (failed !== undefined) return { tag: "failure", failure: failed.error }
    return yield* broken(run, Cause.squash(exit.cause))
  })

/** What a thread that cannot start says, or one that cannot read its modules (faults L16). */
const noFiles = /\bEMFILE\b|too many open files/

const died = <R>(run: Run<R>, thread: Thread, { detail, isMemory }: Death) => {
  if (isMemory) return failure(run, { _tag: "ScriptMemory", detail: placed(thread.line(), "not enough memory") })
  if (noFiles.test(detail)) return failure(run, { _tag: "FsIo", detail: `start script: ${tooManyFiles}` })
  return broken(run, detail)
}

const tooMuch: Failed = { message: "parallel: the results are too big", traceback: "" }

/** A call of `parallel` failed: the others end, and the script hears of it. */
class Raised extends Data.TaggedError("Raised")<{ readonly failed: Failed }> {}

/** Runs the calls of `parallel`, each of its threads one after the other. */
const calls = <R>(
  run: Run<R>,
  { atOnce, count, parcel }: Parallel
): Effect.Effect<ReadonlyArray<LuaValue>, ScriptError | ScriptExit | Raised, R> =>
  Effect.gen(function*() {
    const results: Array<LuaValue> = Array.from({ length: count })
    const limit = Math.max(leastMemory, Math.floor(memoryLimit / atOnce))
    let next = 0
    let bytes = 0
    const thread = Effect.suspend(() => {
      let index = next++
      if (index >= count) return Effect.void
      const work = { tag: "items", parcel, first: index } as const
      return serve<R, ScriptError | Raised>(run, work, limit, ({ failed, isMemory, size = 0, value }) => {
        if (failed !== undefined) return Effect.fail(isMemory ? ended(run, failed, true) : new Raised({ failed }))
        bytes += size
        if (bytes > mostResults) return Effect.fail(new Raised({ failed: tooMuch }))
        results[index] = value
        index = next++
        return Effect.succeed(index < count ? { tag: "item", index } as const : undefined)
      })
    })
    yield* Effect.forEach(Array.from({ length: atOnce }), () => thread, { concurrency: atOnce, discard: true })
    return results
  })

const spread = <R>(run: Run<R>, it: Parallel): Effect.Effect<Answer, ScriptError | ScriptExit, R> =>
  Effect.gen(function*() {
    const depth = yield* Depth
    const exit = yield* untilOver(run, Effect.provideService(calls(run, it), Depth, depth + 1))
    if (exit === undefined) return overAnswer
    if (Exit.isSuccess(exit)) return { tag: "values", values: [tableOf(exit.value)] }
    const failed = exit.cause.reasons.find(Cause.isFailReason)?.error
    if (failed === undefined) return yield* broken(run, Cause.squash(exit.cause))
    return failed._tag === "Raised" ? { tag: "raised", message: failed.failed.message } : yield* failed
  })

type Parallel = Extract<Message, { readonly tag: "parallel" }>
type Ending = Extract<Message, { readonly tag: "end" }>

/** The answer to a question of a thread; none when it is the end of its job. */
const answerTo = <R>(
  run: Run<R>,
  message: Exclude<Message, Ending | { readonly tag: "ready" }>
): Effect.Effect<Answer, ScriptError | ScriptExit, R> => {
  switch (message.tag) {
    case "call":
      return call(run, message.name, message.args)
    case "output":
      return Effect.succeed({ tag: "values", values: [] })
    case "exit":
      return Effect.fail(new ScriptExit({ status: message.status }))
    case "parallel":
      return spread(run, message)
  }
}

/** Starts a thread and answers it until `next` has no more work for it. The thread is gone in any case afterwards. */
export const serve = <R, E>(
  run: Run<R>,
  work: Work,
  limit: number,
  next: (ending: Ending) => Effect.Effect<Answer | undefined, E>
): Effect.Effect<void, E | ScriptError | ScriptExit, R> =>
  Effect.acquireUseRelease(
    Effect.gen(function*() {
      const messages = yield* Queue.unbounded<Message | Death>()
      const thread = startThread(
        { work, names: run.names, isSandboxed: run.script.isSandboxed, limit },
        (message) => void Queue.offerUnsafe(messages, message)
      )
      run.threads.add(thread)
      if (Deferred.isDoneUnsafe(run.over)) thread.setOver()
      return { messages, thread }
    }),
    Effect.fnUntraced(function*({ messages, thread }) {
      for (;;) {
        const message = yield* Queue.take(messages)
        if (message.tag === "death") return yield* died(run, thread, message)
        if (message.tag === "ready") {
          yield* Deferred.succeed(run.started, undefined)
          continue
        }
        for (const { bytes, stream } of message.output) yield* run.host.write(stream, bytes)
        const answer = message.tag === "end" ? yield* next(message) : yield* answerTo(run, message)
        if (answer === undefined) return
        yield* Effect.try({ try: () => thread.answer(answer), catch: (cause) => broken(run, cause) })
      }
    }),
    ({ thread }) => {
      run.threads.delete(thread)
      return Effect.promise(() => thread.end())
    }
  )
