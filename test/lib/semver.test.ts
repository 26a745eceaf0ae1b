import { assert, describe, it } from "@effect/vitest"
import { compareVersions, parseRanges, parseVersion } from "../../src/lib/semver.ts"

const below: ReadonlyArray<readonly [string, string]> = [
  ["1", "1.0.1"],
  ["1.2", "1.10"],
  ["v1.0.0", "2"],
  ["1.0.0-rc1", "1.0.0"],
  ["1.0.0-rc2", "1.0.0-rc11"],
  ["1.0.0-alpha.1", "1.0.0-alpha.2"],
  ["1.0.0-alpha", "1.0.0-alpha.1"],
  ["1.0.0-alpha", "1.0.0-beta"],
  ["1.0.0-1", "1.0.0-a"],
  ["10.0.17763.2114", "10.0.17763.2115"],
  ["1.2.3-5", "1.2.3-10"]
]

const compare = (a: string, b: string): number => {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) throw new Error("no version")
  return compareVersions(left, right)
}

describe("versions", () => {
  for (const [a, b] of below) {
    it(`${a} is below ${b}`, () => {
      assert.strictEqual(compare(a, b), -1)
      assert.strictEqual(compare(b, a), 1)
    })
  }
  for (const [a, b] of [["1.2", "1.2.0"], ["v3", "3"], ["1.0.0+build", "1.0.0"], ["1.0-a+x", "1.0.0-a"]] as const) {
    it(`${a} is ${b}`, () => assert.strictEqual(compare(a, b), 0))
  }
  for (const text of ["", "latest", "1.", ".1", "vv1", "1.x", "a1", "1_2", "-rc1"]) {
    it(`${JSON.stringify(text)} is none`, () => assert.isUndefined(parseVersion(text)))
  }
})

/** Ranges, what passes, what does not. */
const ranges: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string>, ReadonlyArray<string>]> = [
  [[">=1.0.0 <2.0.0"], ["1.0.0", "1.5.0-rc1", "2.0.0-alpine"], ["2.0.0", "0.9", "latest"]],
  [[">=5.0.0"], ["5", "v5.0.1"], ["v5-scratch", "4.9.9"]],
  [["^1.2.3"], ["1.2.3", "1.9"], ["1.2.2", "2.0.0"]],
  [["^0.2.3"], ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]],
  [["^0.0.3"], ["0.0.3"], ["0.0.4"]],
  [["^0"], ["0", "0.0.0"], ["0.0.1"]],
  [["~1.2.3"], ["1.2.3", "1.2.99"], ["1.3.0"]],
  [["~1"], ["1.0.5"], ["1.1.0"]],
  [["1.2"], ["1.2.0", "v1.2"], ["1.2.1"]],
  [["=1.2", "", ">3"], ["1.2", "4"], ["3", "2"]]
]

describe("ranges", () => {
  for (const [texts, inside, outside] of ranges) {
    it(`${texts.join(" or ")} let pass ${inside.join(", ")} and not ${outside.join(", ")}`, () => {
      const found = parseRanges(texts)
      if (found === undefined || "problem" in found) throw new Error("no range")
      assert.deepStrictEqual([...inside, ...outside].filter(found.test), inside)
    })
  }
  it("that are empty ask nothing", () => assert.isUndefined(parseRanges(["", ""])))
  it("tell of a space behind an operator", () =>
    assert.deepStrictEqual(parseRanges([">= 1.0"]), {
      problem:
        "invalid semver range \">= 1.0\": invalid constraint version: \"\" (no space between operator and version)"
    }))
  for (const text of [">= 1.0", "1.x", "*", "1.0 || 2.0", "!=1.0", "1.0,2.0", "1 - 2"]) {
    it(`${text} is refused`, () => {
      const found = parseRanges([text])
      assert.match(
        found !== undefined && "problem" in found ? found.problem : "",
        /^invalid semver range ".*": invalid constraint version: "/
      )
    })
  }
})
