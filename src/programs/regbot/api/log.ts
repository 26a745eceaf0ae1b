/** `log(message)` (regbot description, 7.1). */
import { Effect } from "effect"
import { cut } from "../../../lib/visibleText.ts"
import type { HostFunction } from "../../../services/LuaEngine.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { textArgument } from "./arguments.ts"
import { nothing } from "./failures.ts"

/** Characters of a message that are printed (faults S13). */
const longest = 10_000

export const log: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const message = yield* textArgument(args[0], 1)
      const { mayLog, script } = yield* ScriptRun
      const told = Effect.annotateLogs({ script })
      switch (mayLog()) {
        case "yes":
          yield* Effect.logInfo("User script message").pipe(
            Effect.annotateLogs({ message: cut(message, longest) }),
            told
          )
          break
        case "last":
          yield* told(Effect.logWarning("Too many messages, further ones of this run are not printed"))
          break
        case "no":
      }
      return nothing
    })
}
