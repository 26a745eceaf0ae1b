import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hashHex } from "../../../src/lib/hash.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { type Bytes, collect, pumpOf } from "../../../src/services/Bytes.ts"
import { fakeHttp, opened, type Reply } from "./fakeHttp.ts"

const text = "hello, blob"
const digest = Digest.make(`sha256:${hashHex("sha256", new TextEncoder().encode(text))}`)
const blob = { mediaType: mediaTypes.octetStream, digest, size: text.length }
const line = `GET app/blobs/${digest}`
const ok: Reply = { status: 200, headers: { "Content-Length": "11" }, body: text }

const read = (bytes: Bytes) => Effect.map(collect(bytes, 1_000), (it) => new TextDecoder().decode(it))

describe("blob", () => {
  it.effect("is read with a promise to continue after breaks, from mirrors too", () =>
    Effect.gen(function*() {
      const http = fakeHttp([ok])
      const repository = yield* opened(http)
      assert.strictEqual(yield* read(repository.blob(blob)), text)
      assert.deepStrictEqual(http.lines(), [line])
      assert.deepStrictEqual(http.asked[0]?.request.resume, { from: 0, size: 11 })
      assert.isTrue(http.asked[0]?.request.mirrors)
    }).pipe(Effect.scoped))

  it.effect("is asked for again each time it is run", () =>
    Effect.gen(function*() {
      const http = fakeHttp([ok, ok])
      const repository = yield* opened(http)
      const content = repository.blob(blob)
      assert.strictEqual(yield* read(content), yield* read(content))
      assert.deepStrictEqual(http.lines(), [line, line])
    }).pipe(Effect.scoped))

  it.effect("comes from its descriptor's data when that is right, from the registry when not (C17)", () =>
    Effect.gen(function*() {
      const http = fakeHttp([ok])
      const repository = yield* opened(http)
      assert.strictEqual(yield* read(repository.blob({ ...blob, data: btoa(text) })), text)
      assert.strictEqual(http.asked.length, 0)
      assert.strictEqual(yield* read(repository.blob({ ...blob, data: btoa("hello, world") })), text)
      assert.strictEqual(http.asked.length, 1)
    }).pipe(Effect.scoped))

  const bad: ReadonlyArray<readonly [string, Reply, string, string]> = [
    ["other bytes (C01)", { status: 200, body: "hello, blub" }, "DigestMismatch", "digest mismatch [expected "],
    ["more bytes (C02)", { status: 200, body: `${text}!` }, "SizeMismatch", "size limit exceeded"],
    ["fewer bytes", { status: 200, body: "hello" }, "SizeMismatch", "short read [expected 11, received 5]: EOF"],
    [
      "another length",
      { status: 200, headers: { "Content-Length": "12" }, body: text },
      "SizeMismatch",
      "unexpected content-length, expected 11, received 12"
    ],
    ["nothing", { status: 404 }, "NotFound", "request failed: not found [http 404]: "]
  ]
  for (const [what, reply, tag, problem] of bad) {
    it.effect(`fails when the registry sends ${what}`, () =>
      Effect.gen(function*() {
        const repository = yield* opened(fakeHttp([reply]))
        const error = yield* Effect.flip(read(repository.blob(blob)))
        assert.strictEqual(error.reason._tag, tag)
        assert.isTrue(
          error.message.startsWith(`failed to get blob, digest ${digest}, ref r.example/app:latest: ${problem}`),
          error.message
        )
      }).pipe(Effect.scoped))
  }

  it.effect("passes a failure of whoever takes it on unchanged", () =>
    Effect.gen(function*() {
      const repository = yield* opened(fakeHttp([ok]))
      const full = storeError("write", "FsNoSpace", "disk full")
      const error = yield* Effect.flip(
        pumpOf(repository.blob(blob))(() => {
          throw full
        })
      )
      assert.strictEqual(error, full)
    }).pipe(Effect.scoped))

  it.effect("is looked for at its own addresses when the registry has none (C16)", () =>
    Effect.gen(function*() {
      const urls = ["not an address", "http://one.example/layer", "https://two.example/layer?sig=x%2F"]
      const http = fakeHttp([{ status: 404 }, { status: 403 }, ok])
      const repository = yield* opened(http)
      assert.strictEqual(yield* read(repository.blob({ ...blob, urls })), text)
      assert.deepStrictEqual(http.asked.map(({ request }) => request.url?.href), [undefined, urls[1], urls[2]])
    }).pipe(Effect.scoped))

  it.effect("tells the registry's failure when its own addresses fail too, and a refused address above all", () =>
    Effect.gen(function*() {
      const urls = ["https://one.example/layer"]
      const gone = yield* opened(fakeHttp([{ status: 404 }, { status: 500 }]))
      assert.strictEqual((yield* Effect.flip(read(gone.blob({ ...blob, urls })))).reason._tag, "NotFound")
      const refused = yield* opened(fakeHttp([{ status: 404 }, storeError("", "RedirectRefused", "no")]))
      assert.strictEqual((yield* Effect.flip(read(refused.blob({ ...blob, urls })))).reason._tag, "RedirectRefused")
    }).pipe(Effect.scoped))

  it.effect("has a size its descriptor need not know (schema 1)", () =>
    Effect.gen(function*() {
      const repository = yield* opened(fakeHttp([ok]))
      assert.strictEqual(yield* read(repository.blob({ ...blob, size: 0 })), text)
    }).pipe(Effect.scoped))

  it.effect("is read in part", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 206, headers: { "Content-Range": "bytes 7-10/11" }, body: "blob" }])
      const repository = yield* opened(http)
      assert.strictEqual(yield* read(repository.blob(blob, { from: 7, to: 10 })), "blob")
      assert.deepStrictEqual(http.asked[0]?.request.headers, { range: "bytes=7-10" })
    }).pipe(Effect.scoped))

  it.effect("is cut to the part asked for when the server sends the whole", () =>
    Effect.gen(function*() {
      const repository = yield* opened(fakeHttp([ok, ok]))
      assert.strictEqual(yield* read(repository.blob(blob, { from: 7, to: 8 })), "bl")
      assert.strictEqual(yield* read(repository.blob(blob, { from: 7 })), "blob")
    }).pipe(Effect.scoped))

  it.effect("is cut to the part asked for when the server sends more of it", () =>
    Effect.gen(function*() {
      const more = { status: 206, headers: { "Content-Range": "bytes 6-10/11" }, body: " blob and more" }
      const repository = yield* opened(fakeHttp([more]))
      assert.strictEqual(yield* read(repository.blob({ ...blob, size: 0 }, { from: 6, to: 10 })), " blob")
    }).pipe(Effect.scoped))

  it.effect("is refused when the server sends another part", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 206, headers: { "Content-Range": "bytes 0-3/11" }, body: "hell" }])
      const error = yield* Effect.flip(read((yield* opened(http)).blob(blob, { from: 7 })))
      assert.include(error.message, "range request not supported by server")
    }).pipe(Effect.scoped))
})

describe("headBlob", () => {
  it.effect("is not there when a redirect led to another part of the registry", () =>
    Effect.gen(function*() {
      const length = { "Content-Length": "11" }
      const there = `https://cdn.r.example/v2/other/blobs/${digest}`
      const http = fakeHttp([
        { status: 200, headers: length, url: "https://r.example/v2/" },
        { status: 200, headers: length, url: there },
        { status: 200, headers: length, url: "https://storage.example/ab/data?signature=x" }
      ])
      const repository = yield* opened(http)
      const error = yield* Effect.flip(repository.headBlob(blob))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual((yield* repository.headBlob(blob)).descriptor.size, 11)
      assert.strictEqual((yield* repository.headBlob(blob)).descriptor.size, 11)
    }).pipe(Effect.scoped))

  it.effect("gives the size found", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 200, headers: { "Content-Length": "11" } }])
      const { descriptor } = yield* (yield* opened(http)).headBlob({ ...blob, size: 0 })
      assert.deepStrictEqual(descriptor, blob)
      assert.deepStrictEqual(http.lines(), [`HEAD app/blobs/${digest}`])
    }).pipe(Effect.scoped))

  it.effect("fails with NotFound after one request", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 404 }])
      const error = yield* Effect.flip((yield* opened(http)).headBlob(blob))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual(
        error.message,
        `failed to request blob head, digest ${digest}, ref r.example/app:latest: request failed: not found [http 404]: `
      )
    }).pipe(Effect.scoped))

  it.effect("does not take a page for the blob (N42)", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 200, headers: { "Content-Length": "19", "Content-Type": "text/html" } }])
      const error = yield* Effect.flip((yield* opened(http)).headBlob(blob))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.include(error.message, "the server tells of 19 bytes, it has 11")
    }).pipe(Effect.scoped))

  it.effect("is not there when a page answers for its first byte (N42)", () =>
    Effect.gen(function*() {
      const page: Reply = { status: 200, headers: { "Content-Length": "30" }, body: "<html>log in</html>" }
      const error = yield* Effect.flip((yield* opened(fakeHttp([{ status: 403 }, page]))).headBlob(blob))
      assert.strictEqual(error.reason._tag, "NotFound")
    }).pipe(Effect.scoped))

  it.effect("asks for one byte where HEAD is refused, as by signed addresses", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 403 }, { status: 206, headers: { "Content-Range": "bytes 0-0/11" }, body: "h" }])
      const { descriptor } = yield* (yield* opened(http)).headBlob({ ...blob, size: 0 })
      assert.strictEqual(descriptor.size, 11)
      assert.deepStrictEqual(http.lines(), [`HEAD app/blobs/${digest}`, line])
    }).pipe(Effect.scoped))
})

describe("deleteBlob", () => {
  it.effect("is one request", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 202 }])
      yield* (yield* opened(http)).deleteBlob(blob)
      assert.deepStrictEqual(http.lines(), [`DELETE app/blobs/${digest}`])
    }).pipe(Effect.scoped))
})
