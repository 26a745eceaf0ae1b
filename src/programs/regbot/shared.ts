/** What all runs of scripts of one process share: places for their threads, and places for what moves content. */
import { Context, Effect, Layer, Semaphore } from "effect"
import { Depth } from "../../services/LuaEngine.ts"

/** Scripts at work at once: each has a thread and a heap of its own. */
export const threads = 32

export class Shared extends Context.Service<Shared, {
  /** Holds one of the places for scripts at work; who came first goes first. */
  readonly working: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Holds one of the places for copies; inside `parallel` its own count bounds them (regbot description, 4.5). */
  readonly throttled: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** A new number of places for copies; those at work keep theirs. */
  readonly resize: (parallel: number) => Effect.Effect<void>
}>()("regclient/programs/regbot/Shared") {
  /** With `parallel` places for copies, one at least. */
  static readonly layer = (parallel: number): Layer.Layer<Shared> =>
    Layer.sync(Shared, () => {
      const copies = Semaphore.makeUnsafe(Math.max(1, parallel))
      return Shared.of({
        working: Semaphore.makeUnsafe(threads).withPermit,
        throttled: (effect) => Effect.flatMap(Depth, (depth) => depth > 0 ? effect : copies.withPermit(effect)),
        resize: (parallel) => copies.resize(Math.max(1, parallel))
      })
    })
}
