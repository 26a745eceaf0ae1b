/** What copies that run together know of each other's blobs. */
import { Context, Deferred, Effect, Exit } from "effect"
import type { How } from "../../schemas/Copy.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { isSameLocation, type Location, locationName } from "../../schemas/Ref.ts"

/** A blob's way to a place, begun or over. */
interface Arrival {
  readonly place: Location
  /** Whether it got there; of one on its way it is not known yet. */
  readonly outcome: Deferred.Deferred<boolean>
  isOver: boolean
}

/** Arrivals remembered of a run, about 300 bytes each; of more, those that ended first are forgotten. */
const most = 100_000

/** The blobs of copies that run together. */
export class Arrivals {
  private readonly byPlace = new Map<string, Arrival>()
  /** One for each blob that a registry got or had, in whichever repository. */
  private readonly byRegistry = new Map<string, Arrival>()

  at(place: Location, digest: Digest): Arrival | undefined {
    return this.byPlace.get(placeKey(place, digest))
  }

  /** At another repository of the same registry, from which the blob can be mounted. */
  elsewhere(place: Location, digest: Digest): Arrival | undefined {
    const key = registryKey(place, digest)
    const found = key === undefined ? undefined : this.byRegistry.get(key)
    return found === undefined || isSameLocation(found.place, place) ? undefined : found
  }

  begin(place: Location, digest: Digest): Arrival {
    const arrival: Arrival = { place, outcome: Deferred.makeUnsafe(), isOver: false }
    keep(this.byPlace, placeKey(place, digest), arrival)
    return arrival
  }

  /** From now on who needs the blob elsewhere in the registry waits for this one. */
  lead(digest: Digest, arrival: Arrival): void {
    const key = registryKey(arrival.place, digest)
    if (key !== undefined) keep(this.byRegistry, key, arrival)
  }

  end(digest: Digest, arrival: Arrival, isThere: boolean): Effect.Effect<boolean> {
    arrival.isOver = true
    if (!isThere) {
      drop(this.byPlace, placeKey(arrival.place, digest), arrival)
      const key = registryKey(arrival.place, digest)
      if (key !== undefined) drop(this.byRegistry, key, arrival)
    }
    return Deferred.succeed(arrival.outcome, isThere)
  }
}

const placeKey = (place: Location, digest: Digest): string => `${locationName(place)} ${digest}`

const registryKey = (place: Location, digest: Digest): string | undefined =>
  place._tag === "Registry" ? `${place.registry} ${digest}` : undefined

const keep = (arrivals: Map<string, Arrival>, key: string, arrival: Arrival): void => {
  arrivals.set(key, arrival)
  if (arrivals.size <= most) return
  for (const [old, { isOver }] of arrivals) if (isOver) return void arrivals.delete(old)
}

const drop = (arrivals: Map<string, Arrival>, key: string, arrival: Arrival): void => {
  if (arrivals.get(key) === arrival) arrivals.delete(key)
}

/** None: a copy on its own. */
export const Sent = Context.Reference<Arrivals | undefined>(
  "regclient/programs/copy/Sent",
  { defaultValue: () => undefined }
)

/**
 * Moves a blob unless another copy does or did; when that one failed, whoever comes first tries again. `move` is told
 * where the same registry has the blob by now: what one image brought is mounted for the next.
 */
export const once = <E, R>(
  to: Location,
  digest: Digest,
  move: (mountable: Location | undefined) => Effect.Effect<How | "missing", E, R>
): Effect.Effect<How | "missing", E, R> =>
  Effect.flatMap(Sent, (sent) => {
    if (sent === undefined) return move(undefined)
    const attempt: Effect.Effect<How | "missing", E, R> = Effect.suspend(() => {
      const other = sent.at(to, digest)
      if (other !== undefined) {
        return Effect.flatMap(Deferred.await(other.outcome), (isThere) => isThere ? Effect.succeed("present") : attempt)
      }
      const own = sent.begin(to, digest)
      return Effect.onExit(
        Effect.flatMap(mountable(sent, own, digest), move),
        (exit) => sent.end(digest, own, Exit.isSuccess(exit) && exit.value !== "missing")
      )
    })
    return attempt
  })

/** Where the registry has the blob, once it is there; nothing for who is to bring it. */
const mountable = (sent: Arrivals, own: Arrival, digest: Digest): Effect.Effect<Location | undefined> =>
  Effect.suspend(() => {
    const other = sent.elsewhere(own.place, digest)
    if (other === undefined) {
      sent.lead(digest, own)
      return Effect.succeed(undefined)
    }
    return Effect.flatMap(
      Deferred.await(other.outcome),
      (isThere) => isThere ? Effect.succeed(other.place) : mountable(sent, own, digest)
    )
  })
