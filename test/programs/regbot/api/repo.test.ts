import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import type { LuaValue } from "../../../../src/lib/lua/border.ts"
import { repo } from "../../../../src/programs/regbot/api/repo.ts"
import { storeError } from "../../../../src/schemas/StoreError.ts"
import { Registry } from "../../../../src/services/Registry.ts"
import type { PageRequest } from "../../../../src/services/Repository.ts"
import { luaOf, plain } from "../../../support/luaValues.ts"
import { call, raised, scriptRuns } from "../../../support/scriptRuns.ts"

const page = (...names: ReadonlyArray<string>) => ({ names, body: new Uint8Array(), headers: {} })

describe("repo.ls", () => {
  const catalog: Array<readonly [string, PageRequest | undefined]> = []
  const { layer, log, skips } = scriptRuns()
  const registry = Layer.succeed(
    Registry,
    Registry.of({
      open: () => Effect.die("nothing is opened"),
      ping: () => Effect.void,
      list: (host, request) => {
        catalog.push([host, request])
        return host === "down.test"
          ? Stream.fail(storeError("failed to list repositories for down.test", "ConnectFailed", "connection refused"))
          : Stream.make({ ...page("a", "b/c"), ...(host === "odd.test" ? { skipped: 2 } : {}) }, page("d"))
      }
    })
  )
  const all = Layer.merge(layer, registry)
  const ls = (...args: ReadonlyArray<LuaValue>) => call(repo.functions["ls"], ...args)
  const refused = (...args: ReadonlyArray<LuaValue>) => raised(repo.functions["ls"], ...args)

  it.effect("lists one page of a registry's catalog", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(plain(yield* ls("localhost:5000")), ["a", "b/c"])
      assert.deepStrictEqual(plain(yield* ls("r.test", luaOf({ limit: 2, last: "a" }))), ["a", "b/c"])
      assert.deepStrictEqual(catalog, [["localhost:5000", {}], ["r.test", { limit: 2, last: "a" }]])
      assert.deepStrictEqual(log, [
        "DEBUG Listing repositories script=s host=localhost:5000 opts={Limit:0 Last:}",
        "DEBUG Listing repositories script=s host=r.test opts={Limit:2 Last:a}"
      ])
    }).pipe(Effect.provide(all)))

  it.effect("gives the names that are repositories, and tells the run of others", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(plain(yield* ls("odd.test")), ["a", "b/c"])
      assert.deepStrictEqual(skips.at(-1), "failed to list repositories for odd.test: 2")
    }).pipe(Effect.provide(all)))

  it.effect("takes the name of a registry alone", () =>
    Effect.gen(function*() {
      const expected = "bad argument #1: Expected registry name (host and optional port)"
      assert.strictEqual(yield* refused(), expected)
      assert.strictEqual(yield* refused(7), expected)
      assert.strictEqual(yield* refused("r.test/a"), "Failed retrieving repo list: invalid hostname: r.test/a")
      assert.strictEqual(yield* refused("r.test", 7), "bad argument #2: table expected, got number")
    }).pipe(Effect.provide(all)))

  it.effect("says why there is no list", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* refused("down.test"),
        "Failed retrieving repo list: failed to list repositories for down.test: connection refused"
      )
    }).pipe(Effect.provide(all)))
})
