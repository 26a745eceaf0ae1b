/** What an entry means: the repositories of a registry, the tags of a repository (regsync description, 9.2 and 9.3). */
import { Effect, Stream } from "effect"
import { commonName, isTag, parseHost, parseRef, type Ref, RefError, type Tag } from "../../schemas/Ref.ts"
import type { SyncEntry } from "../../schemas/RegsyncConfig.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { Action } from "../../schemas/Sync.ts"
import { Registry } from "../../services/Registry.ts"
import type { Page, ReadonlyRepository } from "../../services/Repository.ts"
import { isDigestTag } from "../graph/edges.ts"
import { type FilterError, nameFilter, tagSetsOf, type Wanted } from "./filter.ts"
import { loggedFilter } from "./logged.ts"

const fail = (message: string, fields: Record<string, unknown>) => <E extends { readonly message: string }>(error: E) =>
  Effect.annotateLogs(Effect.logError(message), { ...fields, error: error.message })

/** The reference at one end of a pair. */
export const parseEnd = (end: "source" | "target", text: string): Effect.Effect<Ref, RefError> =>
  Effect.tapError(Effect.fromResult(parseRef(text)), fail(`Failed parsing ${end}`, { [end]: text }))

/** A repository at one end: what is named by a tag or a digest is none, and every tag of it would be refused one by one. */
export const parseRepository = (end: "source" | "target", text: string): Effect.Effect<Ref, RefError> =>
  Effect.tapError(
    Effect.flatMap(Effect.fromResult(parseRef(text)), (ref) =>
      parseRef(`${text}:latest`)._tag === "Success"
        ? Effect.succeed(ref)
        : Effect.fail(
          new RefError({
            message: `invalid reference "${text}", the ${end} of a repository entry has no tag or digest`
          })
        )),
    fail(`Failed parsing ${end}`, { [end]: text })
  )

/** Names left out of a list, since no reference could hold them (faults N38). */
export interface Skips {
  skipped: number
}

/** The repositories of a registry that the entry means, as its catalog gives them. */
export const repositoriesOf = (
  { repos, source }: Pick<SyncEntry, "repos" | "source">,
  skips: Skips
): Stream.Stream<string, StoreError | RefError | FilterError, Registry> =>
  Stream.unwrap(Effect.gen(function*() {
    const unlisted = fail("Failed to list source repositories", { source })
    const registry = yield* Effect.tapError(hostOf(source), unlisted)
    const isWanted = yield* Effect.tapError(
      nameFilter(repos),
      fail("Failed processing repo filters", { source, allow: repos.allow, deny: repos.deny })
    )
    const { list } = yield* Registry
    return catalog((last) => list(registry, last === undefined ? {} : { last })).pipe(
      Stream.tapError(unlisted),
      Stream.tap(({ skipped = 0 }) => Effect.sync(() => void (skips.skipped += skipped))),
      Stream.flatMap(({ names }) => Stream.fromIterable(names.filter(isWanted)))
    )
  }))

/** A bare word would be a path at Docker Hub once a repository is appended to it. */
const hostOf = (source: string): Effect.Effect<string, RefError> =>
  source.includes("/")
    ? Effect.fail(new RefError({ message: `invalid hostname: ${source}` }))
    : Effect.mapError(Effect.fromResult(parseHost(source)), () =>
      new RefError({
        message: `invalid hostname: ${source}: a registry is named with a dot or a port, such as ${
          source === "" ? "registry.example.org" : `${source}:443`
        }`
      }))

/** Asks again for what comes after the last name until nothing new comes: some catalogs are cut without a link. */
const catalog = (
  list: (last: string | undefined) => Stream.Stream<Page, StoreError>
): Stream.Stream<Page, StoreError> => {
  const seen = new Set<string>()
  const after = (last: string | undefined): Stream.Stream<Page, StoreError> =>
    Stream.suspend(() => {
      const before = seen.size
      let end = last
      return list(last).pipe(
        Stream.map((page) => {
          const names = page.names.filter((name) => !seen.has(name))
          for (const name of names) seen.add(name)
          end = page.names.at(-1) ?? end
          return { ...page, names }
        }),
        Stream.concat(Stream.suspend(() => seen.size === before ? Stream.empty : after(end)))
      )
    })
  return after(undefined)
}

export interface Listed {
  /** In the order of their copies. */
  readonly tags: ReadonlyArray<Tag>
  /** Those that could be named after a digest, whether they are meant or not. */
  readonly digestTags: ReadonlyArray<Tag>
}

/** Names shown when none of them is meant. */
const shown = 1_000

/** The tags an entry means, with those left out that the target has when only missing ones count. */
export const tagsOf = Effect.fnUntraced(function*(
  entry: SyncEntry,
  { from, source, to, target }: {
    readonly source: Ref
    readonly from: ReadonlyRepository
    readonly target: Ref
    readonly to: ReadonlyRepository
  },
  action: Action,
  skips: Skips
): Effect.fn.Return<Listed, StoreError | FilterError> {
  const sets = yield* filtersOf(entry, source)
  const listed = yield* Effect.tapError(
    listTags(from, sets, skips),
    fail("Failed getting source tags", { source: commonName(source) })
  )
  const { available, digestTags, tags } = listed
  if (tags.length === 0) {
    yield* Effect.annotateLogs(Effect.logWarning("No matching tags found"), {
      source: commonName(source),
      tags: loggedFilter(entry.tags),
      tagSets: entry.tagSets.map(loggedFilter),
      available
    })
  }
  if (action !== "missing" || tags.length === 0) return { tags, digestTags }
  const there = yield* tagsThere(to, target)
  // Tags are ASCII: the order of their characters is that of their bytes.
  return { tags: tags.filter((tag) => !there.has(tag)).toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0), digestTags }
})

const filtersOf = (entry: SyncEntry, source: Ref): Effect.Effect<ReadonlyArray<Wanted>, FilterError> =>
  Effect.forEach(tagSetsOf(entry), (set) =>
    Effect.tapError(
      nameFilter(set),
      fail("Failed processing tag filters", {
        source: commonName(source),
        allow: set.allow,
        deny: set.deny,
        semverRange: set.semverRange
      })
    ))

/** Page by page; of what nobody means only the first names are kept. */
const listTags = Effect.fnUntraced(function*(
  from: ReadonlyRepository,
  sets: ReadonlyArray<Wanted>,
  skips: Skips
) {
  const found: ReadonlyArray<Array<Tag>> = sets.length === 0 ? [[]] : sets.map(() => [])
  const digestTags: Array<Tag> = []
  const available: Array<Tag> = []
  yield* Stream.runForEach(from.tags(), ({ names, skipped = 0 }) =>
    Effect.sync(() => {
      skips.skipped += skipped
      for (const name of names) {
        if (!isTag(name)) continue
        if (available.length < shown) available.push(name)
        if (isDigestTag(name)) digestTags.push(name)
        found.forEach((tags, at) => {
          if (sets[at]?.(name) !== false) tags.push(name)
        })
      }
    }))
  return { tags: [...new Set(found.flat())], digestTags, available }
})

/** A target that cannot be listed has nothing: each tag is asked for before it is copied. */
const tagsThere = (to: ReadonlyRepository, target: Ref): Effect.Effect<ReadonlySet<string>> =>
  to.tags().pipe(
    Stream.runFold(() => new Set<string>(), (there, { names }) => {
      for (const name of names) there.add(name)
      return there
    }),
    Effect.catch((error) =>
      Effect.as(
        Effect.annotateLogs(Effect.logDebug("Failed getting target tags"), {
          target: commonName(target),
          error: error.message
        }),
        new Set<string>()
      )
    )
  )
