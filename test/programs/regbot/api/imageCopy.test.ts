import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LuaTable } from "../../../../src/lib/lua/border.ts"
import { imageCopy } from "../../../../src/programs/regbot/api/imageCopy.ts"
import { objectOf } from "../../../../src/programs/regbot/api/objects.ts"
import { parseRef } from "../../../../src/schemas/Ref.ts"
import { byDigest, byTag, makeImage, makeIndex, push } from "../../../fixtures/images.ts"
import { luaOf, type Plain } from "../../../support/luaValues.ts"
import { answer, raised } from "../../../support/scriptRuns.ts"
import { imageRuns } from "./imageRuns.ts"

const amd = makeImage({ layers: ["base", "amd"] })
const arm = makeImage({ layers: ["base", "arm"], architecture: "arm64" })
const index = makeIndex([
  { made: amd, platform: { os: "linux", architecture: "amd64" } },
  { made: arm, platform: { os: "linux", architecture: "arm64" } }
])

/** An image and an index at `r.test/a`. */
const world = (options: Parameters<typeof imageRuns>[0] = {}) =>
  Effect.gen(function*() {
    const runs = imageRuns(options)
    yield* push(runs.at("r.test/a"), amd, "v1")
    yield* push(runs.at("r.test/a"), arm)
    yield* push(runs.at("r.test/a"), { manifest: index, blobs: [] }, "multi")
    const run = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, runs.layer)
    const copy = (...args: ReadonlyArray<Plain>) => run(answer(imageCopy, ...args.map(luaOf)))
    const refused = (...args: ReadonlyArray<Plain>) => run(raised(imageCopy, ...args.map(luaOf)))
    const digestAt = (name: string, tag: string) =>
      Effect.map(runs.at(name).resolve(byTag(tag)), ({ descriptor }) => descriptor.digest)
    return { ...runs, run, copy, refused, digestAt }
  })

describe("image.copy", () => {
  it.effect("copies, says so, and closes its target", () =>
    Effect.gen(function*() {
      const { closed, copy, digestAt, log } = yield* world()
      assert.deepStrictEqual((yield* copy("r.test/a:v1", "s.test/b:v2")).values, [])
      assert.strictEqual(yield* digestAt("s.test/b", "v2"), amd.manifest.descriptor.digest)
      assert.deepStrictEqual(closed, ["s.test/b"])
      assert.deepStrictEqual(log, [
        "INFO Copy image script=s source=r.test/a:v1 target=s.test/b:v2 digestTags=false forceRecursive=false" +
        " includeExternal=false dry-run=false"
      ])
    }))

  it.effect("takes references as objects", () =>
    Effect.gen(function*() {
      const { digestAt, run } = yield* world()
      const reference = objectOf("reference", { ref: yield* Effect.fromResult(parseRef("s.test/b:obj")) })
      yield* run(answer(imageCopy, "r.test/a:v1", reference))
      assert.strictEqual(yield* digestAt("s.test/b", "obj"), amd.manifest.descriptor.digest)
    }))

  it.effect("takes options of another type and unknown ones for nothing, as ever", () =>
    Effect.gen(function*() {
      const { copy, log } = yield* world()
      yield* copy("r.test/a:v1", "s.test/b:1", { digestTags: true, forceRecursive: "yes", platforms: "linux", foo: 1 })
      yield* copy("r.test/a:v1", "s.test/b:2", "x")
      yield* copy("r.test/a:v1", "s.test/b:3", { digestTags: true }, 1)
      assert.deepStrictEqual(log.map((it) => it.slice(0, 100)), [
        "INFO Copy image script=s source=r.test/a:v1 target=s.test/b:1 digestTags=true forceRecursive=false i",
        "INFO Copy image script=s source=r.test/a:v1 target=s.test/b:2 digestTags=false forceRecursive=false ",
        "INFO Copy image script=s source=r.test/a:v1 target=s.test/b:3 digestTags=false forceRecursive=false "
      ])
    }))

  it.effect("copies one platform in place of an index, by all in one table", () =>
    Effect.gen(function*() {
      const { copy, digestAt } = yield* world()
      yield* copy({ source: "r.test/a:multi", target: "s.test/b:arm", platform: "linux/arm64" })
      assert.strictEqual(yield* digestAt("s.test/b", "arm"), arm.manifest.descriptor.digest)
    }))

  it.effect("copies the content of some platforms of an index", () =>
    Effect.gen(function*() {
      const { at, copy, digestAt } = yield* world()
      yield* copy("r.test/a:multi", "s.test/b:some", { platforms: ["linux/arm64"] })
      assert.strictEqual(yield* digestAt("s.test/b", "some"), index.descriptor.digest)
      const missing = yield* Effect.flip(at("s.test/b").resolve(byDigest(amd.manifest.descriptor.digest)))
      assert.strictEqual(missing.reason._tag, "NotFound")
    }))

  it.effect("copies referrers elsewhere", () =>
    Effect.gen(function*() {
      const { at, run } = yield* world()
      const sbom = makeImage({ layers: ["sbom"], subject: amd.manifest.descriptor, artifactType: "text/sbom" })
      yield* push(at("r.test/a"), sbom)
      const { fields } = luaOf({ referrers: true, fast: true, referrersTgt: "t.test/referrers" }) as LuaTable
      yield* run(answer(imageCopy, { fields, list: ["r.test/a:v1", "s.test/b"] }))
      const found = yield* at("t.test/referrers").referrers(amd.manifest.descriptor)
      assert.deepStrictEqual(found.descriptors.map((it) => it.digest), [sbom.manifest.descriptor.digest])
    }))

  it.effect("names the argument that is wrong", () =>
    Effect.gen(function*() {
      const { log, refused } = yield* world()
      assert.strictEqual(yield* refused("r.test/a:v1"), "bad argument #2: reference expected")
      assert.strictEqual(
        yield* refused("r.test/a:v1", "A//b"),
        "bad argument #2: reference parsing failed: invalid reference \"A//b\""
      )
      assert.strictEqual(yield* refused({}), "bad argument #1: source: reference expected")
      const ends = { source: "r.test/a:v1", target: "s.test/b" }
      assert.strictEqual(
        yield* refused({ ...ends, referers: true }),
        "bad argument #1: unknown option \"referers\""
      )
      assert.strictEqual(
        yield* refused({ ...ends, digestTags: "x" }),
        "bad argument #1: option \"digestTags\": boolean expected, got string"
      )
      assert.strictEqual(
        yield* refused("r.test/a:v1", "s.test/b", { platform: true }),
        "bad argument #3: option \"platform\": string expected, got boolean"
      )
      assert.strictEqual(
        yield* refused("r.test/a:v1", "s.test/b", { referrersSrc: "r.test/x" }),
        "bad argument #3: referrers must be enabled to specify an external referrers source or target"
      )
      assert.deepStrictEqual(log, [])
    }))

  it.effect("raises what went wrong, and tells those who watch", () =>
    Effect.gen(function*() {
      const { published, refused } = yield* world()
      const message = yield* refused("r.test/a:none", "s.test/b:v2")
      assert.match(
        message,
        /^Failed copying "r.test\/a:none" to "s.test\/b:v2": copy failed, error getting source: .*not found/
      )
      const last = published.at(-1)
      assert.strictEqual(last?._tag, "PairEnded")
      if (last?._tag !== "PairEnded") return
      assert.strictEqual(last.result.outcome, "failed")
      assert.strictEqual(last.result.reason, "NotFound")
    }))

  it.effect("tells those who watch what it moves", () =>
    Effect.gen(function*() {
      const { copy, published } = yield* world()
      yield* copy("r.test/a:v1", "s.test/b:v2")
      assert.strictEqual(published[0]?._tag, "PairStarted")
      assert.isTrue(published.some((it) => it._tag === "Copying" && it.event._tag === "Finished"))
      const last = published.at(-1)
      assert.deepInclude(last?._tag === "PairEnded" ? last.result : {}, {
        job: "s",
        source: "r.test/a:v1",
        target: "s.test/b:v2",
        outcome: "copied",
        saved: 0
      })
      yield* copy("r.test/a:v1", "s.test/b:v2")
      const again = published.at(-1)
      assert.deepInclude(again?._tag === "PairEnded" ? again.result : {}, { outcome: "current", bytes: 0 })
    }))

  it.effect("writes nothing in a dry run, sums up what it would have taken, and sees it there", () =>
    Effect.gen(function*() {
      const { at, copy, log, published, run } = yield* world({ isDry: true })
      yield* run(Effect.gen(function*() {
        yield* answer(imageCopy, "r.test/a:v1", "s.test/b:v2")
        yield* answer(imageCopy, "s.test/b:v2", "t.test/c:v3")
      }))
      yield* copy("r.test/a:v1", "s.test/b:v2")
      assert.match(log[0] ?? "", /^INFO Copy image .* dry-run=true$/)
      assert.strictEqual(
        log[1],
        "DEBUG Dry run of copy script=s source=r.test/a:v1 target=s.test/b:v2 blobs=3 manifests=1 mounts=0 bytes=785" +
          " requests=10"
      )
      assert.match(log[3] ?? "", /^DEBUG Dry run of copy script=s source=s.test\/b:v2 target=t.test\/c:v3 blobs=3 /)
      const absent = yield* Effect.flip(at("s.test/b").resolve(byTag("v2")))
      assert.strictEqual(absent.reason._tag, "NotFound")
      assert.deepStrictEqual(published.map(({ _tag }) => _tag).slice(0, 2), ["PairStarted", "PairEnded"])
    }))
})
