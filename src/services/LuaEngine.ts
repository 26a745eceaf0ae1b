/**
 * Runs Lua scripts whose host functions are Effects.
 *
 * A script has a thread of its own. A host function posts its arguments and blocks there until the engine has run the
 * Effect and posted the answer: Lua sees a plain call, wherever it comes from, and interrupting the fiber ends the
 * thread, whatever it is doing.
 */
import { Context, Effect, Layer } from "effect"
import type { HostAnswer, HostFailure, LuaValue } from "../lib/lua/border.ts"
import type { ScriptError, ScriptExit } from "../schemas/ScriptError.ts"

export interface Script {
  readonly name: string
  /** Source text; bytecode is refused. */
  readonly source: Uint8Array
  /** Milliseconds it may run; 0 for as long as it likes. */
  readonly timeout: number
  readonly isSandboxed: boolean
}

export interface HostFunction<R> {
  /** Once the script's time is over it is interrupted, and not called any more. */
  readonly run: (...args: ReadonlyArray<LuaValue>) => Effect.Effect<HostAnswer, HostFailure, R>
  /** Its answer when the time is over while it runs; an error otherwise. */
  readonly late?: HostAnswer
}

/** A global table of functions, and the methods of objects of its name, which get the object as their first argument. */
export interface Library<R> {
  readonly functions: Readonly<Record<string, HostFunction<R>>>
  readonly methods?: Readonly<Record<string, HostFunction<R>>>
  /** `tostring` of its objects. */
  readonly text?: HostFunction<R>
}

export interface Host<R> {
  /** Global functions. */
  readonly functions: Readonly<Record<string, HostFunction<R>>>
  readonly libraries: Readonly<Record<string, Library<R>>>
  /** Output of the script, in its order. */
  readonly write: (stream: "stdout" | "stderr", bytes: Uint8Array) => Effect.Effect<void, never, R>
}

/** How many calls of `parallel` enclose a host call: what they run has a place of its own. */
export const Depth = Context.Reference<number>("regclient/services/LuaEngine/Depth", { defaultValue: () => 0 })

export class LuaEngine extends Context.Service<LuaEngine, {
  /**
   * Fails with what the script raised and did not catch, its time, its memory; with `ScriptExit` when it asked for the
   * end of the process. Host functions at work are interrupted first. Interrupted, the script ends at once.
   */
  readonly run: <R>(script: Script, host: Host<R>) => Effect.Effect<void, ScriptError | ScriptExit, R>
}>()("regclient/services/LuaEngine") {
  /** What runs scripts is loaded with the first of them. */
  static readonly layer = Layer.succeed(
    LuaEngine,
    LuaEngine.of({
      run: (script, host) =>
        Effect.flatMap(Effect.promise(() => import("./luaEngine/run.ts")), ({ run }) => run(script, host))
    })
  )
}
