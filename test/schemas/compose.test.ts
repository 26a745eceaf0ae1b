import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { composeConfig, composeManifest } from "../../src/schemas/compose.ts"
import type { Descriptor } from "../../src/schemas/Descriptor.ts"
import { Digest } from "../../src/schemas/Digest.ts"
import { decodeManifest, type Manifest } from "../../src/schemas/Manifest.ts"
import { mediaTypes } from "../../src/schemas/MediaType.ts"

const empty: Descriptor = {
  size: 2,
  mediaType: mediaTypes.ociEmpty,
  digest: Digest.make("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
}
const emptyText =
  `{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}`

const textOf = ({ bytes }: { readonly bytes: Uint8Array }) => new TextDecoder().decode(bytes)
const manifest = (result: ReturnType<typeof composeManifest>): Manifest => Result.getOrThrow(result)

describe("a new manifest", () => {
  it("has its keys in the specification's order, its maps sorted, and nothing that is empty", () => {
    const made = manifest(composeManifest({
      annotations: { b: "2", "10": "ten", "9": "<nine>", a: "1" },
      layers: [],
      config: empty,
      artifactType: "",
      mediaType: mediaTypes.ociManifest
    }))
    assert.strictEqual(
      textOf(made),
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":${emptyText},` +
        `"layers":[],"annotations":{"10":"ten","9":"\\u003cnine\\u003e","a":"1","b":"2"}}`
    )
    assert.strictEqual(made._tag, "Image")
  })

  it("keeps what its origin has besides, and drops what was taken out", () => {
    const bytes = new TextEncoder().encode(
      `{"x-own": [1], "schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[],"annotations":{"a":"b"}}`
    )
    const origin = Result.getOrThrow(decodeManifest(bytes, { name: "test" }))
    assert.strictEqual(
      textOf(manifest(composeManifest({ mediaType: mediaTypes.ociIndex, manifests: [] }, { origin }))),
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"x-own":[1]}`
    )
  })

  it("is refused above what registries take", () => {
    const made = composeManifest({
      mediaType: mediaTypes.ociIndex,
      manifests: [],
      annotations: { a: "x".repeat(4 * 1024 * 1024) }
    })
    assert.strictEqual(Result.isFailure(made) && made.failure.reason._tag, "SizeLimit")
  })
})

describe("a new configuration", () => {
  it("names architecture, system and layers even when they are empty, and ports as empty objects", () => {
    const { bytes, descriptor } = composeConfig({
      rootfs: { diff_ids: [], type: "layers" },
      config: { ExposedPorts: { "8080/tcp": {} }, Env: [], User: "root", Own: 1 },
      history: [{ empty_layer: false, created_by: "x" }],
      os: "",
      architecture: ""
    })
    assert.strictEqual(
      textOf({ bytes }),
      `{"architecture":"","os":"","config":{"User":"root","ExposedPorts":{"8080/tcp":{}},"Own":1},` +
        `"rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x"}]}`
    )
    assert.strictEqual(descriptor.size, bytes.length)
  })
})
