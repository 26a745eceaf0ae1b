/** Which names of a list an entry means: first by version, then by `allow`, then by `deny` (regsync description, 9.4). */
import { Data, Effect } from "effect"
import type { NameFilter, TagFilter } from "../../schemas/RegsyncConfig.ts"

/** A pattern or a range that cannot be read; nothing of the entry is done. */
export class FilterError extends Data.TaggedError("FilterError")<{ readonly message: string }> {
  readonly reason = { _tag: "ConfigInvalid" }
}

export type Wanted = (name: string) => boolean

/**
 * Compiles a filter. Patterns are RE2 bound to both ends without a group, so that `a|b` means «begins with a or ends
 * with b», as in the Go tool.
 */
export const nameFilter = Effect.fnUntraced(function*(
  { allow, deny, semverRange = [] }: NameFilter & Partial<TagFilter>
): Effect.fn.Return<Wanted, FilterError> {
  const versions = yield* rangesOf(semverRange)
  const allowed = yield* Effect.forEach(allow, pattern("allow"))
  const denied = yield* Effect.forEach(deny, pattern("deny"))
  return (name) =>
    versions(name) &&
    (allowed.length === 0 || allowed.some((matches) => matches(name))) &&
    !denied.some((matches) => matches(name))
})

const everything: Wanted = () => true

const rangesOf = Effect.fnUntraced(function*(ranges: ReadonlyArray<string>) {
  if (ranges.length === 0) return everything
  const { parseRanges } = yield* Effect.promise(() => import("../../lib/semver.ts"))
  const found = parseRanges(ranges)
  if (found === undefined) return everything
  return "problem" in found ? yield* new FilterError({ message: found.problem }) : found.test
})

const pattern = (list: "allow" | "deny") =>
  Effect.fnUntraced(function*(expression: string): Effect.fn.Return<Wanted, FilterError> {
    // The engine is large, and most lists are short words.
    const { anchored } = yield* Effect.promise(() => import("../../lib/pattern.ts"))
    const found = anchored(expression)
    if ("matches" in found) return found.matches
    const message = `invalid ${list} pattern ${JSON.stringify(expression)}: ${found.problem}`
    return yield* new FilterError({ message })
  })

const isSaid = ({ allow, deny, semverRange }: TagFilter): boolean => allow.length + deny.length + semverRange.length > 0

/** The sets of an entry whose results are joined, in their order: none means all tags. */
export const tagSetsOf = (
  { tagSets, tags }: { readonly tagSets: ReadonlyArray<TagFilter>; readonly tags: TagFilter }
): ReadonlyArray<TagFilter> => isSaid(tags) ? [...tagSets, tags] : tagSets
