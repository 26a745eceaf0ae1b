import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Tag } from "../../../src/schemas/Ref.ts"
import { byDigest, byTag } from "../../fixtures/images.ts"
import { makeWorld, name, types } from "./images.ts"

const digest = "sha256:7bcaa2472f4916c57ff916d6a5cfc86651a081643603d82502bfe0ddfada293e"
const artifact = { mediaType: types.manifest, artifactType: "application/example.sbom", layers: [] }

/** A subject, and an artifact that refers to it. */
const withReferrer = Effect.fnUntraced(function*() {
  const world = makeWorld()
  const { blob, image, put } = world
  const { platform: _, ...subject } = yield* image({ manifest: { annotations: { one: "1" } } }, "v1")
  const config = yield* blob("{}", "application/vnd.oci.empty.v1+json")
  const referrer = yield* put({ ...artifact, config, subject })
  return { ...world, subject, referrer }
})

describe("a changed image", () => {
  it.effect("keeps its bytes, and gets its new tag, when nothing changes", () =>
    Effect.gen(function*() {
      const { image, mod, out } = makeWorld()
      const { digest } = yield* image(
        { config: { z: 1, author: "me" }, manifest: { x: 1, annotations: { a: "b" } } },
        "v1"
      )
      assert.strictEqual(yield* mod("v1", ["annotation=a=b", "author=me", "env=A="]), `${name}:out`)
      assert.strictEqual((yield* out).manifest.descriptor.digest, digest)
    }))

  it.effect("has the same digest each time, also when it is changed again", () =>
    Effect.gen(function*() {
      const { image, mod } = makeWorld()
      yield* image({ config: { created: "2022-01-01T00:00:00Z" } }, "v1")
      const options = ["annotation=a=b", "env=A=b", "config-time=set=2020-01-01T00:00:00Z", "to-docker"]
      const first = yield* mod("v1", options, `${name}@${digest}`)
      yield* mod("v1", options)
      assert.strictEqual(yield* mod("out", options, `${name}@${digest}`), first)
    }))

  it.effect("is known by its digest without a tag, and the old one keeps its own", () =>
    Effect.gen(function*() {
      const { image, look, mod } = makeWorld()
      const { digest: old } = yield* image({}, "v1")
      const text = yield* mod("v1", ["annotation=a=b"], `${name}@${digest}`)
      assert.match(text, /^registry\.example\/app@sha256:[0-9a-f]{64}$/)
      assert.notInclude(text, old)
      assert.strictEqual((yield* look(byTag("v1"))).manifest.descriptor.digest, old)
    }))

  it.effect("takes everything along to another repository, but for what is kept elsewhere", () =>
    Effect.gen(function*() {
      const { at, image, index, look, mod, repository } = makeWorld()
      const entries = [yield* image({}), yield* image({ architecture: "arm64", layers: ["x"] })]
      const absent = { mediaType: types.manifest, digest, size: 7 }
      yield* index([...entries, absent], "v1")
      const target = "other.example/copy"
      assert.strictEqual(yield* mod("v1", ["annotation=[linux/arm64]a=b"], `${target}:v2`), `${target}:v2`)
      const { document } = yield* look(byTag("v2"), at(target))
      const [same, changed, sparse] = document.manifests
      assert.strictEqual(same.digest, entries[0]?.digest)
      assert.deepStrictEqual(sparse, absent)
      assert.deepStrictEqual((yield* look(byDigest(changed.digest), at(target))).document.annotations, {
        a: "b"
      })
      const { layers } = (yield* look(byDigest(changed.digest), at(target))).document
      for (const layer of layers) yield* at(target).headBlob(layer)
      assert.isFalse(yield* Effect.isSuccess(repository.resolve(byTag("v2"))))
    }))

  it.effect("is followed by its referrers in its repository", () =>
    Effect.gen(function*() {
      const { mod, out, referrer, repository } = yield* withReferrer()
      yield* mod("v1", ["annotation=[*]a=b"])
      const { manifest: { descriptor } } = yield* out
      const { descriptors } = yield* repository.referrers(descriptor)
      assert.lengthOf(descriptors, 1)
      const follower = yield* repository.manifest(byDigest(descriptors[0]?.digest ?? referrer.digest))
      assert.deepStrictEqual(follower.subject, descriptor)
      assert.deepStrictEqual(follower.annotations, {})
    }))

  it.effect("leaves its referrers behind in another repository", () =>
    Effect.gen(function*() {
      const { at, mod } = yield* withReferrer()
      const target = at("other.example/copy")
      yield* mod("v1", ["annotation=a=b"], "other.example/copy:v1")
      const { descriptor } = yield* target.manifest(byTag("v1"))
      assert.deepStrictEqual((yield* target.referrers(descriptor)).descriptors, [])
    }))

  it.effect("may be referred to by what leads back to it", () =>
    Effect.gen(function*() {
      const { mod, out, put, repository, subject } = yield* withReferrer()
      yield* put({ mediaType: types.index, manifests: [subject], subject, annotations: { loop: "1" } })
      yield* mod("v1", ["annotation=a=b"])
      const { descriptors } = yield* repository.referrers((yield* out).manifest.descriptor)
      assert.lengthOf(descriptors, 2)
    }))

  it.effect("has children that follow the subject among them", () =>
    Effect.gen(function*() {
      const { children, image, index, mod } = makeWorld()
      const { platform: _, ...subject } = yield* image({})
      yield* index([subject, yield* image({ layers: ["a"], manifest: { subject } })], "v1")
      yield* mod("v1", ["annotation=[*]a=b"])
      const [first, second] = yield* children
      assert.deepStrictEqual(second?.manifest.subject, first?.manifest.descriptor)
    }))

  it.effect("gets docker's attestations as referrers", () =>
    Effect.gen(function*() {
      const { image, index, mod, out, repository } = makeWorld()
      const one = yield* image({})
      const { platform: _, ...attestation } = yield* image({
        architecture: "unknown",
        config: { os: "unknown" },
        layers: ["a"]
      })
      const annotations = {
        "vnd.docker.reference.digest": one.digest,
        "vnd.docker.reference.type": "attestation-manifest"
      }
      yield* index([one, { ...attestation, annotations }], "v1")
      yield* mod("v1", ["to-oci-referrers", "label=a=b"])
      const { manifests } = (yield* out).document
      assert.lengthOf(manifests, 1)
      const { descriptors } = yield* repository.referrers(manifests[0])
      assert.deepStrictEqual(descriptors.map((it) => it.annotations), [{
        "vnd.docker.reference.type": "attestation-manifest"
      }])
    }))

  it.effect("may stand in indexes of indexes, twice, and beside what cannot be changed", () =>
    Effect.gen(function*() {
      const { children, image, index, look, mod, put } = makeWorld()
      const one = yield* image({})
      const inner = yield* index([one, one], "inner")
      const old = yield* put({
        schemaVersion: 1,
        mediaType: "application/vnd.docker.distribution.manifest.v1+json",
        fsLayers: []
      })
      yield* index([inner, old, { ...one, annotations: { again: "1" } }], "v1")
      yield* mod("v1", ["annotation=[*]a=b", "env=N=1"])
      const [nested, same, again] = yield* children
      assert.deepStrictEqual(nested?.document.annotations, { a: "b" })
      assert.strictEqual(same?.manifest.descriptor.digest, old.digest)
      const changed = nested?.document.manifests.map((it: { readonly digest: string }) => it.digest)
      assert.deepStrictEqual(changed, [again?.manifest.descriptor.digest, again?.manifest.descriptor.digest])
      assert.deepStrictEqual((yield* look(byDigest(changed[0]))).config.config, { Env: ["N=1"] })
    }))

  it.effect("that no option can change is refused", () =>
    Effect.gen(function*() {
      const { put, refusal } = makeWorld()
      const mediaType = "application/vnd.docker.distribution.manifest.v1+json"
      yield* put({ schemaVersion: 1, mediaType, name: "app", tag: "v1", fsLayers: [] }, "v1")
      assert.strictEqual(
        yield* refusal("v1", "annotation=a=b"),
        `failed to change registry.example/app:v1: unsupported media type: a manifest of type ${mediaType} cannot be changed`
      )
    }))

  it.effect("changes its tag last, and not at all when something fails", () =>
    Effect.gen(function*() {
      const { at, image, mod, look } = makeWorld()
      yield* image({ layers: ["one"] }, "v1")
      const { document, manifest } = yield* look(byTag("v1"))
      const target = at("other.example/copy")
      yield* at(name).deleteBlob(document.layers[0])
      yield* target.putManifest(manifest, { tag: Tag.make("v1") })
      const before = manifest.descriptor.digest
      assert.isFalse(yield* Effect.isSuccess(mod("v1", ["annotation=a=b"], "other.example/copy:v1")))
      assert.strictEqual((yield* target.resolve(byTag("v1"))).descriptor.digest, before)
    }))
})
