import { assert, describe, it } from "@effect/vitest"
import { overText, printed, run } from "./chunks.ts"

const json = (source: string) => printed(`local json = require 'json' ${source}`)
const fails = (call: string) => json(`print(select(2, pcall(${call})))`)

describe("json.encode", () => {
  it("writes arrays for tables with a first element or a length, objects for others", () => {
    assert.strictEqual(json("print(json.encode({1, 'a', true, {x = {}}}))"), "[1,\"a\",true,{\"x\":{}}]")
    assert.strictEqual(
      json("print(json.encode({}), json.encode({[0] = 0}), json.encode({[0] = 2, 5}))"),
      "{}\t[]\t[5,null]"
    )
    assert.strictEqual(json("print(json.encode({1, 2, nil, 4}), json.encode({1, x = 2}))"), "[1,2]\t[1]")
    assert.strictEqual(
      json("print(json.encode(nil), json.encode(false), json.encode('x'), json.encode(3))"),
      "null\tfalse\t\"x\"\t3"
    )
  })

  it("writes null for what stands for it", () => {
    assert.strictEqual(json("local n = function() end print(json.encode({n, 1, {a = n}}, n))"), "[null,1,{\"a\":null}]")
  })

  it("writes numbers so that they can be read back", () => {
    assert.strictEqual(
      json("print(json.encode({0.1, -5, 1e20, 2^53, 1/3, 1e-7, 100}))"),
      "[0.10000000000000001,-5,1e+20,9007199254740992,0.33333333333333331,9.9999999999999995e-08,100]"
    )
  })

  it("escapes what has to be, and nothing else", () => {
    assert.strictEqual(
      json("print(json.encode('\"\\\\/\\b\\f\\n\\r\\t\\0\\31é'))"),
      "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001Fé\""
    )
  })

  it("refuses what has no JSON", () => {
    assert.strictEqual(fails("json.encode, {[2] = 1}"), "<string>:1: non-string key")
    assert.strictEqual(fails("json.encode, 1/0"), "<string>:1: invalid number")
    assert.strictEqual(fails("json.encode, {0/0}"), "<string>:1: invalid number")
    assert.strictEqual(fails("json.encode, print"), "<string>:1: invalid type value")
    assert.strictEqual(json("local a = {} a.a = {a} print(pcall(json.encode, a))"), "false\t<string>:1: loop detected")
    assert.strictEqual(json("local a = {} print(json.encode({a, a}))"), "[{},{}]")
    assert.strictEqual(
      json("local a = {} for i = 1, 5000 do a = {a} end print(pcall(json.encode, a))"),
      "false\t<string>:1: too deeply nested"
    )
  })
})

describe("json.decode", () => {
  it("reads every kind of value", () => {
    assert.strictEqual(
      json(`local v = json.decode([[ {"a": [1, -2.5e1, true, false], "b": {"c": "x"}, "d": [], "e": {}} ]])
        print(#v.a, v.a[1], v.a[2], v.a[3], v.a[4], v.b.c, #v.d, next(v.e))`),
      "4\t1\t-25\ttrue\tfalse\tx\t0\tnil"
    )
    assert.strictEqual(
      json("print(json.decode('3'), json.decode('\"x\"'), json.decode('null'), json.decode(' true '))"),
      "3\tx\tnil\ttrue"
    )
    assert.strictEqual(json(`print(json.decode([["\\u00e9\\ud83d\\ude00\\n\\/\\"\\u0041é"]]))`), "é😀\n/\"Aé")
    assert.strictEqual(
      json("print(json.decode('{\"a\":1,\"a\":2}').a, json.decode('{\"__proto__\":1}').__proto__)"),
      "2\t1"
    )
  })

  it("leaves null out, or puts in what stands for it", () => {
    assert.strictEqual(
      json("local v = json.decode('[null,1,{\"a\":null}]') print(v[1], v[2], next(v[3]))"),
      "nil\t1\tnil"
    )
    assert.strictEqual(
      json(
        "local n = {} local v = json.decode('[null,{\"a\":null}]', nil, n) print(v[1] == n, v[2].a == n, json.decode('null', nil, n) == n)"
      ),
      "true\ttrue\ttrue"
    )
  })

  it("keeps lengths of arrays when asked to", () => {
    assert.strictEqual(
      json("local v = json.decode('[null,null,[]]', nil, nil, true) print(v[0], v[3][0], json.encode(v))"),
      "3\t0\t[null,null,[]]"
    )
  })

  it("reads a value from a position, and tells where it ends", () => {
    assert.strictEqual(json("local v, p = json.decode('[1] {\"a\":2} rest', 4) print(v.a, p)"), "2\t12")
    assert.strictEqual(json("print(json.decode('x 5 y', 2))"), "5\t4")
    assert.strictEqual(
      fails("json.decode, '5', 3"),
      "<string>:1: parse error at 3: unexpected termination"
    )
    assert.match(fails("json.decode, '5', 0"), /bad argument #2 to .*\(position out of range\)/)
  })

  it("names the place of what is wrong", () => {
    for (
      const [text, message] of [
        ["", "1: unexpected termination"],
        ["[1,]", "4: invalid value"],
        ["[1", "3: no closing bracket of an array"],
        ["{\"a\":1", "7: no closing bracket of an object"],
        ["{1:2}", "2: not key"],
        ["{\"a\" 1}", "6: no colon after a key"],
        ["{\"a\":1,}", "8: not key"],
        ["tru", "1: invalid value"],
        ["nul", "1: invalid value"],
        ["'x'", "1: invalid value"],
        ["01", "1: invalid number"],
        ["-", "1: invalid number"],
        ["1.", "1: invalid number"],
        [".5", "1: invalid number"],
        ["\"a", "3: unterminated string"],
        ["\"\\x\"", "3: invalid escape sequence"],
        ["\"\\u12g4\"", "3: invalid unicode charcode"],
        ["\"\\ud800\"", "7: invalid surrogate pair"],
        ["\"a\tb\"", "3: control character in a string"],
        ["1 2", "3: json ended"],
        ["NaN", "1: invalid value"]
      ] as const
    ) assert.strictEqual(fails(`json.decode, [==[${text}]==]`), `<string>:1: parse error at ${message}`, text)
  })

  it("bounds depth and time", () => {
    assert.strictEqual(
      fails("json.decode, ('['):rep(1e6)"),
      "<string>:1: parse error at 1002: too deeply nested json (> 1000)"
    )
    const { raised } = run("local s = '[' .. ('1,'):rep(1e6) .. '1]' while true do require('json').decode(s) end", {
      checks: 50
    })
    assert.strictEqual(raised?.message, `<string>:1: ${overText}`)
  })

  it("has the names of lunajson", () => {
    assert.strictEqual(
      printed(
        "local l = require 'lunajson' print(l.decode('[7]')[1], l.encode({1}), require('lunajson.decoder')()('8'), require('lunajson.encoder')()({9}))"
      ),
      "7\t[1]\t8\t[9]"
    )
  })
})
