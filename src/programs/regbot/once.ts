/** `regbot once`: every script once, whatever its schedule (regbot description, 4.1). */
import { Effect, Layer } from "effect"
import { Clients } from "../../services/Clients.ts"
import { dryClient } from "../../services/repository/dryRun.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { showing } from "../watch/showing.ts"
import { load } from "./load.ts"
import { runScripts } from "./runScripts.ts"
import { Shared } from "./shared.ts"

interface Input {
  readonly config: string
  readonly dryRun: boolean
  readonly sandbox: boolean
  readonly strict: boolean
}

/** Fails with what all scripts failed with, or with the status that one ended the run with. */
export const run = Effect.fn("regbot once")(function*({ config, dryRun, sandbox, strict }: Input) {
  const { client, jobs, parallel } = yield* load(config, { strict, sandbox })
  yield* Effect.annotateLogs(Effect.logDebug("Configuring parallel settings"), { concurrent: Math.max(1, parallel) })
  const { open } = yield* Clients
  const opened = yield* open(client)
  // All scripts see what each of them would have written.
  const context = dryRun ? yield* dryClient(opened) : opened
  yield* showing(runScripts(jobs, { parallel, isDry: dryRun })).pipe(
    Effect.provide(Layer.mergeAll(SyncEvents.layer, Shared.layer(parallel))),
    Effect.provideContext(context)
  )
}, Effect.scoped)
