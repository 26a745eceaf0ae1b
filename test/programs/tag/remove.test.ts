import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../../src/programs/tag/remove.ts"
import { Reference, Tag } from "../../../src/schemas/Ref.ts"
import { emptyIndex, inMemory } from "../../support/memory.ts"

describe("tag delete", () => {
  it.effect("removes one tag and leaves another on the same manifest", () =>
    Effect.gen(function*() {
      const { at, layer } = inMemory()
      const manifest = emptyIndex("a")
      for (const tag of ["v1", "v2"]) yield* at("r.example/app").putManifest(manifest, { tag: Tag.make(tag) })
      yield* Effect.provide(run({ ignoreMissing: false, args: ["r.example/app:v1"] }), layer)
      const left = yield* at("r.example/app").resolve(Reference.ByTag({ tag: Tag.make("v2") }))
      assert.strictEqual(left.descriptor.digest, manifest.descriptor.digest)
      const gone = yield* Effect.flip(at("r.example/app").resolve(Reference.ByTag({ tag: Tag.make("v1") })))
      assert.strictEqual(gone.reason._tag, "NotFound")
    }))

  it.effect("fails for a tag that is not there unless that does not matter", () =>
    Effect.gen(function*() {
      const { layer } = inMemory()
      const error = yield* Effect.flip(
        Effect.provide(run({ ignoreMissing: false, args: ["r.example/app:v1"] }), layer)
      )
      assert.strictEqual("reason" in error ? error.reason._tag : error._tag, "NotFound")
      yield* Effect.provide(run({ ignoreMissing: true, args: ["r.example/app:v1"] }), layer)
    }))
})
