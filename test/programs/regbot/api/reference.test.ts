import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LuaObject, LuaValue } from "../../../../src/lib/lua/border.ts"
import { reference } from "../../../../src/programs/regbot/api/reference.ts"
import { answer, call, objectFrom, raised, scriptRuns } from "../../../support/scriptRuns.ts"

const { functions, methods, text } = reference
const digest = "sha256:3e1362e58464c9745b7411159879ee7b810e87e9d0098e22934e827fbf6d9267"

const shown = (value: LuaValue) => call(text, value)

/** The object as it is after a method changed it. */
const after = (self: LuaObject, method: "tag" | "digest", value: LuaValue) =>
  Effect.map(answer(methods?.[method], self, value), ({ self: changed, values }) => {
    assert.deepStrictEqual(values, [])
    return { ...self, state: changed?.state }
  })

describe("reference", () => {
  const { closed, layer } = scriptRuns()

  it.effect("is made from a text, another reference, and shown by its common name", () =>
    Effect.gen(function*() {
      const ref = yield* objectFrom(functions["new"], "alpine")
      assert.strictEqual(ref.kind, "reference")
      assert.strictEqual(yield* shown(ref), "docker.io/library/alpine:latest")
      assert.strictEqual(yield* shown(yield* objectFrom(functions["new"], ref)), "docker.io/library/alpine:latest")
    }).pipe(Effect.provide(layer)))

  it.effect("refuses what names nothing", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* raised(functions["new"]), "bad argument #1: reference expected")
      assert.strictEqual(yield* raised(functions["new"], 7), "bad argument #1: reference expected")
      assert.strictEqual(
        yield* raised(functions["new"], "BAD//x"),
        "bad argument #1: reference parsing failed: invalid reference \"BAD//x\""
      )
    }).pipe(Effect.provide(layer)))

  it.effect("gives its tag and digest, empty where there is none", () =>
    Effect.gen(function*() {
      const ref = yield* objectFrom(functions["new"], "r.test/a:v1")
      assert.deepStrictEqual((yield* answer(methods?.["tag"], ref)).values, ["v1"])
      assert.deepStrictEqual((yield* answer(methods?.["digest"], ref)).values, [""])
    }).pipe(Effect.provide(layer)))

  it.effect("has a tag or a digest, never both, once one was set", () =>
    Effect.gen(function*() {
      const ref = yield* objectFrom(functions["new"], "r.test/a:v1")
      const byDigest = yield* after(ref, "digest", digest)
      assert.strictEqual(yield* shown(byDigest), `r.test/a@${digest}`)
      assert.strictEqual(yield* shown(yield* after(byDigest, "tag", 7)), "r.test/a:7")
      assert.strictEqual(yield* shown(yield* after(byDigest, "tag", "")), "r.test/a")
      assert.strictEqual(yield* shown(ref), "r.test/a:v1")
    }).pipe(Effect.provide(layer)))

  it.effect("sets with exactly two arguments", () =>
    Effect.gen(function*() {
      const ref = yield* objectFrom(functions["new"], "r.test/a:v1")
      assert.strictEqual(yield* raised(methods?.["tag"], ref, undefined), "bad argument #2: string expected, got nil")
      assert.strictEqual(
        yield* raised(methods?.["digest"], ref, { list: [], fields: new Map() }),
        "bad argument #2: string expected, got table"
      )
      assert.deepStrictEqual(yield* answer(methods?.["tag"], ref, "v2", "v3"), { values: ["v1"] })
    }).pipe(Effect.provide(layer)))

  it.effect("refuses tags and digests that are none", () =>
    Effect.gen(function*() {
      const ref = yield* objectFrom(functions["new"], "r.test/a:v1")
      assert.strictEqual(yield* raised(methods?.["tag"], ref, "../x"), "bad argument #2: invalid tag \"../x\"")
      assert.match(yield* raised(methods?.["digest"], ref, "xx"), /^bad argument #2: invalid checksum digest/)
    }).pipe(Effect.provide(layer)))

  it.effect("closes its place", () =>
    Effect.gen(function*() {
      const ref = yield* objectFrom(functions["new"], "ocidir://some/dir:v1")
      assert.deepStrictEqual(yield* answer(methods?.["close"], ref), { values: [] })
      assert.deepStrictEqual(yield* answer(functions["close"], "r.test/a"), { values: [] })
      assert.deepStrictEqual(closed, ["ocidir://some/dir", "r.test/a"])
      assert.strictEqual(yield* raised(functions["close"]), "bad argument #1: reference expected")
    }).pipe(Effect.provide(layer)))
})
