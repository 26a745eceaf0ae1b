/** Finds the manifest for a platform below a reference, through indexes of indexes. */
import { Effect } from "effect"
import { localPlatform } from "../../lib/localPlatform.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Index, Manifest } from "../../schemas/Manifest.ts"
import { isIndexType } from "../../schemas/MediaType.ts"
import { bestMatch, parsePlatform, platformText } from "../../schemas/Platform.ts"
import { atDigest, type Ref, Reference, referenceOf } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"

/** Reads a `--platform` text, with what it leaves out taken from this machine. */
export const platformOf = (text: string) =>
  Effect.suspend(() => Effect.fromResult(parsePlatform(text, localPlatform())))

/** The same for commands that show one manifest, which name the text they cannot read. */
export const shownPlatformOf = (text: string) =>
  Effect.mapError(
    platformOf(text),
    ({ message }) => new UsageError({ message: `failed to parse platform ${text}: ${message}` })
  )

/** How many indexes may stand above one another (faults, limits). */
const maxDepth = 32

/**
 * The manifest that suits `platform` best: a manifest that is no index is taken as it is. Fails with `NotFound`,
 * naming the platforms there are, when none suits.
 */
export const selectPlatform = (
  repository: ReadonlyRepository,
  reference: Reference,
  platform: Platform
): Effect.Effect<Manifest, StoreError> =>
  Effect.flatMap(repository.manifest(reference), (manifest) => selectBelow(repository, manifest, platform))

/** The manifest a user asks for, for a platform if one is given, and what to call it: a child goes by its digest. */
export const choosePlatform = Effect.fnUntraced(function*(repository: ReadonlyRepository, ref: Ref, text: string) {
  const platform = text === "" ? undefined : yield* shownPlatformOf(text)
  const top = yield* repository.manifest(referenceOf(ref))
  if (platform === undefined || top._tag !== "Index") return { ref, manifest: top }
  const manifest = yield* selectBelow(repository, top, platform)
  return { ref: atDigest(ref, manifest.descriptor.digest), manifest }
})

/** The same below a manifest that was read already. */
export const selectBelow = (
  repository: ReadonlyRepository,
  manifest: Manifest,
  platform: Platform
): Effect.Effect<Manifest, StoreError> => below(repository, manifest, platform, maxDepth)

/**
 * Names the manifest that suits `platform` best without reading it: only indexes are read. A manifest that is no index
 * is taken as it is. Fails as `selectPlatform` does.
 */
export const findPlatform = (
  repository: ReadonlyRepository,
  reference: Reference,
  platform: Platform
): Effect.Effect<Descriptor, StoreError> =>
  Effect.flatMap(repository.manifest(reference), (manifest) => findBelow(repository, manifest, platform))

/** The same below a manifest that was read already. */
export const findBelow = (
  repository: ReadonlyRepository,
  manifest: Manifest,
  platform: Platform
): Effect.Effect<Descriptor, StoreError> => named(repository, manifest, platform, maxDepth)

const named = (
  repository: ReadonlyRepository,
  manifest: Manifest,
  platform: Platform,
  depth: number
): Effect.Effect<Descriptor, StoreError> =>
  manifest._tag !== "Index"
    ? Effect.succeed(manifest.descriptor)
    : Effect.flatMap(entryFor(manifest, platform, depth), (entry) =>
      isIndexType(entry.mediaType)
        ? Effect.flatMap(
          repository.manifest(Reference.ByDigest({ digest: entry.digest }), entry),
          (child) => named(repository, child, platform, depth - 1)
        )
        : Effect.succeed(entry))

const below = (
  repository: ReadonlyRepository,
  manifest: Manifest,
  platform: Platform,
  depth: number
): Effect.Effect<Manifest, StoreError> =>
  manifest._tag !== "Index"
    ? Effect.succeed(manifest)
    : Effect.flatMap(entryFor(manifest, platform, depth), (entry) =>
      Effect.flatMap(
        repository.manifest(Reference.ByDigest({ digest: entry.digest }), entry),
        (child) => below(repository, child, platform, depth - 1)
      ))

/** The platforms that entries of an index name, each once. */
export const platformsOf = (manifests: Index["manifests"]): ReadonlyArray<string> => [
  ...new Set(manifests.flatMap((it) => it.platform === undefined ? [] : [platformText(it.platform)]))
]

/** The entry of an index that suits best; without one the failure names the platforms there are. */
const entryFor = (
  { manifests }: Index,
  platform: Platform,
  depth: number
): Effect.Effect<Descriptor, StoreError> => {
  if (depth === 0) return Effect.fail(storeError("", "DepthLimit", `more than ${maxDepth} indexes in one another`))
  const best = bestMatch(manifests, platform)
  if (best !== undefined) return Effect.succeed(best)
  const there = platformsOf(manifests)
  const hint = there.length === 0 ? "" : ` (there are ${there.join(", ")})`
  return Effect.fail(storeError("", "NotFound", `platform not found: ${platformText(platform)}${hint}`))
}
