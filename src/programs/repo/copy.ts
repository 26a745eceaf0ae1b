/** `regctl repo copy`: the tags of a repository, each an image copy, some of them at once (regctl description, 4.11). */
import { Effect, Stream } from "effect"
import { commonName, isTag, locationName, type Ref, type Tag } from "../../schemas/Ref.ts"
import { within } from "../../schemas/StoreError.ts"
import { WillWrite } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { copy } from "../copy/copy.ts"
import { together } from "../copy/together.ts"
import { readRef } from "../open.ts"
import { checkSkipped } from "../skipped.ts"
import { tagFilter } from "../tag/filter.ts"

interface Input {
  readonly concurrent: number
  readonly exclude: ReadonlyArray<string>
  readonly include: ReadonlyArray<string>
  readonly newTags: boolean
  readonly referrers: boolean
  readonly args: ReadonlyArray<string>
}

/** Copies at once when all are asked for: more would only wait for the limiter. */
const most = 64

export const run = Effect.fn("repo copy")(function*(input: Input) {
  const { concurrent, exclude, include, newTags, referrers } = input
  const isWanted = yield* tagFilter(
    { include, exclude },
    (flag, expression, why) => `failed to parse ${flag} regexp: ${JSON.stringify(expression)}, ${why}`
  )
  const source = yield* readRef(input.args[0])
  const target = yield* readRef(input.args[1])
  const { open } = yield* Repositories
  const listed = yield* tagsOf(yield* open(source.location))
  // Open to the end: a layout is swept when all its tags are there.
  const to = yield* Effect.provideService(open(target.location), WillWrite, true)
  const there = newTags
    ? yield* Effect.catchReason(tagsOf(to), "StoreError", "NotFound", () => Effect.succeed({ tags: [], skipped: 0 }))
    : { tags: [] }
  const known = new Set(there.tags)
  const tags = listed.tags.filter((tag) => isWanted(tag) && !known.has(tag))
  const copyAll = (some: ReadonlyArray<Tag>) =>
    Effect.forEach(some, (tag) => copyTag(source, target, tag, referrers), {
      concurrency: concurrent > 0 ? concurrent : most,
      discard: true
    })
  const [named, others] = [tags.filter(isDigestTag), tags.filter((tag) => !isDigestTag(tag))]
  // A list of referrers under such a tag is also kept by who pushes a referrer: never both at once (faults K05).
  if (tags.length > 0) yield* together(Effect.andThen(copyAll(others), copyAll(named)))
  yield* checkSkipped(`failed to list tags in ${locationName(source.location)}`, listed)
}, Effect.scoped)

/** Named after a digest, as `sha256-<hex>` or `sha256-<hex>.sig` is. */
const isDigestTag = (tag: Tag): boolean => /^[a-z0-9]+-[0-9a-f]{32,}/.test(tag)

/** All tags, and how many names cannot be tags. */
const tagsOf = (repository: ReadonlyRepository) =>
  repository.tags().pipe(
    Stream.runFold(
      () => ({ tags: new Array<Tag>(), skipped: 0 }),
      (found, { names, skipped = 0 }) => {
        for (const name of names) if (isTag(name)) found.tags.push(name)
        return { tags: found.tags, skipped: found.skipped + skipped }
      }
    ),
    Effect.mapError(within(`failed to list tags in ${locationName(repository.location)}`))
  )

const at = ({ location }: Ref, tag: Tag): Ref => ({ text: commonName({ location, tag }), location, tag })

const copyTag = (source: Ref, target: Ref, tag: Tag, referrers: boolean) =>
  Effect.mapError(
    copy(at(source, tag), at(target, tag), {
      digestTags: false,
      fastCheck: false,
      forceRecursive: false,
      includeExternal: false,
      platforms: [],
      referrers
    }),
    (error) => error._tag === "StoreError" ? within(`failed to copy tag ${tag}`)(error) : error
  )
