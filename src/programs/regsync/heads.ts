/** What sources are now: asked for once a run, however many entries name one. */
import { Clock, Context, Deferred, Effect, Exit } from "effect"
import { Recent } from "../../lib/recent.ts"
import { commonName, type Location, locationName, type Ref, referenceOf } from "../../schemas/Ref.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { Head, ReadonlyRepository } from "../../services/Repository.ts"

/** Milliseconds for which a look counts: copies since then may have taken their time. */
export const freshness = 60_000

/** Heads of sources kept of a run. */
const heads = 4_096

interface Asked {
  /** None when the one who asked got no answer. */
  readonly head: Deferred.Deferred<Head | undefined>
  /** Milliseconds since 1970. */
  readonly time: number
}

/**
 * What a run was told of its sources: however many entries name one, it is asked for once. One that the run writes to
 * itself is asked for each time: the next entry has to see what this one brought.
 */
export class SourceHeads {
  private readonly asked = new Recent<Asked>(heads)
  private readonly written = new Set<string>()

  /** To be called before something is written there. */
  writes(location: Location): void {
    this.written.add(locationName(location))
  }

  /** The head, and when it was asked for. */
  of(from: ReadonlyRepository, source: Ref): Effect.Effect<{ readonly head: Head; readonly time: number }, StoreError> {
    const key = commonName(source)
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const other = this.written.has(locationName(source.location)) ? undefined : this.asked.get(key)
      if (other !== undefined && now - other.time <= freshness) {
        return Effect.flatMap(
          Deferred.await(other.head),
          (head) => head === undefined ? this.of(from, source) : Effect.succeed({ head, time: other.time })
        )
      }
      const own: Asked = { head: Deferred.makeUnsafe(), time: now }
      this.asked.set(key, own)
      return Effect.map(
        Effect.onExit(from.resolve(referenceOf(source)), (exit) => {
          if (Exit.isFailure(exit)) this.asked.drop((it) => it === key)
          return Deferred.succeed(own.head, Exit.isSuccess(exit) ? exit.value : undefined)
        }),
        (head) => ({ head, time: now })
      )
    })
  }
}

/** None: everybody asks for himself. */
export const RunHeads = Context.Reference<SourceHeads | undefined>("regclient/programs/regsync/RunHeads", {
  defaultValue: () => undefined
})

/** The head of a source, and when it was asked for. */
export const sourceHead = (from: ReadonlyRepository, source: Ref) =>
  Effect.flatMap(RunHeads, (known) => (known ?? new SourceHeads()).of(from, source))
