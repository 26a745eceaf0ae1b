import { assert, describe, it } from "@effect/vitest"
import { decide, type Facts } from "../../../src/programs/regsync/decide.ts"

const facts: Facts = {
  action: "copy",
  isThere: true,
  isEqual: false,
  isAllowed: true,
  fastCheck: false,
  forceRecursive: false,
  hasAttachments: false
}

const equal = { isEqual: true }
const absent = { isThere: false }
const fast = { fastCheck: true }
const force = { forceRecursive: true }
const attached = { hasAttachments: true }
const missing = { action: "missing" } as const
const check = { action: "check" } as const
const unasked = { isAllowed: false }

/** What the table of the description says, row by row; `undefined` stands for no platform to look up. */
const rows: ReadonlyArray<readonly [given: Partial<Facts>, isPlatformEqual: boolean | undefined, expected: string]> = [
  // a: equal, and nothing else is asked for
  [equal, undefined, "current"],
  [{ ...equal, ...check }, undefined, "current"],
  [{ ...equal, ...missing }, undefined, "current"],
  [{ ...equal, ...unasked }, undefined, "current"],
  [{ ...equal, ...fast }, undefined, "current"],
  [{ ...equal, ...fast, ...force }, undefined, "current"],
  [{ ...equal, ...fast, ...attached }, undefined, "current"],
  [{ ...equal, ...fast, ...force, ...attached }, undefined, "current"],
  // b: there, and only missing ones count
  [missing, undefined, "exists"],
  [{ ...missing, ...equal, ...force }, undefined, "exists"],
  [{ ...missing, ...equal, ...attached }, undefined, "exists"],
  [{ ...missing, ...unasked }, undefined, "exists"],
  [{ ...missing, ...absent }, undefined, "copy"],
  // c: of another media type
  [unasked, undefined, "ignored"],
  [{ ...unasked, ...absent }, undefined, "ignored"],
  [{ ...unasked, ...check }, undefined, "ignored"],
  [{ ...unasked, ...missing, ...absent }, undefined, "ignored"],
  [{ ...unasked, ...equal, ...force }, undefined, "ignored"],
  [{ ...unasked, ...equal, ...attached }, undefined, "ignored"],
  // d: of the platform
  [{}, true, "current-platform"],
  [check, true, "current-platform"],
  [attached, true, "current-platform"],
  [fast, true, "current-platform"],
  [force, true, "refresh"],
  [{}, false, "copy"],
  [absent, false, "copy"],
  [{ ...equal, ...attached }, false, "copy"],
  [{ ...equal, ...force }, false, "copy"],
  [equal, false, "current"],
  // e: equal, and more is asked for
  [{ ...equal, ...force }, undefined, "refresh"],
  [{ ...equal, ...attached }, undefined, "refresh"],
  [{ ...equal, ...force, ...attached }, undefined, "refresh"],
  [{ ...equal, ...force, ...check }, undefined, "refresh"],
  // f: otherwise
  [{}, undefined, "copy"],
  [absent, undefined, "copy"],
  [check, undefined, "copy"],
  [fast, undefined, "copy"],
  [{ ...absent, ...fast, ...force, ...attached }, undefined, "copy"]
]

describe("what becomes of a pair", () => {
  for (const [given, isPlatformEqual, expected] of rows) {
    const said = Object.entries(given).map(([key, value]) => `${key} ${value}`).join(", ") || "other content"
    const platform = isPlatformEqual === undefined ? "" : `, the platform ${isPlatformEqual ? "equal" : "differs"}`
    it(`is ${expected}: ${said}${platform}`, () =>
      assert.strictEqual(decide({ ...facts, ...given }, isPlatformEqual), expected))
  }

  it("never writes where the target is equal and nothing else is asked for, whatever the rest", () => {
    for (const action of ["check", "copy", "missing"] as const) {
      for (const isAllowed of [true, false]) {
        for (const fastCheck of [true, false]) {
          assert.strictEqual(decide({ ...facts, ...equal, action, isAllowed, fastCheck }), "current")
        }
      }
    }
  })

  it("is never a copy over what is there when only missing ones count", () => {
    for (let bits = 0; bits < 32; bits++) {
      const [isEqual, isAllowed, fastCheck, forceRecursive, hasAttachments] = [1, 2, 4, 8, 16].map((bit) =>
        (bits & bit) !== 0
      )
      for (const platform of [undefined, true, false]) {
        const decision = decide({
          ...facts,
          ...missing,
          isEqual: isEqual === true,
          isAllowed: isAllowed === true,
          fastCheck: fastCheck === true,
          forceRecursive: forceRecursive === true,
          hasAttachments: hasAttachments === true
        }, platform)
        assert.include(["current", "exists"], decision)
      }
    }
  })
})
