/** Scripts run by the real engine, with host functions that tests bring along. */
import { Cause, Deferred, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import type { HostAnswer, LuaValue } from "../../src/lib/lua/border.ts"
import type { ScriptError, ScriptExit } from "../../src/schemas/ScriptError.ts"
import { type Host, type HostFunction, LuaEngine, type Script } from "../../src/services/LuaEngine.ts"

export interface Ran {
  readonly exit: Exit.Exit<void, ScriptError | ScriptExit>
  /** What `say` was told, in order. */
  readonly said: ReadonlyArray<ReadonlyArray<LuaValue>>
  readonly stdout: string
  readonly stderr: string
}

const encoder = new TextEncoder()

/** Runs a source with the function `say` and whatever else is given. */
export const runScript = <R = never>(
  source: string,
  host: Partial<Host<R>> = {},
  script: Partial<Script> = {}
): Effect.Effect<Ran, never, R> =>
  Effect.gen(function*() {
    const { run } = yield* LuaEngine
    const said: Array<ReadonlyArray<LuaValue>> = []
    const written = { stdout: "", stderr: "" }
    const say: HostFunction<R> = { run: (...args) => Effect.sync(() => (said.push(args), { values: [] })) }
    const exit = yield* Effect.exit(
      run<R>({ name: "test", source: encoder.encode(source), timeout: 0, isSandboxed: false, ...script }, {
        libraries: {},
        write: (stream, bytes) => Effect.sync(() => void (written[stream] += new TextDecoder().decode(bytes))),
        ...host,
        functions: { say, ...host.functions }
      })
    )
    return { exit, said, ...written }
  }).pipe(Effect.provide(LuaEngine.layer))

/** A host function over plain values. */
export const plain = (f: (...args: ReadonlyArray<LuaValue>) => ReadonlyArray<LuaValue>): HostFunction<never> => ({
  run: (...args) => Effect.sync(() => ({ values: f(...args) }))
})

/** A host function that fails with a text. */
export const failing = (message: string, argument?: number): HostFunction<never> => ({
  run: () => Effect.fail(argument === undefined ? { message } : { message, argument })
})

/** Tag and first line of what a script failed with. */
export const failureOf = (exit: Ran["exit"]): string => {
  if (Exit.isSuccess(exit)) return "succeeded"
  const failed = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (failed?._tag === "ScriptExit") return `exit ${failed.status}`
  return failed === undefined
    ? String(Cause.squash(exit.cause))
    : `${failed.reason._tag}: ${failed.message.split("\n")[0]}`
}

interface Going {
  /** What `go` does then; it gives nothing back unless given. */
  readonly rest?: Effect.Effect<HostAnswer>
  readonly late?: HostAnswer
  readonly functions?: Host<never>["functions"]
}

/**
 * A script whose time is over once it calls `go`, and not before: it has a minute that only the test's clock counts. As
 * that clock stands still afterwards, a script that has to be ended from outside is waited for until the test fails.
 */
export const overAfterGo = (
  source: string,
  { functions = {}, late, rest = Effect.succeed({ values: [] }) }: Going = {}
) =>
  Effect.gen(function*() {
    const going = yield* Deferred.make<void>()
    // Whoever counts the time has begun by then.
    const begun = Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 50 }), Deferred.succeed(going, undefined))
    const go = { run: () => Effect.andThen(begun, rest), ...(late === undefined ? {} : { late }) }
    const script = yield* Effect.forkChild(runScript(source, { functions: { go, ...functions } }, { timeout: 60_000 }))
    yield* Deferred.await(going)
    yield* TestClock.adjust("1 minute")
    return script
  })
