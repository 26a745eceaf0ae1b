/**
 * From drafts to documents: digests, sizes, `diff_ids`, subjects and `data` computed from the bottom up. What no option
 * changed keeps its bytes. Reads, and writes nothing (library description, 17.2 (4)).
 */
import { Effect, Equal } from "effect"
import { hashHex } from "../../lib/hash.ts"
import { composeConfig, type Composed, composeManifest, type ManifestFields } from "../../schemas/compose.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Algorithm, algorithmOf, Digest } from "../../schemas/Digest.ts"
import { type ImageConfig, maxConfig } from "../../schemas/ImageConfig.ts"
import { contentOf, decodeManifest, type Manifest } from "../../schemas/Manifest.ts"
import { isManifestType } from "../../schemas/MediaType.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import { type Bytes, collect, fromBytes } from "../../services/Bytes.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import type { Draft, FixedDraft, ImageDraft, IndexDraft } from "./draft.ts"

/** What has to be where the image goes, in the order of its making. */
export interface Documents {
  readonly top: Manifest
  /** All manifests but the top, children and referrers before those that name them; and whether they are new. */
  readonly manifests: ReadonlyArray<{ readonly manifest: Manifest; readonly isNew: boolean }>
  /** Blobs that the source has. */
  readonly kept: ReadonlyArray<Descriptor>
  /** Entries of indexes that are no manifests: the source may have them. */
  readonly entries: ReadonlyArray<Descriptor>
  /** Blobs that are new. */
  readonly created: ReadonlyArray<{ readonly descriptor: Descriptor; readonly content: Bytes }>
}

export interface DocumentOptions {
  /** Bytes of content that descriptors carry; without it what they carried is brought up to date. */
  readonly dataMax?: number
}

/** Fails with the `StoreError` of what has to be read, and SizeLimit for a manifest larger than registries take. */
export const documentsOf = Effect.fnUntraced(
  function*(
    top: Draft,
    from: ReadonlyRepository,
    { dataMax }: DocumentOptions
  ): Effect.fn.Return<Documents, StoreError> {
    const done = new Map<Draft, Manifest>()
    const own = new Map(draftsOf(top).map((it) => [it.origin.descriptor.digest, it]))
    const manifests: Array<{ readonly manifest: Manifest; readonly isNew: boolean }> = []
    const kept = new Map<string, Descriptor>()
    const loose = new Map<string, Descriptor>()
    const created = new Map<string, { readonly descriptor: Descriptor; readonly content: Bytes }>()

    const visit = Effect.fnUntraced(
      function*(draft: Draft, subject?: Descriptor): Effect.fn.Return<Manifest, StoreError> {
        const known = done.get(draft)
        if (known !== undefined) return known
        const followed = subject ?? (yield* siblingSubject(draft))
        const manifest = yield* documentOf(followed === undefined ? draft : { ...draft, subject: followed })
        done.set(draft, manifest)
        const isNew = manifest.descriptor.digest !== draft.origin.descriptor.digest
        const { digest, mediaType, size } = manifest.descriptor
        for (const referrer of draft.referrers) {
          const isLeft = referrer.isFollower === true && (!isNew || own.has(referrer.origin.descriptor.digest))
          if (!isLeft) yield* follow(referrer, { mediaType, digest, size })
        }
        if (draft !== top) manifests.push({ manifest, isNew })
        return manifest
      }
    )

    /** A child whose subject is another child follows that one. */
    const siblingSubject = Effect.fnUntraced(
      function*({ isFollower, subject }: Draft): Effect.fn.Return<Descriptor | undefined, StoreError> {
        const sibling = subject === undefined || isFollower === true ? undefined : own.get(subject.digest)
        if (sibling === undefined) return undefined
        const { digest, mediaType, size } = (yield* visit(sibling)).descriptor
        return { ...subject, mediaType, digest, size }
      }
    )

    const follow = (referrer: Draft, subject: Descriptor) =>
      referrer._tag === "Fixed"
        ? Effect.logWarning(
          `Leaving a referrer with its old subject: a manifest of type ${referrer.mediaType} cannot be changed`
        )
        : visit(referrer, { ...referrer.subject, ...subject })

    const documentOf = (draft: Draft): Effect.Effect<Manifest, StoreError> => {
      switch (draft._tag) {
        case "Image":
          return imageOf(draft)
        case "Index":
          return indexOf(draft)
        case "Fixed":
          return fixedOf(draft)
      }
    }

    const imageOf = Effect.fnUntraced(function*(image: ImageDraft): Effect.fn.Return<Manifest, StoreError> {
      const layers = yield* Effect.forEach(image.layers, ({ content, descriptor }) => {
        const isExternal = (descriptor.urls ?? []).length > 0
        if (content !== undefined) created.set(descriptor.digest, { descriptor, content })
        else if (!isExternal) kept.set(descriptor.digest, descriptor)
        if (isExternal) return Effect.succeed(descriptor)
        const isSame = image.origin.layers.some(({ digest }) => digest === descriptor.digest)
        return withData(descriptor, isSame, content ?? from.blob(descriptor))
      })
      const { bytes, descriptor } = yield* configBytes(image, from)
      if (bytes === undefined) kept.set(descriptor.digest, descriptor)
      else created.set(descriptor.digest, { descriptor, content: fromBytes(bytes) })
      const content = bytes === undefined ? from.blob(descriptor) : fromBytes(bytes)
      const config = yield* withData(descriptor, bytes === undefined, content)
      return yield* manifestOf(image, { config, layers })
    })

    const indexOf = Effect.fnUntraced(function*(index: IndexDraft): Effect.fn.Return<Manifest, StoreError> {
      const entries = yield* Effect.forEach(index.entries, ({ descriptor, draft }) =>
        draft === undefined
          ? Effect.sync(() => {
            if (!isManifestType(descriptor.mediaType)) loose.set(descriptor.digest, descriptor)
            return descriptor
          })
          : Effect.flatMap(visit(draft), ({ bytes, descriptor: { digest, mediaType, size } }) =>
            withData({ ...descriptor, mediaType, digest, size }, digest === descriptor.digest, fromBytes(bytes))))
      return yield* manifestOf(index, { manifests: entries })
    })

    const fixedOf = (draft: FixedDraft) =>
      Effect.sync((): Manifest => {
        for (const blob of contentOf(draft.origin)) if ((blob.urls ?? []).length === 0) kept.set(blob.digest, blob)
        return draft.origin
      })

    const withData = (descriptor: Descriptor, isSame: boolean, content: Bytes) => {
      const { data, ...bare } = descriptor
      if (dataMax === undefined ? data === undefined : descriptor.size > dataMax) {
        return Effect.succeed<Descriptor>(bare)
      }
      if (data !== undefined && isSame) return Effect.succeed(descriptor)
      return Effect.map(
        collect(content, descriptor.size),
        (bytes): Descriptor => ({ ...bare, data: Buffer.from(bytes).toString("base64") })
      )
    }

    const manifest = yield* visit(top)
    return {
      top: manifest,
      manifests,
      kept: [...kept.values()],
      entries: [...loose.values()],
      created: [...created.values()]
    }
  }
)

/** A manifest and all below it, referrers left out. */
const draftsOf = (draft: Draft): ReadonlyArray<Draft> =>
  draft._tag === "Index"
    ? [draft, ...draft.entries.flatMap((entry) => entry.draft === undefined ? [] : draftsOf(entry.draft))]
    : [draft]

/** The configuration in its new form; no bytes when it is the one that the source has. */
const configBytes = Effect.fnUntraced(
  function*(image: ImageDraft, from: ReadonlyRepository): Effect.fn.Return<
    Omit<Composed, "bytes"> & {
      readonly bytes?: Uint8Array
    },
    StoreError
  > {
    const { descriptor, document, received } = image.config
    if (document === undefined) return { descriptor }
    const current = withDiffIds(image, document)
    const algorithm = image.algorithm ?? algorithmOf(descriptor.digest)
    if (!Equal.equals(current, received)) {
      const composed = composeConfig({ ...current }, { algorithm, mediaType: descriptor.mediaType })
      const { digest, size } = composed.descriptor
      return { bytes: composed.bytes, descriptor: { ...descriptor, digest, size } }
    }
    if (algorithm === algorithmOf(descriptor.digest)) return { descriptor }
    const bytes = yield* Effect.mapError(
      collect(from.blob(image.origin.config), maxConfig),
      within(`failed to read image config ${descriptor.digest}`)
    )
    return { bytes, descriptor: { ...descriptor, digest: digestBy(algorithm, bytes) } }
  }
)

const digestBy = (algorithm: Algorithm, bytes: Uint8Array): Digest =>
  Digest.make(`${algorithm}:${hashHex(algorithm, bytes)}`)

/** The document with the `diff_ids` of the layers as they are now; as it is while they are what they were. */
const withDiffIds = ({ config, layers, origin }: ImageDraft, document: ImageConfig): ImageConfig => {
  const before = origin.layers.map((_, at) => config.received?.rootfs?.diff_ids?.[at])
  const now = layers.map(({ diffId }) => diffId)
  if (Equal.equals(before, now)) return document
  return {
    ...document,
    rootfs: { ...document.rootfs, type: "layers", diff_ids: now.filter((it) => it !== undefined) }
  }
}

/** The manifest of a draft with its content; the bytes of its origin where nothing differs. */
const manifestOf = (
  draft: ImageDraft | IndexDraft,
  content: Pick<ManifestFields, "config" | "layers" | "manifests">
): Effect.Effect<Manifest, StoreError> => {
  const { annotations, artifactType, mediaType, origin, subject } = draft
  const before = algorithmOf(origin.descriptor.digest)
  const algorithm = draft.algorithm ?? before
  const fields = fieldsOf({ mediaType, annotations, artifactType, subject, ...content })
  const isSame = Equal.equals(
    fields,
    fieldsOf({
      mediaType: origin.descriptor.mediaType,
      annotations: origin.annotations,
      artifactType: origin.artifactType,
      subject: origin.subject,
      ...(origin._tag === "Image"
        ? { config: origin.config, layers: origin.layers }
        : { manifests: origin.manifests })
    })
  )
  if (!isSame) return Effect.fromResult(composeManifest(fields, { algorithm, origin }))
  return algorithm === before
    ? Effect.succeed(origin)
    : Effect.fromResult(decodeManifest(origin.bytes, { mediaType, algorithm, name: "manifest" }))
}

type Loose<A> = { readonly [K in keyof A]: A[K] | undefined }

const fieldsOf = (
  { artifactType, subject, ...rest }:
    & Omit<ManifestFields, "artifactType" | "subject">
    & Loose<Pick<Required<ManifestFields>, "artifactType" | "subject">>
): ManifestFields => ({
  ...rest,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(subject === undefined ? {} : { subject })
})
