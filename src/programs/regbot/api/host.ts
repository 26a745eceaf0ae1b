/** What scripts can call. */
import { Effect, Stdio, Stream } from "effect"
import type { Host } from "../../../services/LuaEngine.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { textArgument } from "./arguments.ts"

export const hostOf: Host<ScriptRun | Stdio.Stdio> = {
  functions: {
    log: {
      run: (message) =>
        Effect.gen(function*() {
          const { script } = yield* ScriptRun
          const text = yield* textArgument(message, 1)
          yield* Effect.annotateLogs(Effect.logInfo("User script message"), { script, message: text })
          return { values: [] }
        })
    }
  },
  libraries: {},
  write: (stream, bytes) =>
    Effect.gen(function*() {
      const stdio = yield* Stdio.Stdio
      yield* Effect.ignore(Stream.run(Stream.make(bytes), stdio[stream]({ endOnDone: false })))
    })
}
