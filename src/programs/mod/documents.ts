/**
 * From drafts to documents: digests, sizes, `diff_ids`, subjects and `data` computed from the bottom up. What no option
 * changed keeps its bytes. Reads, and writes nothing (library description, 17.2 (4)).
 */
import { Effect, Equal } from "effect"
import { composeConfig, type Composed, composeManifest, type ManifestFields } from "../../schemas/compose.ts"
import { computeDigest } from "../../schemas/computeDigest.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import { type ImageConfig, maxConfig } from "../../schemas/ImageConfig.ts"
import { contentOf, decodeManifest, type Manifest } from "../../schemas/Manifest.ts"
import { isManifestType } from "../../schemas/MediaType.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import { type Bytes, collect, fromBytes } from "../../services/Bytes.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { type Draft, draftsOf, type ImageDraft, type IndexDraft } from "./draft.ts"

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

type Blob = Documents["created"][number]

/** What is found on the way. */
interface Work extends DocumentOptions {
  readonly top: Draft
  readonly from: ReadonlyRepository
  readonly done: Map<Draft, Manifest>
  /** Drafts by the digest they had, referrers left out. */
  readonly own: ReadonlyMap<string, Draft>
  readonly manifests: Array<Documents["manifests"][number]>
  readonly kept: Map<string, Descriptor>
  readonly entries: Map<string, Descriptor>
  readonly created: Map<string, Blob>
}

/** Fails with the `StoreError` of what has to be read, and SizeLimit for a manifest larger than registries take. */
export const documentsOf = Effect.fnUntraced(
  function*(top: Draft, from: ReadonlyRepository, options: DocumentOptions): Effect.fn.Return<Documents, StoreError> {
    const work: Work = {
      ...options,
      top,
      from,
      done: new Map(),
      own: new Map(Array.from(draftsOf(top), (it) => [it.origin.descriptor.digest, it])),
      manifests: [],
      kept: new Map(),
      entries: new Map(),
      created: new Map()
    }
    const manifest = yield* visit(work, top)
    return {
      top: manifest,
      manifests: work.manifests,
      kept: [...work.kept.values()],
      entries: [...work.entries.values()],
      created: [...work.created.values()]
    }
  }
)

/** The manifest of a draft, once; then of its referrers, which name it. */
const visit = Effect.fnUntraced(
  function*(work: Work, draft: Draft, subject?: Descriptor): Effect.fn.Return<Manifest, StoreError> {
    const known = work.done.get(draft)
    if (known !== undefined) return known
    const followed = subject ?? (yield* siblingSubject(work, draft))
    const manifest = yield* documentOf(work, followed === undefined ? draft : { ...draft, subject: followed })
    work.done.set(draft, manifest)
    const isNew = manifest.descriptor.digest !== draft.origin.descriptor.digest
    const { digest, mediaType, size } = manifest.descriptor
    for (const referrer of draft.referrers) {
      const isLeft = referrer.isFollower === true && (!isNew || work.own.has(referrer.origin.descriptor.digest))
      if (!isLeft) yield* follow(work, referrer, { mediaType, digest, size })
    }
    if (draft !== work.top) work.manifests.push({ manifest, isNew })
    return manifest
  }
)

const follow = (work: Work, referrer: Draft, subject: Descriptor): Effect.Effect<unknown, StoreError> =>
  referrer._tag === "Fixed"
    ? Effect.logWarning(
      `Leaving a referrer with its old subject: a manifest of type ${referrer.mediaType} cannot be changed`
    )
    : visit(work, referrer, { ...referrer.subject, ...subject })

/** A child whose subject is another child follows that one. */
const siblingSubject = Effect.fnUntraced(
  function*(work: Work, { isFollower, subject }: Draft): Effect.fn.Return<Descriptor | undefined, StoreError> {
    const sibling = subject === undefined || isFollower === true ? undefined : work.own.get(subject.digest)
    if (sibling === undefined) return undefined
    const { digest, mediaType, size } = (yield* visit(work, sibling)).descriptor
    return { ...subject, mediaType, digest, size }
  }
)

const documentOf = (work: Work, draft: Draft): Effect.Effect<Manifest, StoreError> => {
  switch (draft._tag) {
    case "Image":
      return imageOf(work, draft)
    case "Index":
      return indexOf(work, draft)
    case "Fixed":
      for (const blob of contentOf(draft.origin)) if ((blob.urls ?? []).length === 0) work.kept.set(blob.digest, blob)
      return Effect.succeed(draft.origin)
  }
}

const imageOf = Effect.fnUntraced(function*(work: Work, image: ImageDraft): Effect.fn.Return<Manifest, StoreError> {
  const { created, from, kept } = work
  const layers = yield* Effect.forEach(image.layers, ({ content, descriptor }) => {
    const isExternal = (descriptor.urls ?? []).length > 0
    if (content !== undefined) created.set(descriptor.digest, { descriptor, content })
    else if (!isExternal) kept.set(descriptor.digest, descriptor)
    if (isExternal) return Effect.succeed(descriptor)
    const isSame = image.origin.layers.some(({ digest }) => digest === descriptor.digest)
    return withData(work, descriptor, isSame, content ?? from.blob(descriptor))
  })
  const { bytes, descriptor } = yield* configBytes(image, from)
  if (bytes === undefined) kept.set(descriptor.digest, descriptor)
  else created.set(descriptor.digest, { descriptor, content: fromBytes(bytes) })
  const content = bytes === undefined ? from.blob(descriptor) : fromBytes(bytes)
  const config = yield* withData(work, descriptor, bytes === undefined, content)
  return yield* manifestOf(image, { config, layers })
})

const indexOf = Effect.fnUntraced(function*(work: Work, index: IndexDraft): Effect.fn.Return<Manifest, StoreError> {
  const entries = yield* Effect.forEach(index.entries, ({ descriptor, draft }) => {
    if (draft !== undefined) {
      return Effect.flatMap(
        visit(work, draft),
        ({ bytes, descriptor: { digest, mediaType, size } }) =>
          withData(work, { ...descriptor, mediaType, digest, size }, digest === descriptor.digest, fromBytes(bytes))
      )
    }
    if (!isManifestType(descriptor.mediaType)) work.entries.set(descriptor.digest, descriptor)
    return Effect.succeed(descriptor)
  })
  return yield* manifestOf(index, { manifests: entries })
})

/** A descriptor that carries its content as the options have it. */
const withData = ({ dataMax }: Work, descriptor: Descriptor, isSame: boolean, content: Bytes) => {
  const { data, ...bare } = descriptor
  if (dataMax === undefined ? data === undefined : descriptor.size > dataMax) return Effect.succeed<Descriptor>(bare)
  if (data !== undefined && isSame) return Effect.succeed(descriptor)
  return Effect.map(
    collect(content, descriptor.size),
    (bytes): Descriptor => ({ ...bare, data: Buffer.from(bytes).toString("base64") })
  )
}

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
    return { bytes, descriptor: { ...descriptor, digest: computeDigest(algorithm, bytes) } }
  }
)

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
