import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { memoryUsage } from "node:process"
import { failureOf, overAfterGo, plain, runScript } from "./scripts.ts"

const overText = "Context error: context deadline exceeded"

const unplaced = (failure: string) => failure.replace(/<string>:\d+: /, "")
const timedOut = `ScriptTimeout: ${overText}`

/** The end of a script that does not end by itself: the clock goes on. */
const endedFromOutside = <A>(script: Fiber.Fiber<A>) =>
  Effect.raceFirst(Fiber.join(script), Effect.forever(TestClock.adjust("100 millis")))

const stopped = (sources: ReadonlyArray<string>) =>
  Effect.forEach(sources, (source) =>
    Effect.gen(function*() {
      const { exit } = yield* Fiber.join(yield* overAfterGo(`go() ${source}`))
      return unplaced(failureOf(exit))
    }))

describe("a script's time", () => {
  it.effect("ends whatever spins (S01)", () =>
    Effect.gen(function*() {
      const sources = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.resume(coroutine.create(function() pcall(function() while true do end end) end)) end",
        "local t = setmetatable({}, { __index = function() while true do end end }) return t.x",
        "string.gsub('a', 'a', function() while true do end end)",
        "table.sort({ 1, 2, 3 }, function() while true do end end)",
        "local function f() return f() end f()",
        "while true do xpcall(error, function() while true do end end) end",
        "repeat local s = string.rep('x', 1000) until false",
        "goto a ::a:: goto a"
      ]
      assert.deepStrictEqual(yield* stopped(sources), sources.map(() => timedOut))
    }))

  it.effect("ends patterns without end (S02)", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* stopped([
          "string.find(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40))",
          "pcall(string.find, ('a'):rep(100000), ('.-'):rep(9) .. 'b')"
        ]),
        [timedOut, timedOut]
      )
    }))

  it.effect("cannot be held by catching its end again and again", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* Fiber.join(
        yield* overAfterGo("say('first') go() while true do pcall(say) pcall(nop) end", {
          functions: { nop: plain(() => []) }
        })
      )
      assert.strictEqual(unplaced(failureOf(exit)), timedOut)
      assert.deepStrictEqual(said[0], ["first"])
    }))

  it.effect("ends a host function that is at work, once that has cleaned up (S14)", () =>
    Effect.gen(function*() {
      let events = ""
      const rest = Effect.onInterrupt(Effect.never, () =>
        Effect.andThen(Effect.yieldNow, Effect.sync(() => void (events += "cleaned up"))))
      const script = yield* overAfterGo("say('on')\nlocal ok, text = pcall(go)\nerror(text, 0)", { rest })
      const { exit, said } = yield* Fiber.join(script)
      assert.strictEqual(events, "cleaned up")
      assert.deepStrictEqual(said, [["on"]])
      assert.strictEqual(failureOf(exit), `ScriptTimeout: <string>:2: ${overText}`)
    }))

  it.effect("does not wait for a host function that does not end, and is told with its line", () =>
    Effect.gen(function*() {
      const stuck = { rest: Effect.uninterruptible(Effect.never) }
      const { exit } = yield* endedFromOutside(yield* overAfterGo("\nlocal t = {}\ngo()", stuck))
      assert.strictEqual(failureOf(exit), `ScriptTimeout: <string>:3: ${overText}`)
    }))

  it.effect("lets a host function that is late have an answer of its own", () =>
    Effect.gen(function*() {
      const script = yield* overAfterGo("print(go())", { rest: Effect.never, late: { values: [false] } })
      const { exit, stdout } = yield* Fiber.join(script)
      assert.strictEqual(stdout, "false\n")
      assert.strictEqual(failureOf(exit), "succeeded")
    }))
})

describe("a script's memory", () => {
  it.live("is bounded, and its host's is as before (S03)", () =>
    Effect.gen(function*() {
      // What every script needs is there.
      yield* runScript("")
      const before = memoryUsage().rss
      const failures = yield* Effect.forEach([
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
        "local t = {} while true do t[#t + 1] = { #t } end",
        "local s = 'x' while true do s = s .. s end"
      ], (source) => Effect.map(runScript(source), ({ exit }) => failureOf(exit)))
      assert.match(failures[0] ?? "", /^ScriptMemory: .*not enough memory/)
      assert.match(failures[1] ?? "", /^ScriptMemory: .*not enough memory/)
      assert.match(failures[2] ?? "", /^ScriptMemory: .*resulting string too large/)
      assert.isBelow(memoryUsage().rss - before, 128 * 1024 * 1024)
    }))

  it.live("is not touched by what is refused at once", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        "say((pcall(string.rep, 'x', 1e10))) say((pcall(string.format, '%99999999d', 1)))"
      )
      assert.deepStrictEqual(said, [[false], [false]])
    }))
})

describe("a script's stack", () => {
  it.live("overflows in Lua, where that can be caught (S04)", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local function overflows(f) local ok, text = pcall(f) say(ok, tostring(text):find("stack overflow") ~= nil) end
         local function deep(n) return 1 + deep(n + 1) end
         overflows(function() return deep(1) end)
         local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k + 1] end
         overflows(function() return t[1] end)
         local function nested() local ok, text = pcall(nested) if not ok then error(text, 0) end return ok end
         local function resumed() return coroutine.wrap(resumed)() end
         overflows(resumed)
         local function replaced() return (string.gsub("a", "a", replaced)) end
         overflows(replaced)
         pcall(nested)
         local u = setmetatable({}, {}) getmetatable(u).__tostring = function(x) return tostring(x) end
         overflows(function() return tostring(u) end)
         say("alive")`
      )
      assert.strictEqual(failureOf(exit), "succeeded")
      assert.deepStrictEqual(said, [[false, true], [false, true], [false, true], [false, true], [false, true], [
        "alive"
      ]])
    }))
})
