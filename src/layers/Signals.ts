/** Signals of this process. */
import { Effect, Layer, Queue, Stream } from "effect"
import { onSignal } from "../lib/signals.ts"
import { Signals } from "../services/Signals.ts"

export const signals = Layer.succeed(
  Signals,
  Signals.of({
    on: Effect.fnUntraced(function*(signal) {
      const arrived = yield* Queue.sliding<void>(1)
      yield* Effect.acquireRelease(
        Effect.sync(() => onSignal(signal, () => void Queue.offerUnsafe(arrived, undefined))),
        (silence) => Effect.sync(silence)
      )
      return Stream.fromQueue(arrived)
    })
  })
)
