/** Scripts on their schedules in a daemon, each run with the client of its time (regbot description, 4.2). */
import { Context, Effect } from "effect"
import type { Scope } from "effect"
import { ScriptsFailed } from "../../schemas/ScriptError.ts"
import type { ServerSettings } from "../../schemas/ServerSettings.ts"
import type { Client } from "../../services/Clients.ts"
import { dryClient } from "../../services/repository/dryRun.ts"
import type { Daemon } from "../daemon/daemon.ts"
import { serve } from "../daemon/serving.ts"
import { type Loaded, named } from "./load.ts"
import { runScript } from "./runScript.ts"
import { Shared } from "./shared.ts"
import { tending } from "./tending.ts"

interface Failure {
  readonly message: string
}

export interface ServeScriptsOptions<R, S> {
  /** Names the configuration in the log; `-` is standard input. */
  readonly file: string
  readonly isDry: boolean
  readonly load: Effect.Effect<Loaded, Failure, R>
  readonly show: (
    settings: ServerSettings,
    daemon: Pick<Daemon, "runNow">
  ) => Effect.Effect<void, Failure, S | Scope.Scope>
}

/**
 * Fails with what went wrong in all its life, each text once, runs that its end cut short among it; with the status
 * that a script ended it with.
 */
export const serveScripts = Effect.fnUntraced(function*<R, S>({ file, isDry, load, show }: ServeScriptsOptions<R, S>) {
  const shared = yield* Shared
  const context = yield* Effect.context<
    Exclude<Effect.Services<ReturnType<typeof runScript | typeof dryClient>>, Client | Scope.Scope>
  >()
  yield* serve({
    ...tending,
    file,
    abortOnError: false,
    entering: shared.working,
    load,
    show,
    resize: (parallel) => {
      const concurrent = Math.max(1, parallel)
      const told = Effect.annotateLogs(Effect.logDebug("Configuring parallel settings"), { concurrent })
      return Effect.andThen(told, shared.resize(concurrent))
    },
    perform: ({ client, job }) =>
      Effect.gen(function*() {
        // Of a dry run the next one knows nothing.
        const own = isDry ? yield* dryClient(client) : client
        yield* Effect.provideContext(runScript(job, isDry), Context.merge(context, own))
      }).pipe(
        Effect.catchTag(
          "ScriptError",
          ({ message, reason }) => Effect.fail(new ScriptsFailed({ messages: [named(job, message)], reason }))
        ),
        Effect.provideContext(context),
        Effect.scoped
      )
  })
})
