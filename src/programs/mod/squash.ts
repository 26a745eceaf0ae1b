/**
 * All layers of an image as one, with what a container sees of them (image-spec, layer.md). Each layer is fetched once,
 * into a file, and read twice: its names, which tell what stays, then the bodies, which stream through.
 */
import { Effect } from "effect"
import { type GoTime, parseTime } from "../../lib/goTime.ts"
import { changeHeader, standalone } from "../../lib/tar/header.ts"
import { type Kept, Overlay } from "../../lib/tar/overlay.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import { configPlatform, type History, type ImageConfig } from "../../schemas/ImageConfig.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { decompressed } from "../../services/compressed.ts"
import { type Scratch, spool } from "../../services/spool.ts"
import { readTar, scanned, tarBytes, type TarEntry, type TarOut } from "../../services/tar.ts"
import type { Ends } from "./apply.ts"
import type { ImageDraft, LayerDraft } from "./draft.ts"
import { formOf, newFormOf, newTypeFor } from "./layerForms.ts"
import { diffAlgorithmOf, packed } from "./packed.ts"
import { rfc3339 } from "./time.ts"

/** Layers that are fetched at once. */
const concurrency = 3

interface Fetched {
  readonly operation: string
  readonly file: string
  readonly tar: Bytes
}

/**
 * The image with one layer, in the form of its last; as it is where it has fewer than two, or runs nowhere (artifacts,
 * attestations). Fails with Unsupported or UnsupportedMediaType for a layer that is kept elsewhere or is no tar, with
 * TarInvalid, and as reading does.
 */
export const squash = Effect.fnUntraced(function*(image: ImageDraft, ends: Ends, files: Scratch) {
  const { config: { document }, layers } = image
  const last = layers.at(-1)
  const isRun = document !== undefined && configPlatform(document)?.os !== "unknown"
  if (!isRun || last === undefined || layers.length < 2) return image
  for (const { descriptor } of layers) yield* checked(descriptor)
  const fetched = yield* Effect.forEach(layers, (layer) => fetch(layer, ends, files), { concurrency })
  const plan = yield* planOf(fetched)
  const layer = yield* made(tarBytes((out) => write(out, fetched, plan)), image, last, files)
  for (const { file } of fetched) yield* files.remove(file)
  return { ...image, layers: [layer], config: { ...image.config, document: withHistory(document) } }
})

const operationOf = ({ digest }: Descriptor): string => `failed to squash layer ${digest}`

const checked = (descriptor: Descriptor): Effect.Effect<void, StoreError> => {
  const { mediaType, urls = [] } = descriptor
  if (urls.length > 0) return Effect.fail(storeError(operationOf(descriptor), "Unsupported", "it is kept elsewhere"))
  return formOf(mediaType) === undefined
    ? Effect.fail(storeError(operationOf(descriptor), "UnsupportedMediaType", `unsupported media type: "${mediaType}"`))
    : Effect.void
}

const fetch = ({ content, descriptor }: LayerDraft, { from }: Ends, files: Scratch) =>
  Effect.gen(function*() {
    const file = yield* files.newFile
    const kept = yield* spool(file, content ?? from.blob(descriptor), algorithmOf(descriptor.digest))
    return { operation: operationOf(descriptor), file, tar: decompressed(kept.content) } satisfies Fetched
  }).pipe(Effect.mapError(within(operationOf(descriptor))))

/** What becomes of each entry of all layers, by its number. */
const planOf = Effect.fnUntraced(function*(fetched: ReadonlyArray<Fetched>) {
  const overlay = new Overlay()
  for (const { operation, tar } of fetched) {
    yield* readTar(tar, ({ header }) => scanned(() => overlay.add(header))).pipe(
      Effect.andThen(scanned(() => overlay.endLayer())),
      Effect.mapError(within(operation))
    )
  }
  return overlay.plan()
})

const write = (out: TarOut, fetched: ReadonlyArray<Fetched>, plan: ReadonlyArray<Kept | undefined>) =>
  Effect.suspend(() => {
    let number = 0
    const pass = (entry: TarEntry) => {
      const kept = plan[number++]
      return kept === undefined ? Effect.void : out.pass(headerOf(entry, kept), entry.header.size, entry.body)
    }
    return Effect.forEach(fetched, ({ tar }) => readTar(tar, pass), { discard: true })
  })

const headerOf = (entry: TarEntry, { linkname, name }: Kept): Uint8Array => {
  const raw = standalone(entry)
  if (name === undefined && linkname === undefined) return raw.blocks
  return changeHeader(raw, {
    ...(name === undefined ? {} : { name: entry.header.type === "5" ? `${name}/` : name }),
    ...(linkname === undefined ? {} : { linkname })
  })
}

/** The layer, compressed into a file. */
const made = Effect.fnUntraced(function*(tar: Bytes, image: ImageDraft, last: LayerDraft, files: Scratch) {
  const { descriptor } = last
  // A layer that is not to be distributed is no model for one that holds the others, too.
  const isModel = newFormOf(descriptor.mediaType) !== undefined
  const mediaType = isModel ? descriptor.mediaType : newTypeFor(image.mediaType)
  const form = formOf(mediaType) ?? "gzip"
  const { content, diffId, digest, size } = yield* packed(yield* files.newFile, tar, {
    form,
    algorithm: algorithmOf(descriptor.digest),
    diffAlgorithm: diffAlgorithmOf(last.diffId)
  })
  const layer: LayerDraft = {
    descriptor: { mediaType, digest, size },
    diffId,
    content,
    isSquashed: true
  }
  return layer
}, Effect.mapError(within("failed to squash layers")))

/** The steps stay, as ones that made no layer; the layer is as new as the newest of them, so that each run gives the same. */
const withHistory = (document: ImageConfig): ImageConfig => {
  const history = document.history ?? []
  const created = newest([document.created, ...history.map((it) => it.created)])
  const own: History = {
    ...(created === undefined ? {} : { created }),
    created_by: "regctl image mod --layer-squash",
    comment: "regclient"
  }
  return { ...document, history: [...history.map((it) => ({ ...it, empty_layer: true })), own] }
}

const newest = (texts: ReadonlyArray<string | null | undefined>): string | undefined => {
  let found: { readonly text: string; readonly time: GoTime } | undefined
  for (const text of texts) {
    const parsed = text == null ? undefined : parseTime(rfc3339, text)
    if (text == null || parsed === undefined || "problem" in parsed) continue
    if (found === undefined || parsed.time.nanos > found.time.nanos) found = { text, time: parsed.time }
  }
  return found?.text
}
