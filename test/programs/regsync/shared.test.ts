import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Shared } from "../../../src/programs/regsync/shared.ts"
import { Digest } from "../../../src/schemas/Digest.ts"

const digest = (n: number) => Digest.make(`sha256:${n.toString(16).padStart(64, "0")}`)

describe("what runs share", () => {
  it.effect("lets so many entries work at once, others in place of those that rest or are gone", () =>
    Effect.gen(function*() {
      const { resting, working } = yield* Shared
      let [now, most, done] = [0, 0, 0]
      const rest = resting(Effect.sleep("1 hour"))
      const work = Effect.gen(function*() {
        most = Math.max(most, ++now)
        yield* Effect.ensuring(Effect.sleep("1 second"), Effect.sync(() => void now--))
        done++
      })
      const sleepers = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 256 }), () => working(rest), { concurrency: "unbounded", discard: true })
      )
      const [first, others] = [
        yield* Effect.forkChild(working(Effect.andThen(work, Effect.never))),
        yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 600 }), () => working(work), { concurrency: "unbounded", discard: true })
        )
      ]
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(others)
      assert.deepStrictEqual([most, done, now], [256, 601, 0])
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(sleepers)
    }).pipe(Effect.provide(Shared.layer(1))))

  it.effect("gives a place to nobody who left the queue", () =>
    Effect.gen(function*() {
      const { working } = yield* Shared
      const all = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 300 }), () => working(Effect.never), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(all)
      let ran = 0
      yield* Effect.forEach(Array.from({ length: 300 }), () => working(Effect.sync(() => void ran++)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(ran, 300)
    }).pipe(Effect.provide(Shared.layer(1))))

  it.effect("remembers the platforms used last", () =>
    Effect.gen(function*() {
      const { platforms } = yield* Shared
      platforms.set(digest(0), "linux/amd64", digest(7))
      for (let n = 1; n < 1_500; n++) {
        platforms.set(digest(n), "linux/amd64", digest(8))
        assert.strictEqual(platforms.get(digest(0), "linux/amd64"), digest(7))
      }
      assert.isUndefined(platforms.get(digest(1), "linux/amd64"))
      assert.isUndefined(platforms.get(digest(0), "linux/arm64"))
      assert.strictEqual(platforms.get(digest(1_499), "linux/amd64"), digest(8))
    }).pipe(Effect.provide(Shared.layer(1))))
})
