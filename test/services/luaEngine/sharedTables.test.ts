/** A table that stands under two names of a record is one table, on both sides of the border. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type LuaTable, type LuaValue, recordOf } from "../../../src/lib/lua/border.ts"
import { plain, runScript } from "../scripts.ts"

const inner = recordOf({ x: "before" })
const record = recordOf({ config: inner, Config: inner, other: recordOf({ x: "before" }) })

const fieldOf = (value: LuaValue, name: string): LuaValue => {
  const table: LuaTable = typeof value === "object" && "fields" in value ? value : recordOf({})
  return table.fields.get(name)
}

describe("a field with two names", () => {
  it.live("is one table in Lua, and one again on the host", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local t = record()
         say(t.Config == t.config, t.other == t.config)
         t.Config.x = "after"
         say(t)`,
        { functions: { record: plain(() => [record]) } }
      )
      assert.deepStrictEqual(said[0], [true, false])
      const [back] = said[1] ?? []
      assert.strictEqual(fieldOf(fieldOf(back, "config"), "x"), "after")
      assert.strictEqual(fieldOf(fieldOf(back, "other"), "x"), "before")
    }))
})
