/** `regbot server`: every script by its schedule, until a signal ends it (regbot description, 4.2). */
import { Effect, Layer } from "effect"
import { Progress } from "../../services/Progress.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { listeningAt, showAs } from "../daemon/status.ts"
import { load } from "./load.ts"
import { serveScripts } from "./serveScripts.ts"
import { Shared } from "./shared.ts"

interface Input {
  readonly config: string
  readonly dryRun: boolean
  /** Empty: what the file says. */
  readonly listen: string
  readonly sandbox: boolean
  readonly strict: boolean
}

export const run = Effect.fn("regbot server")(
  function*({ config, dryRun, listen, sandbox, strict }: Input) {
    yield* serveScripts({
      file: config,
      isDry: dryRun,
      load: Effect.map(load(config, { strict, sandbox }), (loaded) => listeningAt(loaded, listen)),
      show: showAs("regbot")
    })
  },
  Effect.provide(
    Layer.mergeAll(Progress.layerSilent, Scheduler.layer, Shared.layer(1), SyncEvents.layer)
  )
)
