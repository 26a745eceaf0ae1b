/** What an archive holds, whichever of the two formats it has: names, manifests, and where the bytes of a digest lie. */
import { Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, type Digest, encodedOf } from "../../schemas/Digest.ts"
import { decodeManifest, type Manifest, maxRead } from "../../schemas/Manifest.ts"
import { isBlobType } from "../../schemas/MediaType.ts"
import { Reference, referenceText } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { collect } from "../Bytes.ts"
import { inlineData } from "../inlineData.ts"
import { find, type LayoutIndex, layoutProblem, parseIndex, tagOf } from "../ociLayout/documents.ts"
import { scratch } from "../spool.ts"
import { tarInvalid } from "../tarReader.ts"
import { convert, type Converted, type DockerImage, parseImages, unreadable } from "./docker.ts"
import { plainFile } from "./plain.ts"
import { openTarFile, type Part, partBytes, type TarFile } from "./tarFile.ts"

/** An image of `manifest.json`; its manifest is made when it is asked for, once. */
export interface SavedImage {
  readonly image: DockerImage
  readonly converted: Effect.Effect<Converted, StoreError>
}

export interface Contents {
  /** `ocifile://path`. */
  readonly name: string
  readonly tar: TarFile
  readonly layout: { readonly index: LayoutIndex; readonly bytes: Uint8Array } | undefined
  readonly saved: ReadonlyArray<SavedImage>
  /** Of images converted so far. */
  readonly made: { readonly manifests: Map<Digest, Manifest>; readonly parts: Map<Digest, Part> }
}

/** Reads all headers, and the documents that say what is there; an archive of neither format fails with TarInvalid. */
export const openContents = Effect.fnUntraced(function*(path: string) {
  const name = `ocifile://${path}`
  const tar = yield* openTarFile(yield* plainFile(path), path)
  const layout = yield* readLayout(tar)
  const list = yield* tar.document("manifest.json")
  if (layout === undefined && list === undefined) return yield* unreadable([])
  // A list that is broken is no matter where the layout says all.
  const images = list === undefined
    ? []
    : layout === undefined
    ? yield* Effect.fromResult(parseImages(list))
    : yield* Effect.orElseSucceed(Effect.fromResult(parseImages(list)), () => [])
  const { newFile } = yield* scratch
  const made: Contents["made"] = { manifests: new Map(), parts: new Map() }
  const saved = yield* Effect.forEach(images, (image) => {
    const conversion = Effect.gen(function*() {
      const converted = yield* convert(tar, image, newFile)
      made.manifests.set(converted.manifest.descriptor.digest, converted.manifest)
      for (const [digest, part] of converted.parts) made.parts.set(digest, part)
      return converted
    })
    return Effect.map(Effect.cached(conversion), (converted): SavedImage => ({ image, converted }))
  })
  const contents: Contents = { name, tar, layout, saved, made }
  return contents
})

const readLayout = Effect.fnUntraced(function*(tar: TarFile) {
  const version = yield* tar.document("oci-layout")
  if (version === undefined) return undefined
  const bytes = yield* tar.document("index.json")
  const problem = layoutProblem(version)
  if (problem !== undefined) return yield* tarInvalid(problem)
  if (bytes === undefined) return undefined
  const index = yield* Effect.mapError(
    Effect.fromResult(parseIndex(bytes)),
    (text) => tarInvalid(`index.json cannot be parsed: ${text}`)
  )
  return { index, bytes }
})

const noEntry = ({ name }: Contents, reference: Reference): StoreError =>
  storeError("", "NotFound", `could not find entry in index.json: ${name}${referenceText(reference)}`)

/** Tags of an image of `manifest.json`: what follows the last `:` of its names. */
export const savedTags = ({ image }: SavedImage): ReadonlyArray<string> =>
  (image.RepoTags ?? []).flatMap((name) => /:([^:/]+)$/.exec(name)?.[1] ?? [])

/** Entries that are images of their own, not lists or tags that belong to a digest; each digest once. */
export const imagesOf = ({ entries }: LayoutIndex): ReadonlyArray<Descriptor> => {
  const own = entries.filter((entry) =>
    !/^[a-z0-9]+-[0-9a-f]{32,}/.test(tagOf(entry) ?? "") && !isBlobType(entry.descriptor.mediaType)
  )
  return [...new Map(own.map(({ descriptor }) => [descriptor.digest, descriptor])).values()]
}

/** The descriptor a reference means. An archive of one image is that image for who names no tag. */
const lookUp = Effect.fnUntraced(function*(contents: Contents, reference: Reference) {
  const { layout, saved } = contents
  if (reference._tag === "ByDigest") {
    const entry = layout === undefined ? undefined : find(layout.index, reference)
    return entry ?? { mediaType: "", digest: reference.digest, size: 0 }
  }
  const entry = layout === undefined ? undefined : find(layout.index, reference)
  if (entry !== undefined) return entry
  const image = saved.find((it) => savedTags(it).includes(reference.tag))
  if (layout === undefined && image !== undefined) return (yield* image.converted).manifest.descriptor
  const [only, ...others] = layout === undefined ? [] : imagesOf(layout.index)
  if (reference.tag !== "latest") return yield* noEntry(contents, reference)
  if (only !== undefined && others.length === 0) return only
  const [onlySaved] = saved
  if (layout !== undefined || saved.length !== 1 || onlySaved === undefined) return yield* noEntry(contents, reference)
  return (yield* onlySaved.converted).manifest.descriptor
})

/** Where the bytes of a digest lie; `undefined` when the archive has none. */
export const locate = Effect.fnUntraced(function*({ layout, made, saved, tar }: Contents, digest: Digest) {
  const known = made.parts.get(digest)
  if (known !== undefined) return known
  const part = yield* tar.find(`blobs/${algorithmOf(digest)}/${encodedOf(digest)}`)
  // What a digest means in a saved archive is known once its layers were compressed.
  if (part !== undefined || layout !== undefined) return part
  for (const { converted } of saved) yield* converted
  return made.parts.get(digest)
})

const named = ({ name }: Contents, reference: Reference) => `${name}${referenceText(reference)}`

/** A manifest, verified; as the descriptor says it is, where the reader has one. */
export const manifestOf = Effect.fnUntraced(function*(
  contents: Contents,
  reference: Reference,
  expected?: Descriptor
): Effect.fn.Return<Manifest, StoreError> {
  const name = named(contents, reference)
  const inline = yield* inlineData(expected)
  if (inline !== undefined) return yield* Effect.fromResult(decodeManifest(inline, { ...expected, name }))
  const entry = yield* lookUp(contents, reference)
  const made = contents.made.manifests.get(entry.digest)
  if (made !== undefined) return made
  const part = yield* locate(contents, entry.digest)
  // Looking for it may have made it.
  const found = contents.made.manifests.get(entry.digest)
  if (found !== undefined) return found
  if (part === undefined) return yield* storeError("failed to open manifest", "NotFound", `not found: ${name}`)
  if (part.size > maxRead) {
    return yield* storeError("", "SizeLimit", `manifest too large, received ${part.size}, limit ${maxRead}: ${name}`)
  }
  const { mediaType, size } = expected ?? entry
  const bytes = yield* Effect.mapError(collect(partBytes(part), maxRead), within("failed to open manifest"))
  return yield* Effect.fromResult(decodeManifest(bytes, {
    name,
    digest: entry.digest,
    ...(mediaType === "" ? {} : { mediaType }),
    ...(size === 0 ? {} : { size })
  }))
})

/** A fresh reference by digest. */
export const byDigest = ({ digest }: Pick<Descriptor, "digest">): Reference => Reference.ByDigest({ digest })
