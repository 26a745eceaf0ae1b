import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { isObject, type LuaValue, recordOf } from "../../src/lib/lua/border.ts"
import { Depth, type Library } from "../../src/services/LuaEngine.ts"
import { failing, failureOf, overAfterGo, plain, runScript } from "./scripts.ts"

const thing: Library<never> = {
  functions: {
    new: plain((name) => [{
      kind: "thing",
      state: name,
      data: recordOf({ n: 1, config: recordOf({ size: 2 }) }),
      callable: ["config"]
    }])
  },
  methods: {
    config: plain(() => ["the method"]),
    name: plain((it) => [it !== undefined && isObject(it) ? String(it.state) : undefined])
  }
}

describe("parallel", () => {
  it.live("gives the results in the order of the items, whatever ends first", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const order: Array<unknown> = []
      const { said } = yield* runScript(
        "say(unpack(parallel({ 'a', 'b' }, 2, function(item, index) wait(item) return item .. index end)))",
        {
          functions: {
            wait: {
              run: (item) =>
                (item === "a" ? Deferred.await(gate) : Deferred.succeed(gate, undefined)).pipe(
                  Effect.andThen(Effect.sync(() => (order.push(item), { values: [] })))
                )
            }
          }
        }
      )
      assert.deepStrictEqual(said, [["a1", "b2"]])
      assert.sameMembers(order, ["a", "b"])
    }))

  it.live("never runs more calls at once than it is told", () =>
    Effect.gen(function*() {
      let running = 0
      let most = 0
      const { said } = yield* runScript("say(#parallel({ 1, 2, 3, 4, 5 }, 2, function() work() return 1 end))", {
        functions: {
          work: {
            run: () =>
              Effect.acquireUseRelease(
                Effect.sync(() => void (most = Math.max(most, ++running))),
                () => Effect.as(Effect.sleep("20 millis"), { values: [] }),
                () => Effect.sync(() => void running--)
              )
          }
        }
      })
      assert.deepStrictEqual(said, [[5]])
      assert.strictEqual(most, 2)
    }))

  it.live("takes along what the function reaches", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local count, object = 10, thing.new("it")
         local function more() count = count + 1 return count end
         local function now() return count end
         local meta = setmetatable({}, { __index = function(_, key) return key .. "!" end })
         local loop = { name = "loop" } loop.self = loop
         helper = function(s) return s:reverse() end
         math.twice = function(n) return n * 2 end
         package.loaded.mine = { value = helper }
         setmetatable(_G, { __index = function(_, key) return "global " .. key end })
         local results = parallel({ "ab" }, 1, function(item)
           more()
           return { item = helper(item), count = now(), meta = meta.x, loop = loop.self.self.name, twice = math.twice(4),
             mine = require("mine").value("xy"), name = object:name(), nothing = unknown, n = object.n,
             same = string.format == string.format, type = type(thing), bytes = "\\255\\0" }
         end)
         say(results[1], count)`,
        { libraries: { thing } }
      )
      assert.isTrue(Exit.isSuccess(exit), failureOf(exit))
      assert.deepStrictEqual(said, [[{
        list: [],
        fields: new Map<string, LuaValue>([
          ["item", "ba"],
          ["count", 11],
          ["meta", "x!"],
          ["loop", "loop"],
          ["twice", 8],
          ["mine", "yx"],
          ["name", "it"],
          ["nothing", "global unknown"],
          ["n", 1],
          ["same", true],
          ["type", "table"],
          ["bytes", Uint8Array.of(255, 0)]
        ])
      }, 10]])
    }))

  it.live("gives each call a state of its own", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `seen = 0
         local results = parallel({ 1, 2, 3 }, 1, function() seen = seen + 1 string.format = seen return seen end)
         say(unpack(results)) say(seen, type(string.format))`
      )
      assert.deepStrictEqual(said, [[1, 1, 1], [0, "function"]])
    }))

  it.live("takes builtins and functions of the host, and gives objects and nothing back", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `say(unpack(parallel({ "a", "b" }, 2, string.upper)))
         local things = parallel({ "a", "b" }, 2, thing.new)
         say(things[1]:name(), things[2]:name(), things[1].n, things[1]:config())
         local texts = parallel(things, 2, function(it)
           it.config.size = it.config.size + 1
           return it:name() .. it.config.size .. it:config()
         end)
         say(texts[1], texts[2], things[1].config.size)
         local none = parallel({ 1, 2 }, 2, function(n) if n == 2 then return n end end)
         say(none[1], none[2])
         say(#parallel({}, 5, print))`,
        { libraries: { thing } }
      )
      assert.deepStrictEqual(said, [
        ["A", "B"],
        ["a", "b", 1, "the method"],
        [
          "a3the method",
          "b3the method",
          2
        ],
        [undefined, 2],
        [0]
      ])
    }))

  it.live("raises the first error in its caller, with its place, and starts no more calls", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `say(pcall(parallel, { 1, 2, 3 }, 1, function(item)
           if item == 2 then error("no " .. item) end
           say(item)
         end))
         say(pcall(parallel, { 1 }, 1, function() fails() end))`,
        { functions: { fails: failing("went wrong") } }
      )
      assert.deepStrictEqual(said, [[1], [false, "<string>:2: no 2"], [false, "<string>:5: went wrong"]])
    }))

  it.live("interrupts the other calls when one fails", () =>
    Effect.gen(function*() {
      const waiting = yield* Deferred.make<void>()
      let interrupted = 0
      const { said } = yield* runScript(
        "say(pcall(parallel, { 1, 2 }, 2, function(n) if n == 1 then wait() else ready() error('x', 0) end end))",
        {
          functions: {
            wait: {
              run: () =>
                Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never).pipe(
                  Effect.onInterrupt(() => Effect.sync(() => void interrupted++))
                )
            },
            ready: { run: () => Effect.as(Deferred.await(waiting), { values: [] }) }
          }
        }
      )
      assert.deepStrictEqual(said, [[false, "x"]])
      assert.strictEqual(interrupted, 1)
    }))

  it.live("refuses what cannot travel, and arguments that are none", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local co = coroutine.create(print)
         say(pcall(parallel, { 1 }, 1, function() return coroutine.status(co) end))
         say(pcall(parallel, { co }, 1, print))
         say(pcall(parallel, { 1 }, 1, coroutine.wrap(print)))
         say(pcall(parallel, { 1 }, 1, function() return function() end end))
         say(pcall(parallel, { 1 }, 1, function() return parallel({ 1 }, 1, print) end))
         say(pcall(parallel)) say(pcall(parallel, {}, "x", print)) say(pcall(parallel, {}, 0, print))
         say(pcall(parallel, {}, 0/0, print)) say(pcall(parallel, {}, 1))
         global = co
         say(parallel({ 1 }, 1, function() return type(global) end)[1])`
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:2: parallel: a coroutine cannot be passed on"],
        [false, "<string>:3: parallel: a coroutine cannot be passed on"],
        [false, "<string>:4: parallel: an iterator cannot be passed on"],
        [false, "<string>:5: parallel: only data can be a result"],
        [false, "<string>:6: parallel cannot be called inside parallel"],
        [false, "<string>:7: bad argument #1 to parallel (table expected, got no value)"],
        [false, "<string>:7: bad argument #2 to parallel (number expected, got string)"],
        [false, "<string>:7: bad argument #2 to parallel (at least 1 expected)"],
        [false, "<string>:8: bad argument #2 to parallel (at least 1 expected)"],
        [false, "<string>:8: bad argument #3 to parallel (function expected, got no value)"],
        ["nil"]
      ])
    }))

  it.live("refuses to pass on more than the host has room for (S03)", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local long = ("x"):rep(4e7) local longer = long .. "y"
         say(pcall(parallel, { 1 }, 1, function() return #long + #longer end))
         local list = {} for i = 1, 1100000 do list[i] = i end
         say(pcall(parallel, { 1 }, 1, function() return #list end))
         say(parallel({ 1 }, 1, function() return #long end)[1])`
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:2: parallel: too much to pass on"],
        [false, "<string>:4: parallel: too much to pass on"],
        [40_000_000]
      ])
    }))

  it.live("refuses results that are too much for the host to keep (S03)", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        "local items = {} for i = 1, 10 do items[i] = i end\n" +
          "say(pcall(parallel, items, 1, function() return ('x'):rep(1e7) end))\n" +
          "say(#parallel({ 1, 2 }, 1, function() return ('x'):rep(1e7) end)[2])"
      )
      assert.deepStrictEqual(said, [[false, "parallel: the results are too big"], [10_000_000]])
    }))

  it.live("tells host functions how deep they are, and passes output on", () =>
    Effect.gen(function*() {
      const { said, stdout } = yield* runScript(
        "print('out', depth()) say(parallel({ 1 }, 1, function(n) print('in', n) return depth() end)[1])",
        { functions: { depth: { run: () => Effect.map(Depth, (depth) => ({ values: [depth] })) } } }
      )
      assert.deepStrictEqual(said, [[1]])
      assert.strictEqual(stdout, "out\t0\nin\t1\n")
    }))

  it.effect("ends with the script's time", () =>
    Effect.gen(function*() {
      const { exit } = yield* Fiber.join(
        yield* overAfterGo(
          "parallel({ 1, 2 }, 2, function() go() while true do pcall(function() while true do end end) end end)"
        )
      )
      assert.strictEqual(failureOf(exit), "ScriptTimeout: <string>:1: Context error: context deadline exceeded")
    }))

  it.live("ends with the process", () =>
    Effect.gen(function*() {
      const { exit, stdout } = yield* runScript("parallel({ 1 }, 1, function() print('x') os.exit(4) end)")
      assert.strictEqual(failureOf(exit), "exit 4")
      assert.strictEqual(stdout, "x\n")
    }))

  it.live("ends with its caller", () =>
    Effect.gen(function*() {
      const waiting = yield* Deferred.make<void>()
      let interrupted = 0
      const fiber = yield* Effect.forkChild(runScript("parallel({ 1 }, 1, function() wait() end)", {
        functions: {
          wait: {
            run: () =>
              Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never).pipe(
                Effect.onInterrupt(() => Effect.sync(() => void interrupted++))
              )
          }
        }
      }))
      yield* Deferred.await(waiting)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(interrupted, 1)
    }))
})
