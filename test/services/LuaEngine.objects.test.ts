import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { isObject, type LuaValue, recordOf, tableOf } from "../../src/lib/lua/border.ts"
import type { Library } from "../../src/services/LuaEngine.ts"
import { failing, failureOf, plain, runScript } from "./scripts.ts"

const nameOf = (value: LuaValue): LuaValue =>
  value !== undefined && isObject(value) && value.kind === "thing" ? String(value.state) : undefined

/** Objects with a text for their state; `full` ones have data. */
const thing: Library<never> = {
  functions: {
    new: plain((name) => [{ kind: "thing", state: name }]),
    full: plain((name) => [{
      kind: "thing",
      state: name,
      data: recordOf({ title: "a title", config: recordOf({ size: 3 }), layers: tableOf(["x"]) }),
      callable: ["config"]
    }]),
    name: plain((it) => [nameOf(it)])
  },
  methods: {
    name: plain((it) => [nameOf(it)]),
    title: plain(() => ["the method"]),
    rename: { run: (_, name) => Effect.succeed({ values: [], self: { state: name } }) },
    config: plain((it, ...more) => [nameOf(it), more.length]),
    data: plain((it) => [it !== undefined && isObject(it) ? it.data : undefined]),
    wrong: failing("number expected, got nil", 2)
  },
  text: plain((it) => [`<${String(nameOf(it))}>`])
}

const other: Library<never> = { functions: { new: plain(() => [{ kind: "other", state: "secret" }]) }, methods: {} }

const run = (...lines: ReadonlyArray<string>) => runScript(lines.join("\n"), { libraries: { thing, other } })

describe("an object", () => {
  it.live("is userdata with data first, then methods, then nothing", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* run(
        "local a, b = thing.new('a'), thing.full('b')",
        "say(type(a), a:name(), b:name(), thing.name(b))",
        "say(b.title, a:title(), a.unknown, b.unknown, b[1], b[true])",
        "say(tostring(a), tostring(b), a == a, a == thing.new('a'))"
      )
      assert.isTrue(Exit.isSuccess(exit), failureOf(exit))
      assert.deepStrictEqual(said, [
        ["userdata", "a", "b", "b"],
        ["a title", "the method", undefined, undefined, undefined, undefined],
        ["<a>", "<b>", true, false]
      ])
    }))

  it.live("has no fields to assign, no length, nothing to join or to walk through", () =>
    Effect.gen(function*() {
      const { said } = yield* run(
        "local b = thing.full('b')",
        "say(pcall(function() b.title = 1 end))",
        "say(pcall(function() b[1] = 1 end))",
        "say((pcall(function() return #b end)), (pcall(function() return b .. 'x' end)))",
        "say((pcall(pairs, b)), (pcall(next, b)), (pcall(ipairs, b)), (pcall(rawset, b, 1, 1)))"
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:2: attempt to index a non-table object(userdata) with key 'title'"],
        [false, "<string>:3: attempt to index a non-table object(userdata) with key '1'"],
        [false, false],
        [false, false, false, false]
      ])
    }))

  it.live("keeps its data, with what a script changed inside, and takes it along", () =>
    Effect.gen(function*() {
      const { said } = yield* run(
        "local b = thing.full('b')",
        "b.config.size = 4",
        "table.insert(b.layers, 'y')",
        "say(b.config == b.config, b.config.size, #b.layers)",
        "say(b:data())"
      )
      assert.deepStrictEqual(said, [
        [true, 4, 2],
        [recordOf({ title: "a title", config: recordOf({ size: 4 }), layers: tableOf(["x", "y"]) })]
      ])
    }))

  it.live("can have a table that is a method as well", () =>
    Effect.gen(function*() {
      const { said } = yield* run(
        "local a, b = thing.new('a'), thing.full('b')",
        "say(b.config.size, b:config())",
        "say(b:config(1, 2))",
        "say(a:config())"
      )
      assert.deepStrictEqual(said, [[3, "b", 0], ["b", 2], ["a", 0]])
    }))

  it.live("is another for all who have it once a method gave it another state", () =>
    Effect.gen(function*() {
      const { said } = yield* run(
        "local a = thing.new('a') local same, keys = a, { [a] = 1 }",
        "a:rename('z')",
        "say(same:name(), tostring(a), keys[a])"
      )
      assert.deepStrictEqual(said, [["z", "<z>", 1]])
    }))

  it.live("has its kind's global table for its metatable, which scripts may extend", () =>
    Effect.gen(function*() {
      const { said } = yield* run(
        "local a = thing.full('a')",
        "say(getmetatable(a) == thing, type(thing.__index), type(thing.__tostring), type(thing.__index.name))",
        "function thing.__index.twice(it) return it:name() .. it:name() end",
        "say(a:twice())",
        "thing.__tostring = function(it) return 'my ' .. it:name() end",
        "say(tostring(a), other.__tostring, (string.gsub(tostring(other.new()), '0x%x+', '0x')))",
        "say(pcall(setmetatable, a, {}))"
      )
      assert.deepStrictEqual(said.slice(0, 3), [
        [true, "table", "function", "function"],
        ["aa"],
        ["my a", undefined, "userdata: 0x"]
      ])
      assert.strictEqual(said[3]?.[0], false)
    }))

  it.live("cannot be made by a script", () =>
    Effect.gen(function*() {
      const { said } = yield* run(
        "local a, forged = thing.new('a'), newproxy(true)",
        "debug.setmetatable(forged, debug.getmetatable(a))",
        "say(thing.name(forged), thing.name(setmetatable({}, thing)), thing.name({ kind = 'thing', state = 'x' }))",
        "say(thing.name(other.new()), thing.name(nil), thing.name(), thing.__index.name('a'), thing.name(print))",
        "local o = other.new() debug.setmetatable(o, debug.getmetatable(a))",
        "say(thing.name(o), o:name(), forged.name(forged))"
      )
      assert.deepStrictEqual(said, [
        [undefined, undefined, undefined],
        [undefined, undefined, undefined, undefined, undefined],
        [undefined, undefined, undefined]
      ])
    }))

  it.live("names its methods in their errors", () =>
    Effect.gen(function*() {
      const { said } = yield* run("say(pcall(function() thing.new('a'):wrong() end))")
      assert.deepStrictEqual(said, [[false, "<string>:1: bad argument #2 to wrong (number expected, got nil)"]])
    }))
})
