/** Lists as they would be: the real pages without what was deleted, and what was put sorted in. */
import { Effect, Stream } from "effect"
import type { StoreError } from "../../../schemas/StoreError.ts"
import type { Page, PageRequest } from "../../Repository.ts"

/** Names looked up at once. */
const lookUps = 8

export interface Changes {
  readonly added: ReadonlySet<string>
  /** Whether a name of the place would still be there. */
  readonly isThere: (name: string) => Effect.Effect<boolean, StoreError>
  /** How many would not; more than can be told where that is not known. */
  readonly gone: number
  /** Where nothing is there, but for what was added. */
  readonly isMade: boolean
  /** The answer of a place that has these names. */
  readonly bodyOf: (names: ReadonlyArray<string>, original: Page | undefined) => Uint8Array
}

/** The place is asked page by page as before, for as many names more as fall away. */
export const changed = (
  list: (page: PageRequest) => Stream.Stream<Page, StoreError>,
  { added, bodyOf, gone, isMade, isThere }: Changes,
  { last, limit: most = 0 }: PageRequest
): Stream.Stream<Page, StoreError> =>
  Stream.suspend(() => {
    const limit = most > 0 ? most : Number.POSITIVE_INFINITY
    const names = merger(added, last)
    let left = limit
    const page = (original: Page | undefined, names: ReadonlyArray<string>): Page => {
      const given = names.slice(0, left)
      left -= given.length
      if (original !== undefined && isSame(original.names, given)) return original
      return { headers: {}, ...original, names: given, body: bodyOf(given, original) }
    }
    return list({
      ...(last === undefined ? {} : { last }),
      ...(Number.isFinite(limit + gone) ? { limit: limit + gone } : {})
    }).pipe(
      Stream.catchReason("StoreError", "NotFound", (_, error) => isMade ? Stream.empty : Stream.fail(error)),
      Stream.mapEffect((it) =>
        Effect.map(Effect.filter(it.names, isThere, { concurrency: lookUps }), (there) => page(it, names.next(there)))
      ),
      Stream.concat(Stream.suspend(() => {
        const rest = names.rest()
        return rest.length === 0 ? Stream.empty : Stream.succeed(page(undefined, rest))
      })),
      Stream.takeUntil(() => left <= 0)
    )
  })

/** Puts each added name in front of the first real one that comes after it, and none twice. */
const merger = (added: ReadonlySet<string>, last: string | undefined) => {
  const waiting = [...added].filter((name) => last === undefined || name > last).sort().toReversed()
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
      if (added.has(name)) given.add(name)
      return [...before, name]
    })
  return { next, rest: () => waiting.toReversed().filter((name) => !given.has(name)) }
}

const isSame = (some: ReadonlyArray<string>, others: ReadonlyArray<string>): boolean =>
  some.length === others.length && some.every((name, at) => name === others[at])
