import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../../src/programs/manifest/remove.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { emptyIndex, inMemory } from "../../support/memory.ts"

const options = { forceTagDereference: false, ignoreMissing: false, referrers: false }

describe("manifest delete", () => {
  it.effect("wants a digest", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provide(run({ ...options, args: ["r.example/app:v1"] }), inMemory().layer)
      )
      assert.strictEqual(error.message, "digest required to delete manifest, reference r.example/app:v1")
    }))

  it.effect("follows a tag when forced to, and removes what it names", () =>
    Effect.gen(function*() {
      const { at, layer } = inMemory()
      const manifest = emptyIndex("a")
      yield* at("r.example/app").putManifest(manifest, { tag: Tag.make("v1") })
      yield* Effect.provide(run({ ...options, forceTagDereference: true, args: ["r.example/app:v1"] }), layer)
      const again = { ...options, args: [`r.example/app@${manifest.descriptor.digest}`] }
      const error = yield* Effect.flip(Effect.provide(run(again), layer))
      assert.strictEqual("reason" in error ? error.reason._tag : error._tag, "NotFound")
      yield* Effect.provide(run({ ...again, ignoreMissing: true }), layer)
    }))
})
