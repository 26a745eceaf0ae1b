import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { hashHex } from "../../../src/lib/hash.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { decodeManifest, type Manifest } from "../../../src/schemas/Manifest.ts"
import { manifestTypes, mediaTypes } from "../../../src/schemas/MediaType.ts"
import { Reference, Tag } from "../../../src/schemas/Ref.ts"
import { fakeHttp, opened, type Reply, reset } from "./fakeHttp.ts"

const config = {
  mediaType: mediaTypes.ociConfig,
  digest: Digest.make("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
  size: 2
}
const text = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] })
const digest = Digest.make(`sha256:${hashHex("sha256", new TextEncoder().encode(text))}`)
const manifest: Manifest = Result.getOrThrow(decodeManifest(new TextEncoder().encode(text), { name: "test" }))
const byTag = Reference.ByTag({ tag: Tag.make("v1") })
const byDigest = Reference.ByDigest({ digest })
const answer = {
  status: 200,
  headers: {
    "Content-Type": mediaTypes.ociManifest,
    "Docker-Content-Digest": digest,
    "Content-Length": String(text.length)
  }
}
const other = `sha256:${"0".repeat(64)}`

describe("resolve", () => {
  it.effect("asks once, accepting every type of manifest", () =>
    Effect.gen(function*() {
      const http = fakeHttp([answer])
      const repository = yield* opened(http)
      const { descriptor } = yield* repository.resolve(byTag)
      assert.deepStrictEqual(descriptor, { mediaType: mediaTypes.ociManifest, digest, size: text.length })
      assert.deepStrictEqual(http.lines(), ["HEAD app/manifests/v1"])
      assert.deepStrictEqual(http.asked[0]?.request.headers, { accept: manifestTypes })
      assert.isTrue(http.asked[0]?.request.mirrors)
    }).pipe(Effect.scoped))

  it.effect("fails with NotFound after one request, since a missing tag is the usual case of a copy", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 404 }])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.resolve(byTag))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual(
        error.message,
        "failed to request manifest head r.example/app:v1: request failed: not found [http 404]: "
      )
      assert.deepStrictEqual(http.lines(), ["HEAD app/manifests/v1"])
    }).pipe(Effect.scoped))

  const incomplete: ReadonlyArray<readonly [string, Readonly<Record<string, string>>]> = [
    ["no digest", { ...answer.headers, "Docker-Content-Digest": "" }],
    ["a digest that is none", { ...answer.headers, "Docker-Content-Digest": "sha256:../../x" }],
    ["a length of zero", { ...answer.headers, "Content-Length": "0" }],
    ["the type of a page", { ...answer.headers, "Content-Type": "text/html; charset=utf-8" }],
    ["a type that says nothing", { ...answer.headers, "Content-Type": "application/json" }],
    ["a type nobody asked for", { ...answer.headers, "Content-Type": "application/vnd.oci.image.layer.v1.tar" }]
  ]
  for (const [what, headers] of incomplete) {
    it.effect(`reads the manifest when the head gives ${what}`, () =>
      Effect.gen(function*() {
        const http = fakeHttp([{ status: 200, headers }, { ...answer, body: text }])
        const repository = yield* opened(http)
        const { descriptor } = yield* repository.resolve(byTag)
        assert.strictEqual(descriptor.digest, digest)
        assert.deepStrictEqual(http.lines(), ["HEAD app/manifests/v1", "GET app/manifests/v1"])
      }).pipe(Effect.scoped))
  }

  for (const status of [400, 405, 501]) {
    it.effect(`reads the manifest when HEAD is refused with ${status}`, () =>
      Effect.gen(function*() {
        const http = fakeHttp([{ status }, { ...answer, body: text }])
        const repository = yield* opened(http)
        assert.strictEqual((yield* repository.resolve(byTag)).descriptor.digest, digest)
      }).pipe(Effect.scoped))
  }

  it.effect("refuses another digest than the one asked for", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ ...answer, headers: { ...answer.headers, "Docker-Content-Digest": other } }])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.resolve(byDigest))
      assert.strictEqual(error.reason._tag, "DigestMismatch")
    }).pipe(Effect.scoped))
})

describe("manifest", () => {
  it.effect("keeps the bytes and the headers", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ ...answer, body: text }])
      const repository = yield* opened(http)
      const found = yield* repository.manifest(byTag)
      assert.strictEqual(new TextDecoder().decode(found.bytes), text)
      assert.deepStrictEqual(found.headers["docker-content-digest"], [digest])
      assert.deepStrictEqual(http.lines(), ["GET app/manifests/v1"])
    }).pipe(Effect.scoped))

  it.effect("uses the data of its descriptor in place of a request", () =>
    Effect.gen(function*() {
      const http = fakeHttp([])
      const repository = yield* opened(http)
      const data = Buffer.from(text).toString("base64")
      const found = yield* repository.manifest(byDigest, { ...manifest.descriptor, data })
      assert.strictEqual(found.descriptor.digest, digest)
      assert.deepStrictEqual(http.lines(), [])
    }).pipe(Effect.scoped))

  it.effect("asks the registry when that data is wrong", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ ...answer, body: text }])
      const repository = yield* opened(http)
      const data = Buffer.from(text.replace("2", "3")).toString("base64")
      const found = yield* repository.manifest(byDigest, { ...manifest.descriptor, data })
      assert.strictEqual(new TextDecoder().decode(found.bytes), text)
      assert.strictEqual(http.asked.length, 1)
    }).pipe(Effect.scoped))

  it.effect("tells what a registry said of a missing one", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 404, body: `{"errors":[]}\n` }])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.manifest(byTag))
      assert.strictEqual(
        error.message,
        `failed to get manifest r.example/app:v1: request failed: not found [http 404]: {"errors":[]}\n`
      )
    }).pipe(Effect.scoped))

  it.effect("asks again for bytes that do not fit, and fails after five times", () =>
    Effect.gen(function*() {
      const http = fakeHttp(() => ({ ...answer, body: text.replace("2", "3") }))
      const repository = yield* opened(http)
      const failing = yield* Effect.forkChild(Effect.flip(repository.manifest(byDigest)))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(failing)
      assert.strictEqual(error.reason._tag, "DigestMismatch")
      assert.match(
        error.message,
        /^failed to get manifest r\.example\/app@sha256:\w+: manifest digest mismatch, expected /
      )
      assert.strictEqual(http.asked.length, 5)
    }).pipe(Effect.scoped))

  it.effect("does not ask again for a login page", () =>
    Effect.gen(function*() {
      const page = { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>log in</html>" }
      const http = fakeHttp([page])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.manifest(byTag))
      assert.strictEqual(error.reason._tag, "ManifestInvalid")
      assert.strictEqual(http.asked.length, 1)
    }).pipe(Effect.scoped))

  it.effect("does not read what announces more than the limit", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ ...answer, headers: { ...answer.headers, "Content-Length": "8388609" }, body: text }])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.manifest(byTag))
      assert.strictEqual(error.reason._tag, "SizeLimit")
      assert.match(error.message, /manifest too large, received 8388609, limit 8388608: r\.example\/app:v1$/)
    }).pipe(Effect.scoped))
})

describe("putManifest", () => {
  const created = { status: 201, headers: { "Docker-Content-Digest": digest } }

  it.effect("sends the bytes as they are, by tag or by digest", () =>
    Effect.gen(function*() {
      const http = fakeHttp([created, created])
      const repository = yield* opened(http)
      yield* repository.putManifest(manifest, { tag: Tag.make("v1") })
      yield* repository.putManifest(manifest)
      assert.deepStrictEqual(http.lines(), ["PUT app/manifests/v1", `PUT app/manifests/${digest}`])
      assert.strictEqual(new TextDecoder().decode(http.asked[0]?.body), text)
      assert.deepStrictEqual(http.asked[0]?.request.headers, { "content-type": mediaTypes.ociManifest })
    }).pipe(Effect.scoped))

  it.effect("fails when the registry stored something else (N33)", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 201, headers: { "Docker-Content-Digest": other } }])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.putManifest(manifest, { tag: Tag.make("v1") }))
      assert.strictEqual(error.reason._tag, "DigestMismatch")
      assert.strictEqual(
        error.message,
        `failed to put manifest, unexpected digest returned, expected ${digest}, received ${other}`
      )
    }).pipe(Effect.scoped))

  it.effect("waits three times for a registry that does not know its blobs yet (N34)", () =>
    Effect.gen(function*() {
      const unknown = { status: 404, body: `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":"${config.digest}"}]}` }
      const http = fakeHttp([unknown, unknown, created])
      const repository = yield* opened(http)
      const pushing = yield* Effect.forkChild(repository.putManifest(manifest))
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(pushing)
      assert.strictEqual(http.asked.length, 3)
    }).pipe(Effect.scoped))

  it.effect("gives up on unknown blobs with an error that names them", () =>
    Effect.gen(function*() {
      const unknown = { status: 404, body: `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":"${config.digest}"}]}` }
      const http = fakeHttp(() => unknown)
      const repository = yield* opened(http)
      const pushing = yield* Effect.forkChild(Effect.flip(repository.putManifest(manifest)))
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(pushing)
      assert.strictEqual(http.asked.length, 4)
      assert.strictEqual(error.reason._tag, "HttpStatus")
      assert.isTrue(error.reason.lacksContent)
      assert.include(error.message, config.digest)
    }).pipe(Effect.scoped))

  it.effect("looks for what was answered with 200 and no digest, as by a page or half an answer (N35 N42)", () =>
    Effect.gen(function*() {
      const page = { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>log in</html>" }
      const http = fakeHttp([page, { status: 404 }])
      const error = yield* Effect.flip((yield* opened(http)).putManifest(manifest, { tag: Tag.make("v1") }))
      assert.strictEqual(error.reason._tag, "ProtocolError")
      assert.include(error.message, "answered with status 200, but the manifest is not there")
      assert.deepStrictEqual(http.lines(), ["PUT app/manifests/v1", "HEAD app/manifests/v1"])
      yield* (yield* opened(fakeHttp([{ status: 200 }, answer]))).putManifest(manifest, { tag: Tag.make("v1") })
    }).pipe(Effect.scoped))

  it.effect("takes another manifest of the same length for no success where a registry tells no digests (D2)", () =>
    Effect.gen(function*() {
      const refused = { status: 409, body: "immutable" }
      const head = {
        status: 200,
        headers: { "Content-Length": String(text.length), "Content-Type": mediaTypes.ociManifest }
      }
      const put = (body: string, first: Reply) => {
        const http = fakeHttp([first, head, { ...head, body }])
        return Effect.map(
          Effect.flatMap(opened(http), (it) => Effect.result(it.putManifest(manifest, { tag: Tag.make("v1") }))),
          (result) => [Result.isSuccess(result), ...http.lines()]
        )
      }
      const asked = ["PUT app/manifests/v1", "HEAD app/manifests/v1", "GET app/manifests/v1"]
      const another = text.replace(config.digest, other)
      assert.strictEqual(another.length, text.length)
      for (const first of [refused, { status: 200 }]) {
        assert.deepStrictEqual(yield* put(another, first), [false, ...asked])
        assert.deepStrictEqual(yield* put(text, first), [true, ...asked])
      }
    }).pipe(Effect.scoped))

  it.effect("is a success when a tag that may not be moved is there already", () =>
    Effect.gen(function*() {
      const refused = { status: 400, body: "ImageTagAlreadyExistsException" }
      const http = fakeHttp([refused, answer])
      yield* (yield* opened(http)).putManifest(manifest, { tag: Tag.make("v1") })
      assert.deepStrictEqual(http.lines(), ["PUT app/manifests/v1", "HEAD app/manifests/v1"])
      const moved = fakeHttp([refused, { status: 200, headers: { "Docker-Content-Digest": other } }])
      const error = yield* Effect.flip((yield* opened(moved)).putManifest(manifest, { tag: Tag.make("v1") }))
      assert.include(error.message, "ImageTagAlreadyExistsException")
    }).pipe(Effect.scoped))

  it.effect("asks for a tag beside a digest the registry would not compute", () =>
    Effect.gen(function*() {
      const bytes = new TextEncoder().encode(text)
      const long = Result.getOrThrow(decodeManifest(bytes, { name: "test", algorithm: "sha512" }))
      const sha512 = long.descriptor.digest
      const http = fakeHttp([{ status: 201, headers: { "OCI-Tag": "other, v1" } }, { status: 201 }, { status: 201 }])
      const repository = yield* opened(http)
      yield* repository.putManifest(long, { tag: Tag.make("v1") })
      yield* repository.putManifest(long, { tag: Tag.make("v2") })
      assert.deepStrictEqual(http.lines(), [
        `PUT app/manifests/${sha512}?tag=v1`,
        `PUT app/manifests/${sha512}?tag=v2`,
        `PUT app/manifests/v2?digest=${sha512.replace(":", "%3A")}`
      ])
    }).pipe(Effect.scoped))

  it.effect("refuses more than 4 MiB before any request", () =>
    Effect.gen(function*() {
      const http = fakeHttp([])
      const repository = yield* opened(http)
      const bytes = new Uint8Array(4 * 1024 * 1024 + 1)
      const error = yield* Effect.flip(repository.putManifest({ ...manifest, bytes }, { tag: Tag.make("v1") }))
      assert.strictEqual(error.message, "manifest too large, calculated 4194305, limit 4194304: r.example/app:v1")
    }).pipe(Effect.scoped))
})

describe("deleteManifest", () => {
  it.effect("deletes by digest", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 202 }])
      const repository = yield* opened(http)
      yield* repository.deleteManifest(manifest.descriptor)
      assert.deepStrictEqual(http.lines(), [`DELETE app/manifests/${digest}`])
    }).pipe(Effect.scoped))

  const outcome = (...replies: ReadonlyArray<Reply>) =>
    Effect.gen(function*() {
      const http = fakeHttp(replies)
      const repository = yield* opened(http)
      const fiber = yield* Effect.forkChild(Effect.result(repository.deleteManifest(manifest.descriptor)))
      yield* TestClock.adjust("1 minute")
      const result = yield* Fiber.join(fiber)
      return [result._tag === "Failure" ? result.failure.reason._tag : "deleted", http.asked.length]
    }).pipe(Effect.scoped)

  it.effect("takes what is gone for deleted after an answer that was lost alone, and asks whether it is (N10)", () =>
    Effect.gen(function*() {
      const gone = { status: 404 }
      assert.deepStrictEqual(yield* outcome(reset, gone, gone), ["deleted", 3])
      assert.deepStrictEqual(yield* outcome({ status: 502 }, { status: 429 }, gone, gone), ["deleted", 4])
      assert.deepStrictEqual(yield* outcome(reset, gone, answer), ["NotFound", 3])
      assert.deepStrictEqual(yield* outcome(gone), ["NotFound", 1])
      // Who is told to come later was not served.
      assert.deepStrictEqual(yield* outcome({ status: 429 }, gone), ["NotFound", 2])
    }))
})
