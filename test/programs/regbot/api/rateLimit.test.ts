import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { LuaValue } from "../../../../src/lib/lua/border.ts"
import { ratelimitWait } from "../../../../src/programs/regbot/api/rateLimit.ts"
import { Digest } from "../../../../src/schemas/Digest.ts"
import { call, raised, scriptRuns } from "../../../support/scriptRuns.ts"

const descriptor = {
  mediaType: "application/vnd.oci.image.index.v1+json",
  digest: Digest.make("sha256:3e1362e58464c9745b7411159879ee7b810e87e9d0098e22934e827fbf6d9267"),
  size: 7
}

/** A registry that tells these remaining counts, one an answer, the last for ever. */
const telling = (...remaining: ReadonlyArray<number>) => {
  let asked = 0
  const runs = scriptRuns({
    seen: (repository) => ({
      ...repository,
      resolve: () =>
        Effect.sync(() => {
          const left = remaining[Math.min(asked++, remaining.length - 1)]
          return {
            descriptor,
            headers: left === undefined
              ? {}
              : { "ratelimit-limit": ["100;w=21600"], "ratelimit-remaining": [`${left};w=21600`] }
          }
        })
    })
  })
  return { ...runs, asked: () => asked }
}

const waiting = (...args: ReadonlyArray<LuaValue>) => call(ratelimitWait, "r.test/a:v1", ...args)

describe("ratelimitWait", () => {
  it.effect("is content where no limit is told, or enough is left", () =>
    Effect.gen(function*() {
      assert.isTrue(yield* Effect.provide(waiting(100), telling().layer))
      const enough = telling(100)
      assert.isTrue(yield* Effect.provide(waiting(100.9), enough.layer))
      assert.isTrue(yield* Effect.provide(waiting(Number.NaN), enough.layer))
      assert.deepStrictEqual(enough.log, [])
    }))

  it.effect("asks again after each pause until enough is left", () =>
    Effect.gen(function*() {
      const { asked, layer, log } = telling(5, 7, 50)
      const fiber = yield* Effect.forkChild(Effect.provide(waiting(10, "30s"), layer))
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(asked(), 1)
      yield* TestClock.adjust("31 seconds")
      assert.isTrue(yield* Fiber.join(fiber))
      assert.strictEqual(asked(), 3)
      assert.deepStrictEqual(log, [
        "INFO Delaying for ratelimit script=s image=r.test/a:v1 current=5 target=10 delay=30s",
        "INFO Delaying for ratelimit script=s image=r.test/a:v1 current=7 target=10 delay=30s"
      ])
    }))

  it.effect("waits five minutes, and gives up when its timeout ends in a pause", () =>
    Effect.gen(function*() {
      const { asked, layer, log } = telling(5)
      const fiber = yield* Effect.forkChild(Effect.provide(waiting(10, "5m", "12m"), layer))
      yield* TestClock.adjust("12 minutes")
      assert.isFalse(yield* Fiber.join(fiber))
      assert.strictEqual(asked(), 3)
      assert.strictEqual(
        log[0],
        "INFO Delaying for ratelimit script=s image=r.test/a:v1 current=5 target=10 delay=5m0s"
      )
      const long = telling(5)
      const patient = yield* Effect.forkChild(Effect.provide(waiting(10), long.layer))
      yield* TestClock.adjust("6 hours")
      assert.isFalse(yield* Fiber.join(patient))
      assert.strictEqual(long.asked(), 72)
    }))

  it("is false when the time of the script ends meanwhile", () => {
    assert.deepStrictEqual(ratelimitWait.late, { values: [false] })
  })

  it.effect("refuses what it cannot read", () =>
    Effect.gen(function*() {
      const refused = (...args: ReadonlyArray<LuaValue>) => raised(ratelimitWait, "r.test/a:v1", ...args)
      assert.strictEqual(yield* raised(ratelimitWait), "bad argument #1: reference expected")
      assert.strictEqual(yield* refused(), "bad argument #2: number expected, got nil")
      assert.strictEqual(yield* refused("7"), "bad argument #2: number expected, got string")
      assert.strictEqual(yield* refused(7, undefined, "1s"), "bad argument #3: string expected, got nil")
      assert.strictEqual(
        yield* refused(7, "x"),
        "Failed parsing rate limit frequency x: time: invalid duration \"x\""
      )
      assert.strictEqual(
        yield* refused(7, 5),
        "Failed parsing rate limit frequency 5: time: missing unit in duration \"5\""
      )
      assert.strictEqual(
        yield* refused(7, "1s", "3y"),
        "Failed parsing timeout 3y: time: unknown unit \"y\" in duration \"3y\""
      )
    }).pipe(Effect.provide(telling(1).layer)))

  it.effect("raises when the registry does not answer", () =>
    Effect.gen(function*() {
      const { layer } = scriptRuns()
      assert.match(
        yield* Effect.provide(raised(ratelimitWait, "r.test/a:v1", 1), layer),
        /^Failed checking "r.test\/a:v1" manifest: .*not found/
      )
    }))
})
