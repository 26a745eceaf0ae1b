import { assert, describe, it } from "@effect/vitest"
import { numberText } from "../../../src/lib/lua/numberText.ts"
import { digitsOf, numeralOf } from "../../../src/lib/lua/numerals.ts"
import { printed } from "./chunks.ts"

describe("numbers of Lua 5.1", () => {
  it("are doubles: sums and products go beyond 32 bits", () => {
    assert.strictEqual(
      printed("print(2147483647+1, 86400*30000, 1700000000*1000)"),
      "2147483648\t2592000000\t1700000000000"
    )
    assert.strictEqual(printed("print(1700000000+86400*365*20, -2147483648-1)"), "2330720000\t-2147483649")
  })

  it("count in a loop across 2^31", () => {
    assert.strictEqual(printed("local n=0 for i=2147483646,2147483648 do n=n+1 end print(n)"), "3")
    assert.strictEqual(printed("local n=0 for i=2147483646,2147483647 do n=n+1 end print(n)"), "2")
  })

  it("have no point when they are integral, also within texts", () => {
    assert.strictEqual(printed("print(10/2, 2^3, 3.0, 1e3)"), "5\t8\t3\t1000")
    assert.strictEqual(printed("print(10/2 .. '|' .. 2^3 .. '|' .. -0.5)"), "5|8|-0.5")
  })

  it("look as scripts know them when they are large, infinite or none", () => {
    assert.strictEqual(
      printed("print(1e15, 1e18, 1e15 .. '', 1/0, -1/0, math.huge)"),
      "1000000000000000\t1000000000000000000\t1000000000000000\t+Inf\t-Inf\t+Inf"
    )
    assert.strictEqual(printed("print(0/0)"), "NaN")
    assert.strictEqual(
      printed("print(0.1, 0.1+0.2, 1/3, 1e-5, 1e21)"),
      "0.1\t0.30000000000000004\t0.3333333333333333\t1e-05\t1e+21"
    )
  })

  it("give no number as the remainder of a division by zero", () => {
    assert.strictEqual(printed("print(7 % 0, math.fmod(1, 0))"), "NaN\tNaN")
    assert.strictEqual(printed("print(-7 % 3, 7 % -3, 5.5 % 2, math.fmod(-7, 3))"), "2\t-2\t1.5\t-1")
  })

  it("are cut off where an integer is wanted", () => {
    assert.strictEqual(printed("print(select(1.5, 'a', 'b'))"), "a\tb")
    assert.strictEqual(printed("print((unpack({1, 2}, 1.9)))"), "1")
    assert.strictEqual(printed("local t={1,2,3} table.insert(t, 1.7, 9) print(t[1], #t)"), "9\t4")
    assert.strictEqual(printed("local r = math.random(3.9) print(r >= 1 and r <= 3 and r == math.floor(r))"), "true")
  })

  it("are read by tonumber, in ten and other bases", () => {
    assert.strictEqual(
      printed("print(tonumber('99999999999'), tonumber(' 12 '), tonumber('0x10'), tonumber('1e2'))"),
      "99999999999\t12\t16\t100"
    )
    assert.strictEqual(
      printed("print(tonumber(''), tonumber('x'), tonumber({}), tonumber(nil), tonumber('inf'))"),
      "nil\tnil\tnil\tnil\tnil"
    )
    assert.strictEqual(
      printed(
        "print(tonumber('ff', 16), tonumber('zz', 36), tonumber('8', 8), tonumber(' 11 ', 2), tonumber('-ff', 16))"
      ),
      "255\t1295\tnil\t3\t-255"
    )
    assert.strictEqual(
      printed("print(tonumber('ffffffffff', 16), tonumber(10, 16), tonumber('010'), 0xFFFFFFFF)"),
      "1099511627775\t16\t10\t4294967295"
    )
    assert.strictEqual(
      printed("print(pcall(tonumber, '1', 99))"),
      "false\t<string>:1: bad argument #2 to 'tonumber' (base out of range)"
    )
  })

  it("are read out of texts by arithmetic", () => {
    assert.strictEqual(printed("print('10'+5, '3'*'4', 10 .. 20, '0x10'+0, -'2', '1e1'+0)"), "15\t12\t1020\t16\t-2\t10")
  })
})

describe("numberText", () => {
  it("is what the tool that scripts were written for prints", () => {
    const texts: ReadonlyArray<readonly [number, string]> = [
      [123456789.5, "1.234567895e+08"],
      [1234567.25, "1.23456725e+06"],
      [100000.5, "100000.5"],
      [999999.5, "999999.5"],
      [1.5e21, "1.5e+21"],
      [0.0001, "0.0001"],
      [1.5e-7, "1.5e-07"],
      [2 ** 62, "4611686018427387904"],
      [2 ** 63, "9.223372036854776e+18"],
      [-(2 ** 63), "-9223372036854775808"],
      [1e19, "1e+19"],
      [1e300, "1e+300"],
      [5e-324, "5e-324"],
      [-0, "0"]
    ]
    assert.deepStrictEqual(texts.map(([value]) => numberText(value)), texts.map(([, text]) => text))
  })
})

describe("numeralOf", () => {
  const of = (text: string) => numeralOf(Buffer.from(text))

  it("reads decimals and hexadecimals with signs, points and exponents", () => {
    assert.deepStrictEqual(["1", "-1", "+1", ".5", "5.", "1e3", "1E-2", "0x1p4", "0x.8", "0xA.8", "-0xff"].map(of), [
      1,
      -1,
      1,
      0.5,
      5,
      1000,
      0.01,
      16,
      0.5,
      10.5,
      -255
    ])
  })

  it("refuses what is none", () => {
    assert.deepStrictEqual(
      ["", " ", ".", "e5", "1e", "0x", "0xg", "1 2", "1_0", "0b1", "nan", "1".repeat(500)].map(of),
      Array.from({ length: 12 }, () => undefined)
    )
  })

  it("refuses digits that a base does not have", () => {
    assert.deepStrictEqual([
      digitsOf(Buffer.from("12"), 2),
      digitsOf(Buffer.from("z"), 36),
      digitsOf(Buffer.from(""), 3)
    ], [undefined, 35, undefined])
  })
})
