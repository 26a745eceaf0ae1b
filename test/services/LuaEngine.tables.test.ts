import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { isObject, isTable, type LuaValue, recordOf, tableOf } from "../../src/lib/lua/border.ts"
import type { Library } from "../../src/services/LuaEngine.ts"
import { plain, runScript } from "./scripts.ts"

/** One table under two names, as records of manifests have them. */
const twice = () => {
  const inner = recordOf({ k: tableOf([1]) })
  return recordOf({ Inner: inner, inner })
}

const under = (name: string, value: LuaValue): LuaValue =>
  value !== undefined && isTable(value) ? value.fields.get(name) : undefined

const thing: Library<never> = {
  functions: {
    table: plain(() => [twice()]),
    object: plain(() => [{ kind: "thing", state: "x", data: twice() }]),
    isOne: plain((it) => {
      const table = it !== undefined && isObject(it) ? it.data : it
      return [under("Inner", table) === under("inner", table)]
    })
  }
}

describe("a table with two names", () => {
  it.live("is one in Lua, and one again when it comes back", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local t, o = thing.table(), thing.object()
        say(t.Inner == t.inner, o.Inner == o.inner)
        o.Inner.k.x = "new"
        say(o.inner.k.x)
        say(thing.isOne(t), thing.isOne(o), thing.isOne({ Inner = {}, inner = {} }))`,
        { libraries: { thing } }
      )
      assert.deepStrictEqual(exit, Exit.void)
      assert.deepStrictEqual(said, [[true, true], ["new"], [true, true, false]])
    }))

  it.live("does not hide a circle", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        "local t = {}\nt.x = { t }\nsay((select(2, pcall(thing.isOne, t))):match(\"table is nested too deep\"))",
        { libraries: { thing } }
      )
      assert.deepStrictEqual(said, [["table is nested too deep"]])
    }))

  it.live("counts in each place where it stands (S04)", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local double = { 1 } for _ = 1, 60 do double = { double, double } end
        say(pcall(thing.isOne, double))
        say(pcall(parallel, { 1 }, 1, function() return double end))
        local field, fields = {}, {} for i = 1, 1000 do field["k" .. i] = "v" end for i = 1, 100000 do fields[i] = field end
        say(pcall(thing.isOne, fields))
        local long = ("x"):rep(1e6) field = { long, long, long, long, long, long, long, long, long, long }
        say(pcall(thing.isOne, { field, field, field, field, field, field, field }))
        say(thing.isOne({ field, field }))`,
        { libraries: { thing } }
      )
      assert.deepStrictEqual(exit, Exit.void)
      assert.deepStrictEqual(said, [
        [false, "<string>:2: table is too big"],
        [false, "table is too big"],
        [false, "<string>:5: table is too big"],
        [false, "<string>:7: table is too big"],
        [true]
      ])
    }))

  it.live("counts its depth in each place where it stands (S04)", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local list, deep = {}, {} for i = 1, 200 do list[i] = deep deep = { deep } end
        say(pcall(thing.isOne, list))
        say(pcall(thing.isOne, unpack(list)))`,
        { libraries: { thing } }
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:2: table is nested too deep"],
        [false, "<string>:3: table is nested too deep"]
      ])
    }))
})
