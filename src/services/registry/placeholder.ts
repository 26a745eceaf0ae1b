/** A throw-away image that no other tag can share: what a tag is pointed at so that deleting by digest deletes only it. */
import { Clock, DateTime, Effect, Random, Result } from "effect"
import { hashHex } from "../../lib/hash.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { Digest } from "../../schemas/Digest.ts"
import { decodeManifest, type Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import type { Tag } from "../../schemas/Ref.ts"
import { type Bytes, fromBytes } from "../Bytes.ts"

export interface Placeholder {
  readonly manifest: Manifest
  readonly blobs: ReadonlyArray<{ readonly content: Bytes; readonly descriptor: Descriptor }>
}

/** Unique by time and chance; of the family of what it replaces, which some registries insist on. */
export const placeholder = (tag: Tag, isDocker: boolean): Effect.Effect<Placeholder> =>
  Effect.gen(function*() {
    const created = DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
    const label = `${yield* Random.nextIntBetween(0, 2 ** 48)}`
    const types = typesOf(isDocker)
    const layer = piece(types.layer, "{}")
    const config = piece(
      types.config,
      JSON.stringify({
        created,
        architecture: "amd64",
        os: "linux",
        config: { Labels: { "delete-tag": tag, "delete-date": created, "delete-id": label } },
        rootfs: { type: "layers", diff_ids: [layer.descriptor.digest] },
        history: [{ created, created_by: "# placeholder of a deleted tag" }]
      })
    )
    const bytes = encode({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: config.descriptor,
      layers: [layer.descriptor]
    })
    return {
      manifest: Result.getOrThrow(decodeManifest(bytes, { name: tag, mediaType: types.manifest })),
      blobs: [config, layer]
    }
  })

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const piece = (mediaType: string, text: string) => {
  const bytes = new TextEncoder().encode(text)
  const digest = Digest.make(`sha256:${hashHex("sha256", bytes)}`)
  return { content: fromBytes(bytes), descriptor: { mediaType, digest, size: bytes.length } }
}

/** The types a placeholder is made of, in the family of what it replaces. */
const typesOf = (isDocker: boolean) =>
  isDocker
    ? { manifest: mediaTypes.dockerManifest, config: mediaTypes.dockerConfig, layer: mediaTypes.dockerLayerGzip }
    : { manifest: mediaTypes.ociManifest, config: mediaTypes.ociConfig, layer: mediaTypes.ociLayerGzip }
