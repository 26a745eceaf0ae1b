/** What a synchronisation tells as it goes. Reports, metrics, progress and the status page listen, or nobody does. */
import { Context, Effect, Layer, PubSub, Stream } from "effect"
import type { SyncEvent } from "../schemas/Sync.ts"

export class SyncEvents extends Context.Service<SyncEvents, {
  readonly publish: (event: SyncEvent) => Effect.Effect<void>
  /** From now on; a listener that is 4,096 events behind misses the oldest. */
  readonly stream: Stream.Stream<SyncEvent>
}>()("regclient/services/SyncEvents") {
  static readonly layer = Layer.effect(
    SyncEvents,
    Effect.gen(function*() {
      const hub = yield* PubSub.sliding<SyncEvent>(4096)
      return SyncEvents.of({
        publish: (event) => Effect.asVoid(PubSub.publish(hub, event)),
        stream: Stream.fromPubSub(hub)
      })
    })
  )
}
