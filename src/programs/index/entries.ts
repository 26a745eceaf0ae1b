/** The new entries of an index: content brought into its repository, and descriptors that point at it (regctl description, 4.7). */
import { Effect } from "effect"
import type { Annotations, Descriptor, Platform } from "../../schemas/Descriptor.ts"
import { type Digest, digestProblem, isDigest } from "../../schemas/Digest.ts"
import { configPlatform } from "../../schemas/ImageConfig.ts"
import { isIndexType, mediaTypes } from "../../schemas/MediaType.ts"
import { isPlatformMatch } from "../../schemas/Platform.ts"
import { isSameLocation, locationName, type Ref, Reference, referenceOf } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { Repositories } from "../../services/Repositories.ts"
import type { Repository } from "../../services/Repository.ts"
import { annotationsOf } from "../annotations.ts"
import { copy } from "../copy/copy.ts"
import { together } from "../copy/together.ts"
import { configOf } from "../graph/config.ts"
import { shownPlatformOf } from "../graph/select.ts"
import { readRef } from "../open.ts"

/** The flags that say what becomes an entry. */
export interface EntryFlags {
  readonly descAnnotation: ReadonlyArray<string>
  readonly descPlatform: string
  readonly digest: ReadonlyArray<string>
  readonly digestTags: boolean
  readonly platform: ReadonlyArray<string>
  readonly ref: ReadonlyArray<string>
  readonly referrers: boolean
}

/** Entries that are looked at, or copied, at once. */
const concurrency = 4

export interface Wanted {
  readonly digests: ReadonlyArray<Digest>
  readonly refs: ReadonlyArray<Ref>
  /** Of the entries of an index that a reference names. */
  readonly platforms: ReadonlyArray<Platform>
  /** What the new entries say; a platform is found in the configuration else. */
  readonly platform: Platform | undefined
  readonly annotations: Annotations
  readonly options: Pick<EntryFlags, "digestTags" | "referrers">
}

/** Reads the flags, before anything is asked or moved. */
export const readWanted = Effect.fnUntraced(function*(flags: EntryFlags) {
  const wanted: Wanted = {
    digests: yield* Effect.forEach(flags.digest, readDigest),
    refs: yield* Effect.forEach(flags.ref, readRef),
    platforms: yield* Effect.forEach(flags.platform, shownPlatformOf),
    platform: flags.descPlatform === "" ? undefined : yield* shownPlatformOf(flags.descPlatform),
    annotations: annotationsOf(flags.descAnnotation),
    options: flags
  }
  return wanted
})

const readDigest = (text: string): Effect.Effect<Digest, StoreError> =>
  isDigest(text)
    ? Effect.succeed(text)
    : Effect.fail(
      storeError(`invalid digest in index: ${text}`, "DigestInvalid", digestProblem(text) ?? "invalid digest")
    )

/**
 * Copies what the references name into the repository of `target`, by digest, and gives an entry for each: first the
 * digests, which have to be there then, then the references in their order.
 */
export const newEntries = Effect.fnUntraced(function*(target: Ref, repository: Repository, wanted: Wanted) {
  const chosen = (yield* Effect.forEach(wanted.refs, (ref) => choose(ref, wanted.platforms), { concurrency })).flat()
  const elsewhere = new Map(
    chosen.flatMap((it) =>
      isSameLocation(it.ref.location, target.location)
        ? []
        : [[`${locationName(it.ref.location)} ${it.descriptor.digest}`, it]]
    )
  )
  const bringAll = Effect.forEach(
    elsewhere.values(),
    ({ descriptor, ref }) => bring(ref, descriptor, target, wanted),
    { concurrency, discard: true }
  )
  if (elsewhere.size > 0) yield* together(bringAll)
  const there = yield* Effect.forEach(
    wanted.digests,
    (digest) => Effect.map(repository.resolve(Reference.ByDigest({ digest })), ({ descriptor }) => descriptor),
    { concurrency }
  )
  const descriptors = [...there, ...chosen.map(({ descriptor }) => descriptor)]
  return yield* Effect.forEach(descriptors, (descriptor) => entry(repository, descriptor, wanted), { concurrency })
})

/** What a reference stands for: itself, or those entries of its index that are asked for. */
const choose = Effect.fnUntraced(function*(ref: Ref, platforms: ReadonlyArray<Platform>) {
  const { open } = yield* Repositories
  const source = yield* open(ref.location)
  const { descriptor } = yield* source.resolve(referenceOf(ref))
  if (platforms.length === 0 || !isIndexType(descriptor.mediaType)) return [{ ref, descriptor }]
  const index = yield* source.manifest(Reference.ByDigest({ digest: descriptor.digest }))
  const entries = index._tag === "Index" ? index.manifests : []
  return entries
    .filter(({ platform }) => platform !== undefined && platforms.some((it) => isPlatformMatch(it, platform)))
    .map((child) => ({ ref, descriptor: child }))
}, Effect.scoped)

const bring = (ref: Ref, { digest }: Descriptor, target: Ref, { options }: Wanted) =>
  copy({ ...ref, digest }, { ...target, digest }, {
    digestTags: options.digestTags,
    fastCheck: false,
    forceRecursive: false,
    includeExternal: false,
    isChild: true,
    platforms: [],
    referrers: options.referrers
  })

/** Type, digest and size, with the platform and annotations asked for, else the platform of an image's configuration. */
const entry = Effect.fnUntraced(
  function*(repository: Repository, { digest, mediaType, size }: Descriptor, { annotations, platform }: Wanted) {
    const found = platform ?? (isImageType(mediaType) ? yield* platformOf(repository, digest) : undefined)
    const descriptor: Descriptor = {
      mediaType,
      digest,
      size,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(found === undefined ? {} : { platform: found })
    }
    return descriptor
  }
)

const isImageType = (mediaType: string): boolean =>
  mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest

const platformOf = Effect.fnUntraced(function*(repository: Repository, digest: Digest) {
  const manifest = yield* repository.manifest(Reference.ByDigest({ digest }))
  if (manifest._tag !== "Image") return undefined
  const config = yield* Effect.catchReason(
    configOf(repository, manifest),
    "StoreError",
    "ManifestInvalid",
    (_, error) => Effect.as(Effect.logWarning(`No platform for ${digest}: ${error.message}`), undefined)
  )
  return config === undefined ? undefined : configPlatform(config)
})

/** The entries with the new ones behind them, each of those once. */
export const withEntries = (
  entries: ReadonlyArray<Descriptor>,
  added: ReadonlyArray<Descriptor>
): ReadonlyArray<Descriptor> => {
  const known = new Set(entries.map(identity))
  return [
    ...entries,
    ...added.filter((it) => {
      const isNew = !known.has(identity(it))
      known.add(identity(it))
      return isNew
    })
  ]
}

/** Everything but `data`, which is the content itself. */
const identity = ({ annotations = {}, artifactType = "", digest, mediaType, platform, size, urls = [] }: Descriptor) =>
  JSON.stringify([
    mediaType,
    digest,
    size,
    artifactType,
    urls,
    Object.entries(annotations).sort(([a], [b]) => a < b ? -1 : 1),
    platform === undefined ? [] : [
      platform.os,
      platform.architecture,
      platform.variant ?? "",
      platform["os.version"] ?? "",
      platform["os.features"] ?? [],
      platform.features ?? []
    ]
  ])
