import { assert, describe, it } from "@effect/vitest"
import { uncredentialed } from "../../src/lib/uncredentialed.ts"

const table: ReadonlyArray<readonly [string, string]> = [
  ["get https://ada:pass@host/v2/: refused", "get https://[censored]@host/v2/: refused"],
  ["get https://ada:p@ss@host/v2/", "get https://[censored]@host/v2/"],
  ["\"https://token@host\" and //ada:x@other/", "\"https://[censored]@host\" and //[censored]@other/"],
  ["see https://host/blob?sig=abc&x=1 or http://b?c", "see https://host/blob?[censored] or http://b?[censored]"],
  ["host/app@sha256:abc is not found: why?", "host/app@sha256:abc is not found: why?"],
  ["user@example.test", "user@example.test"],
  ["https://host/path@1.2", "https://host/path@1.2"],
  ["", ""]
]

describe("text with addresses", () => {
  it.each(table)("%s reads %s without their secrets", (text, expected) => {
    assert.strictEqual(uncredentialed(text), expected)
  })
})
