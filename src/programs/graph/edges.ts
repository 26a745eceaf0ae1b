/** The edges of the content graph: what a manifest is made of, and what is attached to it. */
import { Effect, Stream } from "effect"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import { algorithmOf, type Digest, encodedOf } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { namesContent } from "../../schemas/manifestShape.ts"
import { isBlobType, isManifestType } from "../../schemas/MediaType.ts"
import { isPlatformMatch } from "../../schemas/Platform.ts"
import { isTag, type Tag } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"

export interface Child {
  readonly descriptor: Descriptor
  /** `unknown`: an entry of an index whose type nobody here knows; the source is asked. */
  readonly kind: "manifest" | "blob" | "unknown"
}

export interface Choice {
  /** Also layers whose bytes are elsewhere by their `urls`. */
  readonly includeExternal: boolean
  /** Which entries of an index to take; none given takes all. `undefined` stands for entries without a platform. */
  readonly platforms: ReadonlyArray<Platform | undefined>
}

/** The content of a manifest that a copy moves. */
export const childrenOf = (manifest: Manifest, { includeExternal, platforms }: Choice): ReadonlyArray<Child> => {
  const blob = (descriptor: Descriptor): Child => ({ descriptor, kind: "blob" })
  const isHere = ({ urls }: Descriptor) => includeExternal || urls === undefined || urls.length === 0
  switch (manifest._tag) {
    case "Image":
      return [manifest.config, ...manifest.layers.filter(isHere)].map(blob)
    case "Artifact":
      return manifest.blobs.filter(isHere).map(blob)
    case "Schema1":
      return manifest.layers.map(blob)
    case "Other":
      return []
    case "Index":
      return manifest.manifests
        .filter(({ platform }) => platforms.length === 0 || platforms.some((it) => isWanted(it, platform)))
        .map((descriptor) => ({ descriptor, kind: kindOf(descriptor) }))
  }
}

/**
 * A copy takes a manifest of an unknown type as bytes. One that names content cannot be taken so: what it names would
 * stay behind (faults C07, D1). Fails with UnsupportedMediaType.
 */
export const checkKnown = (manifest: Manifest): Effect.Effect<void, StoreError> => {
  if (manifest._tag !== "Other") return Effect.void
  const document: object = JSON.parse(new TextDecoder().decode(manifest.bytes)) // an object, or it had not decoded
  const { digest, mediaType } = manifest.descriptor
  return namesContent(document)
    ? Effect.fail(
      storeError("", "UnsupportedMediaType", `unsupported media type: "${mediaType}": content named by ${digest}`)
    )
    : Effect.void
}

const isWanted = (wanted: Platform | undefined, found: Platform | undefined): boolean =>
  wanted === undefined || found === undefined ? wanted === found : isPlatformMatch(wanted, found)

const kindOf = ({ mediaType }: Descriptor): Child["kind"] =>
  isManifestType(mediaType) ? "manifest" : isBlobType(mediaType) ? "blob" : "unknown"

/** Whether a name could be that of a digest, of whichever one. */
export const isDigestTag = (name: string): boolean => /^[a-z0-9]+-[0-9a-f]{32,}/.test(name)

/** All tags of a repository that could belong to a digest, asked for once and kept by who holds the effect. */
export const listDigestTags = (repository: ReadonlyRepository): Effect.Effect<ReadonlyArray<Tag>, StoreError> =>
  repository.tags().pipe(
    Stream.map(({ names }) => names.filter((name): name is Tag => isDigestTag(name) && isTag(name))),
    Stream.runCollect,
    Effect.map((pages) => pages.flat())
  )

/** Whether a tag is named after a digest, as `sha256-<hex>.sig` is. */
export const isDigestTagOf = (digest: Digest) => {
  const prefix = `${algorithmOf(digest)}-${encodedOf(digest)}`.slice(0, 128)
  return (tag: Tag): boolean => tag.startsWith(prefix)
}
