import { assert, describe, it } from "@effect/vitest"
import { positionedJson } from "../../src/lib/positionedJson.ts"

const problem = (source: string) => {
  const found = positionedJson(source)
  return "problem" in found
    ? `[${found.place.line}:${found.place.column}] ${found.problem}: ${found.place.text}`
    : "none"
}

describe("positionedJson", () => {
  it.each([
    "{}",
    " [1, -2.5e+3, true, false, null, \"a\\u00e9\\n\"] \n",
    "{\"a\":{\"b\":[{}]},\"\":\"\"}",
    "\"text\"",
    "{\"a\":1,\"a\":2}"
  ])("reads %s as JSON.parse does", (source) => {
    const found = positionedJson(source)
    assert.deepStrictEqual("value" in found ? found.value : found.problem, JSON.parse(source))
  })

  it.each([
    ["", "[1:1] unexpected end: "],
    ["{\"a\":1,}", "[1:8] expected a key in quotes: {\"a\":[censored],}"],
    ["{\n  \"pass\": \"s3cret\"\n  \"user\": 1\n}", "[3:3] expected \",\" or \"}\": \"user\":[censored]"],
    ["{\"pass\": s3cret}", "[1:10] expected a value: {\"pass\":[censored]}"],
    ["{\"pass\":\n  s3cret", "[2:3] expected a value: [censored]"],
    ["{\"pass\": \"s3cret", "[1:10] unfinished string: {\"pass\":[censored]"],
    ["{} s3cret", "[1:4] unexpected text after the document: {} [censored]"],
    ["[01]", "[1:2] expected a value: [[censored]]"],
    ["{\"hosts\":", "[1:10] unexpected end: {\"hosts\":"]
  ])("tells where %j breaks without its values", (source, expected) => {
    assert.strictEqual(problem(source).replaceAll("\": ", "\":"), expected.replaceAll("\": ", "\":"))
  })

  it("finds the place of a value, or of what holds it", () => {
    const found = positionedJson("{\n  \"hosts\": {\n    \"a\": { \"tls\": 1, \"list\": [1,\n 2] }\n  }\n}")
    assert.isTrue("value" in found)
    if (!("value" in found)) return
    const at = (path: ReadonlyArray<PropertyKey>) => {
      const { column, line } = found.at(path)
      return `${line}:${column}`
    }
    assert.strictEqual(at(["hosts", "a", "tls"]), "3:19")
    assert.strictEqual(at(["hosts", "a", "list", 1]), "4:2")
    assert.strictEqual(at(["hosts", "a", "missing"]), "3:10")
    assert.strictEqual(at([]), "1:1")
  })

  it("stops at a depth instead of overflowing the stack", () => {
    assert.include(problem("[".repeat(1_000_000)), "nested deeper than 100 levels")
  })
})
