import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LuaTable } from "../../../../src/lib/lua/border.ts"
import { imageMod } from "../../../../src/programs/regbot/api/imageMod.ts"
import { stateOf } from "../../../../src/programs/regbot/api/objects.ts"
import { commonName } from "../../../../src/schemas/Ref.ts"
import { byTag, makeImage, push } from "../../../fixtures/images.ts"
import { luaOf, type Plain } from "../../../support/luaValues.ts"
import { call, raised } from "../../../support/scriptRuns.ts"
import { imageRuns } from "./imageRuns.ts"

const image = makeImage({ layers: ["one"] })

const world = (options: Parameters<typeof imageRuns>[0] = {}) =>
  Effect.gen(function*() {
    const runs = imageRuns(options)
    yield* push(runs.at("r.test/a"), image, "v1")
    const mod = (source: string, table: LuaTable) =>
      Effect.map(call(imageMod, source, table), (value) => {
        const ref = stateOf("reference", value)?.ref
        return ref === undefined ? "" : commonName(ref)
      }).pipe(Effect.provide(runs.layer))
    const refused = (source: string, table?: Plain) =>
      Effect.provide(raised(imageMod, source, luaOf(table)), runs.layer)
    const annotationsAt = (tag: string) =>
      Effect.map(runs.at("r.test/a").manifest(byTag(tag)), ({ annotations }) => annotations)
    return { ...runs, mod, refused, annotationsAt }
  })

/** A table of named options and of those whose order counts. */
const table = (named: { readonly [name: string]: Plain }, ...ordered: ReadonlyArray<Plain>): LuaTable => ({
  fields: (luaOf(named) as LuaTable).fields,
  list: ordered.map(luaOf)
})

describe("image.mod", () => {
  it.effect("pushes a changed image under a new tag, and returns its reference", () =>
    Effect.gen(function*() {
      const { annotationsAt, closed, log, mod } = yield* world()
      assert.strictEqual(
        yield* mod("r.test/a:v1", table({ create: "v2", annotation: ["a=1", "b=2"] })),
        "r.test/a:v2"
      )
      assert.deepStrictEqual(yield* annotationsAt("v2"), { a: "1", b: "2" })
      assert.deepStrictEqual(yield* annotationsAt("v1"), {})
      assert.deepStrictEqual(closed, ["r.test/a"])
      assert.strictEqual(
        log[0],
        "INFO Mod image script=s source=r.test/a:v1 target=r.test/a:v2 dry-run=false"
      )
    }))

  it.effect("replaces the image, or pushes the result by its digest", () =>
    Effect.gen(function*() {
      const { annotationsAt, mod } = yield* world()
      const name = yield* mod("r.test/a:v1", table({ annotation: "a=1" }))
      assert.match(name, /^r.test\/a@sha256:[0-9a-f]{64}$/)
      assert.deepStrictEqual(yield* annotationsAt("v1"), {})
      assert.strictEqual(yield* mod("r.test/a:v1", table({ annotation: "a=1", replace: true })), "r.test/a:v1")
      assert.deepStrictEqual(yield* annotationsAt("v1"), { a: "1" })
    }))

  it.effect("acts by name, then as the list says", () =>
    Effect.gen(function*() {
      const { annotationsAt, mod } = yield* world()
      const options = table({ create: "v2", annotation: "a=named" }, ["annotation", "a=first"], [
        "annotation",
        "a=last"
      ])
      yield* mod("r.test/a:v1", options)
      assert.deepStrictEqual(yield* annotationsAt("v2"), { a: "last" })
      yield* mod("r.test/a:v1", table({ create: "v3", label: "l=1" }, ["labelToAnnotation"], ["annotation", "l=2"]))
      assert.deepStrictEqual(yield* annotationsAt("v3"), { l: "2" })
    }))

  it.effect("names the option that is wrong", () =>
    Effect.gen(function*() {
      const { log, refused } = yield* world()
      assert.strictEqual(yield* refused("r.test/a:v1"), "bad argument #2: table expected, got nil")
      assert.strictEqual(yield* refused("r.test/a:v1", { lable: "x" }), "bad argument #2: unknown option \"lable\"")
      assert.strictEqual(
        yield* refused("r.test/a:v1", { toOci: "yes" }),
        "bad argument #2: option \"toOci\": boolean expected, got string"
      )
      assert.strictEqual(
        yield* refused("r.test/a:v1", { label: true }),
        "bad argument #2: option \"label\": string expected, got boolean"
      )
      assert.strictEqual(
        yield* refused("r.test/a:v1", ["label"]),
        "bad argument #2: a list entry has to be { name, value }"
      )
      assert.deepStrictEqual(log, [])
      assert.strictEqual(
        yield* refused("r.test/a:v1", { layerTime: "x" }),
        "Failed to mod \"r.test/a:v1\": invalid argument \"x\" for \"--layer-time\" flag: parameter without a value: x"
      )
    }))

  it.effect("adds no files of this machine for a script in a sandbox", () =>
    Effect.gen(function*() {
      const { refused } = yield* world({ isSandboxed: true })
      assert.strictEqual(
        yield* refused("r.test/a:v1", { layerAdd: "dir=/etc" }),
        "image.mod with layerAdd is denied: the script runs in a sandbox"
      )
    }))

  it.effect("writes nothing in a dry run", () =>
    Effect.gen(function*() {
      const { at, log, mod } = yield* world({ isDry: true })
      yield* mod("r.test/a:v1", table({ create: "v2", label: "a=b" }))
      assert.strictEqual(log[0], "INFO Mod image script=s source=r.test/a:v1 target=r.test/a:v2 dry-run=true")
      assert.match(log[1] ?? "", /^DEBUG Dry run of mod script=s .* blobs=1 manifests=1 mounts=0 /)
      assert.strictEqual((yield* Effect.flip(at("r.test/a").resolve(byTag("v2")))).reason._tag, "NotFound")
    }))
})
