import { assert, describe, it } from "@effect/vitest"
import { cut, visible } from "../../src/lib/visibleText.ts"

describe("visible", () => {
  it("escapes what would control a terminal, reorder a line or forge one", () => {
    assert.strictEqual(visible("a\u001b[31mb\nc\u202ed\u009be\tf"), "a\\x1b[31mb\\nc\\u202ed\\u009be\\tf")
    assert.strictEqual(visible("é ✓ 日本"), "é ✓ 日本")
  })
})

describe("cut", () => {
  it("marks where more was, and leaves no half of a character", () => {
    assert.strictEqual(cut("x".repeat(2_001), 2_000), `${"x".repeat(2_000)}…`)
    assert.strictEqual(cut("ab😀", 3), "ab…")
  })
})
