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
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: sorted(manifest.annotations) })
  }
}

/** Maps are written with sorted keys, so that equal lists have equal digests (library description, 3.3). */
const sorted = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => a < b ? -1 : 1))

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

/** How a list is ordered; without an annotation it stays as it is. */
export interface ReferrerOrder {
  readonly annotation?: string
  readonly isDescending?: boolean
}

/** By the text of an annotation; entries without it come last, equals stay as they were. */
export const inOrder = (
  { annotation, isDescending = false }: ReferrerOrder,
  descriptors: ReadonlyArray<Descriptor>
): ReadonlyArray<Descriptor> => {
  if (annotation === undefined) return descriptors
  const valueOf = ({ annotations }: Descriptor) => annotations?.[annotation]
  return descriptors.toSorted((left, right) => {
    const [a, b] = [valueOf(left), valueOf(right)]
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
    const order = a === b ? 0 : a < b ? -1 : 1
    return isDescending ? -order : order
  })
}
