import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber } from "effect"
import { recordOf, tableOf } from "../../src/lib/lua/border.ts"
import { failing, failureOf, plain, runScript } from "./scripts.ts"

describe("a host function", () => {
  it.live("gets plain values and gives plain values back", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local a, b, c = pair("ü", 2, { 1, 2, x = { true } }, nil)
         say(a, b.y[1], #b.y, c, "\\255\\254", 0/0, 1/0)
         say(print, coroutine.create(print), newproxy())
         say()`,
        { functions: { pair: plain((...args) => [args.length, recordOf({ y: tableOf(["z"]) })]) } }
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(said, [
        [4, "z", 1, undefined, Uint8Array.of(255, 254), NaN, Infinity],
        [{ foreign: "function" }, { foreign: "thread" }, { foreign: "userdata" }],
        []
      ])
    }))

  it.live("sees tables raw: lists, named fields, nothing else", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local t = setmetatable({ "a", n = 1, [2.5] = "x", [true] = "y" }, {
           __index = function() error("asked") end, __len = function() return 9 end
         })
         say(t)`
      )
      assert.deepStrictEqual(said, [[{ list: ["a"], fields: new Map([["n", 1]]) }]])
    }))

  it.live("raises texts with the place in front, whoever called it", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        [
          "say(pcall(function() t.f() end))",
          "say(pcall(t.f))",
          "say(pcall(t.g, 1))",
          "say(select('#', pcall(t.f)))",
          "say(coroutine.resume(coroutine.create(function() t.f() end)))",
          "say(xpcall(t.f, function(text) return '<' .. text .. '>' end))",
          "say(pcall(log))"
        ].join("\n"),
        {
          functions: { log: failing("string expected", 1) },
          libraries: { t: { functions: { f: failing("no"), g: failing("text expected", 1) } } }
        }
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:1: no"],
        [false, "<string>:2: no"],
        [false, "<string>:3: bad argument #1 to g (text expected)"],
        [2],
        [false, "<string>:5: no"],
        [false, "<<string>:6: no>"],
        [false, "<string>:7: bad argument #1 to log (string expected)"]
      ])
    }))

  it.live("is called from wherever Lua can call", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local list = { 3, 1, 2 }
         table.sort(list, function(a, b) return rank(a) < rank(b) end)
         say(unpack(list))
         say((string.gsub("a1b2", "%d", function(d) return rank(d) end)))
         local meta = {
           __index = function(_, key) return rank(key) end,
           __lt = function(a, b) return rank(a.v) < rank(b.v) end,
           __tostring = function() return "is " .. rank(7) end,
           __call = function(_, x) return rank(x) end
         }
         local x, y = setmetatable({ v = 1 }, meta), setmetatable({ v = 2 }, meta)
         say(x[5], x < y, y < x, tostring(x), x(6))
         local numbers = coroutine.wrap(function()
           for i = 1, 3 do coroutine.yield(rank(i)) end
         end)
         say(numbers(), numbers(), numbers())
         for n in coroutine.wrap(function() pcall(function() coroutine.yield(rank(9)) end) end) do say(n) end
         package.preload.mine = function() return { n = rank(4) } end
         say(require("mine").n)
         say(load(function() return nil end) ~= nil)`,
        { functions: { rank: plain((it) => [-Number(it)]) } }
      )
      assert.isTrue(Exit.isSuccess(exit), failureOf(exit))
      assert.deepStrictEqual(said, [
        [3, 2, 1],
        ["a-1b-2"],
        [-5, false, true, "is -7", -6],
        [-1, -2, -3],
        [-9],
        [-4],
        [true]
      ])
    }))

  it.live("has the services of whoever runs the script", () =>
    Effect.gen(function*() {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const { said } = yield* runScript<Name>("say(name())", {
        functions: { name: { run: () => Effect.map(Name, (name) => ({ values: [name] })) } }
      }).pipe(Effect.provideService(Name, "a name"))
      assert.deepStrictEqual(said, [["a name"]])
    }))

  it.live("refuses a table that is nested too deep, in a circle, or too big", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local circle = {} circle.self = circle
         say(pcall(say, circle))
         local deep = {} for i = 1, 99 do deep = { deep } end
         say(pcall(say, { deep }))
         say(pcall(count, deep))
         local big = {} for i = 1, 1100000 do big[i] = i end
         say(pcall(say, big))`,
        { functions: { count: plain((...args) => [args.length]) } }
      )
      assert.deepStrictEqual(said, [
        [false, "<string>:2: table is nested too deep"],
        [false, "<string>:4: table is nested too deep"],
        [true, 1],
        [false, "<string>:7: table is too big"]
      ])
    }))

  it.live("that dies ends its script, caught or not, and nothing else", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript("pcall(dies) say('on')", {
        functions: { dies: { run: () => Effect.die(new Error("a fault")) } }
      })
      assert.deepStrictEqual(said, [])
      assert.strictEqual(failureOf(exit), "ScriptError: a fault")
      const reason = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
      assert.isTrue(reason?._tag === "ScriptError" && reason.reason.defect instanceof Error)
    }))
})

describe("a script", () => {
  it.live("fails with the text and the stack of what it raised", () =>
    Effect.gen(function*() {
      const failures = yield* Effect.forEach(
        [
          "\nno()",
          "local function f()\n  error('x', 0)\nend\nf()",
          "error()",
          "error(setmetatable({}, { __tostring = function() error('worse') end }))",
          "x = = 1"
        ],
        (source) => Effect.map(runScript(source), ({ exit }) => failureOf(exit)),
        { concurrency: 2 }
      )
      assert.match(failures[0] ?? "", /^ScriptError: <string>:2: attempt to call a nil value/)
      assert.strictEqual(failures[1], "ScriptError: x")
      assert.strictEqual(failures[2], "ScriptError: nil")
      assert.match(failures[3] ?? "", /^ScriptError: table: 0x/)
      assert.match(failures[4] ?? "", /^ScriptError: <string>/)
      const { exit } = yield* runScript("local function f()\n  error('x', 0)\nend\nf()")
      const error = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
      assert.match(error?.message ?? "", /^x\nstack traceback:\n/)
      assert.include(error?.message ?? "", "<string>:2:")
    }))

  it.live("is no bytecode", () =>
    Effect.gen(function*() {
      const { exit } = yield* runScript("\u001bLua")
      assert.strictEqual(failureOf(exit), "ScriptDenied: attempt to load a binary chunk (mode is 't')")
      const { said } = yield* runScript("say(load('\\27Lua')) say((pcall(string.dump, say)))")
      assert.deepStrictEqual(said, [[undefined, "attempt to load a binary chunk (mode is 't')"], [false]])
    }))

  it.live("sees nothing that another changed", () =>
    Effect.gen(function*() {
      yield* runScript(
        `string.format = nil; _G.print = nil; shared = 1; getmetatable("").__index = nil; t.f = nil; package.loaded.x = 1`,
        { libraries: { t: { functions: { f: plain(() => []) } } } }
      )
      const { said } = yield* runScript(
        "say(type(string.format), type(print), shared, ('x'):upper(), type(t.f), package.loaded.x)",
        {
          libraries: { t: { functions: { f: plain(() => []) } } }
        }
      )
      assert.deepStrictEqual(said, [["function", "function", undefined, "X", "function", undefined]])
    }))

  it.live("cannot reach what it is made of", () =>
    Effect.gen(function*() {
      const { said } = yield* runScript(
        `local names = { "constructor", "prototype", "__proto__", "toString", "process", "globalThis", "require" }
         for _, name in ipairs(names) do
           say(({})[name], object()[name], (""):find(name), rawget(_G, name) ~= nil and name ~= "require")
         end`,
        {
          functions: { object: plain(() => [{ kind: "thing", state: { secret: 1 } }]) },
          libraries: { thing: { functions: {} } }
        }
      )
      assert.deepStrictEqual(said, Array.from({ length: 7 }, () => [undefined, undefined, undefined, false]))
    }))

  it.live("leaves coroutines behind without harm", () =>
    Effect.gen(function*() {
      const { exit, said } = yield* runScript(
        `local co = coroutine.create(function() coroutine.yield(1) end)
         coroutine.resume(co)
         local dead = coroutine.create(function() end)
         coroutine.resume(dead)
         say(coroutine.resume(dead))
         say(pcall(coroutine.yield, 1))`
      )
      assert.isTrue(Exit.isSuccess(exit), failureOf(exit))
      assert.strictEqual(said[0]?.[0], false)
      assert.strictEqual(said[1]?.[0], false)
    }))

  it.live("runs while others do", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const slow = yield* Effect.forkChild(runScript("ready() while true do end", {
        functions: { ready: { run: () => Effect.as(Deferred.succeed(begun, undefined), { values: [] }) } }
      }))
      yield* Deferred.await(begun)
      const fast = yield* runScript("for i = 1, 100 do say(i) end")
      assert.strictEqual(fast.said.length, 100)
      assert.isUndefined(slow.pollUnsafe())
      yield* Fiber.interrupt(slow)
    }))
})

describe("output", () => {
  it.live("comes in order, before the calls that follow it", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      yield* runScript("print('a') mark(1) io.write('b', 2, '\\n') io.stderr:write('c') mark(2) print('d')", {
        functions: { mark: { run: (n) => Effect.sync(() => (seen.push(`mark ${String(n)}`), { values: [] })) } },
        write: (stream, bytes) => Effect.sync(() => void seen.push(`${stream} ${new TextDecoder().decode(bytes)}`))
      })
      assert.deepStrictEqual(seen, ["stdout a\n", "mark 1", "stdout b2\n", "stderr c", "mark 2", "stdout d\n"])
    }))

  it.live("is never lost: not by an error, not by the end of the process", () =>
    Effect.gen(function*() {
      const failed = yield* runScript("print('before') error('x')")
      assert.strictEqual(failed.stdout, "before\n")
      const ended = yield* runScript("print('before') os.exit(3) print('after')")
      assert.strictEqual(ended.stdout, "before\n")
      assert.strictEqual(failureOf(ended.exit), "exit 3")
    }))

  it.live("waits for who takes it, in pieces", () =>
    Effect.gen(function*() {
      const sizes: Array<number> = []
      yield* runScript("for i = 1, 1000 do print(('x'):rep(99)) end", {
        write: (_, bytes) => Effect.andThen(Effect.yieldNow, Effect.sync(() => void sizes.push(bytes.length)))
      })
      assert.strictEqual(sizes.reduce((sum, size) => sum + size, 0), 100_000)
      assert.isAbove(sizes.length, 10)
    }))

  it.live("of a script that is busy comes out meanwhile", () =>
    Effect.gen(function*() {
      const written = yield* Deferred.make<string>()
      const busy = yield* Effect.forkChild(runScript("print('early') while true do end", {
        write: (_, bytes) => Effect.asVoid(Deferred.succeed(written, new TextDecoder().decode(bytes)))
      }))
      assert.strictEqual(yield* Deferred.await(written), "early\n")
      yield* Fiber.interrupt(busy)
    }))
})

describe("LuaEngine", () => {
  it.live("ends a script that is interrupted, whatever it does", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      let cleaned = 0
      const spinning = yield* Effect.forkChild(runScript("ready() while true do end", {
        functions: { ready: { run: () => Effect.as(Deferred.succeed(begun, undefined), { values: [] }) } }
      }))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(spinning)
      const waits = yield* Deferred.make<void>()
      const waiting = yield* Effect.forkChild(runScript("pcall(wait) pcall(wait)", {
        functions: {
          wait: {
            run: () =>
              Effect.andThen(Deferred.succeed(waits, undefined), Effect.never).pipe(
                Effect.onInterrupt(() => Effect.sync(() => void cleaned++))
              )
          }
        }
      }))
      yield* Deferred.await(waits)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(cleaned, 1)
    }))
})
