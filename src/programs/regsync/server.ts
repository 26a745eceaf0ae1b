/** `regsync server`: every entry by its schedule, until a signal ends it (regsync description, 10.4). */
import { Context, Effect, Layer } from "effect"
import type { Formatter } from "../../services/Formatter.ts"
import { Progress } from "../../services/Progress.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { Arrivals, Sent } from "../copy/sent.ts"
import { serve } from "../daemon/serving.ts"
import { listeningAt, showAs } from "../daemon/status.ts"
import { load } from "./load.ts"
import { runJobs } from "./run.ts"
import { Shared } from "./shared.ts"
import { tending } from "./tending.ts"

interface Input {
  readonly abortOnError: boolean
  readonly config: string
  /** Empty: what the file says. */
  readonly listen: string
  readonly strict: boolean
}

/** Fails with what went wrong in all its life, each text once; a signal is no failure. */
export const run = Effect.fn("regsync server")(
  function*({ abortOnError, config, listen, strict }: Input) {
    const shared = yield* Shared
    const context = yield* Effect.context<Formatter | Progress | Shared | SyncEvents>()
    // A run is begun with its place.
    const entered = Context.add(context, Shared, Shared.of({ ...shared, working: (it) => it }))
    yield* serve({
      ...tending,
      file: config,
      entering: shared.working,
      abortOnError,
      load: Effect.map(load(config, { strict }), (loaded) => listeningAt(loaded, listen)),
      show: showAs("regsync"),
      resize: (parallel) => {
        const concurrent = Math.max(1, parallel)
        const told = Effect.annotateLogs(Effect.logDebug("Configuring parallel settings"), { concurrent })
        return Effect.andThen(told, shared.resize(concurrent))
      },
      perform: ({ action, client, isWanted, job }) =>
        Effect.suspend(() =>
          runJobs([job], {
            action,
            parallel: 0,
            abortOnError,
            isQuiet: true,
            each: () => isWanted() ? Effect.void : Effect.interrupt
          }).pipe(
            Effect.flatMap(({ failure }) => failure === undefined ? Effect.void : Effect.fail(failure)),
            Effect.provideService(Sent, new Arrivals()),
            Effect.provideContext(Context.merge(entered, client))
          )
        )
    })
  },
  Effect.provide(Layer.mergeAll(Progress.layerSilent, Scheduler.layer, Shared.layer(1), SyncEvents.layer))
)
