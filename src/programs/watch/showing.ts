/** A run whose copies a terminal shows as one, with a line for each image at work. */
import { Effect, Stream } from "effect"
import { MoreLines } from "../../services/Progress.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { together } from "../copy/together.ts"
import { ShownRun } from "./shownRun.ts"

/** Runs what copies and publishes events of it. */
export const showing = <A, E, R>(run: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { stream } = yield* SyncEvents
    const images = new ShownRun()
    yield* Effect.forkScoped(Stream.runForEach(stream, (event) => Effect.sync(() => images.note(event))), {
      startImmediately: true
    })
    return yield* Effect.provideService(together(run), MoreLines, (now) =>
      images.hasBegun ? images.lines(now) : undefined)
  }).pipe(Effect.scoped)
