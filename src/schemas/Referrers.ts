/** How manifests point at a subject, and how a place without the referrers API lists them (distribution-spec, referrers tag schema). */
import type { Annotations, Descriptor } from "./Descriptor.ts"
import { algorithmOf, type Digest, encodedOf } from "./Digest.ts"
import type { Manifest } from "./Manifest.ts"
import { Tag } from "./Ref.ts"

/** How a manifest is listed among the referrers of its subject (distribution-spec, listing referrers). */
export const referrer = (manifest: Manifest): Descriptor => {
  const artifactType = manifest.artifactType ?? (manifest._tag === "Image" ? manifest.config.mediaType : undefined)
  return {
    ...manifest.descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations })
  }
}

/** The tag under which referrers of a digest are listed where there is no API. */
export const fallbackTag = (digest: Digest): Tag =>
  Tag.make(`${algorithmOf(digest).slice(0, 32)}-${encodedOf(digest).slice(0, 64)}`)

export interface ReferrerFilter {
  readonly artifactType?: string
  /** Every one must be there, with this value unless it is empty. */
  readonly annotations?: Annotations
}

export const isMatch = (filter: ReferrerFilter) => (descriptor: Descriptor): boolean =>
  (filter.artifactType === undefined || descriptor.artifactType === filter.artifactType) &&
  Object.entries(filter.annotations ?? {}).every(([key, value]) => {
    const found = descriptor.annotations?.[key]
    return found !== undefined && (value === "" || found === value)
  })
