/** Manifests of a layout: files like blobs, named by entries of `index.json`, with lists of referrers under fallback tags. */
import { Effect } from "effect"
import { hashHex } from "../../lib/hash.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, type Digest } from "../../schemas/Digest.ts"
import { decodeManifest, type Index, type Manifest, maxRead } from "../../schemas/Manifest.ts"
import { isBlobType, mediaTypes } from "../../schemas/MediaType.ts"
import { Reference, referenceText, type Tag } from "../../schemas/Ref.ts"
import { fallbackTag, isMatch, referrer } from "../../schemas/Referrers.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { inlineData } from "../inlineData.ts"
import type { Head, PutManifest, Referrers } from "../Repository.ts"
import { knownAs, presentSize, remember, writeBytes } from "./blobs.ts"
import { find, type LayoutIndex, withDigest, withoutDigest, withoutTag, withTag } from "./documents.ts"
import { creationTime, indexOf, type LayoutState, pathOf, update } from "./state.ts"
import { noteFound } from "./writer.ts"

const missing = (detail: string) => storeError("", "NotFound", detail)

/** The file of a manifest, decoded; fails when it is absent, too large, or not what its digest says. */
const load = Effect.fnUntraced(function*(
  state: LayoutState,
  digest: Digest,
  expected: { readonly mediaType?: string; readonly size?: number; readonly name: string }
) {
  const path = pathOf(state, digest)
  const info = yield* state.disk.info(path)
  const bytes = yield* Effect.mapError(state.disk.read(path, maxRead), within("failed to open manifest"))
  const { mediaType, name, size } = expected
  const manifest = yield* Effect.fromResult(decodeManifest(bytes, {
    name,
    digest,
    ...(mediaType === undefined || mediaType === "" ? {} : { mediaType }),
    ...(size === undefined || size === 0 ? {} : { size })
  }))
  if (info !== undefined && knownAs(state, digest)?.identity !== info.identity) {
    remember(state, digest, { identity: info.identity, isOwn: false })
  }
  noteFound(state, digest)
  return manifest
})

const nameOf = (state: LayoutState, reference: Reference): string => `ocidir://${state.dir}${referenceText(reference)}`

/** The entry a reference means; by digest a manifest needs none. */
const lookUp = Effect.fnUntraced(function*(state: LayoutState, reference: Reference) {
  const index = yield* Effect.mapError(indexOf(state), within("unable to read oci index"))
  const entry = find(index, reference)
  if (entry !== undefined) return entry
  if (reference._tag === "ByDigest") return { mediaType: "", digest: reference.digest, size: 0 }
  return yield* missing(`could not find entry in index.json: ${nameOf(state, reference)}`)
})

/** `NotFound` also where the file is there and damaged, so that a copy brings it again (faults L07). */
export const resolve = Effect.fnUntraced(function*(state: LayoutState, reference: Reference) {
  const { digest, mediaType, size } = yield* lookUp(state, reference)
  const info = yield* state.disk.info(pathOf(state, digest))
  const absent = missing(`not found: ${nameOf(state, reference)}`)
  if (info === undefined || (size > 0 && info.size !== size)) return yield* absent
  if (mediaType !== "" && size > 0 && knownAs(state, digest)?.identity === info.identity) {
    noteFound(state, digest)
    return { descriptor: { mediaType, digest, size }, headers: {} } satisfies Head
  }
  const { descriptor } = yield* load(state, digest, { mediaType, size, name: nameOf(state, reference) }).pipe(
    Effect.catchReason("StoreError", "DigestMismatch", () => Effect.fail(absent))
  )
  return { descriptor, headers: {} } satisfies Head
})

export const manifestOf = Effect.fnUntraced(function*(state: LayoutState, reference: Reference, expected?: Descriptor) {
  const name = nameOf(state, reference)
  const inline = yield* inlineData(expected)
  if (inline !== undefined) return yield* Effect.fromResult(decodeManifest(inline, { ...expected, name }))
  const entry = yield* lookUp(state, reference)
  return yield* load(state, entry.digest, {
    name,
    mediaType: expected?.mediaType ?? entry.mediaType,
    size: expected?.size ?? entry.size
  })
})

/** The bytes are those the descriptor names; the digest of a signed schema 1 manifest is not over all of them. */
const checkBytes = ({ _tag, bytes, descriptor }: Manifest): Effect.Effect<void, StoreError> => {
  if (bytes.length !== descriptor.size) {
    const detail = `short read [expected ${descriptor.size}, received ${bytes.length}]`
    return Effect.fail(storeError("", "SizeMismatch", detail))
  }
  if (bytes.length > maxRead) {
    const detail = `manifest too large, calculated ${bytes.length}, limit ${maxRead}`
    return Effect.fail(storeError("", "SizeLimit", detail))
  }
  const algorithm = algorithmOf(descriptor.digest)
  const computed = `${algorithm}:${hashHex(algorithm, bytes)}`
  if (_tag === "Schema1" || computed === descriptor.digest) return Effect.void
  const detail = `manifest digest mismatch, expected ${descriptor.digest}, computed ${computed}`
  return Effect.fail(storeError("", "DigestMismatch", detail))
}

/**
 * What is kept for a manifest. Of schema 1 it is what is there: the same payload with other signatures has the same digest
 * and another size, which entries that are there do not tell.
 */
const keptFor = (state: LayoutState, manifest: Manifest): Effect.Effect<Manifest> => {
  const { digest } = manifest.descriptor
  if (manifest._tag !== "Schema1") return Effect.succeed(manifest)
  return Effect.orElseSucceed(load(state, digest, { name: digest }), () => manifest)
}

/** The file first, then the subject's list and the tag in one change of the index (faults D1). The layout has to be announced. */
export const putManifest = Effect.fnUntraced(function*(
  state: LayoutState,
  manifest: Manifest,
  { isChild = false, tag }: PutManifest
) {
  yield* checkBytes(manifest)
  const { bytes, descriptor, subject } = yield* keptFor(state, manifest)
  if ((yield* presentSize(state, descriptor)) === undefined) yield* writeBytes(state, descriptor.digest, bytes)
  if (isChild && tag === undefined && subject === undefined) return descriptor
  const time = yield* creationTime
  yield* update(
    state,
    Effect.fnUntraced(function*(index) {
      // Found before, and deleted by another since.
      const isThere = (yield* state.disk.info(pathOf(state, descriptor.digest))) !== undefined
      if (!isThere) yield* writeBytes(state, descriptor.digest, bytes)
      const listed = subject === undefined
        ? index
        : yield* relist(state, index, subject.digest, time, (list) => withReferrer(list, referrer(manifest)))
      if (tag !== undefined) return withTag(listed, tag, descriptor, time)
      return isChild ? listed : withDigest(listed, descriptor, time)
    })
  )
  return descriptor
})

const withReferrer = (list: ReadonlyArray<Descriptor>, added: Descriptor): ReadonlyArray<Descriptor> =>
  list.some(({ digest }) => digest === added.digest) ? list : [...list, ordered(added)]

/** Keys in the order in which descriptors are written. */
const ordered = ({ annotations, artifactType, digest, mediaType, size }: Descriptor): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(annotations === undefined ? {} : { annotations }),
  ...(artifactType === undefined ? {} : { artifactType })
})

interface Listing {
  readonly document: object
  readonly descriptors: ReadonlyArray<Descriptor>
  readonly received?: Index
}

/** The list under a subject's fallback tag; empty when there is none, or its file is absent. */
const listingOf = Effect.fnUntraced(function*(state: LayoutState, index: LayoutIndex, tag: Tag) {
  const none: Listing = { document: { schemaVersion: 2, mediaType: mediaTypes.ociIndex }, descriptors: [] }
  const entry = find(index, Reference.ByTag({ tag }))
  if (entry === undefined) return none
  const name = nameOf(state, Reference.ByTag({ tag }))
  const found = yield* load(state, entry.digest, { ...entry, name }).pipe(
    Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(undefined))
  )
  if (found === undefined) return none
  if (found._tag !== "Index") {
    return yield* storeError("", "ManifestInvalid", `referrers tag is not an index: ${name}`)
  }
  // Decoded above, so it is JSON and an object.
  const document: object = JSON.parse(new TextDecoder().decode(found.bytes))
  return { document, descriptors: found.manifests, received: found } satisfies Listing
})

/** The index with a changed list for a subject; a list that became empty loses its tag. */
const relist = Effect.fnUntraced(function*(
  state: LayoutState,
  index: LayoutIndex,
  subject: Digest,
  time: string,
  change: (list: ReadonlyArray<Descriptor>) => ReadonlyArray<Descriptor>
) {
  const tag = fallbackTag(subject)
  const { descriptors, document } = yield* listingOf(state, index, tag)
  const changed = change(descriptors)
  if (changed === descriptors) return index
  if (changed.length === 0) return withoutTag(index, tag) ?? index
  const bytes = new TextEncoder().encode(JSON.stringify({ ...document, manifests: changed }))
  const digest = `sha256:${hashHex("sha256", bytes)}` as Digest // a brand for what was computed
  yield* writeBytes(state, digest, bytes)
  return withTag(index, tag, { mediaType: mediaTypes.ociIndex, digest, size: bytes.length }, time)
})

/** All entries of the digest go, the subject's list is changed, then the file goes. The layout has to be announced. */
export const deleteManifest = Effect.fnUntraced(function*(state: LayoutState, digest: Digest, subject?: Digest) {
  const name = nameOf(state, Reference.ByDigest({ digest }))
  const path = pathOf(state, digest)
  const time = yield* creationTime
  yield* update(
    state,
    Effect.fnUntraced(function*(index) {
      // A damaged manifest has no subject that could be told, and can be deleted all the same.
      const own = yield* Effect.option(load(state, digest, { name }))
      const listed = subject ?? (own._tag === "Some" ? own.value.subject?.digest : undefined)
      const without = withoutDigest(index, digest)
      const isThere = without.entries.length < index.entries.length ||
        (yield* state.disk.infoOfName(path)) !== undefined
      if (!isThere) return yield* missing(`failed deleting ${name}: not found`)
      const rest = without.entries.length < index.entries.length ? without : index
      if (listed === undefined) return rest
      return yield* relist(state, rest, listed, time, (list) => unlisted(list, digest))
    }),
    state.disk.remove(path) // before another can put it again
  )
  state.place.swept = undefined // what it named has lost its reason to be there
})

const unlisted = (list: ReadonlyArray<Descriptor>, gone: Digest): ReadonlyArray<Descriptor> =>
  list.some(({ digest }) => digest === gone) ? list.filter(({ digest }) => digest !== gone) : list

/** The index without the entry that has just that name; `NotFound` when there is none. */
export const untagged = (state: LayoutState, index: LayoutIndex, tag: Tag): Effect.Effect<LayoutIndex, StoreError> => {
  const rest = withoutTag(index, tag)
  return rest === undefined
    ? Effect.fail(missing(`failed deleting ${nameOf(state, Reference.ByTag({ tag }))}: not found`))
    : Effect.succeed(rest)
}

export const deleteTag = (state: LayoutState, tag: Tag): Effect.Effect<void, StoreError> =>
  update(state, (index) => untagged(state, index, tag))

/** By fallback tag; `slow` adds manifests that name the subject and stand in no list. */
export const referrers = Effect.fnUntraced(function*(
  state: LayoutState,
  subject: Digest,
  { artifactType, slow = false }: { readonly artifactType?: string; readonly slow?: boolean }
) {
  const index = yield* indexOf(state)
  const tag = fallbackTag(subject)
  const entry = find(index, Reference.ByTag({ tag }))
  const { descriptors, document, received } = yield* listingOf(state, index, tag)
  const all = new Map(descriptors.map((it) => [it.digest, it]))
  if (slow) {
    for (const it of yield* unlistedReferrers(state, index, subject)) if (!all.has(it.digest)) all.set(it.digest, it)
  }
  const found: Referrers = {
    descriptors: [...all.values()].filter(isMatch(artifactType === undefined ? {} : { artifactType })),
    annotations: "annotations" in document ? document.annotations as Referrers["annotations"] : {}, // an index that decoded
    ...(entry === undefined ? {} : { tag }),
    ...(received === undefined || all.size > descriptors.length ? {} : { received })
  }
  return found
})

/** Indexes read into one another (faults, limits). */
const maxDepth = 32

/** Every manifest that names the subject, among the entries of `index.json` and what indexes there list. */
const unlistedReferrers = Effect.fnUntraced(function*(state: LayoutState, index: LayoutIndex, subject: Digest) {
  const found: Array<Descriptor> = []
  const seen = new Set<Digest>()
  let level: ReadonlyArray<Descriptor> = index.entries.map(({ descriptor }) => descriptor)
  for (let depth = 0; level.length > 0 && depth <= maxDepth; depth++) {
    const next: Array<Descriptor> = []
    for (const descriptor of level) {
      if (seen.has(descriptor.digest) || isBlobType(descriptor.mediaType)) continue
      seen.add(descriptor.digest)
      // What cannot be read is no referrer that could be shown.
      const read = yield* Effect.option(load(state, descriptor.digest, { ...descriptor, name: descriptor.digest }))
      if (read._tag === "None") continue
      if (read.value.subject?.digest === subject) found.push(referrer(read.value))
      for (const child of read.value._tag === "Index" ? read.value.manifests : []) next.push(child)
    }
    level = next
  }
  return found
})
