/** Runs a script: its thread, its time. */
import { Deferred, Effect, Fiber } from "effect"
import type { HostName, HostNames } from "../../lib/lua/border.ts"
import { overText } from "../../lib/lua/channel.ts"
import type { ScriptError, ScriptExit } from "../../schemas/ScriptError.ts"
import type { Host, HostFunction, Script } from "../LuaEngine.ts"
import { ended, failure, memoryLimit, placed, type Run, serve } from "./serve.ts"

/** How long a script may take to end by itself once its time is over, and then what the host still cleans up. */
const grace = "500 millis"
const cleanUp = "400 millis"

/** How long a thread may take to start before its time counts all the same. */
const startUp = "10 seconds"

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
    const served = serve(
      run,
      { tag: "source", source: script.source },
      memoryLimit,
      ({ failed, isMemory }) =>
        failed === undefined ? Effect.succeed(undefined) : Effect.fail(ended(run, failed, isMemory))
    )
    yield* (script.timeout === 0 ? served : Effect.raceFirst(served, deadline(run))).pipe(
      Effect.ensuring(Effect.suspend(() => Effect.timeoutOption(Fiber.awaitAll(run.unfinished), cleanUp)))
    )
  })
