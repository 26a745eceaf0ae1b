/** The list of referrers kept under a tag, where a registry has no referrers API (distribution-spec, referrers tag schema; library 13). */
import { Effect, Random, Result } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { decodeManifest, header, type Headers, type Index, type Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { Reference, type Tag } from "../../schemas/Ref.ts"
import { fallbackTag, referrer } from "../../schemas/Referrers.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { Turns } from "../turns.ts"
import { type At, type Http, nameOf, statusOf } from "./exchange.ts"
import { getManifest, push } from "./manifests.ts"

/** One change at a time of each subject's list in this process. */
export interface Locks {
  readonly turns: Turns
}

/** The list as the tag holds it, none when there is no such tag. Fails with ManifestInvalid when the tag is something else. */
export const readFallback = (at: At, http: Http, subject: Descriptor): Effect.Effect<Index | undefined, StoreError> => {
  const reference = Reference.ByTag({ tag: fallbackTag(subject.digest) })
  return Effect.flatMap(
    Effect.catchReason(
      getManifest(at, http, reference),
      "StoreError",
      "NotFound",
      () => Effect.succeed(undefined)
    ),
    (found): Effect.Effect<Index | undefined, StoreError> => {
      // A registry may take such a tag for the digest itself, and so answer with the subject (registry-quirks 5.4).
      if (found === undefined || found.descriptor.digest === subject.digest) return Effect.succeed(undefined)
      return found._tag === "Index" && found.descriptor.mediaType === mediaTypes.ociIndex
        ? Effect.succeed(found)
        : Effect.fail(storeError("", "ManifestInvalid", `manifest is not an OCI index: ${nameOf(at, reference)}`))
    }
  )
}

/** Serialises changes of one subject's list within the process. */
const locked = (at: At, { turns }: Locks, subject: Descriptor) =>
  turns(`${at.registry}/${at.repository}@${subject.digest}`)

/** Attempts at a change that other writers undo. */
const attempts = 5

/** Lists a manifest among the referrers of its subject. */
export const addToFallback = (at: At, http: Http, locks: Locks, manifest: Manifest, subject: Descriptor) =>
  locked(at, locks, subject)(add(at, http, referrer(manifest), subject, 1)).pipe(
    Effect.mapError(within(`failed to update referrers of ${nameOf(at, Reference.ByDigest(subject))}`))
  )

const add = Effect.fnUntraced(function*(
  at: At,
  http: Http,
  entry: Descriptor,
  subject: Descriptor,
  tried: number
): Effect.fn.Return<void, StoreError> {
  const found = yield* readFallback(at, http, subject)
  if (isListed(found, entry)) return
  if (tried > attempts) {
    return yield* Effect.fail(storeError("", "HttpStatus", "other writers keep changing the list", { status: 412 }))
  }
  const isWritten = yield* write(at, http, subject, found, [...(found?.manifests ?? []), entry])
  // Another process may have written its own list over ours, which only a look afterwards shows.
  if (isWritten && isListed(yield* readFallback(at, http, subject), entry)) return
  yield* Effect.sleep(yield* Random.nextIntBetween(50, 500))
  yield* add(at, http, entry, subject, tried + 1)
})

const isListed = (index: Index | undefined, entry: Descriptor): boolean =>
  index?.manifests.some(({ digest }) => digest === entry.digest) ?? false

/** `false`: the list changed since it was read, and was left alone. */
const write = (
  at: At,
  http: Http,
  subject: Descriptor,
  old: Index | undefined,
  manifests: ReadonlyArray<Descriptor>
): Effect.Effect<boolean, StoreError> =>
  push(at, http, indexOf(old, manifests), {
    tag: fallbackTag(subject.digest),
    headers: condition(old?.headers)
  }).pipe(
    Effect.as(true),
    Effect.catchIf((error) => statusOf(error) === 412, () => Effect.succeed(false))
  )

const condition = (headers: Headers | undefined): Readonly<Record<string, string>> => {
  const tag = headers === undefined ? undefined : header(headers, "etag")
  return tag === undefined ? {} : { "if-match": tag }
}

const indexOf = (old: Index | undefined, manifests: ReadonlyArray<Descriptor>): Manifest => {
  const annotations = old?.annotations ?? {}
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations })
  }
  const bytes = new TextEncoder().encode(JSON.stringify(document))
  return Result.getOrThrow(decodeManifest(bytes, { name: "referrers", mediaType: mediaTypes.ociIndex }))
}

/** Takes a manifest off the list; an empty list goes away with its tag, or stays as an empty one where tags cannot go. */
export const removeFromFallback = (
  at: At,
  http: Http,
  locks: Locks,
  deleteTag: (tag: Tag) => Effect.Effect<void, StoreError>,
  manifest: Descriptor,
  subject: Descriptor
) =>
  locked(at, locks, subject)(remove(at, http, deleteTag, manifest, subject, 1)).pipe(
    Effect.mapError(within(`failed to update referrers of ${nameOf(at, Reference.ByDigest(subject))}`))
  )

const remove = Effect.fnUntraced(function*(
  at: At,
  http: Http,
  deleteTag: (tag: Tag) => Effect.Effect<void, StoreError>,
  manifest: Descriptor,
  subject: Descriptor,
  tried: number
): Effect.fn.Return<void, StoreError> {
  const found = yield* readFallback(at, http, subject)
  if (found === undefined || !isListed(found, manifest)) return
  const rest = found.manifests.filter(({ digest }) => digest !== manifest.digest)
  if (rest.length === 0) {
    return yield* Effect.catch(
      deleteTag(fallbackTag(subject.digest)),
      () => Effect.asVoid(write(at, http, subject, found, rest))
    )
  }
  if (yield* write(at, http, subject, found, rest)) return
  if (tried === attempts) {
    return yield* Effect.fail(storeError("", "HttpStatus", "other writers keep changing the list", { status: 412 }))
  }
  yield* Effect.sleep(yield* Random.nextIntBetween(50, 500))
  yield* remove(at, http, deleteTag, manifest, subject, tried + 1)
})
