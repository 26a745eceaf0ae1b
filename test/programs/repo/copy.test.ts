import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { run } from "../../../src/programs/repo/copy.ts"
import type { CopyEvent } from "../../../src/schemas/Copy.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"
import { at, makeImage, push } from "../../fixtures/images.ts"

const options = { concurrent: 2, exclude: [], include: [], newTags: false, referrers: false }
const args = ["a.example/app", "b.example/app"]

const unlimited = RateLimiter.of({
  admit: () => (effect) => effect,
  enter: () => Effect.void,
  spare: () => () => Effect.succeedNone,
  observe: () => Effect.void,
  quota: () => Effect.succeedNone
})

type Otherwise = (it: Repository) => Partial<Repository>

/** Two repositories; `target` and `source` say how they behave otherwise. */
const setup = (target: Otherwise = () => ({}), source: Otherwise = () => ({})) => {
  const store = memoryStore()
  const events: Array<CopyEvent> = []
  let displays = 0
  const layer = Layer.mergeAll(
    Layer.succeed(
      Repositories,
      Repositories.of({
        open: (location) => {
          const repository = store.open(location)
          const isTarget = location._tag === "Registry" && location.registry === "b.example"
          return Effect.succeed(
            isTarget ? { ...repository, ...target(repository) } : { ...repository, ...source(repository) }
          )
        }
      })
    ),
    Layer.succeed(RateLimiter, unlimited),
    Layer.succeed(
      Progress,
      Progress.of({
        report: (it) => {
          displays++
          return Stream.runForEach(it, (event) => Effect.sync(() => void events.push(event)))
        }
      })
    )
  )
  const [from, to] = [store.open(at("a.example", "app")), store.open(at("b.example", "app"))]
  const tags = Effect.map(Stream.runCollect(to.tags()), (pages) => pages.flatMap(({ names }) => names).sort())
  return {
    from,
    to,
    tags,
    events,
    displays: () => displays,
    copy: (more = {}) => Effect.provide(run({ ...options, ...more, args }), layer)
  }
}

const image = (text: string) => makeImage({ layers: [text] })
const digestTag = `sha256-${"0".repeat(64)}`

describe("repo copy", () => {
  it.effect("copies the tags that are wanted, under one display", () =>
    Effect.gen(function*() {
      const { copy, displays, from, tags } = setup()
      for (const tag of ["v1", "v2", "v2-rc", "main", digestTag]) yield* push(from, image(tag), tag)
      yield* copy({ include: ["v.*"], exclude: [".*-rc"] })
      assert.deepStrictEqual(yield* tags, ["v1", "v2"])
      assert.strictEqual(displays(), 1)
      yield* copy({ concurrent: 0 })
      assert.deepStrictEqual(yield* tags, ["main", digestTag, "v1", "v2", "v2-rc"])
    }))

  it.effect("leaves tags that are there alone when only new ones are asked for", () =>
    Effect.gen(function*() {
      const { copy, from, tags, to } = setup()
      const old = yield* push(to, image("old"), "v1")
      yield* push(from, image("new"), "v1")
      yield* push(from, image("two"), "v2")
      yield* copy({ newTags: true })
      assert.deepStrictEqual(yield* tags, ["v1", "v2"])
      const { descriptor } = yield* to.resolve({ _tag: "ByTag", tag: Tag.make("v1") })
      assert.strictEqual(descriptor.digest, old.digest)
    }))

  it.effect("sends a blob once that images copied at once have in common", () =>
    Effect.gen(function*() {
      const arrival = yield* Deferred.make<void>()
      const began = yield* Deferred.make<void>()
      const sent: Array<string> = []
      const { copy, events, from, tags } = setup((to) => ({
        putBlob: (content, expected) =>
          Effect.gen(function*() {
            sent.push(expected?.digest ?? "")
            yield* Deferred.succeed(began, undefined)
            yield* Deferred.await(arrival)
            return yield* to.putBlob(content, expected)
          })
      }))
      for (const tag of ["a", "b", "c"]) {
        yield* push(from, makeImage({ layers: ["common", tag] }), tag)
      }
      const running = yield* Effect.forkChild(copy({ concurrent: 3 }))
      yield* Deferred.await(began)
      yield* Effect.yieldNow
      yield* Deferred.succeed(arrival, undefined)
      yield* Fiber.join(running)
      assert.deepStrictEqual(yield* tags, ["a", "b", "c"])
      assert.strictEqual(new Set(sent).size, sent.length)
      assert.lengthOf(sent, 7)
      const outcomes = events.flatMap((it) => it._tag === "Finished" && it.step._tag === "Blob" ? [it.how] : [])
      assert.deepStrictEqual(outcomes.sort(), [...Array(7).fill("copied"), "present", "present"])
    }))

  it.effect("tells the first failure, and of which tag it is", () =>
    Effect.gen(function*() {
      const { copy, from, tags } = setup(() => ({
        putBlob: () => Effect.fail(storeError("failed to put blob", "Forbidden", "no"))
      }))
      yield* push(from, image("one"), "v1")
      yield* push(from, image("one"), "v2")
      const error = yield* Effect.flip(copy())
      assert.match(error.message, /^failed to copy tag v[12]: failed to copy blob: failed to put blob: no$/)
      assert.deepStrictEqual(yield* tags, [])
    }))

  it.effect("begins no further image after a failure", () =>
    Effect.gen(function*() {
      const put: Array<string> = []
      const { copy, from } = setup(() => ({
        putManifest: (_, { tag = "" } = {}) => {
          put.push(tag)
          return Effect.fail(storeError("failed to put manifest", "Forbidden", "no"))
        }
      }))
      for (const tag of ["v1", "v2", "v3"]) yield* push(from, image(tag), tag)
      const error = yield* Effect.flip(copy({ concurrent: 1 }))
      assert.strictEqual(error.message, "failed to copy tag v1: failed to put manifest: no")
      assert.deepStrictEqual(put, ["v1"])
    }))

  it.effect("puts tags named after digests when all others are done", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const { copy, from } = setup((to) => ({
        putManifest: (manifest, how) => {
          order.push(how?.tag ?? "")
          return to.putManifest(manifest, how)
        }
      }))
      for (const tag of [digestTag, "zz"]) yield* push(from, image(tag), tag)
      yield* copy({ concurrent: 1 })
      assert.deepStrictEqual(order, ["zz", digestTag])
    }))

  it.effect("copies what has a name, and fails for names that no reference can hold", () =>
    Effect.gen(function*() {
      const { copy, from, tags } = setup(() => ({}), (it) => ({
        tags: (page) => Stream.map(it.tags(page), (found) => ({ ...found, skipped: 2 }))
      }))
      yield* push(from, image("one"), "v1")
      const error = yield* Effect.flip(copy())
      assert.strictEqual(
        error.message,
        "failed to list tags in a.example/app: invalid reference: 2 names are not allowed"
      )
      assert.deepStrictEqual(yield* tags, ["v1"])
    }))

  it.effect("refuses expressions it cannot read, and names the flag", () =>
    Effect.gen(function*() {
      const { copy } = setup()
      assert.strictEqual(
        (yield* Effect.flip(copy({ include: ["("] }))).message,
        "failed to parse include regexp: \"(\", error parsing regexp: missing closing ): `^($`"
      )
      assert.match((yield* Effect.flip(copy({ exclude: ["("] }))).message, /^failed to parse exclude regexp: "\(", /)
    }))
})
