import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { tag } from "../../../../src/programs/regbot/api/tag.ts"
import { storeError } from "../../../../src/schemas/StoreError.ts"
import type { PageRequest } from "../../../../src/services/Repository.ts"
import { luaOf, plain } from "../../../support/luaValues.ts"
import { answer, call, raised, scriptRuns } from "../../../support/scriptRuns.ts"

const index = (note: string) =>
  `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"n":"${note}"}}`

/** A page; of names that were left out it tells how many. */
const cutPage = (skipped: number, ...names: ReadonlyArray<string>) => ({ ...page(...names), skipped })

const page = (...names: ReadonlyArray<string>) => ({ names, body: new Uint8Array(), headers: {} })

/** A registry of three tags in an order of its own, in pages of two. */
const asked: Array<PageRequest> = []
const paged = () =>
  scriptRuns({
    seen: (repository) => ({
      ...repository,
      tags: (request = {}) => {
        asked.push(request)
        return Stream.make(page("v10", "v9"), page("latest"))
      }
    })
  })

describe("tag.ls", () => {
  const { layer, log } = paged()

  it.effect("lists all pages in the order of the registry", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(plain(yield* call(tag.functions["ls"], "r.test/a")), ["v10", "v9", "latest"])
      assert.deepStrictEqual(log, ["DEBUG Listing tags script=s repo=r.test/a:latest opts={Limit:0 Last:}"])
    }).pipe(Effect.provide(layer)))

  it.effect("asks for as many as wanted, ignoring options of other types", () =>
    Effect.gen(function*() {
      asked.length = 0
      yield* call(tag.functions["ls"], "r.test/a", luaOf({ limit: 2.9, last: "v1" }))
      yield* call(tag.functions["ls"], "r.test/a", luaOf({ limit: "2", last: 7, more: true }))
      yield* call(tag.functions["ls"], "r.test/a", luaOf({ limit: 1e300 }))
      yield* call(tag.functions["ls"], "r.test/a", luaOf({ limit: Number.NaN }))
      assert.deepStrictEqual(asked, [{ limit: 2, last: "v1" }, {}, { limit: 2_147_483_647 }, {}])
    }).pipe(Effect.provide(layer)))

  it.effect("lists all of a layout", () =>
    Effect.gen(function*() {
      asked.length = 0
      yield* call(tag.functions["ls"], "ocidir://some/dir", luaOf({ limit: 2, last: "v1" }))
      assert.deepStrictEqual(asked, [{}])
    }).pipe(Effect.provide(layer)))

  it.effect("gives the names that are tags, and tells the run of others", () =>
    Effect.gen(function*() {
      const { layer, skips } = scriptRuns({
        seen: (repository) => ({
          ...repository,
          tags: () => Stream.make(cutPage(2, "v1"), page("v2"), cutPage(1, "v3"))
        })
      })
      const found = yield* Effect.provide(call(tag.functions["ls"], "r.test/a"), layer)
      assert.deepStrictEqual(plain(found), ["v1", "v2", "v3"])
      assert.deepStrictEqual(skips, ["failed to list tags in r.test/a: 3"])
    }))

  it.effect("refuses options that are no table", () =>
    Effect.gen(function*() {
      const ls = tag.functions["ls"]
      assert.strictEqual(yield* raised(ls, "r.test/a", 7), "bad argument #2: table expected, got number")
      assert.strictEqual(yield* raised(ls, "r.test/a", undefined), "bad argument #2: table expected, got nil")
      assert.strictEqual(yield* raised(ls), "bad argument #1: reference expected")
    }).pipe(Effect.provide(layer)))

  it.effect("says why there is no list", () =>
    Effect.gen(function*() {
      const { layer } = scriptRuns({
        seen: (repository) => ({
          ...repository,
          tags: () => Stream.fail(storeError("failed to list tags for r.test/a", "NotFound", "not found [http 404]"))
        })
      })
      assert.strictEqual(
        yield* Effect.provide(raised(tag.functions["ls"], "r.test/a"), layer),
        "Failed retrieving tag list: failed to list tags for r.test/a: not found [http 404]"
      )
    }))
})

describe("tag.delete", () => {
  it.effect("removes the tag alone, and closes the place", () =>
    Effect.gen(function*() {
      const runs = scriptRuns({ isDry: true })
      yield* Effect.promise(() => runs.put("r.test/a:v1", index("one")))
      yield* Effect.promise(() => runs.put("r.test/a:v2", index("one")))
      yield* Effect.gen(function*() {
        assert.deepStrictEqual(yield* answer(tag.functions["delete"], "r.test/a:v1"), { values: [] })
        assert.deepStrictEqual(plain(yield* call(tag.functions["ls"], "r.test/a")), ["v2"])
      }).pipe(Effect.provide(runs.layer))
      assert.strictEqual(runs.log[0], "INFO Delete tag script=s image=r.test/a:v1 dry-run=true")
      assert.deepStrictEqual(runs.closed, ["r.test/a"])
    }))

  it.effect("needs a tag", () =>
    Effect.gen(function*() {
      const { closed, layer } = scriptRuns()
      const ref = "r.test/a@sha256:3e1362e58464c9745b7411159879ee7b810e87e9d0098e22934e827fbf6d9267"
      assert.strictEqual(
        yield* Effect.provide(raised(tag.functions["delete"], ref), layer),
        `Failed deleting "${ref}": tag missing from image reference`
      )
      assert.deepStrictEqual(closed, [])
    }))
})
