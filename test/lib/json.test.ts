import { assert, describe, it } from "@effect/vitest"
import { byteSize } from "../../src/lib/byteSize.ts"
import { compactJson, indentJson, marshal } from "../../src/lib/json.ts"

describe("JSON spaced anew", () => {
  const text = ` {"b":1.0,"1":{ },"b":[ ],"s":"a \\" {[<&>\\u0041","n":[1e5,-0 , null]}\n`
  it("keeps order, repeated keys, numbers and escapes", () => {
    assert.strictEqual(compactJson(text), `{"b":1.0,"1":{},"b":[],"s":"a \\" {[<&>\\u0041","n":[1e5,-0,null]}`)
    assert.strictEqual(
      indentJson(text),
      `{\n  "b": 1.0,\n  "1": {},\n  "b": [],\n  "s": "a \\" {[<&>\\u0041",\n  "n": [\n    1e5,\n    -0,\n    null\n  ]\n}`
    )
  })
  it("escapes what HTML minds when asked to", () => {
    assert.strictEqual(indentJson(`["<&>"]`, { escapeHtml: true }), `[\n  "\\u003c\\u0026\\u003e"\n]`)
  })
})

describe("values as JSON", () => {
  it("sorts a map's keys and writes bytes in base64", () => {
    assert.strictEqual(
      marshal(new Map<string, unknown>([["b", 1], ["a", Uint8Array.from([1, 2])]])),
      `{"a":"AQI=","b":1}`
    )
  })
  it("writes big integers in full", () => assert.strictEqual(marshal(9_007_199_254_740_993n), "9007199254740993"))
})

describe("byteSize", () => {
  it("counts in thousands with three decimals", () => {
    assert.deepStrictEqual([0, 999, 1000, 1024, 999_999, 1_000_000, 1.5e24].map(byteSize), [
      "0.000B",
      "999.000B",
      "1.000kB",
      "1.024kB",
      "999.999kB",
      "1.000MB",
      "1.500YB"
    ])
  })
})
