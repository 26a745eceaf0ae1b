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
})
