/** Reads an image with everything below it, and what refers to it, into drafts (library description, 17.1). */
import { Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import type { Image, Index, Manifest } from "../../schemas/Manifest.ts"
import { isBlobType, isManifestType } from "../../schemas/MediaType.ts"
import { Reference } from "../../schemas/Ref.ts"
import { type ReasonTag, type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { configOf } from "../graph/config.ts"
import type { Draft, Entry, ImageDraft } from "./draft.ts"

/** Limits of one image (faults, limits). */
const maxManifests = 10_000
const maxDepth = 32

/** Requests at once for the entries of an index. */
const concurrency = 4

export interface LoadOptions {
  /** Also what refers to the manifests, and to those in turn. */
  readonly withReferrers: boolean
}

/** Digests from the top to here: one of them is not followed again, since referrers can lead back to their subject. */
type Path = ReadonlyArray<Digest>

/** How places say that a digest of unknown type is no manifest of theirs. */
const refusals: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "HttpStatus",
  "Unsupported",
  "UnsupportedMediaType",
  "ManifestInvalid",
  "SizeLimit"
])

/**
 * The image of a reference. Entries of an index that are no manifests, or absent, are left as they are. Fails with the
 * `StoreError` of the repository, SizeLimit or DepthLimit.
 */
export const load = (
  repository: ReadonlyRepository,
  reference: Reference,
  { withReferrers }: LoadOptions
): Effect.Effect<Draft, StoreError> => {
  const known = new Map<string, Draft>()
  let count = 0

  const draftOf = Effect.fnUntraced(
    function*(manifest: Manifest, path: Path, isFollower: boolean): Effect.fn.Return<Draft, StoreError> {
      const { annotations, artifactType, descriptor: { digest, mediaType }, subject } = manifest
      // Before any of them is asked for: those that are absent cost a request each, too.
      if (++count > maxManifests || (manifest._tag === "Index" && listedIn(manifest) > maxManifests)) {
        return yield* storeError("", "SizeLimit", `more than ${maxManifests} manifests in one image`)
      }
      if (path.length >= maxDepth) {
        return yield* storeError("", "DepthLimit", `more than ${maxDepth} manifests in one another`)
      }
      const here = [...path, digest]
      const common = {
        mediaType,
        annotations,
        isTop: path.length === 0,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(subject === undefined ? {} : { subject }),
        ...(isFollower ? { isFollower } : {}),
        referrers: withReferrers ? yield* referrersOf(manifest, here) : []
      }
      switch (manifest._tag) {
        case "Image":
          return { _tag: "Image", ...common, origin: manifest, ...(yield* partsOf(repository, manifest)) }
        case "Index":
          return { _tag: "Index", ...common, origin: manifest, entries: yield* entriesOf(manifest, here, isFollower) }
        case "Artifact":
        case "Schema1":
        case "Other":
          return { _tag: "Fixed", ...common, origin: manifest }
      }
    }
  )

  /** A draft of what is there; `undefined` for what is absent, or no manifest. */
  const below = Effect.fnUntraced(
    function*(
      descriptor: Descriptor,
      path: Path,
      isFollower: boolean
    ): Effect.fn.Return<Draft | undefined, StoreError> {
      const key = `${isFollower} ${descriptor.digest}`
      const found = known.get(key)
      if (found !== undefined) return found
      const manifest = yield* find(repository, descriptor)
      if (manifest === undefined) return undefined
      const draft = yield* draftOf(manifest, path, isFollower)
      known.set(key, draft)
      return draft
    }
  )

  const entriesOf = ({ manifests }: Index, path: Path, isFollower: boolean) =>
    Effect.forEach(
      manifests,
      (descriptor): Effect.Effect<Entry, StoreError> =>
        isBlobType(descriptor.mediaType) || path.includes(descriptor.digest)
          ? Effect.succeed({ descriptor })
          : Effect.map(
            below(descriptor, path, isFollower),
            (draft) => draft === undefined ? { descriptor } : { descriptor, draft }
          ),
      { concurrency }
    )

  const referrersOf = Effect.fnUntraced(
    function*({ descriptor }: Manifest, path: Path): Effect.fn.Return<ReadonlyArray<Draft>, StoreError> {
      const { descriptors } = yield* repository.referrers(descriptor)
      const followed = descriptors.filter(({ digest }) => !path.includes(digest))
      const drafts = yield* Effect.forEach(followed, (it) => below(it, path, true), { concurrency })
      return drafts.filter((it) => it !== undefined)
    }
  )

  return Effect.flatMap(
    repository.manifest(reference),
    (manifest) => draftOf(manifest, [], false)
  )
}

/** Different manifests that an index lists. */
const listedIn = ({ manifests }: Index): number =>
  new Set(manifests.filter(({ mediaType }) => !isBlobType(mediaType)).map(({ digest }) => digest)).size

const find = (
  repository: ReadonlyRepository,
  descriptor: Descriptor
): Effect.Effect<Manifest | undefined, StoreError> => {
  const isUnknown = !isManifestType(descriptor.mediaType)
  return Effect.catchIf(
    repository.manifest(Reference.ByDigest({ digest: descriptor.digest }), descriptor),
    ({ reason }) => reason._tag === "NotFound" || (isUnknown && refusals.has(reason._tag)),
    () => Effect.succeed(undefined)
  )
}

/** The layers with their `diff_ids`, and the configuration of an image. */
const partsOf = (
  repository: ReadonlyRepository,
  manifest: Image
): Effect.Effect<Pick<ImageDraft, "layers" | "config">, StoreError> =>
  Effect.map(
    Effect.mapError(configOf(repository, manifest), within("failed to load image")),
    (document) => {
      const diffIds = document?.rootfs?.diff_ids ?? []
      return {
        layers: manifest.layers.map((descriptor, at) => {
          const diffId = diffIds[at]
          return { descriptor, received: at, ...(diffId === undefined ? {} : { diffId }) }
        }),
        config: {
          descriptor: manifest.config,
          ...(document === undefined ? {} : { document, received: document })
        }
      }
    }
  )
