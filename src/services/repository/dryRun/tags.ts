/** The tags of a place as they would be. */
import { Effect, Result, Stream } from "effect"
import { isTag, Reference } from "../../../schemas/Ref.ts"
import type { StoreError } from "../../../schemas/StoreError.ts"
import { emptyIndex, encodeIndex, parseIndex, tagOf, withTag } from "../../ociLayout/documents.ts"
import type { Page, PageRequest, ReadonlyRepository } from "../../Repository.ts"
import { changed, type Changes } from "./lists.ts"
import type { Place } from "./memory.ts"

export const tagsOf = (
  real: ReadonlyRepository,
  place: Place,
  asked: PageRequest = {}
): Stream.Stream<Page, StoreError> =>
  Stream.suspend(() => {
    const { isMade, tags, untagged } = place
    if (!isMade && tags.size === 0 && untagged.size === 0) return real.tags(asked)
    return changed(real.tags, {
      added: new Set([...tags].flatMap(([tag, digest]) => digest === undefined ? [] : [tag])),
      isThere: isThere(real, place),
      // How many tags a deleted manifest took along is found as they are listed.
      gone: untagged.size > 0
        ? Number.POSITIVE_INFINITY
        : [...tags.values()].filter((digest) => digest === undefined).length,
      isMade,
      bodyOf: bodyOf(place)
    }, asked)
  })

/** An answer of the registry's kind, or the `index.json` of a layout. */
const bodyOf = ({ location, manifests, tags }: Place): Changes["bodyOf"] => (names, original) => {
  if (location._tag === "Registry") return Buffer.from(JSON.stringify({ name: location.repository, tags: names }))
  let index = original === undefined ? emptyIndex : Result.getOrElse(parseIndex(original.body), () => emptyIndex)
  const wanted = new Set(names)
  const isKept = (tag: string | undefined) => tag === undefined || (wanted.has(tag) && !(isTag(tag) && tags.has(tag)))
  index = { ...index, entries: index.entries.filter((entry) => isKept(tagOf(entry))) }
  for (const tag of names.filter(isTag)) {
    const digest = tags.get(tag)
    const manifest = digest === undefined ? undefined : manifests.get(digest)
    if (manifest !== undefined) index = withTag(index, tag, manifest.descriptor, epoch)
  }
  return encodeIndex(index)
}

/** What is not written has no time of its own. */
const epoch = "1970-01-01T00:00:00Z"

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
