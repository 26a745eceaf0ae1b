import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Descriptor } from "../../../src/schemas/Descriptor.ts"
import { byTag } from "../../fixtures/images.ts"
import { makeWorld, name, types } from "./images.ts"

const digest = "sha256:7bcaa2472f4916c57ff916d6a5cfc86651a081643603d82502bfe0ddfada293e"

interface Data {
  readonly data?: string
}

/** An index of two images, with annotations of their own and one in common. */
const twoPlatforms = Effect.fnUntraced(function*(config: Readonly<Record<string, unknown>> = {}) {
  const world = makeWorld()
  const entries = [
    yield* world.image({ config, manifest: { annotations: { common: "c", own: "1" } } }),
    yield* world.image({
      config,
      architecture: "arm64",
      layers: ["x"],
      manifest: { annotations: { common: "c", own: "2" } }
    })
  ]
  yield* world.index(entries, "v1", { annotations: { top: "t" } })
  const annotations = (...options: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      yield* world.mod("v1", options)
      const all = [yield* world.out, ...yield* world.children]
      return all.map(({ document }) => document.annotations)
    })
  return { ...world, annotations }
})

describe("an index in an index, each named twice, many times over", () => {
  it.effect("is changed, and read as a base, once on every level", () =>
    Effect.gen(function*() {
      const world = makeWorld()
      let entry: Descriptor = yield* world.image({ config: { config: { Labels: { at: "2020-01-01T00:00:00Z" } } } })
      for (let level = 0; level < 28; level++) entry = yield* world.index([entry, entry], "v1")
      yield* world.mod("v1", ["annotation=[*]a=b", `config-time=from-label=at,base-ref=${name}:v1`])
      const [one, two, ...others] = yield* world.children
      assert.deepStrictEqual(one?.document.annotations, { a: "b" })
      assert.strictEqual(one?.text, two?.text)
      assert.deepStrictEqual(others, [])
    }))
})

describe("annotations", () => {
  it.effect("are set on the top alone, on everything, or on the images for a platform", () =>
    Effect.gen(function*() {
      const { annotations } = yield* twoPlatforms()
      const [one, two] = [{ common: "c", own: "1" }, { common: "c", own: "2" }]
      assert.deepStrictEqual(yield* annotations("annotation=a=b"), [{ a: "b", top: "t" }, one, two])
      assert.deepStrictEqual(yield* annotations("annotation=[*]a=b=c"), [
        { a: "b=c", top: "t" },
        { a: "b=c", ...one },
        { a: "b=c", ...two }
      ])
      assert.deepStrictEqual(yield* annotations("annotation=[linux/arm64]a=b"), [{ top: "t" }, one, { a: "b", ...two }])
      assert.deepStrictEqual(yield* annotations("annotation=[linux/arm64,*]a=b"), [
        { a: "b", top: "t" },
        { a: "b", ...one },
        { a: "b", ...two }
      ])
    }))

  it.effect("without a value are deleted", () =>
    Effect.gen(function*() {
      const { annotations } = yield* twoPlatforms()
      assert.deepStrictEqual(yield* annotations("annotation=top", "annotation=[*]common="), [
        undefined,
        { own: "1" },
        { own: "2" }
      ])
    }))

  it.effect("that images have in common are promoted, with those that come from labels", () =>
    Effect.gen(function*() {
      const { annotations } = yield* twoPlatforms({ config: { Labels: { label: "l" } } })
      assert.deepStrictEqual((yield* annotations("annotation-promote"))[0], { common: "c", top: "t" })
      assert.deepStrictEqual(yield* annotations("annotation-promote", "label-to-annotation=1"), [
        { common: "c", label: "l", top: "t" },
        { common: "c", label: "l", own: "1" },
        { common: "c", label: "l", own: "2" }
      ])
    }))

  it.effect("tell the base on all manifests, with its whole name", () =>
    Effect.gen(function*() {
      const { annotations } = yield* twoPlatforms()
      const base = {
        "org.opencontainers.image.base.digest": digest,
        "org.opencontainers.image.base.name": "docker.io/library/img:tag"
      }
      for (const separator of [",", "@"]) {
        assert.deepStrictEqual(yield* annotations(`annotation-base=img:tag${separator}${digest}`), [
          { ...base, top: "t" },
          { common: "c", ...base, own: "1" },
          { common: "c", ...base, own: "2" }
        ])
      }
    }))

  it.effect("refuse a base without name or digest", () =>
    Effect.gen(function*() {
      const { refusal } = makeWorld()
      const problems: ReadonlyArray<readonly [value: string, reason: string]> = [
        ["img:tag", "arg requires an image name and digest"],
        ["img:tag,sha256:7bcaa", "invalid digest: invalid checksum digest length"],
        [`,${digest}`, `invalid image reference: invalid reference ""`]
      ]
      for (const [value, reason] of problems) {
        const frame = `invalid argument "${value}" for "--annotation-base" flag: `
        assert.strictEqual(yield* refusal("v1", `annotation-base=${value}`), frame + reason)
      }
    }))
})

describe("media types", () => {
  it.effect("become docker's, and OCI's again with the same bytes", () =>
    Effect.gen(function*() {
      const { image, mod, out } = makeWorld()
      yield* image({}, "v1")
      yield* mod("v1", ["author=canonical"], `${name}:v2`)
      yield* mod("v2", ["to-docker"])
      const { document } = yield* out
      const { config, layers, mediaType } = document
      assert.strictEqual(mediaType, types.dockerManifest)
      assert.strictEqual(config.mediaType, types.dockerConfig)
      assert.deepStrictEqual(layers.map((it: { readonly mediaType: string }) => it.mediaType), [
        types.dockerLayer,
        types.dockerLayer
      ])
      assert.strictEqual(
        yield* mod("out", ["to-oci"], `${name}@${digest}`),
        yield* mod("v2", [], `${name}@${digest}`)
      )
    }))

  it.effect("cannot become docker's where there is an artifact type", () =>
    Effect.gen(function*() {
      const { image, refusal } = makeWorld()
      yield* image({ manifest: { artifactType: "application/x" } }, "v1")
      assert.strictEqual(
        yield* refusal("v1", "to-docker"),
        "unable to convert artifactType to docker manifest, ref registry.example/app:v1"
      )
    }))

  it.effect("of layers kept elsewhere become ordinary ones without URLs", () =>
    Effect.gen(function*() {
      const { image, look, mod, out, put } = makeWorld()
      yield* image({}, "v1")
      const { config, layers } = (yield* look(byTag("v1"))).document
      const foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
      const external = { ...layers[0], mediaType: foreign, urls: ["https://example.com/x"] }
      yield* put({ mediaType: types.manifest, config, layers: [external, layers[1]] }, "v2")
      yield* mod("v2", ["external-urls-rm"])
      assert.deepStrictEqual((yield* out).document.layers, layers)
    }))
})

describe("what is carried and named", () => {
  it.effect("data is put into descriptors up to a size, and taken from larger ones", () =>
    Effect.gen(function*() {
      const { image, index, mod, out, children } = makeWorld()
      yield* index([yield* image({ layers: ["one", "larger"] })], "v1")
      yield* mod("v1", ["data-max=1000000"])
      const [child] = yield* children
      const { manifests } = (yield* out).document
      assert.strictEqual(atob(manifests[0].data), child?.text)
      const [{ config, layers }] = [child?.document]
      assert.deepStrictEqual(layers.map(({ data }: Data) => atob(data ?? "")), ["one", "larger"])
      assert.deepStrictEqual(JSON.parse(atob(config.data)), child?.config)
      yield* mod("out", ["data-max=3"])
      const [smaller] = yield* children
      const kept = smaller?.document.layers.map(({ data }: Data) => data)
      assert.deepStrictEqual(kept, [btoa("one"), undefined])
    }))

  it.effect("data of content that changes is brought up to date", () =>
    Effect.gen(function*() {
      const { image, mod, out } = makeWorld()
      yield* image({}, "v1")
      yield* mod("v1", ["data-max=1000000"], `${name}:v2`)
      yield* mod("v2", ["author=me"])
      const { config, document } = yield* out
      assert.deepStrictEqual(JSON.parse(atob(document.config.data)), config)
      assert.strictEqual(config.author, "me")
    }))

  it.effect("digests of manifests and configurations follow another algorithm", () =>
    Effect.gen(function*() {
      const { children, image, index, mod, out } = makeWorld()
      yield* index([yield* image({ layers: [] })], "v1")
      assert.match(
        yield* mod("v1", ["digest-algo=sha512"], `${name}@${digest}`),
        /^registry\.example\/app@sha512:[0-9a-f]{128}$/
      )
      yield* mod("v1", ["digest-algo=sha512"])
      const [child] = yield* children
      assert.match((yield* out).manifest.descriptor.digest, /^sha512:/)
      assert.match(child?.manifest.descriptor.digest ?? "", /^sha512:/)
      assert.match(child?.document.config.digest, /^sha512:/)
    }))

  it.effect("digests of content that is no tar follow too, and what is carried of it stays", () =>
    Effect.gen(function*() {
      const { blob, mod, out, put } = makeWorld()
      const config = yield* blob("{}", "application/vnd.oci.empty.v1+json")
      const layer = yield* blob("sbom", "text/plain")
      yield* put({ mediaType: types.manifest, config, layers: [{ ...layer, data: btoa("sbom") }] }, "v1")
      yield* mod("v1", ["digest-algo=sha512"])
      const { document } = yield* out
      assert.deepStrictEqual(document.config, config)
      assert.deepStrictEqual(document.layers, [{
        mediaType: "text/plain",
        digest:
          "sha512:67984e361d0ab123fc2b12814aa3577ef0f9b2caf54a7b6011a80420f1743eb5a493edd2b327d49348895991c8dbb226ce0457d10634b227a36b92750a922d2d",
        size: 4,
        data: "c2JvbQ=="
      }])
    }))

  it.effect("an algorithm that nobody has is refused", () =>
    Effect.gen(function*() {
      const { image, refusal } = makeWorld()
      yield* image({}, "v1")
      assert.strictEqual(yield* refusal("v1", "digest-algo=md5"), "digest algorithm is not available: md5")
    }))
})
