import { assert, describe, it } from "@effect/vitest"
import { goDurationProblem, parseGoDuration } from "../../src/lib/goDuration.ts"

describe("goDurationProblem", () => {
  it("says in Go's words why a text is no duration", () => {
    const problems = ["5x", "", "1h5", "-", "1.5.5s", ".s", "1 s", "9999999999h"].map((text) => {
      assert.isUndefined(parseGoDuration(text))
      return goDurationProblem(text)
    })
    assert.deepStrictEqual(problems, [
      "time: unknown unit \"x\" in duration \"5x\"",
      "time: invalid duration \"\"",
      "time: missing unit in duration \"1h5\"",
      "time: invalid duration \"-\"",
      "time: missing unit in duration \"1.5.5s\"",
      "time: invalid duration \".s\"",
      "time: unknown unit \" s\" in duration \"1 s\"",
      "time: invalid duration \"9999999999h\""
    ])
  })

  it("takes a time in step with the length of a number without unit", () => {
    const number = "9".repeat(500_000)
    assert.isUndefined(parseGoDuration(number))
    assert.strictEqual(goDurationProblem(number), `time: missing unit in duration "${number}"`)
  })
})
