/** The tags of a place as they would be: the real pages without what was deleted, what was put sorted in. */
import { Effect, Stream } from "effect"
import { isTag, locationName, Reference, type Tag } from "../../../schemas/Ref.ts"
import type { StoreError } from "../../../schemas/StoreError.ts"
import type { Page, PageRequest, ReadonlyRepository } from "../../Repository.ts"
import type { Place } from "./memory.ts"

/** Tags looked up at once, where a manifest was deleted and its tags are not known. */
const lookUps = 8

export const tagsOf = (
  real: ReadonlyRepository,
  place: Place,
  asked: PageRequest = {}
): Stream.Stream<Page, StoreError> =>
  Stream.suspend(() => {
    if (!place.isMade && place.tags.size === 0 && place.untagged.size === 0) return real.tags(asked)
    const { last } = asked
    const limit = asked.limit === undefined || asked.limit <= 0 ? Number.POSITIVE_INFINITY : asked.limit
    const deleted = [...place.tags].filter(([, digest]) => digest === undefined).length
    // As many more as may fall away, which is not known where a manifest took its tags along.
    const isBounded = Number.isFinite(limit) && place.untagged.size === 0
    const pages = real.tags({
      ...(last === undefined ? {} : { last }),
      ...(isBounded ? { limit: limit + deleted } : {})
    }).pipe(
      Stream.catchReason("StoreError", "NotFound", (_, error) => place.isMade ? Stream.empty : Stream.fail(error))
    )
    const names = merger(place, last)
    let left = limit
    const page = (original: Page | undefined, names: ReadonlyArray<string>): Page => {
      const given = names.slice(0, left)
      left -= given.length
      return original !== undefined && isSame(original.names, given) ? original : pageOf(real, original, given)
    }
    return pages.pipe(
      Stream.mapEffect((it) =>
        Effect.map(Effect.filter(it.names, isThere(real, place), { concurrency: lookUps }), (there) =>
          page(it, names.next(there)))
      ),
      Stream.concat(Stream.suspend(() => {
        const rest = names.rest()
        return rest.length === 0 ? Stream.empty : Stream.succeed(page(undefined, rest))
      })),
      Stream.takeUntil(() =>
        left <= 0
      )
    )
  })

/** Whether a real tag would still be there; asked of the place only where a manifest was deleted. */
const isThere = (real: ReadonlyRepository, place: Place) => (name: string): Effect.Effect<boolean, StoreError> =>
  Effect.suspend(() => {
    if (!isTag(name) || place.tags.has(name)) return Effect.succeed(!isTag(name) || place.tags.get(name) !== undefined)
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

/** Puts each new tag in front of the first real one that comes after it, and none twice. */
const merger = (place: Place, last: string | undefined) => {
  const added = new Set([...place.tags].flatMap(([tag, digest]) => digest === undefined ? [] : [tag]))
  const waiting: Array<string> = [...added].filter((tag) => last === undefined || tag > last).sort().toReversed()
  const given = new Set<string>()
  const next = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
    names.flatMap((name) => {
      const before: Array<string> = []
      for (let first = waiting.at(-1); first !== undefined && first <= name; first = waiting.at(-1)) {
        waiting.pop()
        // One that a list without order brought before.
        if (!given.has(first)) before.push(first)
        given.add(first)
      }
      if (given.has(name)) return before
      if (added.has(name as Tag)) given.add(name) // only compared
      return [...before, name]
    })
  return { next, rest: () => waiting.toReversed().filter((tag) => !given.has(tag)) }
}

const isSame = (some: ReadonlyArray<string>, others: ReadonlyArray<string>): boolean =>
  some.length === others.length && some.every((name, at) => name === others[at])

const pageOf = ({ location }: ReadonlyRepository, original: Page | undefined, names: ReadonlyArray<string>): Page => {
  const name = location._tag === "Registry" ? location.repository : locationName(location)
  return { headers: {}, ...original, names, body: new TextEncoder().encode(JSON.stringify({ name, tags: names })) }
}
