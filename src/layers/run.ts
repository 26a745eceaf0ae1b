/** Runs a tool on this machine: the layers a command needs are loaded when it needs them. */
import { Effect } from "effect"
import { build } from "../lib/build.ts"
import type { Tool } from "../programs/cli/command.ts"
import { main } from "../programs/cli/main.ts"
import { ToolName } from "../services/UserAgent.ts"
import * as Logging from "./Logging.ts"
import { traced } from "./traced.ts"

/** The exit status of the tool for these arguments. An abort asks it to end. */
export const run = (tool: Tool, args: ReadonlyArray<string>, stop: AbortSignal): Promise<number> =>
  Effect.runPromise(
    main(tool, {
      logging: Logging.layer,
      local: () => import("./Local.ts").then(({ local }) => local),
      everything: () => import("./Live.ts").then(({ live }) => live),
      stop: aborted(stop)
    })(args).pipe(
      traced(tool.root.name),
      Effect.provideService(ToolName, `regclient/${tool.root.name} (${build.tag || build.commit})`)
    )
  )

const aborted = (signal: AbortSignal): Effect.Effect<"signal" | "closed"> =>
  Effect.callback((resume) => {
    const end = () => resume(Effect.succeed(signal.reason === "closed" ? "closed" : "signal"))
    if (signal.aborted) end()
    else signal.addEventListener("abort", end, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", end))
  })
