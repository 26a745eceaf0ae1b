import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { execute } from "../../../src/programs/copy/execute.ts"
import { plan, type PlanOptions } from "../../../src/programs/copy/plan.ts"
import type { CopyStep } from "../../../src/schemas/Copy.ts"
import { Location, Tag } from "../../../src/schemas/Ref.ts"
import { fallbackTag } from "../../../src/schemas/Referrers.ts"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import { fromBytes } from "../../../src/services/Bytes.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"
import { encode } from "../../fixtures/content.ts"
import { at, byDigest, byTag, makeImage, makeIndex, manifestOf, push } from "../../fixtures/images.ts"

const everything: PlanOptions = {
  fastCheck: false,
  forceRecursive: false,
  includeExternal: false,
  referrers: [],
  digestTags: false,
  platforms: []
}

const unlimited = RateLimiter.of({
  admit: () => (effect) => effect,
  enter: () => Effect.void,
  spare: () => () => Effect.succeedNone,
  observe: () => Effect.void,
  quota: () => Effect.succeedNone
})

/** The same repository, every operation noted as `name argument`. */
const noted = (repository: Repository, side: string, log: Array<string>): Repository => {
  const note = (text: string) => Effect.sync(() => void log.push(`${side} ${text}`))
  const of = (reference: Parameters<Repository["resolve"]>[0]) =>
    reference._tag === "ByTag" ? reference.tag : reference.digest.slice(0, 12)
  return {
    ...repository,
    resolve: (it) => Effect.andThen(note(`HEAD ${of(it)}`), repository.resolve(it)),
    manifest: (it, expected) => Effect.andThen(note(`GET ${of(it)}`), repository.manifest(it, expected)),
    headBlob: (it) => Effect.andThen(note("HEAD blob"), repository.headBlob(it)),
    putBlob: (content, it) => Effect.andThen(note("PUT blob"), repository.putBlob(content, it)),
    putManifest: (it, how) => Effect.andThen(note(`PUT ${how?.tag ?? "by digest"}`), repository.putManifest(it, how))
  }
}

const setup = () => {
  const store = memoryStore()
  const log: Array<string> = []
  const [source, target] = [store.open(at("a", "app")), store.open(at("b", "app"))]
  const content = { from: noted(source, "source", log), to: noted(target, "target", log) }
  const copyTag = (tag: string, options: Partial<PlanOptions> = {}, concurrency = 4) => {
    const steps: Array<CopyStep> = []
    const ends = { content, referrers: content }
    return plan({ ends, source: byTag(tag), tag: Tag.make(tag), options: { ...everything, ...options } }).pipe(
      Stream.tap((step) => Effect.sync(() => void steps.push(step))),
      execute({ ends, concurrency }),
      Stream.runCollect,
      Effect.map((events) => ({ events, steps })),
      Effect.provideService(RateLimiter, unlimited)
    )
  }
  return { store, source, target, log, copyTag, content }
}

const image = makeImage({ layers: ["one", "two"] })

describe("copy", () => {
  it.effect("of a new image asks the target once and the source once, and sends small blobs without asking", () =>
    Effect.gen(function*() {
      const { copyTag, log, source, target } = setup()
      yield* push(source, image, "v1")
      yield* copyTag("v1")
      assert.deepStrictEqual(log, [
        "target HEAD v1",
        "source GET v1",
        "target PUT blob",
        "target PUT blob",
        "target PUT blob",
        "target PUT v1"
      ])
      const copied = yield* target.manifest(byTag("v1"))
      assert.deepStrictEqual(copied.bytes, image.manifest.bytes)
    }))

  it.effect("of a current image sends two HEADs and nothing else", () =>
    Effect.gen(function*() {
      const { copyTag, log, source } = setup()
      yield* push(source, image, "v1")
      yield* copyTag("v1")
      log.length = 0
      yield* copyTag("v1")
      assert.deepStrictEqual(log, ["target HEAD v1", "source HEAD v1"])
    }))

  it.effect("onto an older image neither asks for nor sends the blobs the two share", () =>
    Effect.gen(function*() {
      const { copyTag, log, source } = setup()
      yield* push(source, image, "v1")
      yield* copyTag("v1")
      yield* push(source, makeImage({ layers: ["one", "two", "three"] }), "v1")
      log.length = 0
      yield* copyTag("v1")
      assert.deepStrictEqual(log.filter((line) => line.includes("blob")).sort(), [
        "target HEAD blob",
        "target HEAD blob",
        "target PUT blob",
        "target PUT blob"
      ])
    }))

  for (const concurrency of [1, 2, 16]) {
    it.effect(`of an index puts children before parents and the tag last, ${concurrency} at once`, () =>
      Effect.gen(function*() {
        const { copyTag, log, source, target } = setup()
        const arm = makeImage({ layers: ["one", "arm"], architecture: "arm64" })
        yield* push(source, image)
        yield* push(source, arm)
        const index = makeIndex([
          { made: image, platform: { os: "linux", architecture: "amd64" } },
          { made: arm, platform: { os: "linux", architecture: "arm64" } }
        ])
        yield* source.putManifest(index, { tag: Tag.make("v1") })
        const { steps } = yield* copyTag("v1", {}, concurrency)
        const seen = new Set<string>()
        for (const step of steps) {
          for (const need of step.needs) assert.isTrue(seen.has(need), `${step.id} before ${need}`)
          seen.add(step.id)
        }
        assert.strictEqual(log.at(-1), "target PUT v1")
        assert.strictEqual(log.filter((line) => line === "target PUT blob").length, 5)
        assert.strictEqual((yield* target.resolve(byTag("v1"))).descriptor.digest, index.descriptor.digest)
      }))
  }

  it.effect("with referrers and digest tags puts the asked-for tag after all of them", () =>
    Effect.gen(function*() {
      const { copyTag, log, source, target } = setup()
      yield* push(source, image, "v1")
      const sbom = makeImage({
        layers: ["sbom"],
        subject: image.manifest.descriptor,
        artifactType: "application/x.sbom"
      })
      yield* push(source, sbom)
      const signature = makeImage({
        layers: ["sig"],
        subject: sbom.manifest.descriptor,
        artifactType: "application/x.sig"
      })
      yield* push(source, signature)
      const cosign = `${fallbackTag(image.manifest.descriptor.digest)}.sig`
      yield* push(source, makeImage({ layers: ["cosign"] }), cosign)
      yield* copyTag("v1", { referrers: [{}], digestTags: true })
      assert.strictEqual(log.at(-1), "target PUT v1")
      const found = yield* target.referrers(image.manifest.descriptor)
      assert.deepStrictEqual(found.descriptors.map((it) => it.artifactType), ["application/x.sbom"])
      const nested = yield* target.referrers(sbom.manifest.descriptor)
      assert.deepStrictEqual(nested.descriptors.map((it) => it.artifactType), ["application/x.sig"])
      assert.strictEqual(
        (yield* target.resolve(byTag(cosign))).descriptor.digest,
        makeImage({ layers: ["cosign"] }).manifest.descriptor.digest
      )
    }))

  it.effect("ends when referrers and digest tags lead back to the image", () =>
    Effect.gen(function*() {
      const { copyTag, source, target } = setup()
      yield* push(source, image, "v1")
      const around = makeIndex([{ made: image }], { subject: image.manifest.descriptor })
      yield* source.putManifest(around)
      yield* source.putManifest(image.manifest, {
        tag: Tag.make(`${fallbackTag(image.manifest.descriptor.digest)}.self`)
      })
      yield* copyTag("v1", { referrers: [{}], digestTags: true })
      const tags = (yield* Stream.runCollect(target.tags())).flatMap(({ names }) => names)
      assert.deepStrictEqual(tags, [`${fallbackTag(image.manifest.descriptor.digest)}.self`, "v1"])
    }))

  it.effect("names every absent blob and puts no tag", () =>
    Effect.gen(function*() {
      const { copyTag, source, target } = setup()
      yield* push(source, image, "v1")
      const [, one, two] = image.blobs.map(([descriptor]) => descriptor)
      yield* source.deleteBlob(one!)
      yield* source.deleteBlob(two!)
      const error = yield* Effect.flip(copyTag("v1"))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.include(error.message, one!.digest)
      assert.include(error.message, two!.digest)
      assert.strictEqual((yield* Effect.flip(target.resolve(byTag("v1")))).reason._tag, "NotFound")
    }))

  it.effect("names an absent child manifest and puts no tag", () =>
    Effect.gen(function*() {
      const { copyTag, source, target } = setup()
      yield* push(source, image)
      const lost = makeImage({ layers: ["lost"] })
      yield* source.putManifest(makeIndex([{ made: image }, { made: lost }]), { tag: Tag.make("v1") })
      const error = yield* Effect.flip(copyTag("v1"))
      assert.include(error.message, lost.manifest.descriptor.digest)
      assert.strictEqual((yield* Effect.flip(target.resolve(byTag("v1")))).reason._tag, "NotFound")
    }))

  it.effect("carries content of unknown types below an index", () =>
    Effect.gen(function*() {
      const { copyTag, source, target } = setup()
      const bytes = encode("some bytes")
      const blob = yield* source.putBlob(fromBytes(bytes))
      const other = manifestOf({ mediaType: "application/vnd.example.thing+json", anything: 1 })
      yield* source.putManifest(other)
      const index = manifestOf({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [{ ...blob, mediaType: "application/x.unknown" }, other.descriptor]
      })
      yield* source.putManifest(index, { tag: Tag.make("v1") })
      yield* copyTag("v1")
      assert.strictEqual((yield* target.headBlob(blob)).descriptor.size, 10)
      assert.deepStrictEqual((yield* target.manifest(byDigest(other.descriptor.digest))).bytes, other.bytes)
    }))

  it.effect("moves the content of chosen platforms only", () =>
    Effect.gen(function*() {
      const { copyTag, source, target } = setup()
      const arm = makeImage({ layers: ["arm"], architecture: "arm64" })
      yield* push(source, image)
      yield* push(source, arm)
      yield* source.putManifest(
        makeIndex([
          { made: image, platform: { os: "linux", architecture: "amd64" } },
          { made: arm, platform: { os: "linux", architecture: "arm64" } }
        ]),
        { tag: Tag.make("v1") }
      )
      yield* copyTag("v1", { platforms: [{ os: "linux", architecture: "arm64" }] })
      yield* target.resolve(byDigest(arm.manifest.descriptor.digest))
      const absent = yield* Effect.flip(target.resolve(byDigest(image.manifest.descriptor.digest)))
      assert.strictEqual(absent.reason._tag, "NotFound")
    }))

  it.effect("within a repository puts the manifest under the new tag and moves nothing", () =>
    Effect.gen(function*() {
      const { log, source } = setup()
      yield* push(source, image, "v1")
      const end = noted(source, "same", log)
      const ends = { content: { from: end, to: end }, referrers: { from: end, to: end } }
      yield* plan({ ends, source: byTag("v1"), tag: Tag.make("v2"), options: { ...everything, referrers: [{}] } }).pipe(
        execute({ ends, concurrency: 2 }),
        Stream.runDrain,
        Effect.provideService(RateLimiter, unlimited)
      )
      assert.deepStrictEqual(log, ["same HEAD v2", "same GET v1", "same PUT v2"])
    }))

  it.effect("sends a manifest's blobs again when the registry turns out to lack one, once", () =>
    Effect.gen(function*() {
      const { content, log, source } = setup()
      yield* push(source, image, "v1")
      let refusals = 1
      const to: Repository = {
        ...content.to,
        putManifest: (manifest, how) =>
          refusals-- > 0
            ? Effect.fail(
              storeError("put", "HttpStatus", "blob unknown", { status: 400, lacksContent: true })
            )
            : content.to.putManifest(manifest, how)
      }
      const ends = { content: { from: content.from, to }, referrers: { from: content.from, to } }
      yield* plan({ ends, source: byTag("v1"), tag: Tag.make("v1"), options: everything }).pipe(
        execute({ ends, concurrency: 2 }),
        Stream.runDrain,
        Effect.provideService(RateLimiter, unlimited)
      )
      assert.strictEqual(log.filter((line) => line === "target PUT blob").length, 6)
    }))

  it.effect("puts an index once that the registry does not take, since no blob could be sent again", () =>
    Effect.gen(function*() {
      const { content, source } = setup()
      yield* push(source, image, "v1")
      const index = makeIndex([{ made: image }])
      yield* source.putManifest(index, { tag: Tag.make("all") })
      let puts = 0
      const to: Repository = {
        ...content.to,
        putManifest: (manifest, how) => {
          if (manifest.descriptor.digest !== index.descriptor.digest) return content.to.putManifest(manifest, how)
          puts++
          return Effect.fail(storeError("put", "HttpStatus", "blob unknown", { status: 400, lacksContent: true }))
        }
      }
      const ends = { content: { from: content.from, to }, referrers: { from: content.from, to } }
      const error = yield* plan({ ends, source: byTag("all"), tag: Tag.make("all"), options: everything }).pipe(
        execute({ ends, concurrency: 2 }),
        Stream.runDrain,
        Effect.provideService(RateLimiter, unlimited),
        Effect.flip
      )
      assert.deepStrictEqual([error.reason.detail, puts], ["blob unknown", 1])
    }))

  it.effect("says so when the target cannot be reached, before it asks the source", () =>
    Effect.gen(function*() {
      const { content, log } = setup()
      const refused: Effect.Effect<never, StoreError> = Effect.fail(
        storeError("Head \"https://b/\"", "ConnectFailed", "refused")
      )
      const ends = { from: content.from, to: { ...content.to, resolve: () => refused } }
      const error = yield* plan({
        ends: { content: ends, referrers: ends },
        source: byTag("v1"),
        tag: Tag.make("v1"),
        options: everything
      }).pipe(Stream.runDrain, Effect.flip)
      assert.strictEqual(error.message, "failed to access target registry: Head \"https://b/\": refused")
      assert.deepStrictEqual(log, [])
    }))
})

describe("copy between layouts", () => {
  it.effect("clones blobs where the store can", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const [from, to] = [Location.OciLayout({ path: "a" }), Location.OciLayout({ path: "b" })].map(store.open)
      yield* push(from!, image, "v1")
      const ends = { from: from!, to: { ...to!, putBlob: () => Effect.die(new Error("sent")) } as Repository }
      const request = {
        ends: { content: ends, referrers: ends },
        source: byTag("v1"),
        tag: Tag.make("v1"),
        options: everything
      }
      yield* plan(request).pipe(
        execute({ ends: request.ends, concurrency: 4 }),
        Stream.runDrain,
        Effect.provideService(RateLimiter, unlimited)
      )
      assert.strictEqual((yield* to!.resolve(byTag("v1"))).descriptor.digest, image.manifest.descriptor.digest)
    }))
})
