import { assert, describe, it } from "@effect/vitest"
import { parseKeyValues } from "../../src/lib/keyValue.ts"

const read = (text: string) => {
  const found = parseKeyValues(text)
  return found === undefined ? undefined : Object.fromEntries(found)
}

describe("parseKeyValues", () => {
  const accepted: ReadonlyArray<readonly [string, Readonly<Record<string, string>>]> = [
    ["", {}],
    ["a=1", { a: "1" }],
    ["a=1,b=2", { a: "1", b: "2" }],
    ["a=\"123,456\",b=789", { a: "123,456", b: "789" }],
    ["a\\\\d=123\\,\\\"\\\\456", { "a\\d": "123,\"\\456" }],
    ["a=b=c", { a: "b=c" }],
    ["a", { a: "" }],
    ["=x,,a=", { a: "" }],
    ["\"a=b\"=c", { "a=b": "c" }],
    ["a=x\"y,z\"w", { a: "xy,zw" }],
    ["a=\"\\\"\"", { a: "\"" }],
    ["a=1,a=2", { a: "2" }],
    ["reg=localhost:5000,user=u,pass=p w", { reg: "localhost:5000", user: "u", pass: "p w" }]
  ]
  it.each(accepted)("reads %s", (text, expected) => {
    assert.deepStrictEqual(read(text), expected)
  })

  it.each(["a=\"x", "\"", "a=b\\", "\\"])("refuses %s", (text) => {
    assert.isUndefined(read(text))
  })

  it("keeps a key named like a property of every object", () => {
    assert.strictEqual(parseKeyValues("__proto__=x")?.get("__proto__"), "x")
  })
})
