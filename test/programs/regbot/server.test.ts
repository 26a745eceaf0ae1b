import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { statusOf } from "../../../src/programs/cli/report.ts"
import { loaded, start } from "./servers.ts"
import { exiting, failing, script } from "./world.ts"

const textOf = (exit: Exit.Exit<void, { readonly message: string }>): string =>
  Exit.isSuccess(exit) ? "" : exit.cause.reasons.map((it) => it._tag === "Fail" ? it.error.message : it._tag).join(" ")

const every = (minutes: number) => ({ interval: minutes * 60_000 })

describe("regbot server", () => {
  it.effect("runs nothing at its start, and each script at its times", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(loaded(
        script("a", every(10)),
        script("b", { schedule: "30 * * * *", interval: 60_000 })
      ))
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(runs, [])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(runs, ["a begins", "a ends"])
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(runs.slice(2).toSorted(), [
        "a begins",
        "a begins",
        "a ends",
        "a ends",
        "b begins",
        "b ends"
      ])
      yield* stop
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "")
      assert.deepStrictEqual(log.slice(0, 6), [
        "DEBUG Configuring parallel settings concurrent=1",
        "DEBUG Scheduled task name=a sched=@every 10m0s",
        "DEBUG Scheduled task name=b sched=30 * * * *",
        "DEBUG Running task name=a",
        "DEBUG Starting script script=a",
        "DEBUG Finished script script=a"
      ])
      assert.deepStrictEqual(log.slice(-3), [
        "DEBUG Interrupt received, stopping",
        "INFO Stopping server",
        "DEBUG Waiting on running tasks"
      ])
    }))

  it.effect("passes over a time at which the script still runs, and over its own alone", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* start(loaded(script("slow", every(10)), script("quick", every(10))), {
        slow: () => Effect.sleep("15 minutes")
      })
      yield* TestClock.adjust("31 minutes")
      assert.deepStrictEqual(runs.filter((it) => it.startsWith("slow")), ["slow begins", "slow ends", "slow begins"])
      assert.deepStrictEqual(runs.filter((it) => it === "quick ends").length, 3)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("leaves out scripts without a schedule or with one that is none, which counts", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(
        loaded(script("a"), script("b", { schedule: "* * * * * *" }), script("c", every(1)))
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(runs, ["c begins", "c ends"])
      assert.deepStrictEqual(log.slice(1, 5), [
        "ERROR No schedule or interval found, ignoring name=a",
        "DEBUG Scheduled task name=b sched=* * * * * *",
        "ERROR Failed to schedule cron name=b sched=* * * * * * err=expected exactly 5 fields, found 6: [* * * * * *]",
        "DEBUG Scheduled task name=c sched=@every 1m0s"
      ])
      yield* stop
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "b: expected exactly 5 fields, found 6: [* * * * * *]")
    }))

  it.effect("goes on after scripts that fail, and fails with what they said, each once", () =>
    Effect.gen(function*() {
      const { fiber, stop } = yield* start(loaded(script("a", every(1)), script("b", every(1))), {
        a: () => failing("a", "<string>:1: no\nstack traceback:\n\t[G]: ?")
      })
      yield* TestClock.adjust("3 minutes")
      yield* stop
      const exit = yield* Fiber.await(fiber)
      assert.strictEqual(textOf(exit), "a: <string>:1: no (3 times)\nstack traceback:\n\t[G]: ?")
      assert.strictEqual(Exit.isFailure(exit) ? statusOf(exit.cause) : 0, 1)
    }))

  it.effect("ends scripts at work when it is told to stop, which counts", () =>
    Effect.gen(function*() {
      const { fiber, log, runs, stop } = yield* start(loaded(script("a", every(1))), {
        a: () => Effect.onInterrupt(Effect.never, () => Effect.sleep("3 seconds"))
      })
      yield* TestClock.adjust("1 minute")
      yield* stop
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "a: context canceled")
      assert.deepStrictEqual(runs, ["a begins", "a interrupted"])
      assert.deepStrictEqual(log.slice(-4), [
        "DEBUG Interrupt received, stopping",
        "INFO Stopping server",
        "DEBUG Waiting on running tasks",
        "WARN Error running script script=a error=context canceled"
      ])
    }))

  it.effect("ends with the status that a script asks for, once the others are cleaned up", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* start(
        loaded(script("a", every(1)), script("b", every(2)), script("c", every(1))),
        {
          a: () => Effect.onInterrupt(Effect.never, () => Effect.sleep("3 seconds")),
          b: () => exiting(7),
          c: () => failing("c", "<string>:1: no")
        }
      )
      yield* TestClock.adjust("2 minutes")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("3 seconds")
      const exit = yield* Fiber.await(fiber)
      assert.strictEqual(Exit.isFailure(exit) ? statusOf(exit.cause) : 0, 7)
      assert.include(runs, "a interrupted")
    }))

  it.effect("takes over scripts that changed, and keeps the times of those that did not", () =>
    Effect.gen(function*() {
      const { change, fiber, log, runs, signal } = yield* start(loaded(script("a", every(10)), script("b", every(10))))
      yield* TestClock.adjust("5 minutes")
      const changed = { ...script("b", every(10)), source: new TextEncoder().encode("b, changed") }
      change(loaded(script("a", every(10)), changed))
      yield* signal("SIGHUP")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(runs, ["a begins", "a ends"])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(runs.slice(2), ["b, changed begins", "b, changed ends"])
      assert.include(log, "INFO Configuration reloaded file=regbot.yml added=1 removed=1 kept=1")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("answers SIGUSR1 with what it is at", () =>
    Effect.gen(function*() {
      const { fiber, printed, signal } = yield* start(loaded(script("a", every(10)), script("b", every(30))), {
        a: () => Effect.never
      })
      yield* TestClock.adjust("12 minutes")
      yield* signal("SIGUSR1")
      yield* TestClock.adjust("0 seconds")
      assert.deepStrictEqual(printed, ["entries: 2 configured, 1 at work\na: run for 2m0s\nnext in 8m0s"])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("tells those who watch of its scripts and their runs", () =>
    Effect.gen(function*() {
      const { events, fiber } = yield* start(loaded(script("a", every(1)), script("b")), {
        a: () => failing("a", "<string>:1: no")
      })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(events, [
        {
          _tag: "Configured",
          jobs: [
            { name: "a", source: "", target: "", type: "script", schedule: "@every 1m0s" },
            { name: "b", source: "", target: "", type: "script", schedule: "" }
          ]
        },
        { _tag: "Scheduled", job: "a", next: 60_000 },
        { _tag: "Ready", time: 0 },
        { _tag: "JobStarted", job: "a", action: "run", time: 60_000 },
        {
          _tag: "JobEnded",
          job: "a",
          elapsed: 0,
          time: 60_000,
          failures: 1,
          error: "<string>:1: no",
          reason: "ScriptError"
        },
        { _tag: "Scheduled", job: "a", next: 120_000 }
      ])
      yield* Fiber.interrupt(fiber)
    }))
})
