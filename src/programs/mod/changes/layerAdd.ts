/** `--layer-add`: one more layer, from a tar or a directory, on all images or those of a platform (library description, 17.3). */
import { Effect, FileSystem, Stream } from "effect"
import { readForward } from "../../../lib/files.ts"
import { parseKeyValues } from "../../../lib/keyValue.ts"
import type { Platform } from "../../../schemas/Descriptor.ts"
import { configPlatform } from "../../../schemas/ImageConfig.ts"
import { isPlatformMatch } from "../../../schemas/Platform.ts"
import { within } from "../../../schemas/StoreError.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import type { Bytes } from "../../../services/Bytes.ts"
import { decompressed } from "../../../services/compressed.ts"
import { directoryTar } from "../../../services/directoryTar.ts"
import { fsError, platformError } from "../../../services/fsError.ts"
import { creationTime } from "../../../services/ociLayout/state.ts"
import { scratch } from "../../../services/spool.ts"
import { changedTar } from "../../../services/tar.ts"
import { shownPlatformOf } from "../../graph/select.ts"
import type { Change, Draft, ImageDraft, LayerDraft } from "../draft.ts"
import { newFormOf, newTypeFor } from "../layerForms.ts"
import { packed } from "../packed.ts"

const fail = (message: string) => Effect.fail(new UsageError({ message }))

/** Where the layer comes from. */
type Source = { readonly tar: string } | { readonly dir: string }

interface Made {
  readonly layer: LayerDraft & { readonly diffId: string }
  /** RFC 3339. */
  readonly created: string
}

/** Reads `tar=file` or `dir=directory`, with `mediaType=…` and `platform=…`; the layer is made before anything else. */
export const layerAdd = Effect.fnUntraced(function*(value: string) {
  const options = parseKeyValues(value)
  if (options === undefined) return yield* fail(`failed to parse layer-add options ${value}`)
  const [tar, dir, platformText = ""] = [options.get("tar"), options.get("dir"), options.get("platform")]
  if (tar !== undefined) {
    yield* Effect.mapError(
      Effect.flatMap(FileSystem.FileSystem, (fs) => fs.access(tar, { readable: true })),
      (error) =>
        new UsageError({ message: `failed to open tar file ${tar}: ${platformError("open", tar)(error).message}` })
    )
    if (dir !== undefined) return yield* fail("cannot use dir and tar options together in layer-add")
  }
  const source: Source | undefined = tar !== undefined ? { tar } : dir === undefined ? undefined : { dir }
  if (source === undefined) return yield* fail("tar file input is required")
  const platform = platformText === "" ? undefined : yield* shownPlatformOf(platformText)
  return change(source, options.get("mediaType"), platform)
})

const change = (source: Source, mediaType: string | undefined, platform: Platform | undefined): Change => {
  let made: Made | undefined
  return {
    prepare: () => Effect.map(make(source, mediaType), (it) => void (made = it)),
    manifest: (draft) =>
      Effect.succeed(
        made !== undefined && isMeant(draft, platform)
          ? withLayer(draft, made, mediaType ?? newTypeFor(draft.mediaType))
          : draft
      )
  }
}

/** An attestation describes an image and runs nowhere; nobody means its layers but who names it. */
const isMeant = (draft: Draft, platform: Platform | undefined): draft is ImageDraft => {
  if (draft._tag !== "Image") return false
  const own = draft.config.document === undefined ? undefined : configPlatform(draft.config.document)
  if (platform !== undefined) return own !== undefined && isPlatformMatch(own, platform)
  return draft.isTop || own?.os !== "unknown"
}

const withLayer = (image: ImageDraft, { created, layer }: Made, mediaType: string): ImageDraft => {
  const { document } = image.config
  const { diffId, ...rest } = layer
  const added: LayerDraft = { ...rest, descriptor: { ...rest.descriptor, mediaType } }
  if (document === undefined) return { ...image, layers: [...image.layers, added] }
  const before = document.history ?? []
  // Where no layer has a history, one entry would be taken for that of the first.
  const history = before.length === 0 && image.layers.length > 0
    ? before
    : [...before, { created, comment: "regclient" }]
  return {
    ...image,
    layers: [...image.layers, { ...added, diffId }],
    config: { ...image.config, document: { ...document, history } }
  }
}

/** The layer in a file, for all images; gzip unless the media type says otherwise. */
const make = Effect.fnUntraced(function*(source: Source, mediaType: string | undefined) {
  const form = mediaType === undefined ? "gzip" : newFormOf(mediaType)
  if (form === undefined) return yield* fail(`unsupported new layer media type ${mediaType}`)
  const { newFile } = yield* scratch
  const packing = { form, algorithm: "sha256", diffAlgorithm: "sha256" } as const
  const { content, diffId, digest, size } = yield* packed(yield* newFile, yield* tarOf(source), packing)
  const made: Made = {
    layer: { descriptor: { mediaType: mediaType ?? "", digest, size }, diffId, content },
    created: yield* creationTime
  }
  return made
}, Effect.catchTag("StoreError", (error) => Effect.fail(within("failed to push layer")(error))))

/** The plain tar, read to its end and found to be one. */
const tarOf = Effect.fnUntraced(function*(source: Source) {
  const fs = yield* FileSystem.FileSystem
  if ("dir" in source) {
    yield* Effect.mapError(fs.stat(source.dir), platformError("lstat", source.dir))
    return yield* directoryTar(source.dir)
  }
  const bytes: Bytes = Stream.suspend(() =>
    Stream.fromAsyncIterable(readForward(source.tar), fsError(source.tar, "read"))
  )
  return changedTar(decompressed(bytes), () => Effect.succeed({ _tag: "Keep" }))
})
