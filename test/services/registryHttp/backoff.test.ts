import { assert, describe, it } from "@effect/vitest"
import { backoffDelay, Health, isTransientStatus } from "../../../src/services/registryHttp/backoff.ts"

describe("backoffDelay", () => {
  it("doubles from 0.2 s to 30 s, give or take a fifth", () => {
    assert.deepStrictEqual([1, 2, 3, 4, 5, 8, 9, 50].map((failures) => backoffDelay(failures, 0.5)), [
      200,
      400,
      800,
      1600,
      3200,
      25_600,
      30_000,
      30_000
    ])
    assert.deepStrictEqual([backoffDelay(1, 0), backoffDelay(1, 1)], [160, 240])
  })
})

describe("isTransientStatus", () => {
  it("is so for what passes by itself", () => {
    const statuses = Array.from({ length: 600 }, (_, status) => status)
    assert.deepStrictEqual(statuses.filter(isTransientStatus), [
      408,
      429,
      500,
      502,
      503,
      504,
      520,
      521,
      522,
      523,
      524,
      525,
      526,
      527
    ])
  })
})

describe("Health", () => {
  it("puts hosts that wait behind the others, by the end of their waits", () => {
    const health = new Health()
    health.postpone("a", 900)
    health.postpone("b", 500)
    health.postpone("b", 400)
    const hosts = ["a", "b", "c", "d"].map((name) => ({ name }))
    assert.deepStrictEqual(health.order(hosts, 100).map(({ name }) => name), ["c", "d", "b", "a"])
    assert.deepStrictEqual(health.order(hosts, 600).map(({ name }) => name), ["b", "c", "d", "a"])
  })
})
