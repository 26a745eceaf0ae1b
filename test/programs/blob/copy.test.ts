import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../../src/programs/blob/copy.ts"
import { collect, fromBytes } from "../../../src/services/Bytes.ts"
import { inMemory } from "../../support/memory.ts"

describe("blob copy", () => {
  for (const target of ["r.example/other", "elsewhere.example/app", "r.example/app"]) {
    it.effect(`leaves the bytes at ${target}`, () =>
      Effect.gen(function*() {
        const { at, layer } = inMemory()
        const blob = yield* at("r.example/app").putBlob(fromBytes(new TextEncoder().encode("hello\n")))
        yield* Effect.provide(run({ args: ["r.example/app", target, blob.digest] }), layer)
        assert.strictEqual(new TextDecoder().decode(yield* collect(at(target).blob(blob), 10)), "hello\n")
      }))
  }

  it.effect("fails for a blob that is not there", () =>
    Effect.gen(function*() {
      const digest = `sha256:${"0".repeat(64)}`
      const error = yield* Effect.flip(
        Effect.provide(run({ args: ["r.example/app", "r.example/b", digest] }), inMemory().layer)
      )
      assert.strictEqual("reason" in error ? error.reason._tag : error._tag, "NotFound")
    }))
})
