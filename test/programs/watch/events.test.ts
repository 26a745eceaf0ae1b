import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { changes } from "../../../src/programs/watch/events.ts"
import { empty, observe } from "../../../src/programs/watch/model.ts"
import { SyncEvent } from "../../../src/schemas/Sync.ts"
import { configuredWith, jobOf } from "./watching.ts"

const surroundings = { tool: "regsync", version: "v1", canRun: false }

const texts = (stream: Stream.Stream<Uint8Array>, count: number) =>
  Effect.map(Stream.runCollect(Stream.take(Stream.decodeText(stream), count)), (parts) => [...parts])

const first = [
  "event: state\ndata: ",
  "{\"tool\":\"regsync\",\"version\":\"v1\",\"canRun\":false,\"began\":\"1970-01-01T00:00:00.000Z\",",
  "\"time\":\"1970-01-01T00:00:00.000Z\",\"ready\":false,\"quotas\":[],\"failures\":[],\"jobs\":[]}\n\n"
].join("")

describe("the event stream", () => {
  it.effect("begins with everything and shows by comments that it lives", () =>
    Effect.gen(function*() {
      const model = empty(0)
      const fiber = yield* Effect.forkChild(texts(changes(surroundings, () => model), 3))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), [first, ": still here\n\n", ": still here\n\n"])
    }))

  it.effect("gathers what changes within half a second", () =>
    Effect.gen(function*() {
      let model = observe(empty(0), configuredWith(jobOf("alpine"), jobOf("debian")))
      const fiber = yield* Effect.forkChild(texts(changes(surroundings, () => model), 2))
      yield* TestClock.adjust("100 millis")
      for (const job of ["alpine", "debian", "alpine"]) {
        model = observe(model, SyncEvent.JobStarted({ job, action: "copy", time: 1 }))
      }
      yield* TestClock.adjust("300 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      const [, change = ""] = yield* Fiber.join(fiber)
      assert.match(change, /^event: change\ndata: .*\n\n$/)
      assert.deepStrictEqual([...change.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name), ["alpine", "debian"])
    }))
})
