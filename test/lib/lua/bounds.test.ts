import { assert, describe, it } from "@effect/vitest"
import { overText, printed, raisedBy, run } from "./chunks.ts"

/** A script that never ends by itself: what it raises when its time is over, and why it ended. */
const ended = (source: string) => {
  const { guard, output, raised } = run(source, { checks: 50 })
  return [raised?.message, guard.end()?.reason, output]
}

const over = [`<string>:1: ${overText}`, "time", ""]

describe("S01: time", () => {
  it("ends a loop", () => {
    assert.deepStrictEqual(ended("while true do end"), over)
    assert.deepStrictEqual(ended("repeat until false"), over)
    assert.deepStrictEqual(ended("for i = 1, math.huge do end"), over)
    assert.deepStrictEqual(ended("::a:: goto a"), over)
  })

  it("ends a loop that pcall or xpcall protects, again and again", () => {
    assert.deepStrictEqual(ended("while true do pcall(function() while true do end end) end"), over)
    assert.deepStrictEqual(ended("local function f() while true do pcall(f) end end f()"), over)
    assert.deepStrictEqual(ended("while true do pcall(pcall, error) end"), over)
    assert.deepStrictEqual(
      ended("while true do xpcall(function() while true do end end, function() while true do end end) end"),
      over
    )
  })

  it("ends a loop in a coroutine, also behind an error that was caught there", () => {
    assert.deepStrictEqual(
      ended("local co = coroutine.wrap(function() while true do end end) while true do pcall(co) end"),
      over
    )
    assert.deepStrictEqual(
      ended("coroutine.wrap(function() pcall(function() coroutine.yield() error('x') end) while true do end end)()"),
      [undefined, undefined, ""]
    )
    assert.deepStrictEqual(
      ended(
        "local co = coroutine.wrap(function() pcall(function() coroutine.yield() error('x') end) while true do end end) co() co()"
      ),
      over
    )
    assert.deepStrictEqual(
      ended(
        "local co = coroutine.create(function() while true do coroutine.yield() end end) while true do coroutine.resume(co) end"
      ),
      over
    )
  })

  it("ends a loop in a metamethod", () => {
    assert.deepStrictEqual(
      ended(
        "local t = setmetatable({}, {__index = function() while true do end end}) while true do pcall(function() return t.x end) end"
      ),
      over
    )
  })

  it("ends a loop in a gsub callback", () => {
    assert.deepStrictEqual(
      ended("while true do pcall(string.gsub, 'aaa', 'a', function() while true do end end) end"),
      over
    )
  })

  it("ends a loop in a sort comparator, and long sorts", () => {
    assert.deepStrictEqual(
      ended("while true do pcall(table.sort, {3, 2, 1}, function() while true do end end) end"),
      over
    )
    assert.deepStrictEqual(ended("local t = {} for i = 1, 1000 do t[i] = -i end while true do table.sort(t) end"), over)
  })
})

describe("S03: memory", () => {
  it("refuses strings that are too long, and goes on", () => {
    assert.strictEqual(
      printed("local s = 'x' local ok, e repeat ok, e = pcall(function() s = s .. s end) until not ok print(#s, e)"),
      "67108864\t<string>:1: resulting string too large"
    )
    assert.strictEqual(
      printed("local s = ('x'):rep(1e6) local t = {} for i = 1, 80 do t[i] = s end print(pcall(table.concat, t))"),
      "false\t<string>:1: resulting string too large"
    )
  })

  it("refuses many long strings in one step", () => {
    const operands = Array.from({ length: 100 }, () => "s").join("..")
    assert.strictEqual(
      printed(`local s = ('x'):rep(1e6) print(pcall(function() return ${operands} end))`),
      "false\t<string>:1: resulting string too large"
    )
  })

  it("ends a script whose tables grow, whatever it catches", () => {
    let used = 0
    const { guard, raised } = run(
      "while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end",
      {
        memory: 1000,
        used: () => used++ * 100
      }
    )
    assert.deepStrictEqual([raised?.message, guard.end()], [
      "<string>:1: not enough memory",
      { reason: "memory", message: "not enough memory" }
    ])
  })

  it("looks before a long string is made", () => {
    const { guard, raised } = run("local s = ('x'):rep(2 ^ 20) local t = {} while true do t[#t + 1] = s .. #t end", {
      memory: 2 ** 25,
      used: () => 2 ** 25 - 10
    })
    assert.deepStrictEqual([raised?.message, guard.end()?.reason], ["<string>:1: not enough memory", "memory"])
  })

  it("does not count garbage", () => {
    let asked = 0
    const { raised } = run("for i = 1, 3e5 do local t = {} end", {
      memory: 1000,
      used: () => ++asked % 2 === 1 ? 2000 : 500
    })
    assert.isUndefined(raised)
  })

  it("does not make room for positions far away", () => {
    assert.strictEqual(printed("local t = {} t[67108863] = 1 t[5e7] = 2 t[1] = 3 print(#t, t[5e7])"), "67108863\t2")
  })
})

describe("S04: depth", () => {
  it("calls within calls end in an error that can be caught", () => {
    assert.strictEqual(
      printed("local function f() return 1 + f() end print(pcall(f)) print(pcall(f))"),
      "false\t<string>:1: stack overflow\nfalse\t<string>:1: stack overflow"
    )
  })

  it("so do metamethods, callbacks, comparators and coroutines", () => {
    const depth = (source: string) => printed(`local ok, e = pcall(${source}) print(ok, e:match('stack overflow'))`)
    assert.strictEqual(
      depth("function() local m = {} m.__index = function(t, k) return t[k] end return setmetatable({}, m).x end"),
      "false\tstack overflow"
    )
    assert.strictEqual(
      depth(
        "function() local m = {} m.__eq = function(a, b) return a == b end return setmetatable({}, m) == setmetatable({}, m) end"
      ),
      "false\tstack overflow"
    )
    assert.strictEqual(
      depth("function() local function f() return (string.gsub('a', 'a', f)) end f() end"),
      "false\tstack overflow"
    )
    assert.strictEqual(
      depth("function() local function f() table.sort({1, 2}, f) end f() end"),
      "false\tstack overflow"
    )
    assert.strictEqual(
      depth("function() local function f() return tostring(setmetatable({}, {__tostring = f})) end f() end"),
      "false\tstack overflow"
    )
    assert.strictEqual(
      depth("function() local function f() return coroutine.wrap(f)() end f() end"),
      "false\tstack overflow"
    )
  })

  it("nested pcall comes back", () => {
    assert.strictEqual(printed("local function f() return pcall(f) end print((f()))"), "true")
    assert.strictEqual(printed("local function f() xpcall(f, f) end f() print('done')"), "done")
  })

  it("a loop of __index tables is an error", () => {
    assert.strictEqual(
      raisedBy("local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x"),
      "<string>:1: '__index' chain too long; possible loop"
    )
  })

  it("source text that is nested too deep is an error", () => {
    assert.match(raisedBy(`return ${"(".repeat(5000)}1${")".repeat(5000)}`) ?? "", /^<string>:1: too many levels/)
    assert.match(raisedBy(`return ${"{".repeat(5000)}${"}".repeat(5000)}`) ?? "", /^<string>:1: too many levels/)
  })
})

describe("S05: what is raised", () => {
  it("is a text with its place, and the stack", () => {
    assert.deepStrictEqual(run("local function f()\n  error('boom')\nend\nf()").raised, {
      message: "<string>:2: boom",
      traceback:
        "stack traceback:\n\t[C]: in function 'error'\n\t<string>:2: in function 'f'\n\t<string>:4: in main chunk"
    })
  })

  it("shows tables, nil and numbers", () => {
    assert.match(raisedBy("error({})") ?? "", /^table: 0x[0-9a-f]+$/)
    assert.strictEqual(raisedBy("error(nil)"), "nil")
    assert.strictEqual(raisedBy("error()"), "nil")
    assert.strictEqual(raisedBy("error(5)"), "5")
  })

  it("asks an error object for its text, and does without when that fails", () => {
    assert.strictEqual(raisedBy("error(setmetatable({}, {__tostring = function() return 'mine' end}))"), "mine")
    assert.match(raisedBy("error(setmetatable({}, {__tostring = function() error('no') end}))") ?? "", /^table: 0x/)
    assert.match(raisedBy("local function f() error(setmetatable({}, {__tostring = f})) end f()") ?? "", /^table: 0x/)
  })

  it("is the error of the syntax", () => {
    assert.strictEqual(raisedBy("x = = 1"), "<string>:1: unexpected symbol near '='")
    assert.strictEqual(raisedBy("for"), "<string>:1: <name> expected near <eof>")
  })

  it("is nothing at the end, whatever a script returns", () => {
    assert.isUndefined(run("return 1, 2, 3").raised)
    assert.isUndefined(run("").raised)
  })
})

describe("S07: coroutines out of place", () => {
  it("yield in the main chunk and across functions of libraries is an error", () => {
    assert.strictEqual(raisedBy("coroutine.yield(1)"), "<string>:1: attempt to yield from outside a coroutine")
    assert.strictEqual(
      printed("print(pcall(coroutine.wrap(function() table.sort({1, 2}, coroutine.yield) end)))"),
      "false\t<string>:1: attempt to yield across a C-call boundary"
    )
  })

  it("yield goes through pcall", () => {
    assert.strictEqual(
      printed(
        "local co = coroutine.create(function() return pcall(function() return coroutine.yield(5) end) end) print(coroutine.resume(co)) print(coroutine.resume(co, 9))"
      ),
      "true\t5\ntrue\ttrue\t9"
    )
  })

  it("dead and running coroutines cannot be resumed", () => {
    assert.strictEqual(
      printed("local co = coroutine.create(error) print(coroutine.resume(co, 'e')) print(coroutine.resume(co))"),
      "false\te\nfalse\tcannot resume dead coroutine"
    )
    assert.strictEqual(
      printed("local co co = coroutine.create(function() return coroutine.resume(co) end) print(coroutine.resume(co))"),
      "true\tfalse\tcannot resume non-suspended coroutine"
    )
  })

  it("a coroutine left suspended harms nobody", () => {
    assert.isUndefined(run("local co = coroutine.wrap(function() coroutine.yield() end) co()").raised)
  })
})

describe("S10: what a script changes", () => {
  it("is not seen by the next", () => {
    run("string.rep = nil getmetatable('').__index = {} _G.print = nil table.x = 1 math = nil leaked = 1")
    assert.strictEqual(printed("print(('a'):rep(2), table.x, type(math), leaked)"), "aa\tnil\ttable\tnil")
  })
})

describe("S11: the language below", () => {
  it("cannot be reached", () => {
    assert.strictEqual(
      printed("local t = {} print(t.constructor, t.__proto__, t.prototype, ('').constructor, js, globalThis, process)"),
      "nil\tnil\tnil\tnil\tnil\tnil\tnil"
    )
    assert.strictEqual(
      printed("t = {} t.__proto__ = 1 t.constructor = 2 for k, v in pairs(t) do print(k, v) end"),
      "__proto__\t1\nconstructor\t2"
    )
    assert.strictEqual(
      printed("print(debug.getregistry, debug.sethook, debug.gethook, debug.debug, debug.upvalueid)"),
      "nil\tnil\tnil\tnil\tnil"
    )
  })
})
