import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { collect, fromPump } from "../../src/services/Bytes.ts"

/** A source that fills its one buffer again once it is released. */
const reusing = fromPump((sink) =>
  Effect.sync(() => {
    const buffer = Buffer.alloc(1)
    for (const value of [1, 2, 3]) {
      buffer[0] = value
      sink(buffer, () => buffer.fill(0))
    }
  })
)

describe("views of a pump", () => {
  it.effect("are copied before their memory is used again, for a whole", () =>
    Effect.map(collect(reusing, 10), (whole) => assert.deepStrictEqual([...whole], [1, 2, 3])))

  it.effect("are not shared with the elements of a stream", () =>
    Effect.gen(function*() {
      const buffer = Buffer.from([7])
      const views = yield* Stream.runCollect(fromPump((sink) => Effect.sync(() => sink(buffer, () => buffer.fill(0)))))
      assert.deepStrictEqual(views.map((view) => [...view]), [[7]])
    }))
})
