import { assert, describe, it } from "@effect/vitest"
import { anchored } from "../../src/lib/pattern.ts"

const matches = (expression: string, text: string): boolean => {
  const found = anchored(expression)
  return "matches" in found && found.matches(text)
}

describe("a filter", () => {
  it("matches the whole text", () =>
    assert.deepStrictEqual([matches("v1", "v1"), matches("v1", "v1.0"), matches("v1.*", "v1.0")], [true, false, true]))

  it("binds an alternation's ends only, as users of Go's tools are used to", () =>
    assert.deepStrictEqual([matches("a|b", "ax"), matches("a|b", "xb"), matches("(a|b)", "ax")], [true, true, false]))

  it("takes linear time whatever the expression", () => assert.isFalse(matches("(a*)*b", "a".repeat(100_000))))

  it("is refused in Go's words", () =>
    assert.deepStrictEqual([anchored("("), anchored("a(?=b)")], [
      { problem: "error parsing regexp: missing closing ): `^($`" },
      { problem: "error parsing regexp: invalid or unsupported Perl syntax: `(?=`" }
    ]))
})
