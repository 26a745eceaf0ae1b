import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Scheduler } from "../../src/services/Scheduler.ts"

const minute = 60_000
const everyMinute = (after: number) => (Math.floor(after / minute) + 1) * minute

describe("jobs on timetables", () => {
  it.effect("run at their times, and pass over those that come while they run (K18)", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const scheduler = yield* Scheduler
      const fiber = yield* Effect.forkChild(scheduler.run([
        { name: "quick", next: everyMinute, run: Effect.sync(() => void ran.push("quick")) },
        {
          name: "slow",
          next: everyMinute,
          run: Effect.andThen(Effect.sync(() => void ran.push("slow")), Effect.sleep("90 seconds"))
        },
        {
          name: "once",
          next: (after) => after < minute ? minute : undefined,
          run: Effect.sync(() => void ran.push("once"))
        }
      ]))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(ran, [])
      for (let n = 0; n < 4; n++) yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ran.filter((it) => it === "quick").length, 4)
      assert.deepStrictEqual(ran.filter((it) => it === "slow").length, 2)
      assert.deepStrictEqual(ran.filter((it) => it === "once").length, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(Layer.fresh(Scheduler.layer))))

  it.effect("may be months away", () =>
    Effect.gen(function*() {
      let runs = 0
      const far = 100 * 24 * 60 * minute
      const scheduler = yield* Scheduler
      const fiber = yield* Effect.forkChild(
        scheduler.run([{
          name: "far",
          next: (after) => after < far ? far : undefined,
          run: Effect.sync(() => void runs++)
        }])
      )
      yield* TestClock.adjust("99 days")
      assert.strictEqual(runs, 0)
      yield* TestClock.adjust("1 day")
      assert.strictEqual(runs, 1)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(Layer.fresh(Scheduler.layer))))
})
