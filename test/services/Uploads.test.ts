import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path, Stream } from "effect"
import { TestClock } from "effect/testing"
import { directoryPrefix } from "../../src/lib/leftovers.ts"
import { Digest } from "../../src/schemas/Digest.ts"
import { storeError } from "../../src/schemas/StoreError.ts"
import { collect, fromBytes, spareFileOf } from "../../src/services/Bytes.ts"
import { Uploads } from "../../src/services/Uploads.ts"

const text = (content: string) => fromBytes(Buffer.from(content))
const digest = Digest.make(`sha256:${"0".repeat(64)}`)

const uploads = (options: { readonly sessions?: number; readonly limit?: number } = {}) =>
  Layer.unwrap(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    return Uploads.layer({ directory: yield* fs.makeTempDirectoryScoped(), ...options })
  })).pipe(Layer.provideMerge(NodeServices.layer))

const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly reason: { readonly _tag: string } }, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

describe("an upload", () => {
  it.effect("gives what came in parts as one, and is gone then", () =>
    Effect.gen(function*() {
      const { append, find, finish, start } = yield* Uploads
      const { id } = yield* start("a")
      yield* append("a", id, text("hel"))
      yield* append("a", id, text("lo"), { from: 3, to: 4 })
      const whole = yield* finish("a", id, digest, (content, { size }) =>
        Effect.map(collect(content, 100), (bytes) => [Buffer.from(bytes).toString(), size]))
      assert.deepStrictEqual(whole, ["hello", 5])
      assert.strictEqual(yield* reasonOf(find("a", id)), "UploadLost")
    }).pipe(Effect.provide(uploads())))

  it.effect("stays when the store fails, and goes when the digest was wrong", () =>
    Effect.gen(function*() {
      const { append, find, finish, start } = yield* Uploads
      const { id } = yield* start("a")
      yield* append("a", id, text("x"))
      const failing = (tag: "FsNoSpace" | "DigestMismatch") =>
        reasonOf(finish("a", id, digest, () => Effect.fail(storeError("", tag, ""))))
      assert.strictEqual(yield* failing("FsNoSpace"), "FsNoSpace")
      assert.strictEqual((yield* find("a", id)).received, 1)
      assert.strictEqual(yield* failing("DigestMismatch"), "DigestMismatch")
      assert.strictEqual(yield* reasonOf(find("a", id)), "UploadLost")
    }).pipe(Effect.provide(uploads())))

  it.effect("is forgotten an hour after its last byte (R09)", () =>
    Effect.gen(function*() {
      const { append, find, start } = yield* Uploads
      const { id } = yield* start("a")
      yield* TestClock.adjust("59 minutes")
      yield* append("a", id, text("x"))
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* find("a", id)).received, 1)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* reasonOf(find("a", id)), "UploadLost")
    }).pipe(Effect.provide(uploads())))

  it.effect("is refused while too many are open (R10)", () =>
    Effect.gen(function*() {
      const { cancel, start } = yield* Uploads
      const { id } = yield* start("a")
      yield* start("a")
      assert.strictEqual(yield* reasonOf(start("a")), "RateLimited")
      yield* cancel("a", id)
      yield* start("a")
    }).pipe(Effect.provide(uploads({ sessions: 2 }))))

  it.effect("does not grow above its limit (R03)", () =>
    Effect.gen(function*() {
      const { append, start } = yield* Uploads
      const { id } = yield* start("a")
      assert.strictEqual(yield* reasonOf(append("a", id, text("12345678901"))), "SizeLimit")
    }).pipe(Effect.provide(uploads({ limit: 10 }))))

  it.effect("lies in a file that may be moved where it fits its digest", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { append, finish, start } = yield* Uploads
      const hello = {
        sha256: Digest.make("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        sha384: Digest.make(
          "sha384:59e1748777448c69de6b800d7a33bbfb9ff1b463e44354c3553bcdb9c666fa90125a3c79f90397bdf5f6a13de828684f"
        )
      }
      for (const [started, asked] of [["sha256", "sha256"], ["sha384", "sha384"], ["sha256", "sha384"]] as const) {
        const { id } = yield* start("a", started)
        yield* append("a", id, text("hel"))
        yield* append("a", id, text("lo"))
        const spare = yield* finish("a", id, hello[asked], (content) => {
          const file = spareFileOf(content)
          assert.strictEqual(file?.digest, hello[asked])
          return fs.readFileString(file?.path ?? "")
        })
        assert.strictEqual(spare, "hello")
      }
      const { id } = yield* start("a")
      yield* append("a", id, text("hell"))
      assert.isUndefined(yield* finish("a", id, hello.sha256, (content) => Effect.succeed(spareFileOf(content))))
    }).pipe(Effect.provide(uploads())))

  it.effect("takes over what came before a body broke off, hash and all", () =>
    Effect.gen(function*() {
      const { append, finish, start } = yield* Uploads
      const { id } = yield* start("a")
      const broken = Stream.concat(text("hel"), Stream.fail(storeError("", "ConnectionLost", "")))
      assert.strictEqual(yield* reasonOf(append("a", id, broken)), "ConnectionLost")
      yield* append("a", id, text("lo"), { from: 3 })
      const digest = Digest.make("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
      const size = yield* finish("a", id, digest, (content) => Effect.succeed(spareFileOf(content)?.size))
      assert.strictEqual(size, 5)
    }).pipe(Effect.provide(uploads())))

  it.effect("leaves no file behind", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = path.join(yield* fs.makeTempDirectoryScoped(), "uploads")
      yield* Effect.gen(function*() {
        const { start } = yield* Uploads
        yield* start("a")
        assert.strictEqual((yield* fs.readDirectory(directory)).length, 1)
      }).pipe(Effect.provide(Uploads.layer({ directory })), Effect.scoped)
      assert.deepStrictEqual(yield* fs.readDirectory(directory), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.effect("leaves what a killed server had to the next, which takes nothing of a living one (L12, R19)", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* fs.makeTempDirectoryScoped()
      // Made up as by a process that cannot be, by this one, and by those of another machine.
      const own = directoryPrefix()
      const [, host = ""] = own.split("-")
      const killed = `regclient-${host}-2147483646-1-killed`
      const living = `${own}living`
      const elsewhere = `regclient-${"f".repeat(12)}-1-1-elsewh`
      const silent = `regclient-${"f".repeat(12)}-1-1-silent`
      for (const name of [killed, living, elsewhere, silent]) {
        yield* fs.makeDirectory(path.join(directory, name))
        yield* fs.writeFileString(path.join(directory, name, "session"), "bytes")
      }
      yield* TestClock.setTime(Date.now())
      yield* fs.utimes(path.join(directory, silent), 1000, 1000)
      yield* fs.writeFileString(path.join(directory, "notes.txt"), "of somebody else")
      yield* Effect.scoped(Layer.build(Uploads.layer({ directory })))
      assert.deepStrictEqual(
        (yield* fs.readDirectory(directory)).toSorted(),
        ["notes.txt", living, elsewhere].toSorted()
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})
