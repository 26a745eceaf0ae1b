import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LuaObject } from "../../../../src/lib/lua/border.ts"
import { imageConfig, imageconfig } from "../../../../src/programs/regbot/api/imageconfig.ts"
import { get, getList, head } from "../../../../src/programs/regbot/api/manifest.ts"
import { fromBytes } from "../../../../src/services/Bytes.ts"
import { descriptorOf, encode } from "../../../fixtures/content.ts"
import { makeImage, makeIndex, push } from "../../../fixtures/images.ts"
import { changed, plain } from "../../../support/luaValues.ts"
import { call, objectFrom, raised, scriptRuns } from "../../../support/scriptRuns.ts"

const { methods = {}, text } = imageconfig
const types = "application/vnd.oci.image"
const body = "{\"os\": \"linux\", \"architecture\": \"amd64\", \"created\": \"2021-02-03T04:05:06Z\",\n" +
  " \"config\": {\"Labels\": {\"made\": \"by <hand>\"}, \"ExposedPorts\": {\"80/tcp\": {}}, \"Volumes\": {\"/data\": {}}}," +
  " \"rootfs\": {\"type\": \"layers\", \"diff_ids\": []}, \"extra\": 1}\n"
const arm = makeImage({ layers: ["arm"], architecture: "arm64" })

/** An image at `r.test/a:v1`, an index of one for arm64 at `:arm`. */
const world = Effect.gen(function*() {
  const runs = scriptRuns()
  const config = descriptorOf(encode(body), `${types}.config.v1+json`)
  yield* runs.at("r.test/a").putBlob(fromBytes(encode(body)), config)
  yield* Effect.promise(() =>
    runs.put(
      "r.test/a:v1",
      JSON.stringify({ schemaVersion: 2, mediaType: `${types}.manifest.v1+json`, config, layers: [] })
    )
  )
  yield* push(runs.at("r.test/a"), arm)
  const index = makeIndex([{ made: arm, platform: { os: "linux", architecture: "arm64" } }])
  yield* push(runs.at("r.test/a"), { manifest: index, blobs: [] }, "arm")
  return runs
})

const label = (object: LuaObject) => {
  const data = plain(object.data) as { readonly Config: { readonly Labels: { readonly made?: string } } }
  return data.Config.Labels.made
}

describe("image.config", () => {
  it.effect("gives the configuration of what a text, a manifest or another configuration names", () =>
    Effect.gen(function*() {
      const { layer, log } = yield* world
      yield* Effect.gen(function*() {
        const named = yield* objectFrom(imageConfig, "r.test/a:v1")
        assert.strictEqual(named.kind, "imageconfig")
        assert.strictEqual(label(named), "by <hand>")
        assert.deepStrictEqual(log, ["DEBUG Retrieve image config script=s image=r.test/a:v1"])
        assert.strictEqual(label(yield* objectFrom(imageConfig, yield* call(get, "r.test/a:v1"))), "by <hand>")
        assert.strictEqual(label(yield* objectFrom(imageConfig, named)), "by <hand>")
      }).pipe(Effect.provide(layer))
    }))

  it.effect("takes a platform to look for", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const found = yield* objectFrom(imageConfig, "r.test/a:arm", "linux/arm64")
        assert.include(yield* call(text, found), "\"architecture\": \"arm64\"")
        const below = yield* objectFrom(imageConfig, yield* call(getList, "r.test/a:arm"), "linux/arm64")
        assert.include(yield* call(text, below), "\"architecture\": \"arm64\"")
        assert.match(
          yield* raised(imageConfig, "r.test/a:arm", "windows/amd64"),
          /^manifest pull failed: platform not found: windows\/amd64/
        )
        assert.match(
          yield* raised(imageConfig, "r.test/a:arm", "a/b/c/d/e"),
          /^bad argument #2: failed to parse platform a\/b\/c\/d\/e: /
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("raises for what has none", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const index = yield* call(getList, "r.test/a:arm")
        assert.strictEqual(yield* raised(imageConfig, index), "Image methods are not available for manifest")
        assert.strictEqual(
          yield* raised(imageConfig, yield* call(head, "r.test/a:v1")),
          "Failed looking up \"r.test/a:v1\" config digest: manifest not set"
        )
        assert.match(yield* raised(imageConfig, "r.test/a:none"), /^manifest pull failed: .*not found/)
        assert.strictEqual(yield* raised(imageConfig, 12), "bad argument #1: manifest expected")
        assert.strictEqual(
          yield* raised(imageConfig, "A//b"),
          "reference parsing failed: invalid reference \"A//b\""
        )
      }).pipe(Effect.provide(layer))
    }))
})

describe("a configuration", () => {
  it.effect("prints as it came, indented", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const config = yield* objectFrom(imageConfig, "r.test/a:v1")
        assert.strictEqual(
          yield* call(text, config),
          `{
  "os": "linux",
  "architecture": "amd64",
  "created": "2021-02-03T04:05:06Z",
  "config": {
    "Labels": {
      "made": "by \\u003chand\\u003e"
    },
    "ExposedPorts": {
      "80/tcp": {}
    },
    "Volumes": {
      "/data": {}
    }
  },
  "rootfs": {
    "type": "layers",
    "diff_ids": []
  },
  "extra": 1
}`
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is exported with what a script changed, ports and volumes kept", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const config = yield* objectFrom(imageConfig, "r.test/a:v1")
        const data = changed(config.data, ["config", "Labels", "made"], "by script")
        const exported = yield* objectFrom(methods["export"], { ...config, data })
        assert.strictEqual(label(exported), "by script")
        assert.strictEqual(
          yield* call(text, exported),
          `{
  "created": "2021-02-03T04:05:06Z",
  "architecture": "amd64",
  "os": "linux",
  "config": {
    "ExposedPorts": {
      "80/tcp": {}
    },
    "Volumes": {
      "/data": {}
    },
    "Labels": {
      "made": "by script"
    }
  },
  "rootfs": {
    "type": "layers",
    "diff_ids": []
  }
}`
        )
        assert.strictEqual(yield* raised(methods["export"], "x"), "bad argument #1: config expected")
      }).pipe(Effect.provide(layer))
    }))
})
