/** The tags of a place as they would be. */
import { Effect, Stream } from "effect"
import { isTag, locationName, Reference } from "../../../schemas/Ref.ts"
import type { StoreError } from "../../../schemas/StoreError.ts"
import type { Page, PageRequest, ReadonlyRepository } from "../../Repository.ts"
import { changed } from "./lists.ts"
import type { Place } from "./memory.ts"

export const tagsOf = (
  real: ReadonlyRepository,
  place: Place,
  asked: PageRequest = {}
): Stream.Stream<Page, StoreError> =>
  Stream.suspend(() => {
    const { isMade, tags, untagged } = place
    if (!isMade && tags.size === 0 && untagged.size === 0) return real.tags(asked)
    const { location } = real
    const name = location._tag === "Registry" ? location.repository : locationName(location)
    return changed(real.tags, {
      added: new Set([...tags].flatMap(([tag, digest]) => digest === undefined ? [] : [tag])),
      isThere: isThere(real, place),
      // How many tags a deleted manifest took along is found as they are listed.
      gone: untagged.size > 0
        ? Number.POSITIVE_INFINITY
        : [...tags.values()].filter((digest) => digest === undefined).length,
      isMade,
      bodyOf: (names) => ({ name, tags: names })
    }, asked)
  })

/** Asked of the place only where a manifest was deleted and nobody saw yet where the tag leads. */
const isThere = (real: ReadonlyRepository, place: Place) => (name: string): Effect.Effect<boolean, StoreError> =>
  Effect.suspend(() => {
    if (!isTag(name)) return Effect.succeed(true)
    if (place.tags.has(name)) return Effect.succeed(place.tags.get(name) !== undefined)
    if (place.untagged.size === 0) return Effect.succeed(true)
    const known = place.seen.get(name)
    if (known !== undefined) return Effect.succeed(!place.untagged.has(known))
    return real.resolve(Reference.ByTag({ tag: name })).pipe(
      Effect.map(({ descriptor }) => {
        place.seen.set(name, descriptor.digest)
        return !place.untagged.has(descriptor.digest)
      }),
      // Listed, and not to be had: that is how the place is.
      Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(true))
    )
  })
