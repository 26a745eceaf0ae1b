import { assert, describe, it } from "@effect/vitest"
import { parseTime, retryAfter } from "../../src/lib/httpTime.ts"

const now = 784_111_777_000 // Sun, 06 Nov 1994 08:49:37 GMT

const cases: ReadonlyArray<readonly [string | undefined, number | undefined]> = [
  ["0", 0],
  [" 120 ", 120_000],
  ["Sun, 06 Nov 1994 08:50:37 GMT", 60_000],
  ["Sun, 06 Nov 1994 08:49:37 GMT", undefined],
  ["Sun, 06 Nov 1994 08:48:37 GMT", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["1e3", undefined],
  ["soon", undefined],
  ["2030", 2_030_000],
  ["9".repeat(30), undefined],
  ["", undefined],
  [undefined, undefined]
]

describe("retryAfter", () => {
  for (const [text, expected] of cases) {
    it(`reads ${JSON.stringify(text)}`, () => assert.strictEqual(retryAfter(text, now), expected))
  }
})

describe("parseTime", () => {
  it("reads what token services write", () => {
    assert.strictEqual(parseTime("1994-11-06T08:49:37.5Z"), now + 500)
    assert.strictEqual(parseTime("1994-11-06T09:49:37+01:00"), now)
    assert.isUndefined(parseTime("6 Nov 1994"))
  })
})
