import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { Warnings } from "../../src/services/Warnings.ts"

/** The warnings logged while an effect runs. */
const logged = (headers: ReadonlyArray<ReadonlyArray<string>>) => {
  const texts: Array<unknown> = []
  const logger = Logger.make<unknown, void>(({ fiber }) => {
    texts.push(fiber.getRef(References.CurrentLogAnnotations)["warning"])
  })
  return Effect.gen(function*() {
    const { observe } = yield* Warnings
    for (const it of headers) yield* observe(it)
    return texts
  }).pipe(Effect.provide(Warnings.layer), Effect.provide(Logger.layer([logger])))
}

describe("Warnings", () => {
  it.effect("logs each text once", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* logged([["299 - \"old \\\"one\\\"\"", "299 - \"b\""], ["299 r \"b\"", "199 - \"misc\"", "garbage"]]),
        ["old \"one\"", "b"]
      )
    }))

  it.effect("escapes what would forge a line and stops at 4,096 characters in all", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 50 }, (_, index) => `299 - "${index} ${"x".repeat(500)}"`)
      const texts = yield* logged([["299 - \"a\u001b[2J\u202eb\""], many, [`299 - "${"y".repeat(9_000)}"`]])
      assert.strictEqual(texts[0], "a\\x1b[2J\\u202eb")
      assert.strictEqual(texts.length, 9)
    }))
})
