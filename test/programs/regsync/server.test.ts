import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { configured, every, failing, job, start } from "./servers.ts"

const failureOf = (exit: Exit.Exit<void, { readonly message: string }>): string =>
  Exit.isSuccess(exit) ? "" : exit.cause.reasons.map((it) => it._tag === "Fail" ? it.error.message : it._tag).join(" ")

describe("regsync server", () => {
  it.effect("runs each entry for what is missing, one after the other, and all at their times after that", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(configured([job("a", every(10)), job("b", every(10))]), {
        perform: (_, action) => action === "missing" ? Effect.sleep("15 minutes") : Effect.void
      })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(runs, ["a missing"])
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(runs, ["a missing", "b missing"])
      // The first pass ends after 30 minutes: what was due before is not made up for.
      yield* TestClock.adjust("19 minutes")
      assert.deepStrictEqual(runs, ["a missing", "b missing"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(runs, ["a missing", "b missing", "a copy", "b copy"])
      yield* stop
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.void)
      assert.deepStrictEqual(log, [
        "DEBUG Scheduled task source=reg.test/a target=own.test/a type=repository sched=@every 10m0s",
        "DEBUG Scheduled task source=reg.test/b target=own.test/b type=repository sched=@every 10m0s",
        "DEBUG Running task source=reg.test/a target=own.test/a type=repository",
        "DEBUG Running task source=reg.test/b target=own.test/b type=repository",
        "DEBUG Interrupt received, stopping",
        "INFO Stopping server",
        "DEBUG Waiting on running tasks"
      ])
    }))

  it.effect("begins with all entries at once where copies may run in parallel", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* start(configured([job("a", every(10)), job("b", every(10))], 1), {
        perform: () => Effect.never
      })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(runs, ["a missing", "b missing"])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(runs.slice(2).toSorted(), ["a interrupted", "b interrupted"])
    }))

  it.effect("passes over a time at which the entry still runs", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* start(configured([job("slow", every(10)), job("quick", every(10))]), {
        perform: ({ name }, action) => name === "slow" && action === "copy" ? Effect.sleep("25 minutes") : Effect.void
      })
      yield* TestClock.adjust("41 minutes")
      assert.deepStrictEqual(runs, [
        "slow missing",
        "quick missing",
        "slow copy",
        "quick copy",
        "quick copy",
        "quick copy",
        "slow copy",
        "quick copy"
      ])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("ignores an entry without schedule, and begins one whose schedule it cannot read", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(configured([job("a"), job("b", { schedule: "61 * * * *" })]))
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(runs, ["b missing"])
      assert.deepStrictEqual(log, [
        "ERROR No schedule or interval found, ignoring source=reg.test/a target=own.test/a type=repository",
        "DEBUG Scheduled task source=reg.test/b target=own.test/b type=repository sched=61 * * * *",
        "ERROR Failed to schedule cron source=reg.test/b target=own.test/b sched=61 * * * * " +
        "err=end of range (61) above maximum (59): 61"
      ])
      yield* stop
      assert.strictEqual(failureOf(yield* Fiber.await(fiber)), "end of range (61) above maximum (59): 61")
    }))

  it.effect("prefers a schedule to an interval", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* start(configured([job("a", { schedule: "0 * * * *", interval: 60_000 })]))
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(runs, ["a missing"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(runs, ["a missing", "a copy"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("goes on after errors, and fails with them in the end, each once", () =>
    Effect.gen(function*() {
      const { fiber, runs, stop } = yield* start(configured([job("a", every(1)), job("b", every(1))]), {
        perform: ({ name }, action) => action === "missing" ? Effect.void : failing(`no ${name}`)
      })
      yield* TestClock.adjust("3 minutes")
      assert.lengthOf(runs, 8)
      yield* stop
      assert.strictEqual(failureOf(yield* Fiber.await(fiber)), "no a (3 times)\nno b (3 times)")
    }))

  it.effect("interrupts what runs when it is told to stop, which is no error", () =>
    Effect.gen(function*() {
      const { clients, fiber, log, runs, stop } = yield* start(configured([job("a", every(1))]), {
        perform: (_, action) =>
          action === "missing" ? Effect.void : Effect.onInterrupt(Effect.never, () => Effect.sleep("3 seconds"))
      })
      yield* TestClock.adjust("1 minute")
      yield* stop
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      assert.deepStrictEqual(log.slice(-2), ["INFO Stopping server", "DEBUG Waiting on running tasks"])
      assert.deepStrictEqual(clients, ["one.yml open"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.void)
      assert.deepStrictEqual(runs, ["a missing", "a copy", "a interrupted"])
      assert.deepStrictEqual(clients, ["one.yml open", "one.yml closed"])
    }))

  it.effect("stops without a word while the first pass runs", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(configured([job("a", every(1)), job("b", every(1))]), {
        perform: () => Effect.never
      })
      yield* stop
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.void)
      assert.deepStrictEqual(runs, ["a missing", "a interrupted"])
      assert.deepStrictEqual(log.slice(1), ["DEBUG Interrupt received, stopping"])
    }))

  it.effect.each([["of the first pass", "missing", 1], ["at its time", "copy", 4]] as const)(
    "ends at the first error %s when told so",
    ([, action, most]) =>
      Effect.gen(function*() {
        const { fiber, runs } = yield* start(configured([job("a", every(1)), job("b", every(1))]), {
          abortOnError: true,
          perform: ({ name }, now) => name === "a" && now === action ? failing("no a") : Effect.void
        })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(failureOf(yield* Fiber.await(fiber)), "no a")
        assert.isAtMost(runs.length, most)
      })
  )

  it.effect("ends at a schedule it cannot read when told to end at errors", () =>
    Effect.gen(function*() {
      const { fiber } = yield* start(configured([job("a", { schedule: "x" }), job("b", every(1))]), {
        abortOnError: true
      })
      assert.strictEqual(failureOf(yield* Fiber.await(fiber)), "expected exactly 5 fields, found 1: [x]")
    }))

  it.effect("survives a bug in a run", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(configured([job("a", every(1))]), {
        perform: () => Effect.die(new Error("oops"))
      })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(runs, ["a missing", "a copy"])
      assert.include(log, "ERROR internal error: oops")
      yield* stop
      assert.strictEqual(failureOf(yield* Fiber.await(fiber)), "internal error: oops (2 times)")
    }))

  it.effect("does not begin with a configuration it cannot read", () =>
    Effect.gen(function*() {
      const { fiber, log } = yield* start(Effect.fail({ message: "one.yml: no such file" }))
      assert.strictEqual(failureOf(yield* Fiber.await(fiber)), "one.yml: no such file")
      assert.deepStrictEqual(log, [])
    }))

  it.effect("ends when told to while it waits for its configuration", () =>
    Effect.gen(function*() {
      const { fiber, stop } = yield* start(Effect.never)
      yield* stop
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.void)
    }))

  it.effect("tells of its configuration, of what is due and of the end of the first pass", () =>
    Effect.gen(function*() {
      const { events, fiber } = yield* start(configured([job("a", every(1)), job("b")]))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(events.map((it) => it._tag), ["Configured", "Scheduled", "Ready", "Scheduled"])
      assert.deepInclude(events[1], { job: "a", next: 60_000 })
      assert.deepInclude(events[3], { job: "a", next: 120_000 })
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("answers SIGUSR1 with what it is at", () =>
    Effect.gen(function*() {
      const { fiber, printed, signal } = yield* start(configured([job("a", every(10)), job("b", every(30))]), {
        perform: ({ name }, action) => name === "a" && action === "copy" ? Effect.never : Effect.void
      })
      yield* TestClock.adjust("12 minutes")
      yield* signal("SIGUSR1")
      yield* TestClock.adjust("0 seconds")
      assert.deepStrictEqual(printed, ["entries: 2 configured, 1 at work\na: copy for 2m0s\nnext in 8m0s"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("keeps nothing of ten days with failures but their summary", () =>
    Effect.gen(function*() {
      let runs = 0
      let atWork = 0
      const { clients, fiber, log, runs: list, stop } = yield* start(
        configured([job("a", every(10)), job("b", { schedule: "*/30 * * * *" })]),
        {
          perform: ({ name }) =>
            Effect.suspend(() => {
              runs++
              atWork++
              return Effect.andThen(Effect.sleep("20 seconds"), failing(`${name} failed for the ${runs}th time`))
            }).pipe(Effect.ensuring(Effect.sync(() => void atWork--)))
        }
      )
      const grown: Array<number> = []
      for (let day = 0; day < 10; day++) {
        yield* TestClock.adjust("1 day")
        grown.push(list.length)
        list.length = 0
        log.length = 0
      }
      // 144 and 48 a day, and both entries of the first pass.
      assert.deepStrictEqual(grown.slice(1), Array.from({ length: 9 }, () => 192))
      assert.isAtMost(atWork, 2)
      assert.deepStrictEqual(clients, ["one.yml open"])
      yield* stop
      const lines = failureOf(yield* Fiber.await(fiber)).split("\n")
      assert.lengthOf(lines, 101)
      assert.match(lines[0] ?? "", /^18\d\d earlier errors are not shown$/)
    }), 60_000)
})

describe("regsync server on days when clocks are turned", () => {
  it.effect("leaves out a time that does not come and keeps one that comes twice", () =>
    Effect.gen(function*() {
      // Berlin, 2026-03-29: 02:00 becomes 03:00.
      yield* TestClock.setTime(Date.parse("2026-03-28T00:00:00Z"))
      const { fiber, runs } = yield* start(configured([
        job("night", { schedule: "TZ=Europe/Berlin 30 2 * * *" }),
        job("noon", { schedule: "TZ=Europe/Berlin 0 12 * * *" })
      ]))
      yield* TestClock.setTime(Date.parse("2026-03-28T02:00:00Z"))
      assert.deepStrictEqual(runs, ["night missing", "noon missing", "night copy"])
      yield* TestClock.setTime(Date.parse("2026-03-29T10:01:00Z"))
      assert.deepStrictEqual(runs.slice(3), ["noon copy", "noon copy"])
      yield* TestClock.setTime(Date.parse("2026-03-30T00:31:00Z"))
      assert.deepStrictEqual(runs.slice(5), ["night copy"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("runs twice in an hour that comes twice", () =>
    Effect.gen(function*() {
      // Berlin, 2026-10-25: 03:00 becomes 02:00.
      yield* TestClock.setTime(Date.parse("2026-10-24T22:00:00Z"))
      const { fiber, runs } = yield* start(configured([job("night", { schedule: "TZ=Europe/Berlin 30 2 * * *" })]))
      yield* TestClock.setTime(Date.parse("2026-10-25T00:31:00Z"))
      assert.deepStrictEqual(runs, ["night missing", "night copy"])
      yield* TestClock.setTime(Date.parse("2026-10-25T01:31:00Z"))
      assert.deepStrictEqual(runs.slice(2), ["night copy"])
      yield* TestClock.setTime(Date.parse("2026-10-26T01:29:00Z"))
      assert.lengthOf(runs, 3)
      yield* Fiber.interrupt(fiber)
    }))
})
