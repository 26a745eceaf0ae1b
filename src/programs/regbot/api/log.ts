/** `log(message)` (regbot description, 7.1). */
import { Effect } from "effect"
import { cut } from "../../../lib/visibleText.ts"
import type { HostFunction } from "../../../services/LuaEngine.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { textArgument } from "./arguments.ts"
import { nothing } from "./failures.ts"
import { info } from "./logged.ts"

/** Characters of a message that are printed (faults S13). */
const longest = 10_000

export const log: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const message = yield* textArgument(args[0], 1)
      const { mayLog, script } = yield* ScriptRun
      switch (mayLog()) {
        case "yes":
          yield* info("User script message", { message: cut(message, longest) })
          break
        case "last":
          yield* Effect.annotateLogs(
            Effect.logWarning("Too many messages, further ones of this run are not printed"),
            { script }
          )
          break
        case "no":
      }
      return nothing
    })
}
