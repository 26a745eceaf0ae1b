/** What scripts can call. */
import { Effect, type Stdio } from "effect"
import type { Host } from "../../../services/LuaEngine.ts"
import { writeOutput } from "../output.ts"
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
  write: writeOutput
}
