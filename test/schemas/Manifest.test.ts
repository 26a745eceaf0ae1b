/** What a manifest is taken for, and what is refused (faults C02-C10, C12). */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { decodeManifest, type Expected } from "../../src/schemas/Manifest.ts"
import { digestOf } from "../support/layouts.ts"

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
    assert.strictEqual(read({ mediaType, config: { ...config, digest: "sha256:x" }, layers: [] }), "DigestInvalid")
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

  it("refuses what is neither image nor index, by its type one of them", () => {
    for (const mediaType of [image, index, docker]) {
      assert.strictEqual(read({ mediaType, config }), "MediaTypeMismatch")
    }
  })

  it("refuses lists of two kinds, and keys that readers tell apart by their case alone", () => {
    for (const manifests of [{}, [], 0]) {
      assert.strictEqual(read({ mediaType: image, config, layers: [], manifests }), "MediaTypeMismatch")
    }
    assert.strictEqual(read({ mediaType: image, config, layers: [], fsLayers: [] }), "MediaTypeMismatch")
    assert.strictEqual(read({ mediaType: index, manifests: [], layers: null }), `Index ${index}`)
    for (const key of ["Manifests", "LAYERS", "layer\u017f", "Config", "mediatype", "Subject"]) {
      assert.strictEqual(read({ mediaType: image, config, layers: [], [key]: [] }), "ManifestInvalid", key)
    }
    for (const key of ["Digest", "SIZE", "\u017fize", "Data", "URLs", "platForm"]) {
      const odd = { ...config, [key]: "x" }
      assert.strictEqual(read({ mediaType: image, config: odd, layers: [] }), "ManifestInvalid", key)
      assert.strictEqual(read({ mediaType: image, config, layers: [config, odd] }), "ManifestInvalid", key)
      assert.strictEqual(read({ mediaType: index, manifests: [odd] }), "ManifestInvalid", key)
      assert.strictEqual(read({ mediaType: index, manifests: [], subject: odd }), "ManifestInvalid", key)
    }
    const annotations = { Digest: "a", digest: "b", Layers: "c" }
    assert.strictEqual(read({ mediaType: image, config, layers: [], annotations }), `Image ${image}`)
  })

  it("knows a type however it is written, and refuses what is none", () => {
    for (const mediaType of [index.toUpperCase(), `${index}; charset=utf-8`]) {
      assert.strictEqual(read({ mediaType, manifests: [] }), `Index ${index}`)
    }
    assert.strictEqual(read({ mediaType: "", config, layers: [config] }), `Image ${image}`)
    for (const mediaType of [`${index}\0`, "x/y\r\nz: 1", "x", " "]) {
      assert.strictEqual(read({ mediaType, manifests: [] }), "ManifestInvalid", mediaType)
    }
  })

  it("takes no other document for what was signed", () => {
    const good = JSON.stringify({ mediaType: image, config, layers: [] })
    const expected = digestOf(good) as NonNullable<Expected["digest"]> // computed
    const protect = (fields: object) => [{ protected: Buffer.from(JSON.stringify(fields)).toString("base64url") }]
    const signatures = protect({ formatLength: 0, formatTail: Buffer.from(good).toString("base64url") })
    const forged: ReadonlyArray<object> = [
      { schemaVersion: 1, mediaType: image, config, layers: [config], signatures },
      { schemaVersion: 1, fsLayers: [{ blobSum: digest }], signatures },
      { schemaVersion: 1, mediaType: schema1, fsLayers: [], signatures }
    ]
    for (const document of forged) assert.strictEqual(read(document, { digest: expected }), "DigestMismatch")
    // The true form: the document without its signatures, cut and completed.
    const payload = `{"schemaVersion":1,"fsLayers":[]}`
    const own = protect({ formatLength: payload.length - 1, formatTail: Buffer.from("}").toString("base64url") })
    const signedText = `${payload.slice(0, -1)},"signatures":${JSON.stringify(own)}}`
    const whole = digestOf(payload) as NonNullable<Expected["digest"]> // computed
    assert.strictEqual(read(signedText, { digest: whole }), `Schema1 ${signed}`)
    const later = signedText.replace(`,"signatures"`, `,"fsLayers":[{"blobSum":"${digest}"}],"signatures"`)
    assert.strictEqual(read(later, { digest: whole }), "DigestMismatch")
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
    assert.strictEqual(read({ mediaType: index, manifests: [{ ...config, digest: "sha256:../x" }] }), "DigestInvalid")
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
