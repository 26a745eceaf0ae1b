import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { once } from "../../../src/programs/copy/sent.ts"
import { together } from "../../../src/programs/copy/together.ts"
import { CopyEvent, CopyStep, type How } from "../../../src/schemas/Copy.ts"
import { type Location, locationName } from "../../../src/schemas/Ref.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { descriptorOf, encode } from "../../fixtures/content.ts"
import { at } from "../../fixtures/images.ts"

const blob = descriptorOf(encode("blob"))
const place = at("r.example", "app")
const moving = (move: Effect.Effect<How | "missing", string>) => once(place, blob.digest, () => move)

describe("copies together", () => {
  it.effect("are shown as one, their steps told apart", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const display = Layer.succeed(
        Progress,
        Progress.of({
          report: (events) => Stream.runForEach(events, ({ step }) => Effect.sync(() => void seen.push(step.id)))
        })
      )
      const step = CopyStep.Skip({ id: "same", lane: "content", descriptor: blob, needs: [] })
      const copy = Effect.flatMap(Progress, ({ report }) => report(Stream.make(CopyEvent.Planned({ step }))))
      yield* Effect.provide(together(Effect.andThen(copy, copy)), display)
      assert.deepStrictEqual(seen, ["1 same", "2 same"])
    }))

  it.effect("fail as the one that fails", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(together(Effect.fail("broken")), Progress.layerSilent))
      assert.strictEqual(error, "broken")
    }))

  it.effect("wait for a blob that another one moves, and move it themselves when that did not work", () =>
    Effect.gen(function*() {
      const first = yield* Deferred.make<How, string>()
      const outcomes: Array<string> = []
      const run = Effect.gen(function*() {
        const failing = yield* Effect.forkChild(Effect.exit(moving(Deferred.await(first))))
        const waiting = yield* Effect.forkChild(moving(Effect.succeed("copied")))
        yield* Effect.yieldNow
        yield* Deferred.fail(first, "gone")
        yield* Fiber.join(failing)
        outcomes.push(yield* Fiber.join(waiting), yield* moving(Effect.die("not asked for")))
      })
      yield* Effect.provide(together(run), Progress.layerSilent)
      assert.deepStrictEqual(outcomes, ["copied", "present"])
    }))

  it.effect("mount in one repository what another copy brought to one of the same registry, once it is there", () =>
    Effect.gen(function*() {
      const first = yield* Deferred.make<How, string>()
      const told: Array<string> = []
      const second = at("r.example", "second")
      const other = at("other.example", "app")
      const noting = (place: Location, how: How) =>
        once(place, blob.digest, (mountable) => {
          told.push(`${locationName(place)} from ${mountable === undefined ? "nowhere" : locationName(mountable)}`)
          return Effect.succeed(how)
        })
      const run = Effect.gen(function*() {
        const moves = yield* Effect.forkChild(moving(Deferred.await(first)))
        const waits = yield* Effect.forkChild(noting(second, "mounted"))
        yield* noting(other, "copied")
        assert.deepStrictEqual(told, ["other.example/app from nowhere"])
        yield* Deferred.succeed(first, "copied")
        yield* Fiber.join(moves)
        yield* Fiber.join(waits)
      })
      yield* Effect.provide(together(run), Progress.layerSilent)
      assert.deepStrictEqual(told, ["other.example/app from nowhere", "r.example/second from r.example/app"])
    }))

  it.effect("bring it themselves where the one they waited for failed, one of them for the others", () =>
    Effect.gen(function*() {
      const first = yield* Deferred.make<How, string>()
      const told: Array<string> = []
      const noting = (name: string) =>
        once(at("r.example", name), blob.digest, (mountable) => {
          told.push(mountable === undefined ? "brought" : `mounted from ${locationName(mountable)}`)
          return Effect.succeed(mountable === undefined ? "copied" : "mounted")
        })
      const run = Effect.gen(function*() {
        const fails = yield* Effect.forkChild(Effect.exit(moving(Deferred.await(first))))
        const waits = yield* Effect.forkChild(Effect.all([noting("b"), noting("c")], { concurrency: 2 }))
        yield* Effect.yieldNow
        yield* Deferred.fail(first, "gone")
        yield* Fiber.join(fails)
        yield* Fiber.join(waits)
      })
      yield* Effect.provide(together(run), Progress.layerSilent)
      assert.deepStrictEqual(told, ["brought", "mounted from r.example/b"])
    }))

  it.effect("are not needed for a copy on its own, which remembers nothing", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* moving(Effect.succeed("copied")), "copied")
      assert.strictEqual(yield* moving(Effect.succeed("mounted")), "mounted")
    }))
})
