import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { memoryUsage } from "node:process"
import { failureOf, plain, runScript } from "./scripts.ts"

const overText = "Context error: context deadline exceeded"

const stopped = (sources: ReadonlyArray<string>, timeout = 150) =>
  Effect.forEach(sources, (source) => Effect.map(runScript(source, {}, { timeout }), ({ exit }) => failureOf(exit)), {
    concurrency: 2
  })

describe("a script's time", () => {
  it.live("ends whatever spins (S01)", () =>
    Effect.gen(function*() {
      const failures = yield* stopped([
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
      ])
      for (const failure of failures)
        assert.strictEqual(failure.replace(/<string>:\d+: /, ""), `ScriptTimeout: ${overText}`)
    }))

  it.live("ends patterns without end (S02)", () =>
    Effect.gen(function*() {
      const failures = yield* stopped([
        "string.find(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40))",
        "pcall(string.find, ('a'):rep(100000), ('.-'):rep(9) .. 'b')"
      ])
      for (const failure of failures)
        assert.strictEqual(failure.replace(/<string>:\d+: /, ""), `ScriptTimeout: ${overText}`)
    }))

  it.live("cannot be held by catching its end again and again", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        "say('first') while true do pcall(say) pcall(nop) end",
        { functions: { nop: plain(() => []) } },
        { timeout: 300 }
      )
      assert.strictEqual(failureOf(exit).replace(/<string>:\d+: /, ""), `ScriptTimeout: ${overText}`)
      assert.deepStrictEqual(said[0], ["first"])
    }))

  it.live("ends a host function that is at work, once that has cleaned up (S14)", () =>
    Effect.gen(function*() {
      let events = ""
      const { exit, said } = yield* runScript(
        "say('on')\nlocal ok, text = pcall(copy)\nerror(text, 0)",
        {
          functions: {
            copy: {
              run: () =>
                Effect.onInterrupt(Effect.never, () =>
                  Effect.andThen(Effect.sleep("50 millis"), Effect.sync(() => void (events += "cleaned up"))))
            }
          }
        },
        { timeout: 300 }
      )
      assert.strictEqual(events, "cleaned up")
      assert.deepStrictEqual(said, [["on"]])
      assert.strictEqual(failureOf(exit), `ScriptTimeout: <string>:2: ${overText}`)
    }))

  it.live("does not wait for long for a host function that does not end", () =>
    Effect.gen(function*() {
      const ran = yield* Effect.timeoutOption(
        runScript("stuck()", {
          functions: {
            stuck: { run: () => Effect.uninterruptible(Effect.sleep("5 seconds")).pipe(Effect.as({ values: [] })) }
          }
        }, {
          timeout: 300
        }),
        "4 seconds"
      )
      assert.strictEqual(
        ran._tag === "Some" ? failureOf(ran.value.exit) : "late",
        `ScriptTimeout: <string>:1: ${overText}`
      )
    }))

  it.live("lets a host function that is late have an answer of its own", () =>
    Effect.gen(function*() {
      const { exit, stdout } = yield* runScript(
        "print(wait())",
        { functions: { wait: { run: () => Effect.never, late: { values: [false] } } } },
        { timeout: 300 }
      )
      assert.strictEqual(stdout, "false\n")
      assert.strictEqual(failureOf(exit), "succeeded")
    }))

  it.live("is told with the line when the script had to be ended from outside", () =>
    Effect.gen(function*() {
      const { exit } = yield* runScript("\nlocal t = {}\nwait()", {
        functions: {
          wait: { run: () => Effect.uninterruptible(Effect.as(Effect.sleep("1200 millis"), { values: [] })) }
        }
      }, { timeout: 300 })
      assert.strictEqual(failureOf(exit), `ScriptTimeout: <string>:3: ${overText}`)
    }))
})

describe("a script's memory", () => {
  it.live("is bounded, and its host's is as before (S03)", () =>
    Effect.gen(function*() {
      const before = memoryUsage().rss
      const failures = yield* Effect.forEach([
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
        "local t = {} while true do t[#t + 1] = { #t } end",
        "local s = 'x' while true do s = s .. s end"
      ], (source) => Effect.map(runScript(source, {}, { timeout: 60_000 }), ({ exit }) => failureOf(exit)))
      assert.match(failures[0] ?? "", /^ScriptMemory: .*not enough memory/)
      assert.match(failures[1] ?? "", /^ScriptMemory: .*not enough memory/)
      assert.match(failures[2] ?? "", /^ScriptMemory: .*resulting string too large/)
      assert.isBelow(memoryUsage().rss - before, 64 * 1024 * 1024)
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
         say("alive")`,
        {},
        { timeout: 60_000 }
      )
      assert.strictEqual(failureOf(exit), "succeeded")
      assert.deepStrictEqual(said, [[false, true], [false, true], [false, true], [false, true], [false, true], [
        "alive"
      ]])
    }))
})
