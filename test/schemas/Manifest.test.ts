/** What a manifest is taken for, and what is refused (faults C02-C08, C10, C12). */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { decodeManifest, type Expected } from "../../src/schemas/Manifest.ts"

const digest = `sha256:${"a".repeat(64)}`
const image = "application/vnd.oci.image.manifest.v1+json"
const index = "application/vnd.oci.image.index.v1+json"
const docker = "application/vnd.docker.distribution.manifest.v2+json"
const schema1 = "application/vnd.docker.distribution.manifest.v1+json"
const signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 }

/** Kind and media type of a document, or the reason why it is refused. */
const read = (document: unknown, expected: Partial<Expected> = {}): string => {
  const text = typeof document === "string" ? document : JSON.stringify(document)
  return Result.match(decodeManifest(new TextEncoder().encode(text), { name: "test", ...expected }), {
    onSuccess: ({ _tag, descriptor }) => `${_tag} ${descriptor.mediaType}`,
    onFailure: ({ reason }) => reason._tag
  })
}

describe("decodeManifest", () => {
  it("takes a type in another case for the same type, so that what an image names is not passed over", () => {
    const mediaType = "application/vnd.oci.image.maniFest.v1+json"
    assert.strictEqual(read({ mediaType, config, layers: [] }), `Image ${image}`)
    assert.strictEqual(read({ mediaType, config, layers: [] }, { mediaType: image }), `Image ${image}`)
    assert.strictEqual(read({ mediaType, config: { ...config, digest: "sha256:x" }, layers: [] }), "ManifestInvalid")
  })

  it("believes the body's own type when the header says nothing definite", () => {
    for (const mediaType of ["", "application/json", "TEXT/plain; charset=utf-8", `${image.toUpperCase()};x=y`]) {
      assert.strictEqual(read({ mediaType: image, config, layers: [] }, { mediaType }), `Image ${image}`)
    }
    assert.strictEqual(read({ config, layers: [config] }), `Image ${image}`)
    assert.strictEqual(
      read({ manifests: [{ ...config, mediaType: docker }] }),
      "Index application/vnd.docker.distribution.manifest.list.v2+json"
    )
  })

  it("refuses a document that could be two things, or says it is another than was promised", () => {
    assert.strictEqual(read({ mediaType: image, config, layers: [], manifests: [] }), "MediaTypeMismatch")
    assert.strictEqual(read({ mediaType: index, config, manifests: [] }), "MediaTypeMismatch")
    assert.strictEqual(read({ mediaType: image, config, layers: [] }, { mediaType: index }), "MediaTypeMismatch")
    assert.strictEqual(
      read({ mediaType: image, config, layers: [], fsLayers: [] }, { mediaType: index }),
      "MediaTypeMismatch"
    )
    assert.strictEqual(read({ schemaVersion: 1, fsLayers: [] }, { mediaType: image }), "MediaTypeMismatch")
    assert.strictEqual(read({}), "ManifestInvalid")
  })

  it("takes either name of schema 1 for both its forms", () => {
    const text = { schemaVersion: 1, fsLayers: [{ blobSum: digest }] }
    assert.strictEqual(read(text, { mediaType: signed }), `Schema1 ${schema1}`)
    assert.strictEqual(read({ ...text, signatures: [] }, { mediaType: schema1 }), `Schema1 ${signed}`)
  })

  it("refuses what is no JSON object, and sizes nobody could mean", () => {
    for (const text of ["", "[]", "1", "<html>", `{"mediaType":"${image}"`, "{} x"]) {
      assert.strictEqual(read(text), "ManifestInvalid", text)
    }
    for (const size of [-1, 1.5, "1", 2 ** 53]) {
      assert.strictEqual(read({ mediaType: image, config: { ...config, size }, layers: [] }), "ManifestInvalid")
    }
    assert.strictEqual(read({ mediaType: index, manifests: [{ ...config, digest: "sha256:../x" }] }), "ManifestInvalid")
  })

  it("refuses keys given twice, and takes names of prototypes for data", () => {
    assert.strictEqual(
      read(`{"mediaType":"${image}","config":{},"config":${JSON.stringify(config)},"layers":[]}`),
      "ManifestInvalid"
    )
    const text = `{"mediaType":"${index}","manifests":[],"annotations":{"__proto__":"x","constructor":"y"}}`
    const found = Result.getOrThrow(decodeManifest(new TextEncoder().encode(text), { name: "test" }))
    assert.deepStrictEqual(Object.entries(found.annotations), [["__proto__", "x"], ["constructor", "y"]])
    assert.strictEqual(Object.getPrototypeOf(found.annotations), Object.prototype)
  })

  it("refuses nesting without end, without running out of stack", () => {
    assert.strictEqual(read(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), "DepthLimit")
  })

  it("holds the bytes to the size and digest that were promised", () => {
    assert.strictEqual(read({ mediaType: index, manifests: [] }, { size: 3 }), "SizeMismatch")
    assert.strictEqual(
      read({ mediaType: index, manifests: [] }, { digest: digest as NonNullable<Expected["digest"]> }),
      "DigestMismatch"
    )
  })
})
