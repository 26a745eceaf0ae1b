/** Runs that write images: places in memory, tars on disk, what is published kept; a dry run over places that refuse. */
import { Context, Effect, Layer, Scope, Stream } from "effect"
import { platform } from "../../../../src/layers/Platform.ts"
import { ScriptRun } from "../../../../src/programs/regbot/ScriptRun.ts"
import type { SyncEvent } from "../../../../src/schemas/Sync.ts"
import { Archive } from "../../../../src/services/Archive.ts"
import { Progress } from "../../../../src/services/Progress.ts"
import { RateLimiter } from "../../../../src/services/RateLimiter.ts"
import { Repositories } from "../../../../src/services/Repositories.ts"
import { SyncEvents } from "../../../../src/services/SyncEvents.ts"
import { dryOver } from "../../../support/dryRuns.ts"
import { scriptRuns } from "../../../support/scriptRuns.ts"

const unlimited = RateLimiter.of({
  admit: () => (effect) => effect,
  enter: () => Effect.void,
  spare: () => () => Effect.succeedNone,
  observe: () => Effect.void,
  quota: () => Effect.succeedNone
})

export const imageRuns = (options: { readonly isDry?: boolean; readonly isSandboxed?: boolean } = {}) => {
  const runs = scriptRuns(options)
  const published: Array<SyncEvent> = []
  const events = SyncEvents.of({
    publish: (event) => Effect.sync(() => void published.push(event)),
    stream: Stream.empty
  })
  /** Archives are read from disk, everything else is in memory. */
  const places = Layer.effect(
    Repositories,
    Effect.gen(function*() {
      const memory = yield* Repositories
      const archive = yield* Archive
      return Repositories.of({
        open: (location) => location._tag === "Archive" ? archive.open(location) : memory.open(location)
      })
    })
  )
  const dry = Layer.effectContext(Effect.gen(function*() {
    const run = yield* ScriptRun
    const scope = yield* Scope.Scope
    const repositories = yield* dryOver((yield* Repositories).open)
    const open: ScriptRun["Service"]["open"] = (location) => Scope.provide(repositories.open(location), scope)
    return Context.make(ScriptRun, ScriptRun.of({ ...run, open })).pipe(Context.add(Repositories, repositories))
  }))
  const real = places.pipe(
    Layer.provideMerge(Archive.layer),
    Layer.provideMerge(Layer.mergeAll(
      platform,
      runs.layer,
      Progress.layerSilent,
      Layer.succeed(SyncEvents, events),
      Layer.succeed(RateLimiter, unlimited)
    ))
  )
  const layer = options.isDry === true ? dry.pipe(Layer.provideMerge(real)) : real
  return { ...runs, layer, published }
}
