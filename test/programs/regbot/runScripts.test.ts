import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { statusOf } from "../../../src/programs/cli/report.ts"
import { runScripts } from "../../../src/programs/regbot/runScripts.ts"
import { Location } from "../../../src/schemas/Ref.ts"
import { type Act, exiting, failing, makeWorld, script } from "./world.ts"

/** Runs scripts named by what they do; gives the world and how it ended. */
const started = Effect.fnUntraced(function*(acts: Readonly<Record<string, Act>>, parallel = 0) {
  const world = makeWorld(acts)
  const fiber = yield* Effect.forkChild(
    runScripts(Object.keys(acts).map((name) => script(name)), { parallel, isDry: false }).pipe(
      Effect.provide(world.layer(parallel))
    )
  )
  yield* TestClock.adjust("0 seconds")
  return { ...world, fiber }
})

const textOf = (exit: Exit.Exit<void, { readonly message: string }>): string =>
  Exit.isSuccess(exit) ? "" : exit.cause.reasons.map((it) => it._tag === "Fail" ? it.error.message : it._tag).join(" ")

const seconds = (count: number) => () => Effect.sleep(`${count} seconds`)

describe("regbot once", () => {
  it.effect("runs scripts one after the other in the order of the file", () =>
    Effect.gen(function*() {
      const { fiber, log, runs } = yield* started({ a: seconds(10), b: seconds(1) })
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "")
      assert.deepStrictEqual(runs, ["a begins", "a ends", "b begins", "b ends"])
      assert.deepStrictEqual(log, [
        "DEBUG Starting script script=a",
        "DEBUG Finished script script=a",
        "DEBUG Starting script script=b",
        "DEBUG Finished script script=b"
      ])
    }))

  it.effect("runs all at once where copies may run in parallel", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* started({ a: seconds(10), b: seconds(1), c: seconds(5) }, 1)
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(runs, ["a begins", "b begins", "c begins", "b ends", "c ends", "a ends"])
    }))

  it.effect("has 32 scripts at work at most", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 40 }, (_, at) => `s${at}`)
      const { fiber, runs } = yield* started(Object.fromEntries(names.map((it) => [it, seconds(1)])), 50)
      assert.lengthOf(runs, 32)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "")
      assert.lengthOf(runs, 80)
    }))

  it.effect("goes on after a script that fails, and fails with all that failed, each by its name", () =>
    Effect.gen(function*() {
      const { fiber, log, runs } = yield* started({
        a: () => failing("a", "<string>:3: boom\nstack traceback:\n\t[G]: ?"),
        b: () => Effect.void,
        c: () => failing("c", "<string>:1: oops")
      })
      const exit = yield* Fiber.await(fiber)
      assert.deepStrictEqual(runs, ["a begins", "b begins", "b ends", "c begins"])
      assert.strictEqual(
        textOf(exit),
        "a: <string>:3: boom\nstack traceback:\n\t[G]: ?\nc: <string>:1: oops"
      )
      assert.strictEqual(Exit.isFailure(exit) ? statusOf(exit.cause) : 0, 1)
      assert.deepStrictEqual(log.filter((it) => it.startsWith("WARN")), [
        "WARN Error running script script=a error=<string>:3: boom\nstack traceback:\n\t[G]: ?",
        "WARN Error running script script=c error=<string>:1: oops"
      ])
    }))

  it.effect("fails with the text alone where there is one script", () =>
    Effect.gen(function*() {
      const { fiber } = yield* started({ a: () => failing("a", "<string>:3: boom") })
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "<string>:3: boom")
    }))

  it.effect.each([0, 3, 255])(
    "ends with status %i as soon as a script asks for it, once the others are cleaned up",
    (status) =>
      Effect.gen(function*() {
        const cleaning = Effect.onInterrupt(Effect.never, () => Effect.sleep("5 seconds"))
        const { fiber, runs } = yield* started({
          a: () => cleaning,
          b: () => Effect.andThen(Effect.sleep("1 second"), exiting(status)),
          c: () => failing("c", "<string>:1: oops")
        }, 3)
        yield* TestClock.adjust("5 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 second")
        const exit = yield* Fiber.await(fiber)
        assert.strictEqual(Exit.isFailure(exit) ? statusOf(exit.cause) : undefined, status)
        assert.deepStrictEqual(runs, ["a begins", "b begins", "c begins", "a interrupted"])
      })
  )

  it.effect("fails a script in the end whose lists held names that are not allowed (N38)", () =>
    Effect.gen(function*() {
      const { fiber, log, runs } = yield* started({
        a: ({ noteSkipped }) =>
          Effect.sync(() => {
            noteSkipped("failed to list tags in r.test/a", { skipped: 2 })
            noteSkipped("failed to list tags in r.test/b", {})
          }),
        b: () => Effect.void
      })
      const text = "failed to list tags in r.test/a: invalid reference: 2 names are not allowed"
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), `a: ${text}`)
      assert.deepStrictEqual(runs, ["a begins", "a ends", "b begins", "b ends"])
      assert.deepStrictEqual(log.filter((it) => it.startsWith("WARN")), [
        `WARN Error running script script=a error=${text}`
      ])
    }))

  it.effect("begins no script after one that asked for the end", () =>
    Effect.gen(function*() {
      const { fiber, runs } = yield* started({ a: () => exiting(0), b: () => Effect.void })
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(runs, ["a begins"])
    }))

  it.effect("takes a fault of its own for a failure of the script", () =>
    Effect.gen(function*() {
      const { fiber, log, runs } = yield* started({ a: () => Effect.die(new Error("null")), b: () => Effect.void })
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "a: null")
      assert.deepStrictEqual(runs, ["a begins", "b begins", "b ends"])
      assert.deepStrictEqual(log.slice(0, 3), [
        "DEBUG Starting script script=a",
        "ERROR Runtime error from script script=a error=null",
        "WARN Error running script script=a error=null"
      ])
    }))

  it.effect("tells of scripts that are interrupted", () =>
    Effect.gen(function*() {
      const { events, fiber, log } = yield* started({ a: () => Effect.never })
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(log, [
        "DEBUG Starting script script=a",
        "WARN Error running script script=a error=context canceled"
      ])
      assert.deepStrictEqual(events.map((it) => it._tag), ["JobStarted", "JobEnded"])
      assert.deepInclude(events[1], { job: "a", failures: 1, error: "context canceled" })
    }))
})

describe("a run of a script", () => {
  const place = Location.Registry({ registry: "reg.test", repository: "app" })

  it.effect("has each place open once, until it is closed or the run ends", () =>
    Effect.gen(function*() {
      const { fiber, places } = yield* started({
        a: ({ close, open }) =>
          Effect.gen(function*() {
            yield* Effect.all([open(place), open(place)], { concurrency: 2 })
            yield* close(place)
            yield* close(place)
            yield* open(place)
          }).pipe(Effect.orDie),
        b: ({ open }) => Effect.asVoid(Effect.orDie(open(place)))
      })
      assert.strictEqual(textOf(yield* Fiber.await(fiber)), "")
      assert.deepStrictEqual(places, [
        "reg.test/app open",
        "reg.test/app closed",
        "reg.test/app open",
        "reg.test/app closed",
        "reg.test/app open",
        "reg.test/app closed"
      ])
    }))

  it.effect("prints 100,000 lines and one more", () =>
    Effect.gen(function*() {
      const said: Array<string> = []
      const { fiber } = yield* started({
        a: ({ mayLog }) =>
          Effect.sync(() => {
            for (let line = 0; line < 100_003; line++) said.push(mayLog())
          })
      })
      yield* Fiber.await(fiber)
      assert.deepStrictEqual([said[0], ...said.slice(99_998)], ["yes", "yes", "yes", "last", "no", "no"])
    }))

  it.effect("waits for a place among the copies of all scripts", () =>
    Effect.gen(function*() {
      const copies: Array<string> = []
      const copy = (name: string): Act => ({ throttled }) =>
        throttled(Effect.andThen(Effect.sync(() => void copies.push(name)), Effect.sleep("1 second")))
      const { fiber } = yield* started({ a: copy("a"), b: copy("b"), c: copy("c") }, 2)
      assert.deepStrictEqual(copies, ["a", "b"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(copies, ["a", "b", "c"])
      yield* Fiber.interrupt(fiber)
    }))
})
