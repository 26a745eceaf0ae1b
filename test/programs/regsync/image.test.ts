import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { storeError } from "../../../src/schemas/StoreError.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { byTag, makeImage, makeIndex } from "../../fixtures/images.ts"
import { makeWorld } from "./world.ts"

const [one, two] = [makeImage({ layers: ["one"] }), makeImage({ layers: ["two"] })]
const digestOf = ({ manifest }: typeof one) => manifest.descriptor.digest

const entry = (more = "", source = "a.example/app:v1", target = "b.example/app:v1") =>
  `sync: [{source: "${source}", target: "${target}", type: image${more}}]`

const digestAt = (repository: Repository, tag: string) =>
  repository.resolve(byTag(tag)).pipe(
    Effect.map(({ descriptor }) => descriptor.digest as string),
    Effect.catch(() => Effect.succeed("absent"))
  )

const refused = storeError("", "HttpStatus", "unexpected http status code: 405", { status: 405 })

describe("a backup", () => {
  for (
    const [backup, place, tag] of [
      ["old", "b.example/app", "old"],
      ["  old-{{.Ref.Tag}} ", "b.example/app", "old-v1"],
      ["b.example/backups:{{.Ref.Tag}}-{{.Step.Type}}", "b.example/backups", "v1-image"]
    ] as const
  ) {
    it.effect(`at ${JSON.stringify(backup)} keeps what was there, and only when something else comes`, () =>
      Effect.gen(function*() {
        const { at, logs, put, run } = makeWorld()
        yield* put("a.example/app", one, "v1")
        yield* put("b.example/app", two, "v1")
        const text = entry(`, backup: "${backup}"`)
        assert.isUndefined((yield* run(text)).failure)
        assert.strictEqual(yield* digestAt(at(place), tag), digestOf(two))
        assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(one))
        assert.strictEqual(logs[1], `INFO Saving backup original=b.example/app:v1 backup=${place}:${tag}`)
        yield* run(text)
        assert.strictEqual(yield* digestAt(at(place), tag), digestOf(two))
      }))
  }

  for (
    const [backup, message] of [
      ["{{.Foo}}", "Failed to expand backup template"],
      ["b.example/Backups:x", "Failed to parse backup reference"],
      ["a b", "Failed to parse backup reference"],
      ["{{if false}}x{{end}}", "Failed to parse backup reference"],
      ["v1", "Failed to parse backup reference"]
    ] as const
  ) {
    it.effect(`at ${JSON.stringify(backup)} cannot be made, and nothing is overwritten`, () =>
      Effect.gen(function*() {
        const { at, logs, put, run } = makeWorld()
        yield* put("a.example/app", one, "v1")
        yield* put("b.example/app", two, "v1")
        assert.strictEqual((yield* run(entry(`, backup: "${backup}"`))).summary.failed, 1)
        assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(two))
        assert.isTrue(logs[1]?.startsWith(`ERROR ${message} original=b.example/app:v1 `), logs[1])
      }))
  }

  const unwritable = (name: string) => name === "c.example/backups" ? { putManifest: () => Effect.fail(refused) } : {}

  it.effect("that fails stops the copy", () =>
    Effect.gen(function*() {
      const { at, logs, put, run } = makeWorld(unwritable)
      yield* put("a.example/app", one, "v1")
      yield* put("b.example/app", two, "v1")
      assert.strictEqual((yield* run(entry(", backup: \"c.example/backups:x\""))).summary.failed, 1)
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(two))
      assert.include(logs.join("\n"), "ERROR Failed to backup existing image original=b.example/app:v1 template=")
    }))

  it.effect("that fails is a warning where it is not required", () =>
    Effect.gen(function*() {
      const { at, logs, put, run } = makeWorld(unwritable)
      yield* put("a.example/app", one, "v1")
      yield* put("b.example/app", two, "v1")
      const { failure } = yield* run(entry(", backup: \"c.example/backups:x\", backupRequired: false"))
      assert.isUndefined(failure)
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(one))
      assert.include(logs.join("\n"), "WARN Failed to backup existing image original=b.example/app:v1 template=")
    }))

  it.effect("of an image that is not whole cannot be made, and does not stop the copy", () =>
    Effect.gen(function*() {
      const { at, logs, put, run } = makeWorld()
      yield* put("a.example/app", one, "v1")
      yield* put("b.example/app", two, "v1")
      const layer = two.blobs[1]?.[0]
      if (layer !== undefined) yield* at("b.example/app").deleteBlob(layer)
      assert.isUndefined((yield* run(entry(", backup: \"c.example/backups:x\""))).failure)
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(one))
      assert.include(logs.join("\n"), "WARN Failed to backup existing image original=b.example/app:v1 template=")
    }))
})

describe("a target that does not answer", () => {
  const silent = storeError("", "Timeout", "no answer")
  const world = () => makeWorld((name) => name === "b.example/app" ? { resolve: () => Effect.fail(silent) } : {})
  for (
    const [what, more, action] of [
      ["when only missing ones count", "", "missing"],
      ["when what is there is to be kept", ", backup: old", "copy"]
    ] as const
  ) {
    it.effect(`is not written ${what}`, () =>
      Effect.gen(function*() {
        const { asked, put, run } = world()
        yield* put("a.example/app", one, "v1")
        const { failure } = yield* run(entry(more), { action })
        assert.strictEqual(failure?.reason?._tag, "Timeout")
        assert.deepStrictEqual(asked.filter((it) => it.startsWith("PUT")), [])
      }))
  }

  it.effect("is stale to a check", () =>
    Effect.gen(function*() {
      const { put, run } = world()
      yield* put("a.example/app", one, "v1")
      const { failure, summary } = yield* run(entry(), { action: "check" })
      assert.isUndefined(failure)
      assert.strictEqual(summary.stale, 1)
    }))
})

describe("a platform", () => {
  const index = {
    manifest: makeIndex([
      { made: one, platform: { os: "linux", architecture: "amd64" } },
      { made: two, platform: { os: "linux", architecture: "arm64" } }
    ]),
    blobs: []
  }
  const seeded = Effect.gen(function*() {
    const world = makeWorld()
    yield* world.put("a.example/app", one, "one")
    yield* world.put("a.example/app", two, "two")
    yield* world.put("a.example/app", index, "v1", "v2")
    return world
  })

  it.effect("is copied as an image of its own, its index read once", () =>
    Effect.gen(function*() {
      const { asked, at, logs, run } = yield* seeded
      const text = entry(", platform: linux/arm64")
      yield* run(text)
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(two))
      assert.strictEqual(
        logs[0],
        `INFO Image sync needed source=a.example/app:v1@${digestOf(two)} target=b.example/app:v1`
      )
      yield* run(text)
      assert.deepStrictEqual(
        asked,
        ["HEAD a.example/app:v1", "HEAD b.example/app:v1"].concat("GET a.example/app@digest")
      )
      assert.strictEqual(
        logs[0],
        `DEBUG Image matches for platform source=a.example/app:v1@${
          digestOf(two)
        } platform=linux/arm64 target=b.example/app:v1`
      )
    }))

  it.effect("of an index that several tags name is looked up once a run", () =>
    Effect.gen(function*() {
      const { asked, run } = yield* seeded
      yield* run(
        "sync: [{source: a.example/app, target: b.example/app, type: repository, platform: linux/arm64, tags: {allow: [\"v.\"]}}]",
        {
          action: "check"
        }
      )
      assert.deepStrictEqual(asked.filter((it) => it.startsWith("GET")), ["GET a.example/app@digest"])
    }))

  for (
    const [platform, warning] of [
      [
        "linux/s390x",
        "WARN Platform could not be found in source manifest list platform=linux/s390x " +
        "err=platform not found: linux/s390x (there are linux/amd64, linux/arm64) platforms=linux/amd64, linux/arm64"
      ],
      [
        "li nux/x",
        "WARN Could not parse platform platform=li nux/x err=invalid platform component li nux in li nux/x"
      ]
    ] as const
  ) {
    it.effect(`${platform} is not there`, () =>
      Effect.gen(function*() {
        const { logs, run } = yield* seeded
        assert.strictEqual((yield* run(entry(`, platform: "${platform}"`))).summary.failed, 1)
        assert.strictEqual(logs[0], warning)
      }))
  }
})

describe("a source whose pulls run out", () => {
  const limited = (remaining: () => number) =>
    makeWorld((name, it) =>
      name !== "a.example/app" ? {} : {
        resolve: (reference) =>
          Effect.map(it.resolve(reference), ({ descriptor }) => ({
            descriptor,
            headers: { "ratelimit-limit": ["100;w=21600"], "ratelimit-remaining": [`${remaining()};w=21600`] }
          }))
      }
    )

  it.effect("is waited for, and others are copied meanwhile", () =>
    Effect.gen(function*() {
      let left = 3
      const { at, events, logs, put, run } = limited(() => left)
      yield* put("a.example/app", one, "v1")
      yield* put("c.example/app", one, "v1")
      const text = `sync:
- {source: "a.example/app:v1", target: "b.example/app:v1", type: image, ratelimit: {min: 10, retry: 15m}}
- {source: "c.example/app:v1", target: "b.example/other:v1", type: image}`
      const fiber = yield* Effect.forkChild(run(text, { parallel: 1 }))
      yield* TestClock.adjust("14 minutes")
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), "absent")
      assert.strictEqual(yield* digestAt(at("b.example/other"), "v1"), digestOf(one))
      const waited = logs.filter((it) => it.includes("rate limit"))
      assert.deepStrictEqual(waited, [
        "INFO Delaying for rate limit source=a.example/app:v1 source-remain=3 source-limit=100 step-min=10 sleep=15m0s"
      ])
      assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "Waiting").length, 1)
      left = 50
      yield* TestClock.adjust("1 minute")
      assert.isUndefined((yield* Fiber.join(fiber)).failure)
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(one))
      assert.include(logs, "DEBUG Rate limit passed source=a.example/app:v1 source-remain=50 step-min=10")
    }))

  it.effect("may have become another image by then, which is the one copied", () =>
    Effect.gen(function*() {
      let left = 3
      const { at, put, run } = limited(() => left)
      yield* put("a.example/app", one, "v1")
      const fiber = yield* Effect.forkChild(run(entry(", ratelimit: {min: 10}")))
      yield* TestClock.adjust("4 minutes")
      yield* put("a.example/app", two, "v1")
      left = 10
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* digestAt(at("b.example/app"), "v1"), digestOf(two))
    }))
})

describe("writes to one tag", () => {
  it.effect("never overlap, also of backups", () =>
    Effect.gen(function*() {
      let [now, most] = [0, 0]
      const { put, run } = makeWorld((name, it) =>
        name !== "b.example/app" ? {} : {
          putManifest: (manifest, how) =>
            Effect.gen(function*() {
              most = Math.max(most, ++now)
              yield* Effect.sleep("1 second")
              now--
              return yield* it.putManifest(manifest, how)
            })
        }
      )
      yield* put("a.example/app", one, "v1")
      yield* put("c.example/app", two, "v1")
      yield* put("b.example/app", makeImage({ layers: ["three"] }), "v1", "v2")
      const fiber = yield* Effect.forkChild(run(
        `sync:
- {source: "a.example/app:v1", target: "b.example/app:v1", type: image, backup: v2}
- {source: "c.example/app:v1", target: "b.example/app:v2", type: image, backup: v1}
- {source: "c.example/app:v1", target: "b.example/app:v1", type: image}`,
        { parallel: 4 }
      ))
      for (let second = 0; second < 10; second++) yield* TestClock.adjust("1 second")
      assert.isUndefined((yield* Fiber.join(fiber)).failure)
      assert.strictEqual(most, 1)
    }))
})

describe("what is attached", () => {
  const signature = (artifactType: string) =>
    makeImage({ layers: [artifactType], subject: one.manifest.descriptor, artifactType })
  const [good, other] = [signature("type/good"), signature("type/other")]
  const seeded = Effect.gen(function*() {
    const world = makeWorld()
    yield* world.put("a.example/app", one, "v1")
    yield* world.put("b.example/app", one, "v1")
    yield* world.put("a.example/app", good, "good")
    yield* world.put("a.example/app", other, "other")
    return world
  })
  const listed = (repository: Repository) =>
    Effect.map(
      repository.referrers(one.manifest.descriptor),
      ({ descriptors }) => descriptors.map(({ artifactType }) => artifactType).sort()
    )

  for (
    const [more, expected] of [
      [", referrers: true", ["type/good", "type/other"]],
      [", referrers: true, referrerFilters: [{artifactType: type/good}]", ["type/good"]],
      [", referrers: true, referrerFilters: []", ["type/good", "type/other"]],
      [", referrers: true, fastCheck: true", []],
      ["", []]
    ] as const
  ) {
    it.effect(`to an image that is current goes along: ${more || "nothing"}`, () =>
      Effect.gen(function*() {
        const { at, run } = yield* seeded
        assert.isUndefined((yield* run(entry(more))).failure)
        assert.deepStrictEqual(yield* listed(at("b.example/app")), [...expected])
      }))
  }

  it.effect("comes from and goes to other repositories where that is said", () =>
    Effect.gen(function*() {
      const { at, put, run } = yield* seeded
      yield* put("a.example/signatures", signature("type/elsewhere"), "x")
      const text = entry(
        ", referrers: true, referrerSource: a.example/signatures, referrerTarget: b.example/signatures"
      )
      assert.isUndefined((yield* run(text)).failure)
      assert.deepStrictEqual(yield* listed(at("b.example/app")), [])
      assert.deepStrictEqual(yield* listed(at("b.example/signatures")), ["type/elsewhere"])
    }))

  it.effect("goes nowhere when its place cannot be read", () =>
    Effect.gen(function*() {
      const { asked, logs, run } = yield* seeded
      assert.strictEqual((yield* run(entry(", referrers: true, referrerTarget: \"B/C:x\""))).summary.failed, 1)
      assert.strictEqual(
        logs[1],
        "ERROR failed to parse referrer target reference referrerTarget=B/C:x error=invalid reference \"B/C:x\", repo must be lowercase"
      )
      assert.deepStrictEqual(asked.filter((it) => it.startsWith("PUT")), [])
    }))
})
