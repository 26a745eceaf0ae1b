/**
 * Archives of `docker save`, old and new, and of those who write like it: each image of `manifest.json` becomes a
 * docker manifest, its layers compressed anew unless the archive says what its stored bytes are (library description, 16.2).
 */
import { Effect, Result, Schema } from "effect"
import { hasher } from "../../lib/hash.ts"
import { strictJson } from "../../lib/strictJson.ts"
import { quoted } from "../../lib/visibleText.ts"
import { composeManifest } from "../../schemas/compose.ts"
import { computeDigest } from "../../schemas/computeDigest.ts"
import { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { decodeConfig, maxConfig } from "../../schemas/ImageConfig.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { collect, tapped } from "../Bytes.ts"
import { compressed, decompressed } from "../compressed.ts"
import { type Scratch, spool } from "../spool.ts"
import { tarInvalid } from "../tarReader.ts"
import { type Part, partBytes, type TarFile } from "./tarFile.ts"

const Image = Schema.Struct({
  Config: Schema.String,
  RepoTags: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
  Layers: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
  LayerSources: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Descriptor)))
})
/** An entry of `manifest.json`. */
export type DockerImage = typeof Image.Type

const decode = Schema.decodeUnknownResult(Schema.Array(Image))

/** Fails with TarInvalid for what is no list of images, or an empty one. */
export const parseImages = (bytes: Uint8Array): Result.Result<ReadonlyArray<DockerImage>, StoreError> => {
  const json = strictJson(bytes, { depth: 100, unique: new Set() })
  if ("problem" in json) return Result.fail(tarInvalid(`manifest.json: ${json.problem}`))
  const images = Result.mapError(decode(json.value), ({ message }) => tarInvalid(`manifest.json: ${message}`))
  return Result.flatMap(
    images,
    (list) => list.length === 0 ? Result.fail(tarInvalid("manifest.json names no image")) : Result.succeed(list)
  )
}

/** A manifest made for an image, and where all it names lies. */
export interface Converted {
  readonly manifest: Manifest
  readonly parts: ReadonlyMap<Digest, Part>
}

/** Layers being compressed at once. */
const concurrency = 2

export const unreadable = (names: ReadonlyArray<string>): StoreError =>
  storeError(
    "",
    "TarInvalid",
    `unable to read all files from tar: not found${names.length === 0 ? "" : `: ${names.map(quoted).join(", ")}`}`
  )

/** Where the files of an image lie, and its configuration. Fails unless all are there and fit together. */
const locate = Effect.fnUntraced(function*(tar: TarFile, image: DockerImage) {
  const layers = image.Layers ?? []
  const names = [...new Set([image.Config, ...layers])]
  const found = new Map<string, Part>()
  for (const name of names) {
    const part = yield* tar.find(name)
    if (part !== undefined) found.set(name, part)
  }
  const missing = names.filter((name) => !found.has(name))
  const configPart = found.get(image.Config)
  if (missing.length > 0 || configPart === undefined) return yield* unreadable(missing)
  const configBytes = yield* configPart.size > maxConfig
    ? Effect.fail(tarInvalid(`the config has ${configPart.size} bytes: size limit exceeded`))
    : collect(partBytes(configPart), maxConfig)
  const diffs = (yield* Effect.fromResult(decodeConfig(configBytes))).rootfs?.diff_ids ?? []
  if (diffs.length !== layers.length) {
    return yield* tarInvalid(`manifest.json lists ${layers.length} layers, the config ${diffs.length}`)
  }
  return { found, configPart, configBytes, diffs, layers }
})

/** All parts are found before any layer is compressed. */
export const convert = Effect.fnUntraced(function*(tar: TarFile, image: DockerImage, newFile: Scratch["newFile"]) {
  const { configBytes, configPart, diffs, found, layers } = yield* locate(tar, image)
  const parts = new Map<Digest, Part>()
  const sources = new Map(
    Object.values(image.LayerSources ?? {}).map((it) => [`blobs/${it.digest.replace(":", "/")}`, it])
  )
  // Of a layer that is there twice the first place counts.
  const expected = new Map(layers.map((name, at) => [name, diffs[at]] as const).toReversed())
  const made = yield* Effect.forEach(
    [...new Set(layers)],
    Effect.fnUntraced(function*(name) {
      const part = found.get(name) ?? configPart
      const layer = asStored(sources, name, part) ?? (yield* recompressed(part, name, expected.get(name), newFile))
      parts.set(layer.descriptor.digest, layer.part)
      return [name, layer.descriptor] as const
    }),
    { concurrency }
  )
  const byName = new Map(made)
  const config = {
    mediaType: mediaTypes.dockerConfig,
    digest: computeDigest("sha256", configBytes),
    size: configBytes.length
  }
  parts.set(config.digest, configPart)
  const manifest = yield* Effect.fromResult(composeManifest({
    mediaType: mediaTypes.dockerManifest,
    config,
    layers: layers.flatMap((name) => byName.get(name) ?? [])
  }))
  const converted: Converted = { manifest, parts }
  return converted
})

interface Layer {
  readonly descriptor: Descriptor
  readonly part: Part
}

const dockerTypes: Readonly<Record<string, string>> = {
  [mediaTypes.ociLayer]: mediaTypes.dockerLayer,
  [mediaTypes.ociLayerGzip]: mediaTypes.dockerLayerGzip,
  [mediaTypes.ociLayerZstd]: mediaTypes.dockerLayerZstd
}

/** A layer whose source has the digest that its file is named after: its bytes are the layer. Who reads them verifies them. */
const asStored = (sources: ReadonlyMap<string, Descriptor>, name: string, part: Part): Layer | undefined => {
  const source = sources.get(name.split("/").slice(-3).join("/"))
  if (source === undefined || source.size !== part.size) return undefined
  const { digest, mediaType, size } = source
  return { descriptor: { mediaType: dockerTypes[mediaType] ?? mediaType, digest, size }, part }
}

/** A layer compressed into a temporary file; its plain bytes have to be those the config names. */
const recompressed = Effect.fnUntraced(function*(
  part: Part,
  name: string,
  expected: string | undefined,
  newFile: Scratch["newFile"]
) {
  const path = yield* newFile
  const plain = hasher("sha256")
  const tar = tapped(decompressed(partBytes(part)), (view) => plain.update(view))
  const { digest, size } = yield* spool(path, compressed(tar, "gzip"), "sha256")
  const calculated = `sha256:${plain.hex()}`
  if (expected !== undefined && expected.startsWith("sha256:") && expected !== calculated) {
    const detail = `digest mismatch [expected ${expected}, calculated ${calculated}]`
    return yield* tarInvalid(`the layer ${quoted(name)} is not the one of the config: ${detail}`)
  }
  const descriptor: Descriptor = { mediaType: mediaTypes.dockerLayerGzip, digest, size }
  const layer: Layer = { descriptor, part: { path, offset: 0, size } }
  return layer
})
