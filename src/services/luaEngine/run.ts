/** Runs a script: starts its thread, answers what it asks, and sees to it that it ends when its time is over. */
import { Cause, Deferred, Effect, Exit, Fiber, Queue } from "effect"
import type { HostAnswer, HostFailure, HostName, HostNames, LuaValue } from "../../lib/lua/border.ts"
import { type Answer, type Failed, type Message, overText, type Work } from "../../lib/lua/channel.ts"
import { type Death, startThread, type Thread } from "../../lib/lua/spawn.ts"
import { ScriptError, ScriptExit, type ScriptReason } from "../../schemas/ScriptError.ts"
import type { Host, HostFunction, Script } from "../LuaEngine.ts"

/** Bytes a script may use (faults, section 6). */
const memoryLimit = 512 * 1024 * 1024

/** How long a script may take to end by itself once its time is over, and a host function to clean up. */
const grace = "500 millis"
const cleanUp = "400 millis"

/** How long a thread may take to start before its time counts all the same. */
const startUp = "10 seconds"

interface Run<R> {
  readonly script: Script
  readonly host: Host<R>
  readonly functions: ReadonlyMap<HostName, HostFunction<R>>
  readonly names: HostNames
  /** The script runs. */
  readonly started: Deferred.Deferred<void>
  /** Its time is over. */
  readonly over: Deferred.Deferred<void>
  readonly threads: Set<Thread>
  /** Host functions that still clean up. */
  readonly unfinished: Set<Fiber.Fiber<HostAnswer, HostFailure>>
}

const namesOf = <R>({ functions, libraries }: Host<R>): HostNames => ({
  globals: Object.keys(functions),
  tables: Object.fromEntries(
    Object.entries(libraries).map(([kind, it]) => [kind, {
      functions: Object.keys(it.functions),
      methods: Object.keys(it.methods ?? {}),
      hasText: it.text !== undefined
    }])
  )
})

const functionsOf = <R>({ functions, libraries }: Host<R>): ReadonlyMap<HostName, HostFunction<R>> =>
  new Map([
    ...Object.entries(functions),
    ...Object.entries(libraries).flatMap(([kind, it]) => [
      ...Object.entries(it.functions).map(([name, f]) => [`${kind}.${name}`, f] as const),
      ...Object.entries(it.methods ?? {}).map(([name, f]) => [`${kind}:${name}`, f] as const),
      ...(it.text === undefined ? [] : [[`${kind}:__tostring`, it.text] as const])
    ])
  ])

const failure = <R>({ script }: Run<R>, reason: ScriptReason) => new ScriptError({ script: script.name, reason })

const broken = <R>(run: Run<R>, defect: unknown) =>
  failure(run, {
    _tag: "ScriptError",
    detail: defect instanceof Error ? defect.message : String(defect),
    defect
  })

/** The failure that a job's end stands for: whatever ends a script whose time is over, its time did. */
const ended = <R>(run: Run<R>, { isMemory, message, traceback }: Failed) =>
  failure(run, {
    _tag: Deferred.isDoneUnsafe(run.over) ? "ScriptTimeout" : isMemory ? "ScriptMemory" : "ScriptError",
    detail: traceback === "" ? message : `${message}\n${traceback}`
  })

const placed = (line: number, text: string): string => line === 0 ? text : `<string>:${line}: ${text}`

/** Asks a host function to end, and waits a moment for it. */
const stop = <R>({ unfinished }: Run<R>, fiber: Fiber.Fiber<HostAnswer, HostFailure>) =>
  Effect.gen(function*() {
    unfinished.add(fiber)
    yield* Effect.timeoutOption(Fiber.interrupt(fiber), cleanUp)
    if (fiber.pollUnsafe() !== undefined) unfinished.delete(fiber)
  })

/** How an effect of the host ends; nothing when the script's time is over before. */
const untilOver = <R>(
  run: Run<R>,
  effect: Effect.Effect<HostAnswer, HostFailure, R>
): Effect.Effect<Exit.Exit<HostAnswer, HostFailure> | undefined, never, R> =>
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

const died = <R>(run: Run<R>, thread: Thread, { detail, isMemory }: Death) =>
  isMemory
    ? failure(run, { _tag: "ScriptMemory", detail: placed(thread.line(), "not enough memory") })
    : broken(run, detail)

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
      return Effect.succeed({ tag: "raised", message: "parallel is not there yet" })
  }
}

/** Starts a thread and answers it until `next` has no more work for it. The thread is gone in any case afterwards. */
const serve = <R>(
  run: Run<R>,
  work: Work,
  limit: number,
  next: (ending: Ending) => Effect.Effect<Answer | undefined, ScriptError>
): Effect.Effect<void, ScriptError | ScriptExit, R> =>
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

/** Ends when the script's time has been over for a while: by then it should have ended by itself. */
const deadline = <R>(run: Run<R>): Effect.Effect<never, ScriptError> =>
  Effect.gen(function*() {
    yield* Effect.raceFirst(Deferred.await(run.started), Effect.sleep(startUp))
    yield* Effect.sleep(run.script.timeout)
    for (const thread of run.threads) thread.setOver()
    yield* Deferred.succeed(run.over, undefined)
    yield* Effect.sleep(grace)
    const [thread] = run.threads
    return yield* failure(run, { _tag: "ScriptTimeout", detail: placed(thread?.line() ?? 0, overText) })
  })

/** What `LuaEngine.run` promises. */
export const run = <R>(script: Script, host: Host<R>): Effect.Effect<void, ScriptError | ScriptExit, R> =>
  Effect.gen(function*() {
    const run: Run<R> = {
      script,
      host,
      functions: functionsOf(host),
      names: namesOf(host),
      started: yield* Deferred.make<void>(),
      over: yield* Deferred.make<void>(),
      threads: new Set(),
      unfinished: new Set()
    }
    const work: Work = { tag: "source", source: script.source }
    const served = serve(
      run,
      work,
      memoryLimit,
      ({ failed }) => failed === undefined ? Effect.succeed(undefined) : Effect.fail(ended(run, failed))
    )
    yield* (script.timeout === 0 ? served : Effect.raceFirst(served, deadline(run))).pipe(
      Effect.ensuring(Effect.suspend(() => Effect.timeoutOption(Fiber.awaitAll(run.unfinished), cleanUp)))
    )
  })
