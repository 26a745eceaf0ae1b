/**
 * What is attached to a manifest, as users ask for it: of one platform, from the subject's repository or another one,
 * filtered and in order (library description, section 13).
 */
import { Effect } from "effect"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { atDigest, type Ref, Reference, referenceOf, type Tag } from "../../schemas/Ref.ts"
import { inOrder, isMatch, type ReferrerFilter, type ReferrerOrder } from "../../schemas/Referrers.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { ReadonlyRepository, Referrers } from "../../services/Repository.ts"
import { annotationsOf } from "../annotations.ts"
import { isDigestTagOf, listDigestTags } from "./edges.ts"
import { findPlatform } from "./select.ts"

/** Which referrers, and how they are ordered. */
export interface Wanted {
  readonly filter: ReferrerFilter
  readonly order: ReferrerOrder
  /** In a layout: look for the subject in every manifest. */
  readonly isSlow: boolean
}

/** The flags by which commands choose referrers, and entries of an index. */
export interface ReferrerFlags {
  readonly filterAnnotation: ReadonlyArray<string>
  readonly filterArtifactType: string
  readonly slowReferrers: boolean
  readonly latest?: boolean
  readonly sortAnnotation?: string
  readonly sortDesc?: boolean
}

/** Reads the flags; `--latest` is an order of its own. */
export const wantedOf = (flags: ReferrerFlags): Effect.Effect<Wanted, UsageError> => {
  const { filterAnnotation, filterArtifactType, latest = false, slowReferrers, sortAnnotation = "" } = flags
  if (latest && sortAnnotation !== "") {
    return Effect.fail(new UsageError({ message: "--latest cannot be used with --sort-annotation" }))
  }
  const annotation = latest ? "org.opencontainers.image.created" : sortAnnotation
  return Effect.succeed({
    filter: {
      annotations: annotationsOf(filterAnnotation),
      ...(filterArtifactType === "" ? {} : { artifactType: filterArtifactType })
    },
    order: annotation === "" ? {} : { annotation, isDescending: latest || flags.sortDesc === true },
    isSlow: slowReferrers
  })
}

export interface Subject {
  /** By digest: as given, or made from what a tag or a platform meant. */
  readonly ref: Ref
  /** Of a reference by digest only the digest is known. */
  readonly descriptor: Descriptor
}

/** What referrers refer to: a reference by digest is taken at its word, without a request. */
export const subjectOf = (
  repository: ReadonlyRepository,
  ref: Ref,
  platform: Platform | undefined
): Effect.Effect<Subject, StoreError> => {
  const { digest } = ref
  if (platform === undefined && digest !== undefined) {
    return Effect.succeed({ ref, descriptor: { mediaType: "", digest, size: 0 } })
  }
  const reference = referenceOf(ref)
  const found = platform === undefined
    ? Effect.map(repository.resolve(reference), ({ descriptor }) => descriptor)
    : findPlatform(repository, reference, platform)
  return Effect.map(found, (descriptor) => ({ ref: atDigest(ref, descriptor.digest), descriptor }))
}

export interface Listed extends Referrers {
  /** What the place listed, before annotations and order were looked at. */
  readonly all: ReadonlyArray<Descriptor>
}

/** The referrers of a subject that are wanted, in the order wanted. */
export const listReferrers = (
  repository: ReadonlyRepository,
  subject: Descriptor,
  { filter, isSlow, order }: Wanted
): Effect.Effect<Listed, StoreError> =>
  repository.referrers(subject, {
    ...(filter.artifactType === undefined ? {} : { artifactType: filter.artifactType }),
    ...(isSlow ? { slow: true } : {})
  }).pipe(
    Effect.map((found) => ({
      ...found,
      all: found.descriptors,
      descriptors: inOrder(order, found.descriptors.filter(isMatch(filter)))
    }))
  )

/** Tags looked up at once. */
const lookups = 4

/** What the tags named after a digest point to, each annotated with its tag; tags of `except` are left out. */
export const listByDigestTags = Effect.fnUntraced(function*(
  repository: ReadonlyRepository,
  digest: Digest,
  except: ReadonlyArray<Tag>
) {
  const tags = (yield* listDigestTags(repository)).filter((tag) => isDigestTagOf(digest)(tag) && !except.includes(tag))
  return yield* Effect.forEach(
    tags,
    (tag) =>
      Effect.map(repository.resolve(Reference.ByTag({ tag })), ({ descriptor }) => ({
        tag,
        descriptor: { ...descriptor, annotations: { "org.opencontainers.image.ref.name": tag } }
      })),
    { concurrency: lookups }
  )
})
