/** Images with layers of files, in memory; what options make of them, read by others' tools. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Result } from "effect"
import { createHash } from "node:crypto"
import { buffer, text } from "node:stream/consumers"
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { extract, pack } from "tar-stream"
import { applyChanges } from "../../../src/programs/mod/apply.ts"
import type { Change, Draft, ImageDraft, LayerDraft } from "../../../src/programs/mod/draft.ts"
import { load } from "../../../src/programs/mod/load.ts"
import type { Descriptor, Platform } from "../../../src/schemas/Descriptor.ts"
import { parseRef, referenceOf, Tag } from "../../../src/schemas/Ref.ts"
import { collect, fromBytes } from "../../../src/services/Bytes.ts"
import { descriptorOf, encode, manifestOf } from "../../fixtures/content.ts"
import { makeIndex } from "../../fixtures/images.ts"
import { inMemory } from "../../support/memory.ts"

export interface File {
  readonly name: string
  readonly content?: string | Uint8Array
  readonly type?: "file" | "directory" | "link" | "symlink"
  readonly linkname?: string
  /** Seconds since 1970. */
  readonly mtime?: number
}

/** A tar by the package `tar-stream`. */
export const tarOf = async (files: ReadonlyArray<File>): Promise<Buffer> => {
  const archive = pack()
  for (const { content = "", linkname, mtime = 1_600_000_000, name, type = "file" } of files) {
    const body = Buffer.from(content)
    archive.entry({
      name,
      type,
      mtime: new Date(mtime * 1000),
      uname: "user",
      gname: "group",
      ...(linkname === undefined ? {} : { linkname })
    }, body)
  }
  archive.finalize()
  return buffer(archive)
}

export interface Read {
  readonly name: string
  readonly content: string
  /** Seconds since 1970. */
  readonly mtime: number
  readonly owner: string
}

/** The same package's reading, with contents as text. */
export const filesOf = async (tar: Uint8Array): Promise<ReadonlyArray<Read>> => {
  const reader = extract()
  reader.end(Buffer.from(tar))
  const found: Array<Read> = []
  for await (const entry of reader) {
    const { gname, mtime, name, uname } = entry.header
    const content = await text(entry)
    found.push({ name, content, mtime: (mtime?.getTime() ?? 0) / 1000, owner: `${uname}:${gname}` })
  }
  return found
}

export const sha = (bytes: Uint8Array, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`

const prefix = "application/vnd.oci.image.layer.v1.tar"
export const types = { none: prefix, gzip: `${prefix}+gzip`, zstd: `${prefix}+zstd` } as const

export type Stored = keyof typeof types

const stored = (tar: Uint8Array, form: Stored): Uint8Array =>
  form === "none" ? tar : form === "gzip" ? gzipSync(tar, { level: 1 }) : zstdCompressSync(tar)

export interface LayerOf {
  readonly tar: Uint8Array
  readonly form?: Stored
  readonly createdBy?: string
  /** Of the descriptor. */
  readonly more?: Partial<Descriptor>
}

export interface ImageOf {
  readonly layers: ReadonlyArray<LayerOf>
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
  /** None: an artifact. */
  readonly isArtifact?: boolean
  readonly hasHistory?: boolean
  /** Further history, of no layer, in front. */
  readonly empty?: ReadonlyArray<string>
}

const made = "2024-01-02T03:04:05Z"

/** The manifest of an image with its blobs, ready to be pushed. */
export const imageOf = (
  { annotations, empty = [], hasHistory = true, isArtifact = false, layers, platform }: ImageOf
) => {
  const blobs = layers.map(({ form = "gzip", more = {}, tar }) => {
    const bytes = stored(tar, form)
    return { descriptor: { ...descriptorOf(bytes, types[form]), ...more }, bytes }
  })
  const { architecture, os } = platform ?? { architecture: "amd64", os: "linux" }
  const document = isArtifact ? {} : {
    architecture,
    os,
    rootfs: { type: "layers", diff_ids: layers.map(({ tar }) => sha(tar)) },
    ...(hasHistory ?
      {
        history: [
          ...empty.map((line) => ({ created: made, created_by: line, empty_layer: true })),
          ...layers.map(({ createdBy = "made" }) => ({ created: made, created_by: createdBy }))
        ]
      } :
      {})
  }
  const bytes = encode(JSON.stringify(document))
  const configType = isArtifact ? "application/vnd.oci.empty.v1+json" : "application/vnd.oci.image.config.v1+json"
  const config = { descriptor: descriptorOf(bytes, configType), bytes }
  const mediaType = "application/vnd.oci.image.manifest.v1+json"
  const manifest = manifestOf(JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: config.descriptor,
    layers: blobs.map(({ descriptor }) => descriptor),
    ...(annotations === undefined ? {} : { annotations })
  }))
  return { manifest, blobs: [config, ...blobs], platform }
}

/** Repositories in memory, files on disk. */
export const world = () => {
  const { at, layer } = inMemory()
  const services = Layer.mergeAll(layer, NodeServices.layer)
  const put = Effect.fnUntraced(function*(name: string, ...images: ReadonlyArray<ReturnType<typeof imageOf>>) {
    const repository = at(name)
    const tag = Tag.make(Result.getOrThrow(parseRef(name)).tag ?? "latest")
    for (const { blobs, manifest } of images) {
      for (const { bytes, descriptor } of blobs) yield* repository.putBlob(fromBytes(bytes), descriptor)
      yield* repository.putManifest(manifest, images.length === 1 ? { tag } : {})
    }
    if (images.length === 1) return
    const index = makeIndex(
      images.map(({ manifest, platform }) => ({ made: { manifest }, ...(platform === undefined ? {} : { platform }) }))
    )
    yield* repository.putManifest(index, { tag })
  })
  /** What the options make of an image, handed to `look` while its files are there. */
  const mod = <A, E>(
    name: string,
    options: ReadonlyArray<Effect.Effect<Change, unknown, never>>,
    look: (draft: Draft) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function*() {
      const repository = at(name)
      const changes = yield* Effect.all(options)
      const loaded = yield* load(repository, referenceOf(Result.getOrThrow(parseRef(name))), { withReferrers: false })
      return yield* look(yield* applyChanges(loaded, changes, { from: repository, to: repository }))
    }).pipe(Effect.scoped, Effect.provide(services))
  return { at, put, mod, services }
}

export const imageIn = (draft: Draft, position = 0): ImageDraft => {
  const found = draft._tag === "Index" ? draft.entries[position]?.draft : draft
  if (found?._tag !== "Image") throw new Error("no image")
  return found
}

const plainOf = (bytes: Uint8Array, mediaType: string): Uint8Array =>
  mediaType === types.gzip ? gunzipSync(bytes) : mediaType === types.zstd ? zstdDecompressSync(bytes) : bytes

/** A new layer's bytes, checked against what its descriptor and diff id say. */
export const tarIn = Effect.fnUntraced(function*({ content, descriptor, diffId }: LayerDraft) {
  if (content === undefined) throw new Error("the layer is no new one")
  const bytes = yield* collect(content, 2 ** 30)
  const tar = plainOf(bytes, descriptor.mediaType)
  const [algorithm] = descriptor.digest.split(":")
  if (sha(bytes, algorithm) !== descriptor.digest || bytes.length !== descriptor.size) throw new Error("other bytes")
  if (diffId !== undefined && sha(tar, diffId.split(":")[0]) !== diffId) throw new Error("another tar")
  return tar
})

/** Names in each layer; `same` for those that stay. */
export const namesIn = (draft: Draft, position = 0) =>
  Effect.forEach(
    imageIn(draft, position).layers,
    (layer) =>
      layer.content === undefined ?
        Effect.succeed<unknown>("same") :
        Effect.flatMap(
          tarIn(layer),
          (tar) => Effect.promise(() => filesOf(tar).then((files) => files.map(({ name }) => name)))
        )
  )

export const historyIn = (draft: Draft, position = 0) =>
  (imageIn(draft, position).config.document?.history ?? []).map(({ created_by }) => created_by ?? "")
