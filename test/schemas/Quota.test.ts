import { assert, describe, it } from "@effect/vitest"
import { quotaOf } from "../../src/schemas/Quota.ts"

const none = { limit: 0, remaining: 0, reset: 0, isSet: false, policies: [] }

describe("quotaOf", () => {
  it("reads Docker Hub's headers", () => {
    const headers = { "ratelimit-limit": ["100;w=21600"], "ratelimit-remaining": ["76;w=21600"] }
    const expected = { limit: 100, remaining: 76, reset: 0, isSet: true, policies: ["100;w=21600"] }
    assert.deepStrictEqual(quotaOf(headers), expected)
  })

  it("takes the items after the first as policies when that has none", () => {
    const headers = {
      "ratelimit-limit": ["100, 100;w=60, 5000;w=3600"],
      "ratelimit-remaining": ["0"],
      "ratelimit-reset": ["30"]
    }
    const expected = { limit: 100, remaining: 0, reset: 30, isSet: true, policies: [" 100;w=60", " 5000;w=3600"] }
    assert.deepStrictEqual(quotaOf(headers), expected)
  })

  it("takes what it cannot read for 0", () => {
    assert.deepStrictEqual(quotaOf({ "ratelimit-limit": ["many"], "ratelimit-remaining": ["-"] }), { ...none })
  })

  it("gives none without such headers", () => {
    assert.isUndefined(quotaOf({ "content-length": ["5"] }))
  })
})
