import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { storeError } from "../../src/schemas/StoreError.ts"
import { fromPump, pumpOf } from "../../src/services/Bytes.ts"
import { gathered } from "../../src/services/gathered.ts"

/** Hands over views of these sizes, counting what was released, whether the sink keeps up or not. */
const views = (sizes: ReadonlyArray<number>, seen: { released: number }) =>
  fromPump((sink) =>
    Effect.sync(() => {
      let next = 0
      for (const size of sizes) sink(new Uint8Array(size).map(() => next++), () => void seen.released++)
    })
  )

describe("gathered bytes", () => {
  for (const sizes of [[1, 1, 1, 1, 1], [12], [3, 9, 0, 4], [4, 4], []]) {
    it.effect(`of views of ${sizes.join(", ") || "no"} bytes come in pieces of one size`, () =>
      Effect.gen(function*() {
        const seen = { released: 0 }
        const [pieces, bytes]: [Array<number>, Array<number>] = [[], []]
        const later: Array<() => void> = []
        const pump = gathered(pumpOf(views(sizes, seen)), 4)
        yield* pump((view, release) => {
          pieces.push(view.length)
          bytes.push(...view)
          // Some come back at once, some when others have gone.
          if (pieces.length % 2 === 0) release()
          else later.push(release)
          if (later.length > 1) later.shift()?.()
        })
        const total = sizes.reduce((sum, size) => sum + size, 0)
        assert.deepStrictEqual(bytes, Array.from({ length: total }, (_, at) => at))
        assert.deepStrictEqual(pieces.slice(0, -1), pieces.slice(0, -1).map(() => 4))
        assert.strictEqual(pieces.length, Math.ceil(total / 4))
        assert.strictEqual(seen.released, sizes.length)
      }))
  }

  it.effect("fail as the sink does, also when it fails after a piece came back", () =>
    Effect.gen(function*() {
      const seen = { released: 0 }
      let pieces = 0
      const kept: Array<() => void> = []
      const pump = gathered(pumpOf(views([4, 4, 4, 4], seen)), 4)
      const running = pump((_, release) => {
        if (++pieces > 2) throw storeError("", "FsNoSpace", "full")
        kept.push(release)
      })
      const fiber = yield* Effect.forkChild(Effect.flip(running))
      yield* Effect.yieldNow
      for (const release of kept) release()
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "FsNoSpace")
      assert.strictEqual(seen.released, 4)
    }))
})
