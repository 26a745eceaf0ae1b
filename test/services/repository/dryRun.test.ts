import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, FileSystem, Stream } from "effect"
import { join } from "node:path"
import { vi } from "vitest"
import { Location, Reference, Tag } from "../../../src/schemas/Ref.ts"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import { asStored, collect, fromBytes, fromPump, pumpOf, tapped } from "../../../src/services/Bytes.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import type { PageRequest, Repository } from "../../../src/services/Repository.ts"
import { dryClient } from "../../../src/services/repository/dryRun.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"
import { decode, descriptorOf, emptyConfig, encode, image, varied } from "../../fixtures/content.ts"
import { dryOver, journaled, unwritten } from "../../support/dryRuns.ts"

const one = Location.Registry({ registry: "r.example", repository: "one" })
const two = Location.Registry({ registry: "r.example", repository: "two" })
const tag = (name: string) => Tag.make(name)
const byTag = (name: string) => Reference.ByTag({ tag: tag(name) })
const [first, second] = [image({ annotations: { name: "first" } }), image({ annotations: { name: "second" } })]
const hello = descriptorOf(encode("hello"))

const names = (repository: Repository, page?: PageRequest) =>
  Stream.runCollect(Stream.flatMap(repository.tags(page), ({ names }) => Stream.fromIterable(names)))
const reasonOf = <A>(effect: Effect.Effect<A, StoreError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)
const text = (repository: Repository, part?: { readonly from: number; readonly to?: number }) =>
  Effect.map(collect(repository.blob(hello, part), 1000), decode)
const annotation = (repository: Repository, name: string) =>
  Effect.map(repository.manifest(byTag(name)), ({ annotations }) => annotations["name"])

/** Two repositories of a registry; the first one has tags `b` and `d` on one manifest, `c` on another, and a blob. */
const populated = Effect.gen(function*() {
  const store = memoryStore()
  const real = store.open(one)
  yield* real.putBlob(fromBytes(encode("{}")), emptyConfig)
  yield* real.putBlob(fromBytes(encode("hello")), hello)
  for (const name of ["b", "d"]) yield* real.putManifest(first, { tag: tag(name) })
  yield* real.putManifest(second, { tag: tag("c") })
  const { open } = yield* dryOver((location) => Effect.sync(() => store.open(location)))
  return { store, real, open, dry: yield* open(one), other: yield* open(two) }
})

describe("a dry run", () => {
  describe("of tags", () => {
    it.effect("lists what was put among what is there, from a name and up to a number", () =>
      Effect.gen(function*() {
        const { dry, real } = yield* populated
        for (const name of ["a", "bb", "e", "c"]) yield* dry.putManifest(first, { tag: tag(name) })
        assert.deepStrictEqual(yield* names(dry), ["a", "b", "bb", "c", "d", "e"])
        assert.deepStrictEqual(yield* names(dry, { last: "b", limit: 3 }), ["bb", "c", "d"])
        assert.deepStrictEqual(yield* names(dry, { last: "d" }), ["e"])
        assert.strictEqual(yield* annotation(dry, "c"), "first")
        assert.deepStrictEqual(yield* names(real), ["b", "c", "d"])
      }))

    it.effect("lists as many as asked for although some were deleted", () =>
      Effect.gen(function*() {
        const { dry } = yield* populated
        yield* dry.deleteTag(tag("b"))
        assert.deepStrictEqual(yield* names(dry, { limit: 2 }), ["c", "d"])
        yield* dry.deleteManifest(second.descriptor)
        assert.deepStrictEqual(yield* names(dry, { limit: 2 }), ["d"])
      }))

    it.effect("keeps the order of a registry that has none, and lists nothing twice", () =>
      Effect.gen(function*() {
        const { dry, store } = yield* populated
        const listed = [["z", "c"], ["b", "d"]]
        const { open } = yield* dryOver((location) =>
          Effect.sync(() => ({
            ...store.open(location),
            tags: () => Stream.fromIterable(listed.map((it) => ({ names: it, body: encode(""), headers: {} })))
          }))
        )
        const odd = yield* open(one)
        for (const name of ["b", "y"]) yield* odd.putManifest(second, { tag: tag(name) })
        assert.deepStrictEqual(yield* names(odd), ["b", "y", "z", "c", "d"])
        assert.deepStrictEqual(yield* names(dry), ["b", "c", "d"])
      }))

    it.effect("takes them from a deleted manifest, and does not bring them back with it", () =>
      Effect.gen(function*() {
        const { dry } = yield* populated
        yield* dry.putManifest(first, { tag: tag("new") })
        yield* dry.deleteManifest(first.descriptor)
        assert.deepStrictEqual(yield* names(dry), ["c"])
        assert.strictEqual(yield* reasonOf(dry.resolve(byTag("b"))), "NotFound")
        assert.strictEqual(yield* reasonOf(dry.manifest(byTag("d"))), "NotFound")
        assert.strictEqual(yield* reasonOf(dry.resolve(byTag("new"))), "NotFound")
        yield* dry.putManifest(first, { tag: tag("x") })
        assert.deepStrictEqual(yield* names(dry), ["c", "x"])
        assert.strictEqual(yield* reasonOf(dry.resolve(byTag("b"))), "NotFound")
      }))

    it.effect("leaves the siblings of one that is deleted", () =>
      Effect.gen(function*() {
        const { dry } = yield* populated
        yield* dry.deleteTag(tag("b"))
        assert.deepStrictEqual(yield* names(dry), ["c", "d"])
        assert.strictEqual(yield* annotation(dry, "d"), "first")
        assert.strictEqual(yield* reasonOf(dry.deleteTag(tag("b"))), "NotFound")
      }))

    it.effect("lists them in a repository that nobody knows once something was put, and fails before", () =>
      Effect.gen(function*() {
        const unknown = storeError("failed to list tags", "NotFound", "repository name not known to registry")
        const { open } = yield* dryOver((location) =>
          Effect.sync(() => ({
            ...memoryStore().open(location),
            tags: () => Stream.fail(unknown),
            referrers: () => Effect.fail(unknown)
          }))
        )
        const dry = yield* open(one)
        assert.strictEqual(yield* reasonOf(names(dry)), "NotFound")
        yield* dry.putManifest(first, { tag: tag("v1") })
        assert.deepStrictEqual(yield* names(dry), ["v1"])
        assert.deepStrictEqual((yield* dry.referrers(first.descriptor)).descriptors, [])
      }))
  })

  describe("of a catalog", () => {
    it.effect("lists repositories that would be there", () =>
      Effect.gen(function*() {
        const store = memoryStore()
        const page = { names: ["a", "c"], body: encode("{}"), headers: {} }
        const client = Context.empty().pipe(
          Context.add(Repositories, { open: (location) => Effect.sync(() => unwritten(store.open(location))) }),
          Context.add(Registry, {
            open: () => Effect.die("not used"),
            ping: () => Effect.die("not used"),
            list: () => Stream.succeed(page)
          }),
          Context.add(RateLimiter, {
            admit: () => (effect) => effect,
            enter: () => Effect.void,
            spare: () => () => Effect.succeedNone,
            observe: () => Effect.void,
            quota: () => Effect.succeedNone
          })
        )
        const dry = yield* Effect.provide(dryClient(client), NodeServices.layer)
        const listed = (registry: string) =>
          Effect.map(Stream.runCollect(Context.get(dry, Registry).list(registry)), (pages) =>
            pages.flatMap(({ names }) => names))
        const repository = yield* Context.get(dry, Repositories).open(
          Location.Registry({ registry: "r", repository: "b" })
        )
        assert.deepStrictEqual(yield* listed("r"), ["a", "c"])
        yield* repository.putManifest(first)
        assert.deepStrictEqual(yield* listed("r"), ["a", "b", "c"])
        assert.deepStrictEqual(yield* listed("other"), ["a", "c"])
      }))
  })

  describe("of referrers", () => {
    it.effect("lists those that are there and those that were put, and none that was deleted", () =>
      Effect.gen(function*() {
        const { dry, real } = yield* populated
        const signed = (name: string) =>
          image({ subject: first.descriptor, artifactType: `application/vnd.example.${name}` })
        const [old, gone, added] = [signed("old"), signed("gone"), signed("added")]
        for (const it of [old, gone]) yield* real.putManifest(it, { isChild: true })
        yield* dry.putManifest(added, { isChild: true })
        yield* dry.deleteManifest(gone.descriptor, first.descriptor)
        const listed = (artifactType?: string) =>
          Effect.map(
            dry.referrers(first.descriptor, artifactType === undefined ? {} : { artifactType }),
            ({ descriptors }) => descriptors.map((it) => it.artifactType)
          )
        assert.deepStrictEqual(yield* listed(), ["application/vnd.example.old", "application/vnd.example.added"])
        assert.deepStrictEqual(yield* listed("application/vnd.example.added"), ["application/vnd.example.added"])
        assert.deepStrictEqual(yield* listed("application/vnd.example.gone"), [])
        assert.strictEqual((yield* real.referrers(first.descriptor)).descriptors.length, 2)
      }))
  })

  describe("of blobs", () => {
    it.effect("reads content of a store only when somebody asks for it", () =>
      Effect.gen(function*() {
        const { dry, other } = yield* populated
        let reads = 0
        const content = tapped(dry.blob(hello), () => void reads++)
        yield* other.putBlob(content, hello)
        assert.strictEqual((yield* other.headBlob(hello)).descriptor.size, 5)
        assert.strictEqual(reads, 0)
        assert.strictEqual(yield* text(other), "hello")
        assert.strictEqual(yield* text(other, { from: 1, to: 3 }), "ell")
        assert.strictEqual(yield* text(other, { from: 3 }), "lo")
        assert.strictEqual(reads, 3)
      }))

    it.effect("mounts them, and reads them where they came from, even when they are deleted there", () =>
      Effect.gen(function*() {
        const { dry, other } = yield* populated
        assert.isTrue(yield* other.mountBlob(hello, one))
        yield* dry.deleteBlob(hello)
        assert.strictEqual(yield* reasonOf(dry.headBlob(hello)), "NotFound")
        assert.strictEqual(yield* text(other), "hello")
        yield* dry.putBlob(fromBytes(encode("hello")), hello)
        assert.strictEqual(yield* text(dry), "hello")
      }))

    it.effect("tells of a copied one that is not what it should be when it is read", () =>
      Effect.gen(function*() {
        const { other } = yield* populated
        yield* other.putBlob(asStored(fromBytes(encode("jello")), { requests: 1, hold: Effect.void }), hello)
        assert.strictEqual(yield* reasonOf(text(other)), "DigestMismatch")
      }))

    it.effect("keeps large content that is nowhere else in a file, until its end", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const bytes = varied(3 * 1024 * 1024)
        // Of its own: others make temporary files, too.
        const temporary = yield* fs.makeTempDirectoryScoped()
        yield* Effect.acquireRelease(
          Effect.sync(() => vi.stubEnv("TMPDIR", temporary)),
          () => Effect.sync(() => vi.unstubAllEnvs())
        )
        const left = Effect.map(fs.readDirectory(temporary), ({ length }) => length)
        yield* Effect.scoped(Effect.gen(function*() {
          const { dry, other } = yield* populated
          const big = yield* dry.putBlob(fromPump(pumpOf(fromBytes(bytes))))
          assert.strictEqual(big.size, 3 * 1024 * 1024)
          assert.strictEqual(yield* left, 1)
          // Once, however often it is put.
          yield* dry.putBlob(fromBytes(bytes), big)
          yield* other.putBlob(fromBytes(bytes))
          const [directory = ""] = yield* fs.readDirectory(temporary)
          assert.lengthOf(yield* fs.readDirectory(join(temporary, directory)), 1)
          assert.deepStrictEqual(
            yield* collect(dry.blob(big, { from: 2_000_000, to: 2_000_002 }), 10),
            bytes.slice(2_000_000, 2_000_003)
          )
          assert.deepStrictEqual(descriptorOf(yield* collect(dry.blob(big), bytes.length)).digest, big.digest)
        }))
        assert.strictEqual(yield* left, 0)
      }).pipe(Effect.provide(NodeServices.layer)))
  })

  describe("of a place", () => {
    it.effect("is the same however often it is opened, and however a layout's path is written", () =>
      Effect.gen(function*() {
        const store = memoryStore()
        const { open } = yield* dryOver((location) => Effect.sync(() => store.open(location)))
        for (const [path, same] of [["out", join(process.cwd(), "out")], ["./a/../b", "b/."]] as const) {
          const dry = yield* open(Location.OciLayout({ path }))
          yield* dry.putManifest(first, { tag: tag("v1") })
          const again = yield* open(Location.OciLayout({ path: same }))
          assert.deepStrictEqual(yield* names(again), ["v1"])
        }
      }))

    it.effect("is not written, whatever is asked", () =>
      Effect.gen(function*() {
        const { dry, other, real } = yield* populated
        const { result, writes } = yield* journaled(Effect.gen(function*() {
          yield* other.mountBlob(hello, one)
          yield* other.putBlob(dry.blob(emptyConfig), emptyConfig)
          yield* other.putBlob(fromBytes(encode("own")), descriptorOf(encode("own")))
          yield* other.putBlob(fromBytes(encode("unknown")))
          yield* other.putManifest(first)
          yield* dry.putManifest(first, { tag: tag("e") })
          yield* dry.deleteTag(tag("b"))
          yield* dry.deleteBlob(hello)
          yield* dry.deleteManifest(second.descriptor, first.descriptor)
          return [
            yield* reasonOf(dry.deleteBlob(hello)),
            yield* reasonOf(dry.deleteManifest(second.descriptor)),
            yield* reasonOf(dry.deleteTag(tag("absent")))
          ]
        }))
        assert.deepStrictEqual(result, ["NotFound", "NotFound", "NotFound"])
        assert.deepStrictEqual(writes, [
          { operation: "mountBlob", target: `r.example/two@${hello.digest}`, bytes: 0, requests: 1 },
          { operation: "putBlob", target: `r.example/two@${emptyConfig.digest}`, bytes: 2, requests: 3 },
          {
            operation: "putBlob",
            target: "r.example/two@sha256:5b3975651c3cab92d044c096dc30a1c2d9525497457472de48c51ecb363d1f4a",
            bytes: 3,
            requests: 2
          },
          {
            operation: "putBlob",
            target: "r.example/two@sha256:b23a6a8439c0dde5515893e7c90c1e3233b8616e634470f20dc4928bcf3609bc",
            bytes: 7,
            requests: 3
          },
          {
            operation: "putManifest",
            target: `r.example/two@${first.descriptor.digest}`,
            bytes: first.bytes.length,
            requests: 1
          },
          { operation: "putManifest", target: "r.example/one:e", bytes: first.bytes.length, requests: 1 },
          { operation: "deleteTag", target: "r.example/one:b", bytes: 0, requests: 1 },
          { operation: "deleteBlob", target: `r.example/one@${hello.digest}`, bytes: 0, requests: 1 },
          { operation: "deleteManifest", target: `r.example/one@${second.descriptor.digest}`, bytes: 0, requests: 2 }
        ])
        assert.deepStrictEqual(yield* names(real), ["b", "c", "d"])
        assert.strictEqual(yield* text(real), "hello")
      }))

    it.effect("takes no request when it is a layout", () =>
      Effect.gen(function*() {
        const { dry, open } = yield* populated
        const layout = yield* open(Location.OciLayout({ path: "somewhere/new" }))
        const { writes } = yield* journaled(Effect.gen(function*() {
          yield* layout.putBlob(dry.blob(hello), hello)
          yield* layout.putManifest(first, { tag: tag("v1") })
          yield* layout.deleteTag(tag("v1"))
        }))
        assert.deepStrictEqual(writes.map(({ bytes, operation, requests }) => [operation, bytes, requests]), [
          ["putBlob", 5, 1],
          ["putManifest", first.bytes.length, 0],
          ["deleteTag", 0, 0]
        ])
      }))
  })
})
