/** Reads of a place as it would be: what a dry run remembers of it first, the place itself for the rest. */
import { Effect } from "effect"
import { type Descriptor, isSizeKnown } from "../../../schemas/Descriptor.ts"
import type { Digest } from "../../../schemas/Digest.ts"
import { locationName, Reference, referenceText } from "../../../schemas/Ref.ts"
import { isMatch } from "../../../schemas/Referrers.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import { asStored, type Bytes, fromPump, pumpOf, type Stored, verified } from "../../Bytes.ts"
import type { ReadonlyRepository, Referrers } from "../../Repository.ts"
import type { Place } from "./memory.ts"
import { tagsOf } from "./tags.ts"

/** `hold` keeps blobs readable that are put elsewhere without being read. */
export const reads = (
  real: ReadonlyRepository,
  place: Place,
  hold: Stored["hold"]
): ReadonlyRepository => {
  const name = locationName(real.location)
  const gone = (what: string) => storeError(what, "NotFound", "not found: deleted before in this dry run")

  /** A digest that is remembered, or what has to be asked. */
  const meant = (reference: Reference): Digest | Reference | undefined =>
    Reference.$match(reference, {
      ByDigest: ({ digest }) => place.manifests.has(digest) ? digest : reference,
      ByTag: ({ tag }) => place.tags.has(tag) ? place.tags.get(tag) : reference
    })

  const asked = <A>(
    reference: Reference,
    ask: Effect.Effect<A, StoreError>,
    digestOf: (answer: A) => Digest,
    what: string
  ): Effect.Effect<A, StoreError> =>
    reference._tag === "ByDigest" ? ask : Effect.flatMap(ask, (answer) => {
      const digest = digestOf(answer)
      place.seen.set(reference.tag, digest)
      return place.untagged.has(digest) ? Effect.fail(gone(what)) : Effect.succeed(answer)
    })

  const resolve: ReadonlyRepository["resolve"] = (reference) =>
    Effect.suspend(() => {
      const what = `failed to request manifest head ${name}${referenceText(reference)}`
      const found = meant(reference)
      if (typeof found === "object") {
        return asked(found, real.resolve(found), ({ descriptor }) => descriptor.digest, what)
      }
      const kept = found === undefined ? undefined : place.manifests.get(found)
      return kept === undefined ? Effect.fail(gone(what)) : Effect.succeed({ descriptor: kept.descriptor, headers: {} })
    })

  const manifest: ReadonlyRepository["manifest"] = (reference, expected) =>
    Effect.suspend(() => {
      const what = `failed to get manifest ${name}${referenceText(reference)}`
      const found = meant(reference)
      if (typeof found === "object") {
        return asked(found, real.manifest(found, expected), ({ descriptor }) => descriptor.digest, what)
      }
      const kept = found === undefined ? undefined : place.manifests.get(found)
      if (kept !== undefined) return kept.read
      // The descriptor itself may have the content.
      return expected?.data === undefined ? Effect.fail(gone(what)) : real.manifest(reference, expected)
    })

  return {
    location: real.location,
    resolve,
    manifest,
    headBlob: (blob) =>
      Effect.suspend(() => {
        if (!place.blobs.has(blob.digest)) return real.headBlob(blob)
        const kept = place.blobs.get(blob.digest)
        return kept === undefined
          ? Effect.fail(gone(`failed to request blob head, digest ${blob.digest}, ref ${name}`))
          : Effect.succeed({ descriptor: { ...blob, size: kept.size }, headers: {} })
      }),
    blob: (blob, part) =>
      asStored(
        fromPump((sink) =>
          Effect.suspend(() => {
            if (!place.blobs.has(blob.digest)) return pumpOf(real.blob(blob, part))(sink)
            const kept = place.blobs.get(blob.digest)
            if (kept === undefined) return Effect.fail(gone(`failed to get blob, digest ${blob.digest}, ref ${name}`))
            const whole = verified(kept.content, isSizeKnown(blob) ? blob : { ...blob, size: kept.size })
            return pumpOf(part === undefined ? whole : partOf(kept.content, part))(sink)
          })
        ),
        { requests: requestsFor(real, blob), hold }
      ),
    tags: (page) => tagsOf(real, place, page),
    referrers: (subject, filter = {}) =>
      Effect.suspend(() => real.referrers(subject, filter)).pipe(
        Effect.catchReason("StoreError", "NotFound", (_, error) =>
          place.isMade ? Effect.succeed<Referrers>({ descriptors: [], annotations: {} }) : Effect.fail(error)),
        Effect.map((found) =>
          relisted(found, place, subject, filter.artifactType)
        )
      )
  }
}

const requestsFor = ({ location }: ReadonlyRepository, { data }: Descriptor): number =>
  location._tag === "Registry" && data === undefined ? 1 : 0

const relisted = (found: Referrers, place: Place, subject: Descriptor, artifactType: string | undefined): Referrers => {
  const isWanted = isMatch(artifactType === undefined ? {} : { artifactType })
  const added = place.referrers.get(subject.digest) ?? new Map<Digest, Descriptor>()
  const isReal = ({ digest }: Descriptor) =>
    !added.has(digest) && !(place.manifests.has(digest) && place.manifests.get(digest) === undefined)
  const kept = found.descriptors.filter(isReal)
  if (added.size === 0 && kept.length === found.descriptors.length) return found
  const { annotations, tag } = found
  return {
    descriptors: [...kept, ...[...added.values()].filter(isWanted)],
    annotations,
    ...(tag === undefined ? {} : { tag })
  }
}

/** A part of bytes that are all read, both ends included. */
const partOf = (
  whole: Bytes,
  { from, to = Number.POSITIVE_INFINITY }: { readonly from: number; readonly to?: number }
) =>
  fromPump((sink) =>
    Effect.suspend(() => {
      let at = 0
      return pumpOf(whole)((view, release) => {
        const part = view.subarray(Math.max(0, from - at), Math.max(0, to + 1 - at))
        at += view.length
        if (part.length === 0) release()
        else sink(part, release)
      })
    })
  )
