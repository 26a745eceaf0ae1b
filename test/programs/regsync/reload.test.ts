/** SIGHUP: the configuration of a running daemon is read again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { configured, every, job, start } from "./servers.ts"

const settle = TestClock.adjust("0 seconds")

describe("a configuration that is read again", () => {
  it.effect("has no effect before the signal, however the file has changed (K17)", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10))]))
      world.load = Effect.succeed(configured([job("b", every(1))], 0, "two.yml"))
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy", "a copy"])
      yield* Fiber.interrupt(world.fiber)
    }))

  it.effect("leaves entries that are the same their times, though they moved and have other names", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10)), job("b", every(10))]))
      yield* TestClock.adjust("5 minutes")
      const { entry, name } = job("a", { ...every(10), line: 40 })
      world.load = Effect.succeed(configured([job("c", every(10)), { name: `${name}-2`, entry }], 0, "two.yml"))
      yield* world.signal("SIGHUP")
      yield* settle
      assert.deepStrictEqual(world.runs, ["a missing", "b missing", "c missing"])
      assert.include(world.log, "INFO Configuration reloaded file=one.yml added=1 removed=1 kept=1")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(world.runs.slice(3), ["a-2 copy"])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(world.runs.slice(4), ["c copy"])
      yield* Fiber.interrupt(world.fiber)
    }))

  it.effect("gives runs that begin a new client, and closes the old one once its runs have ended", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10)), job("b", every(1))]), {
        perform: ({ name }, action) => name === "a" && action === "copy" ? Effect.sleep("5 minutes") : Effect.void
      })
      yield* TestClock.adjust("10 minutes")
      world.load = Effect.succeed(configured([job("a", every(10)), job("b", every(1))], 0, "two.yml"))
      yield* world.signal("SIGHUP")
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(world.clients, ["one.yml open", "two.yml open"])
      assert.notInclude(world.runs, "a interrupted")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(world.clients, ["one.yml open", "two.yml open", "one.yml closed"])
      yield* Fiber.interrupt(world.fiber)
      assert.deepStrictEqual(world.clients.slice(3), ["two.yml closed"])
    }))

  it.effect("lets the run of an entry that is gone end, and begins no other", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10))]), {
        perform: (_, action) => action === "copy" ? Effect.sleep("5 minutes") : Effect.void
      })
      yield* TestClock.adjust("10 minutes")
      world.load = Effect.succeed(configured([]))
      yield* world.signal("SIGHUP")
      yield* world.signal("SIGUSR1")
      yield* settle
      assert.deepStrictEqual(world.printed, ["entries: 0 configured, 1 at work\na: copy for 0s, no longer configured"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy"])
      yield* world.stop
      assert.deepStrictEqual(yield* Fiber.await(world.fiber), Exit.void)
    }))

  it.effect("holds an entry with new settings back until the run with its old ones has ended", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10))]), {
        perform: (_, action) => action === "copy" ? Effect.sleep("5 minutes") : Effect.void
      })
      yield* TestClock.adjust("10 minutes")
      world.load = Effect.succeed(configured([job("a", { ...every(20), backup: "old" })]))
      yield* world.signal("SIGHUP")
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy", "a missing"])
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(world.runs.slice(3), ["a copy"])
      yield* Fiber.interrupt(world.fiber)
    }))

  it.effect("leaves out entries that went while the first pass had not come to them", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10)), job("b", every(10)), job("c", every(10))]), {
        perform: (_, action) => action === "missing" ? Effect.sleep("1 minute") : Effect.void
      })
      world.load = Effect.succeed(configured([job("a", every(10)), job("c", every(10))]))
      yield* world.signal("SIGHUP")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(world.runs, ["a missing", "c missing"])
      yield* Fiber.interrupt(world.fiber)
    }))

  it.effect("is not ready before the first pass over all entries has ended", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10))], 2), {
        perform: ({ name }) => name === "a" ? Effect.sleep("1 minute") : Effect.void
      })
      world.load = Effect.succeed(configured([job("a", every(10)), job("b", every(10))], 2))
      yield* world.signal("SIGHUP")
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(world.runs, ["a missing", "b missing"])
      const isReady = () => world.events.some((it) => it._tag === "Ready")
      assert.isFalse(isReady())
      yield* TestClock.adjust("1 second")
      assert.isTrue(isReady())
      yield* Fiber.interrupt(world.fiber)
    }))

  it.effect("changes nothing when it cannot be read", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10))]))
      world.load = Effect.fail({ message: "[3:1] unexpected end" })
      yield* world.signal("SIGHUP")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy"])
      assert.deepStrictEqual(world.clients, ["one.yml open"])
      assert.include(
        world.log,
        "ERROR Failed to reload configuration, the old one stays file=one.yml error=[3:1] unexpected end"
      )
      assert.deepInclude(world.events.find((it) => it._tag === "ConfigRefused"), { error: "[3:1] unexpected end" })
      yield* world.stop
      assert.deepStrictEqual(yield* Fiber.await(world.fiber), Exit.void)
    }))

  it.effect("is not asked of standard input, which is at its end", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10))]), { file: "-" })
      world.load = Effect.succeed(configured([]))
      yield* world.signal("SIGHUP")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy"])
      assert.include(
        world.log,
        "ERROR Failed to reload configuration, the old one stays file=- error=standard input cannot be read again"
      )
      yield* Fiber.interrupt(world.fiber)
    }))

  it.effect("moves to where it wants to be shown, or changes nothing", () =>
    Effect.gen(function*() {
      const jobs = [job("a", every(10))]
      const world = yield* start(configured(jobs, 0, "one.yml", "here"))
      for (const [listen, source] of [["here", "two.yml"], ["there", "three.yml"], ["taken", "four.yml"]] as const) {
        world.load = Effect.succeed(configured(jobs, 0, source, listen))
        yield* world.signal("SIGHUP")
        yield* settle
      }
      assert.deepStrictEqual(world.shown, ["here", "not here", "there", "not there", "there"])
      assert.include(world.clients, "three.yml open")
      assert.notInclude(world.clients, "four.yml open")
      assert.include(
        world.log,
        "ERROR Failed to reload configuration, the old one stays file=one.yml error=taken"
      )
      yield* Fiber.interrupt(world.fiber)
      assert.strictEqual(world.shown.at(-1), "not there")
    }))
})

describe("an entry that is asked for", () => {
  it.effect("runs at once, unless it is at work, and keeps its times", () =>
    Effect.gen(function*() {
      const world = yield* start(configured([job("a", every(10)), job("b")], 0, "one.yml", "here"), {
        perform: (_, action) => action === "copy" ? Effect.sleep("2 minutes") : Effect.void
      })
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* world.runNow("a"), "started")
      assert.strictEqual(yield* world.runNow("a"), "running")
      assert.strictEqual(yield* world.runNow("b"), "started")
      assert.strictEqual(yield* world.runNow("none"), "running")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(world.runs, ["a missing", "a copy", "b copy", "a copy"])
      yield* Fiber.interrupt(world.fiber)
    }))
})
