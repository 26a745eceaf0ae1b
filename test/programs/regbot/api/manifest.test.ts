import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LuaObject, LuaTable, LuaValue } from "../../../../src/lib/lua/border.ts"
import { manifest } from "../../../../src/programs/regbot/api/manifest.ts"
import { reference } from "../../../../src/programs/regbot/api/reference.ts"
import { changed, luaOf, plain } from "../../../support/luaValues.ts"
import { answer, call, objectFrom, raised, scriptRuns } from "../../../support/scriptRuns.ts"

const { functions, methods, text } = manifest
const types = "application/vnd.oci.image"
const config = "sha256:c5b1d63604f273462ef36fadac3182d43ae6a6138731cf594b314835cf1c034f"
const image = (note: string) =>
  `{ "layers": [], "schemaVersion": 2, "mediaType": "${types}.manifest.v1+json", "extra": "<${note}>",` +
  ` "config": { "mediaType": "${types}.config.v1+json", "digest": "${config}", "size": 78 } }`

/** Three places of one index: other systems, this machine's kind, and an image of its own. */
const world = Effect.gen(function*() {
  const runs = scriptRuns()
  const put = (name: string, body: string) => Effect.promise(() => runs.put(name, body))
  const arm = yield* put("r.test/a:arm", image("arm"))
  const windows = yield* put("r.test/a:windows", image("windows"))
  const entry = (digest: string, size: number, platform: string) =>
    `{"mediaType":"${types}.manifest.v1+json","digest":"${digest}","size":${size},"platform":${platform}}`
  const index = yield* put(
    "r.test/a:index",
    `{"schemaVersion":2,"mediaType":"${types}.index.v1+json","manifests":[` +
      entry(windows.descriptor.digest, windows.descriptor.size, "{\"architecture\":\"amd64\",\"os\":\"windows\"}") +
      "," +
      entry(
        arm.descriptor.digest,
        arm.descriptor.size,
        "{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}"
      ) + "]}"
  )
  return { ...runs, arm, windows, index }
})

const field = (value: LuaValue, name: string): LuaValue => (value as LuaTable).fields.get(name) // of what is a table
const digestOf = (value: LuaValue) => Effect.map(call(functions["descriptor"], value), (it) => field(it, "digest"))
const refOf = (value: LuaValue) =>
  Effect.flatMap(call(reference.functions["new"], value), (it) => call(reference.text, it))
const withData = (object: LuaObject, path: ReadonlyArray<string | number>, to: LuaValue): LuaObject => ({
  ...object,
  data: changed(object.data, path, to)
})

describe("manifest", () => {
  it.effect("is got as it is, an index too", () =>
    Effect.gen(function*() {
      const { index, layer, log } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["getList"], "r.test/a:index")
        assert.strictEqual(yield* digestOf(got), index.descriptor.digest)
        assert.strictEqual((plain(field(got.data, "manifests")) as ReadonlyArray<unknown>).length, 2) // a list
        assert.deepStrictEqual(log, ["DEBUG Retrieve manifest script=s image=r.test/a:index list=true platform="])
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is that of a platform, under the reference asked for", () =>
    Effect.gen(function*() {
      const { arm, layer, log } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["get"], "r.test/a:index", "linux/arm/v7")
        assert.strictEqual(yield* digestOf(got), arm.descriptor.digest)
        assert.strictEqual(yield* refOf(got), "r.test/a:index")
        assert.deepStrictEqual(log, [
          "DEBUG Retrieve manifest script=s image=r.test/a:index list=false platform=linux/arm/v7"
        ])
        assert.strictEqual(
          yield* digestOf(yield* objectFrom(methods?.["get"], got, "linux/arm/v7")),
          arm.descriptor.digest
        )
        assert.match(
          yield* raised(functions["get"], "r.test/a:index", "linux/s390x"),
          /^Failed retrieving "r.test\/a:index" manifest: platform not found: linux\/s390x/
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("takes this machine's platform for one it cannot read, and says so", () =>
    Effect.gen(function*() {
      const { layer, log } = yield* world
      yield* Effect.gen(function*() {
        const there = yield* Effect.option(call(functions["get"], "r.test/a:index"))
        log.length = 0
        assert.deepStrictEqual(yield* Effect.option(call(functions["get"], "r.test/a:index", "li!nux")), there)
        assert.strictEqual(
          log[1],
          "WARN Could not parse platform platform=li!nux err=invalid platform component li!nux in li!nux"
        )
        assert.strictEqual(
          yield* raised(functions["get"], "r.test/a:index", undefined),
          "bad argument #2: string expected, got nil"
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is an image whatever platform is asked for", () =>
    Effect.gen(function*() {
      const { layer, windows } = yield* world
      const got = yield* Effect.provide(objectFrom(functions["get"], "r.test/a:windows", "linux/amd64"), layer)
      assert.strictEqual(yield* Effect.provide(digestOf(got), layer), windows.descriptor.digest)
    }))

  it.effect("has its data, of which config can be called as well", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["getList"], "r.test/a:arm")
        assert.deepStrictEqual(got.callable, ["config"])
        assert.strictEqual(plain(field(field(got.data, "config"), "size")), 78)
        const index = yield* objectFrom(functions["getList"], "r.test/a:index")
        assert.isUndefined(index.callable)
        assert.deepStrictEqual([...(yield* objectFrom(functions["head"], "r.test/a:arm")).data?.fields.keys() ?? []], [
          "Manifest"
        ])
      }).pipe(Effect.provide(layer))
    }))

  it.effect("prints as it came, in lines", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        assert.strictEqual(
          yield* call(text, yield* objectFrom(functions["getList"], "r.test/a:arm")),
          "{\n  \"layers\": [],\n  \"schemaVersion\": 2,\n" +
            "  \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\",\n" +
            "  \"extra\": \"\\u003carm\\u003e\",\n  \"config\": {\n" +
            "    \"mediaType\": \"application/vnd.oci.image.config.v1+json\",\n" +
            "    \"digest\": \"sha256:c5b1d63604f273462ef36fadac3182d43ae6a6138731cf594b314835cf1c034f\",\n" +
            "    \"size\": 78\n  }\n}"
        )
        assert.strictEqual(
          yield* raised(text, yield* objectFrom(functions["head"], "r.test/a:arm")),
          "Failed outputing manifest: manifest not set"
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("has a descriptor, asked for by its head where it is only named", () =>
    Effect.gen(function*() {
      const { arm, layer, log } = yield* world
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* digestOf("r.test/a:arm"), arm.descriptor.digest)
        assert.strictEqual(
          yield* digestOf(yield* call(reference.functions["new"], "r.test/a:arm")),
          arm.descriptor.digest
        )
        assert.strictEqual(
          yield* digestOf(yield* objectFrom(functions["head"], "r.test/a:arm")),
          arm.descriptor.digest
        )
        assert.deepStrictEqual(log, ["DEBUG Retrieve manifest with head script=s image=r.test/a:arm"])
        const refused = (...args: ReadonlyArray<LuaValue>) => raised(functions["descriptor"], ...args)
        assert.strictEqual(yield* refused(), "bad argument #1: manifest expected")
        assert.strictEqual(yield* refused(luaOf({})), "bad argument #1: manifest expected")
        assert.strictEqual(yield* refused("BAD//x"), "reference parsing failed: invalid reference \"BAD//x\"")
        assert.match(yield* refused("r.test/a:none"), /^Failed retrieving "r.test\/a:none" manifest: .*not found/)
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is put byte for byte, and its place closed", () =>
    Effect.gen(function*() {
      const { arm, at, closed, index, layer, log } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["getList"], "r.test/a:arm")
        assert.deepStrictEqual(yield* answer(methods?.["put"], got, "r.test/b:one"), { values: [] })
        assert.strictEqual(log.at(-1), "DEBUG Put manifest script=s image=r.test/b:one")
        yield* answer(methods?.["put"], yield* objectFrom(methods?.["export"], got), "r.test/b:two")
        yield* answer(functions["put"], "r.test/a:index", "r.test/b:index")
        assert.strictEqual(yield* digestOf("r.test/b:one"), arm.descriptor.digest)
        assert.strictEqual(yield* digestOf("r.test/b:two"), arm.descriptor.digest)
        assert.strictEqual(yield* digestOf("r.test/b:index"), index.descriptor.digest)
        assert.deepStrictEqual(closed, ["r.test/b", "r.test/b", "r.test/b"])
      }).pipe(Effect.provide(layer))
      const stored = yield* at("r.test/b:one").manifest({ _tag: "ByDigest", digest: arm.descriptor.digest })
      assert.deepStrictEqual(stored.bytes, arm.bytes)
    }))

  it.effect("is put under its own digest alone", () =>
    Effect.gen(function*() {
      const { arm, index, layer } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["getList"], "r.test/a:arm")
        yield* answer(methods?.["put"], got, `r.test/b@${arm.descriptor.digest}`)
        assert.strictEqual(
          yield* raised(methods?.["put"], got, `r.test/b@${index.descriptor.digest}`),
          `Failed to put manifest: manifest digest mismatch, expected ${index.descriptor.digest}, computed ${arm.descriptor.digest}`
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is put only with content and a place to put it to", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const refused = (...args: ReadonlyArray<LuaValue>) => raised(functions["put"], ...args)
        assert.strictEqual(yield* refused(), "bad argument #1: manifest expected")
        assert.strictEqual(yield* refused("r.test/a:arm"), "bad argument #2: reference expected")
        assert.match(yield* refused("r.test/a:none", "r.test/b"), /^manifest pull failed: .*not found/)
        assert.strictEqual(
          yield* refused(yield* objectFrom(functions["head"], "r.test/a:arm"), "r.test/b"),
          "Failed to put manifest: manifest not set"
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is exported with its changes, as a new one", () =>
    Effect.gen(function*() {
      const { arm, layer } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["getList"], "r.test/a:arm")
        const made = yield* objectFrom(methods?.["export"], withData(got, ["annotations"], luaOf({ k: "<v>" })))
        assert.strictEqual(yield* refOf(made), "r.test/a:arm")
        assert.strictEqual(
          yield* call(text, made),
          "{\n  \"schemaVersion\": 2,\n  \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\",\n" +
            "  \"config\": {\n    \"mediaType\": \"application/vnd.oci.image.config.v1+json\",\n" +
            "    \"digest\": \"sha256:c5b1d63604f273462ef36fadac3182d43ae6a6138731cf594b314835cf1c034f\",\n" +
            "    \"size\": 78\n  },\n  \"layers\": [],\n  \"annotations\": {\n    \"k\": \"\\u003cv\\u003e\"\n  }\n}"
        )
        assert.strictEqual(
          yield* digestOf(made),
          "sha256:e8917742988b80e39e4a1d1e65dc19a1a3c0652d09c24c99b3c341414e3dce00"
        )
        assert.strictEqual(yield* digestOf(got), arm.descriptor.digest)
        yield* answer(methods?.["put"], made, "r.test/b:new")
        assert.strictEqual(yield* digestOf("r.test/b:new"), yield* digestOf(made))
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is exported only as what it is", () =>
    Effect.gen(function*() {
      const { layer } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["getList"], "r.test/a:arm")
        const refused = (...args: ReadonlyArray<LuaValue>) => raised(methods?.["export"], ...args)
        assert.match(
          yield* refused(withData(got, ["config", "digest"], "none")),
          /^Failed exporting manifest \(r.test\/a:arm\): error unmarshaling manifest for r.test\/a:arm: /
        )
        assert.strictEqual(
          yield* refused(yield* objectFrom(functions["head"], "r.test/a:arm")),
          "Failed exporting manifest (r.test/a:arm): manifest not set"
        )
        assert.strictEqual(yield* refused("r.test/a:arm"), "bad argument #1: manifest expected")
      }).pipe(Effect.provide(layer))
    }))

  it.effect("is deleted by its digest", () =>
    Effect.gen(function*() {
      const { arm, closed, index, layer, log } = yield* world
      yield* Effect.gen(function*() {
        const got = yield* objectFrom(functions["get"], "r.test/a:index", "linux/arm/v7")
        assert.deepStrictEqual(yield* answer(methods?.["delete"], got), { values: [] })
        assert.strictEqual(
          log.at(-1),
          `INFO Delete manifest script=s image=r.test/a:index@${arm.descriptor.digest} dry-run=false`
        )
        assert.deepStrictEqual(closed, ["r.test/a"])
        assert.match(yield* raised(functions["head"], "r.test/a:arm"), /not found/)
        assert.strictEqual(yield* digestOf("r.test/a:index"), index.descriptor.digest)
        yield* answer(methods?.["delete"], yield* objectFrom(functions["head"], "r.test/a:index"))
        assert.match(
          yield* raised(functions["getList"], "r.test/a:index"),
          /^Failed retrieving "r.test\/a:index" manifest: .*not found/
        )
        assert.match(
          yield* raised(methods?.["delete"], got),
          /^Failed deleting "r.test\/a:index@sha256:[0-9a-f]{64}": /
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("leaves the list of its subject's referrers when it is deleted", () =>
    Effect.gen(function*() {
      const { arm, at, layer, put } = yield* world
      const { digest, mediaType, size } = arm.descriptor
      const subject = `{"mediaType":"${mediaType}","digest":"${digest}","size":${size}}`
      const referrer = (note: string) => image(note).replace("{", `{ "subject": ${subject},`)
      yield* Effect.promise(() => put("r.test/a:one", referrer("one")))
      yield* Effect.promise(() => put("r.test/a:two", referrer("two")))
      const count = Effect.map(at("r.test/a").referrers(arm.descriptor), ({ descriptors }) => descriptors.length)
      assert.strictEqual(yield* count, 2)
      yield* Effect.gen(function*() {
        yield* answer(methods?.["delete"], yield* objectFrom(functions["getList"], "r.test/a:one"))
        assert.strictEqual(yield* count, 1)
        yield* answer(methods?.["delete"], "r.test/a:two")
        assert.strictEqual(yield* count, 0)
      }).pipe(Effect.provide(layer))
    }))

  it.effect("tells the pull limit of the answer it came with", () =>
    Effect.gen(function*() {
      const { layer, put } = scriptRuns({
        seen: (repository) => ({
          ...repository,
          manifest: (...args) =>
            Effect.map(repository.manifest(...args), (it) => ({
              ...it,
              headers: { "ratelimit-limit": ["100;w=21600"], "ratelimit-remaining": ["5"], "ratelimit-reset": ["33"] }
            }))
        })
      })
      yield* Effect.promise(() => put("r.test/a:one", image("one")))
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(
          plain(yield* call(methods?.["ratelimit"], yield* objectFrom(functions["getList"], "r.test/a:one"))),
          { Remain: 5, Limit: 100, Reset: 33, Set: true, Policies: ["100;w=21600"] }
        )
        assert.deepStrictEqual(
          plain(yield* call(methods?.["ratelimit"], yield* objectFrom(functions["head"], "r.test/a:one"))),
          { Remain: 0, Limit: 0, Reset: 0, Set: false, Policies: {} }
        )
      }).pipe(Effect.provide(layer))
    }))
})
