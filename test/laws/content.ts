/** Small content for tests: blobs and manifests made from texts. */
import { Effect, Result } from "effect"
import { createHash } from "node:crypto"
import type { Descriptor } from "../../src/schemas/Descriptor.ts"
import { type Algorithm, Digest } from "../../src/schemas/Digest.ts"
import { decodeManifest, type Manifest } from "../../src/schemas/Manifest.ts"
import { fromPump } from "../../src/services/Bytes.ts"

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
export const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const digestOf = (bytes: Uint8Array, algorithm: Algorithm = "sha256"): Digest =>
  Digest.make(`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`)

export const descriptorOf = (
  bytes: Uint8Array,
  mediaType = "application/octet-stream",
  algorithm: Algorithm = "sha256"
): Descriptor => ({ mediaType, digest: digestOf(bytes, algorithm), size: bytes.length })

/** Bytes of which no two pieces that a buffer could hold are alike. */
export const varied = (size: number): Uint8Array =>
  new Uint8Array(size).map((_, at) => (at * 31 + (at >> 12) + (at >> 20) * 7) & 255)

/** A manifest of these exact bytes. */
export const manifestOf = (text: string, mediaType?: string): Manifest =>
  Result.getOrThrow(decodeManifest(encode(text), { name: "test", ...(mediaType === undefined ? {} : { mediaType }) }))

export const imageType = "application/vnd.oci.image.manifest.v1+json"
export const indexType = "application/vnd.oci.image.index.v1+json"

/** The type and bytes of the empty config. */
export const emptyConfig = descriptorOf(encode("{}"), "application/vnd.oci.empty.v1+json")

export const image = (fields: {
  readonly config?: Descriptor
  readonly layers?: ReadonlyArray<Descriptor>
  readonly subject?: Descriptor
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}): Manifest =>
  manifestOf(JSON.stringify({ schemaVersion: 2, mediaType: imageType, config: emptyConfig, layers: [], ...fields }))

export const index = (manifests: ReadonlyArray<Descriptor>): Manifest =>
  manifestOf(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }))

/** Bytes that stop for ever after the first half. */
export const stuck = (bytes: Uint8Array, onHalf: () => void) =>
  fromPump((sink) =>
    Effect.callback(() => {
      sink(bytes.subarray(0, bytes.length / 2), () => {})
      onHalf()
    })
  )
