import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Option, Random } from "effect"
import { TestClock } from "effect/testing"
import { defaultHost, type Host } from "../../src/schemas/Host.ts"
import { Hosts } from "../../src/services/Hosts.ts"
import { type Demand, RateLimiter } from "../../src/services/RateLimiter.ts"

const limiter = (settings: Readonly<Record<string, Partial<Host>>> = {}) =>
  RateLimiter.layer.pipe(Layer.provide(Layer.succeed(
    Hosts,
    Hosts.of({
      get: (name) => Effect.succeed({ ...defaultHost(name), ...settings[name] }),
      readOrder: () => Effect.succeed([])
    })
  )))

const blob: Demand = { kind: "blob", size: 100_000_000 }
const head: Demand = { kind: "head", size: 0 }

/** Starts so many requests of a second each and counts those that run at once. */
const inParallel = Effect.fnUntraced(function*(host: string, count: number, demand: Demand) {
  const { enter } = yield* RateLimiter
  let [running, most] = [0, 0]
  const one = Effect.scoped(Effect.gen(function*() {
    yield* enter(host, demand)
    most = Math.max(most, ++running)
    yield* Effect.sleep("1 second")
    running--
  }))
  const all = yield* Effect.forkChild(Effect.all(Array.from({ length: count }, () => one), { concurrency: count }))
  yield* TestClock.adjust("1 minute")
  yield* Fiber.join(all)
  return most
})

describe("RateLimiter", () => {
  it.effect("streams three big blobs of a host at once", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inParallel("a", 12, blob), 3)
    }).pipe(Effect.provide(limiter())))

  it.effect("lets eight small requests run at once", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inParallel("a", 20, head), 8)
      assert.strictEqual(yield* inParallel("a", 20, { kind: "blob", size: 1000 }), 8)
    }).pipe(Effect.provide(limiter())))

  it.effect("takes reqConcurrent as the limit of everything", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inParallel("a", 12, blob), 5)
      assert.strictEqual(yield* inParallel("a", 12, head), 5)
    }).pipe(Effect.provide(limiter({ a: { reqConcurrent: 5 } }))))

  it.effect("keeps starts apart by reqPerSec", () =>
    Effect.gen(function*() {
      const { enter } = yield* RateLimiter
      const starts: Array<number> = []
      const one = Effect.scoped(Effect.andThen(
        enter("a", head),
        Effect.map(Clock.currentTimeMillis, (it) => starts.push(it))
      ))
      const all = yield* Effect.forkChild(Effect.all([one, one, one], { concurrency: 3 }))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(all)
      assert.deepStrictEqual(starts, [0, 500, 1000])
    }).pipe(Effect.provide(limiter({ a: { reqPerSec: 2 } }))))

  it.effect("asks for no second place inside of what is admitted", () =>
    Effect.gen(function*() {
      const { admit, enter } = yield* RateLimiter
      const inside = Effect.scoped(Effect.andThen(enter("a", head), enter("b", head)))
      yield* admit(["a", "b", "a"], blob)(Effect.andThen(inside, admit(["b"], blob)(inside)))
      yield* Effect.scoped(enter("a", head))
    }).pipe(Effect.provide(limiter({ a: { reqConcurrent: 1 }, b: { reqConcurrent: 1 } }))))

  it.effect("frees the place of who is interrupted, and of who waits no longer", () =>
    Effect.gen(function*() {
      const { enter } = yield* RateLimiter
      const hold = Effect.scoped(Effect.andThen(enter("a", head), Effect.never))
      const [first, second] = [yield* Effect.forkChild(hold), yield* Effect.forkChild(hold)]
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(second)
      const third = yield* Effect.forkChild(Effect.scoped(enter("a", head)))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(third.pollUnsafe())
      yield* Fiber.interrupt(first)
      yield* Fiber.join(third)
    }).pipe(Effect.provide(limiter({ a: { reqConcurrent: 1 } }))))

  it.effect("takes no place away from others when someone is interrupted before waiting", () =>
    Effect.gen(function*() {
      const { admit, enter } = yield* RateLimiter
      const first = yield* Effect.forkChild(Effect.scoped(Effect.andThen(enter("a", head), Effect.never)))
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.forkChild(admit(["a", "slow"], blob)(Effect.void))
      yield* TestClock.adjust("100 millis")
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(second))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(interrupting)
      const third = yield* Effect.forkChild(Effect.scoped(enter("a", head)))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(third.pollUnsafe())
      yield* Fiber.interrupt(first)
      yield* Fiber.join(third)
    }).pipe(Effect.provide(RateLimiter.layer.pipe(Layer.provide(Layer.succeed(
      Hosts,
      Hosts.of({
        get: (name) =>
          Effect.delay(Effect.succeed({ ...defaultHost(name), reqConcurrent: 1 }), name === "slow" ? 1000 : 0),
        readOrder: () => Effect.succeed([])
      })
    ))))))

  it.effect("gives spare places away that nobody waits for, and keeps two for who comes", () =>
    Effect.gen(function*() {
      const { admit, enter, spare } = yield* RateLimiter
      const [one, other] = [spare("a", blob), spare("b", blob)]
      // A request inside takes no second place.
      const many = (use: typeof one, host: string, count: number) =>
        Effect.forkChild(Effect.all(
          Array.from(
            { length: count },
            () => use(Effect.scoped(Effect.andThen(enter(host, blob), Effect.sleep("1 second"))))
          ),
          { concurrency: count }
        ))
      const held = yield* Effect.forkChild(admit(["a", "b"], blob)(Effect.sleep("1 second")))
      const running = [yield* many(one, "a", 10), yield* many(other, "b", 10)]
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(held)
      const taken = yield* Effect.forEach(running, (it) => Fiber.join(it))
      assert.deepStrictEqual(taken.map((it) => it.filter(Option.isSome).length), [6, 3])
      assert.isTrue(Option.isSome(yield* other(Effect.void)))
      // Somebody waits.
      const busy = yield* Effect.forkChild(Effect.all(
        Array.from({ length: 6 }, () => Effect.scoped(Effect.andThen(enter("b", head), Effect.sleep("1 second")))),
        { concurrency: 6 }
      ))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(Option.isNone(yield* other(Effect.void)))
      yield* Fiber.interrupt(busy)
    }).pipe(Effect.provide(limiter({ b: { reqConcurrent: 4 } }))))

  it.effect("copies in opposite directions without deadlock, starving neither blobs nor small requests", () =>
    Effect.gen(function*() {
      const { admit, enter } = yield* RateLimiter
      const done = { there: 0, back: 0, heads: 0 }
      const copy = (hosts: ReadonlyArray<string>, name: "there" | "back") =>
        Effect.gen(function*() {
          const size = yield* Random.nextIntBetween(1, 50_000_000)
          const time = yield* Random.nextIntBetween(100, 3_000)
          yield* admit(hosts, { kind: "blob", size })(Effect.scoped(
            Effect.andThen(Effect.andThen(enter("b", blob), enter("a", blob)), Effect.sleep(time))
          ))
          done[name]++
        })
      const look = Effect.gen(function*() {
        const before = yield* Clock.currentTimeMillis
        yield* Effect.scoped(Effect.andThen(enter("a", head), Effect.sleep(10)))
        done.heads++
        return (yield* Clock.currentTimeMillis) - before
      })
      const busy = yield* Effect.forkChild(Effect.all([
        ...Array.from({ length: 60 }, () => copy(["a", "b"], "there")),
        ...Array.from({ length: 60 }, () => copy(["b", "a"], "back"))
      ], { concurrency: "unbounded" }))
      const heads = yield* Effect.forkChild(Effect.all(Array.from({ length: 40 }, () => look)))
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(busy)
      const waits = yield* Fiber.join(heads)
      assert.deepStrictEqual(done, { there: 60, back: 60, heads: 40 })
      assert.isTrue(Math.max(...waits) <= 3_010)
    }).pipe(Random.withSeed("copies"), Effect.provide(limiter({ a: { reqConcurrent: 3 }, b: { reqConcurrent: 2 } }))))

  it.effect("admits a copy between two busy hosts in the end", () =>
    Effect.gen(function*() {
      const { admit, enter } = yield* RateLimiter
      const hold = (host: string) => Effect.scoped(Effect.andThen(enter(host, head), Effect.sleep(1000)))
      // Each host has always someone waiting and the two never fall free together.
      const busy = Effect.all([
        Effect.forever(hold("a")),
        Effect.forever(hold("a")),
        Effect.delay(Effect.forever(hold("b")), 500),
        Effect.delay(Effect.forever(hold("b")), 500)
      ], { concurrency: 4 })
      const crowd = yield* Effect.forkChild(busy)
      yield* TestClock.adjust("2 seconds")
      const copy = yield* Effect.forkChild(admit(["a", "b"], blob)(Effect.succeed("copied")))
      for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(copy), "copied")
      yield* Fiber.interrupt(crowd)
    }).pipe(Effect.provide(limiter({ a: { reqConcurrent: 1 }, b: { reqConcurrent: 1 } }))))

  it.effect("remembers what a host says of its pull limit", () =>
    Effect.gen(function*() {
      const { observe, quota } = yield* RateLimiter
      assert.isTrue(Option.isNone(yield* quota("a")))
      yield* observe("a", { limit: 100, remaining: 76, reset: 0, isSet: true, policies: [] })
      assert.strictEqual(Option.getOrThrow(yield* quota("a")).remaining, 76)
    }).pipe(Effect.provide(limiter())))
})
