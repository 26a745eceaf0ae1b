import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { composeManifest } from "../../../src/schemas/compose.ts"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import { Location, Reference, Tag } from "../../../src/schemas/Ref.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { caching } from "../../../src/services/repository/cached.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"

const index = (text: string) =>
  Effect.fromResult(composeManifest({ mediaType: mediaTypes.ociIndex, manifests: [], annotations: { text } }))

/** A repository that counts what it is asked. */
const counted = (repository: Repository) => {
  const asked = { manifest: 0, referrers: 0, resolve: 0 }
  const counting: Repository = {
    ...repository,
    manifest: (...args) => Effect.suspend(() => (asked.manifest++, repository.manifest(...args))),
    referrers: (...args) => Effect.suspend(() => (asked.referrers++, repository.referrers(...args))),
    resolve: (...args) => Effect.suspend(() => (asked.resolve++, repository.resolve(...args)))
  }
  return { asked, counting }
}

const setUp = (count: number) =>
  Effect.gen(function*() {
    const place = memoryStore().open(Location.Registry({ registry: "memory", repository: "one" }))
    const { asked, counting } = counted(place)
    const kept = caching({ count, time: 60_000 })(counting)
    const [one, two] = [yield* index("one"), yield* index("two")]
    yield* kept.putManifest(one, { tag: Tag.make("v1") })
    yield* kept.putManifest(two)
    const get = ({ descriptor: { digest } }: typeof one) => kept.manifest(Reference.ByDigest({ digest }))
    return { asked, get, kept, one, two }
  })

describe("answers of a repository that are kept", () => {
  it.effect("save requests until their time is over", () =>
    Effect.gen(function*() {
      const { asked, get, kept, one } = yield* setUp(10)
      for (let n = 0; n < 3; n++) {
        assert.strictEqual((yield* get(one)).annotations["text"], "one")
        yield* kept.referrers(one.descriptor)
      }
      assert.deepStrictEqual(asked, { manifest: 1, referrers: 1, resolve: 0 })
      yield* TestClock.adjust("1 minute")
      yield* get(one)
      yield* kept.referrers(one.descriptor)
      assert.deepStrictEqual(asked, { manifest: 2, referrers: 2, resolve: 0 })
    }))

  it.effect("are no more than so many", () =>
    Effect.gen(function*() {
      const { asked, get, one, two } = yield* setUp(1)
      for (const manifest of [one, two, one]) yield* get(manifest)
      assert.strictEqual(asked.manifest, 3)
    }))

  it.effect("are none of tags, nor of what is only looked up", () =>
    Effect.gen(function*() {
      const { asked, kept } = yield* setUp(10)
      const tag = Reference.ByTag({ tag: Tag.make("v1") })
      for (let n = 0; n < 2; n++) {
        yield* kept.manifest(tag)
        yield* kept.resolve(tag)
      }
      assert.deepStrictEqual(asked, { manifest: 2, referrers: 0, resolve: 2 })
    }))
})
