/** Where the events of a copy go: a terminal's bars, or nowhere. */
import { Context, Effect, Layer, Stream } from "effect"
import type { CopyEvent } from "../schemas/Copy.ts"

export class Progress extends Context.Service<Progress, {
  /** Runs the copy and shows how it goes. */
  readonly report: <E, R>(events: Stream.Stream<CopyEvent, E, R>) => Effect.Effect<void, E, R>
}>()("regclient/services/Progress") {
  static readonly layerSilent = Layer.succeed(Progress, Progress.of({ report: (events) => Stream.runDrain(events) }))
}

/**
 * Lines shown above the summary, made anew for each frame at a time in milliseconds since 1970: for work that is more
 * than its copies. While there are none to come, nothing is shown at all.
 */
export const MoreLines = Context.Reference<(now: number) => ReadonlyArray<string> | undefined>(
  "regclient/services/Progress/MoreLines",
  { defaultValue: () => () => [] }
)

/** Takes away what a terminal shows of the work, before something else is written there; it is drawn again by and by. */
export const Clearing = Context.Reference<Effect.Effect<void>>("regclient/services/Progress/Clearing", {
  defaultValue: () => Effect.void
})
