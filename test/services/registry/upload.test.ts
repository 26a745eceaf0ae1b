import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { hashHex } from "../../../src/lib/hash.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import { Location } from "../../../src/schemas/Ref.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { fromBytes, fromPump, pumpOf, verified } from "../../../src/services/Bytes.ts"
import { type Answer, type Asked, fakeHttp, opened, refusal, type Reply, reset } from "./fakeHttp.ts"

const bytes = new Uint8Array(10_000).map((_, at) => at % 251)
const described = (bytes: Uint8Array) => ({
  mediaType: mediaTypes.octetStream,
  digest: Digest.make(`sha256:${hashHex("sha256", bytes)}`),
  size: bytes.length
})
const blob = described(bytes)
const encoded = blob.digest.replace(":", "%3A")
const large = described(new Uint8Array(2 * 1024 * 1024 + 5).fill(7))
const largeBytes = new Uint8Array(large.size).fill(7)

const at = (location: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 202,
  headers: { Location: location, ...headers }
})
const session = at("/v2/app/blobs/uploads/1?_state=a%2Fb")
const created: Answer = { status: 201 }
const mount = `POST app/blobs/uploads/?mount=${encoded}`
const put = `PUT app/blobs/uploads/1?_state=a%2Fb&digest=${encoded}`
const kept = (end: number, location = "/v2/app/blobs/uploads/1?_state=n"): Answer => at(location, { Range: `0-${end}` })
const status = (end: number): Answer => ({ ...kept(end), status: 204 })
const chunked = { blobChunk: 4_000, blobMax: 1 }

/** What a registry that follows the script got, by the ranges of its chunks. */
const ranges = (asked: ReadonlyArray<Asked>) =>
  asked.filter(({ request }) => request.method === "PATCH").map(({ request }) => request.headers?.["content-range"])

/** The bytes of all chunks laid one after the other where their ranges say. */
const assembled = (asked: ReadonlyArray<Asked>, size: number) => {
  const whole = new Uint8Array(size)
  for (const { body, request } of asked) {
    const from = Number(/^[0-9]+/.exec(String(request.headers?.["content-range"]))?.[0] ?? -1)
    if (request.method === "PATCH" && body !== undefined) whole.set(body, from)
  }
  return whole
}

const sent = Effect.fnUntraced(function*(
  replies: ReadonlyArray<Reply>,
  host = {},
  content = fromBytes(bytes),
  expected: typeof blob | "unknown" = blob
) {
  const http = fakeHttp(replies)
  const repository = yield* opened(http, host)
  const sending = yield* Effect.forkChild(
    Effect.result(repository.putBlob(content, expected === "unknown" ? undefined : expected))
  )
  yield* TestClock.adjust("10 minutes")
  const result = yield* Fiber.join(sending)
  return {
    asked: http.asked,
    lines: http.lines(),
    descriptor: result._tag === "Success" ? result.success : undefined,
    error: result._tag === "Failure" ? result.failure : undefined
  }
}, Effect.scoped)

describe("a blob of known size", () => {
  it.effect("is not sent where an anonymous mount finds it", () =>
    Effect.gen(function*() {
      const { descriptor, lines } = yield* sent([created])
      assert.deepStrictEqual(descriptor, blob)
      assert.deepStrictEqual(lines, [mount])
    }))

  it.effect("goes in one PUT to the session of the refused mount, its query kept byte for byte", () =>
    Effect.gen(function*() {
      const { asked, lines } = yield* sent([session, created])
      assert.deepStrictEqual(lines, [mount, put])
      assert.deepStrictEqual(asked[1]?.body, bytes)
      assert.instanceOf(asked[1]?.request.body, Uint8Array)
    }))

  it.effect("goes as a pump when it is large", () =>
    Effect.gen(function*() {
      const { asked, descriptor } = yield* sent([session, created], {}, fromBytes(largeBytes), large)
      assert.deepStrictEqual(descriptor, large)
      assert.notInstanceOf(asked[1]?.request.body, Uint8Array)
      assert.strictEqual(asked[1]?.body?.length, large.size)
    }))

  it.effect("opens a plain session when the mount is refused otherwise", () =>
    Effect.gen(function*() {
      for (const refused of [{ status: 405 }, { status: 403 }, { status: 200 }, reset]) {
        const { error, lines } = yield* sent([refused, session, created])
        assert.isUndefined(error)
        assert.deepStrictEqual(lines, [mount, "POST app/blobs/uploads/", put])
      }
    }))

  it.effect("goes without a body when it is empty", () =>
    Effect.gen(function*() {
      const none = described(new Uint8Array(0))
      const { asked, descriptor } = yield* sent([session, created], {}, fromBytes(new Uint8Array(0)), none)
      assert.deepStrictEqual(descriptor, none)
      assert.deepStrictEqual(asked[1]?.body, new Uint8Array(0))
    }))

  it.effect("tells the registry of another algorithm than sha256", () =>
    Effect.gen(function*() {
      const other = { ...blob, digest: Digest.make(`sha512:${hashHex("sha512", bytes)}`) }
      const { lines } = yield* sent([{ status: 405 }, session, created], {}, fromBytes(bytes), other)
      assert.strictEqual(lines[1], "POST app/blobs/uploads/?digest-algorithm=sha512")
    }))

  it.effect("fails when the registry names no session (N28)", () =>
    Effect.gen(function*() {
      const { error } = yield* sent([{ status: 202 }, { status: 202 }])
      assert.strictEqual(error?.reason._tag, "UploadRejected")
      assert.strictEqual(error?.message, "failed to send blob post, ref r.example/app:latest: location header missing")
    }))

  it.effect("keeps to https when a registry behind a proxy names http", () =>
    Effect.gen(function*() {
      const { lines, asked } = yield* sent([at("http://r.example/v2/app/blobs/uploads/1"), created])
      assert.strictEqual(asked[1]?.request.url?.protocol, "https:")
      assert.strictEqual(lines[1], `PUT app/blobs/uploads/1?digest=${encoded}`)
    }))

  it.effect("is looked for after an odd success", () =>
    Effect.gen(function*() {
      const good = yield* sent([session, { status: 200 }, { status: 200 }])
      assert.deepStrictEqual(good.lines, [mount, put, `HEAD app/blobs/${blob.digest}`])
      assert.isUndefined(good.error)
    }))

  it.effect("is looked for before it is sent again, when the connection broke (N10)", () =>
    Effect.gen(function*() {
      const { error, lines } = yield* sent([session, reset, { status: 200 }])
      assert.isUndefined(error)
      assert.deepStrictEqual(lines, [mount, put, `HEAD app/blobs/${blob.digest}`])
    }))

  it.effect("goes on in chunks from the registry's offset, when the PUT broke off", () =>
    Effect.gen(function*() {
      const { asked, error, lines } = yield* sent([
        session,
        reset,
        { status: 404 },
        status(2_999),
        kept(9_999),
        created
      ])
      assert.isUndefined(error)
      assert.deepStrictEqual(lines, [
        mount,
        put,
        `HEAD app/blobs/${blob.digest}`,
        "GET app/blobs/uploads/1?_state=a%2Fb",
        "PATCH app/blobs/uploads/1?_state=n",
        `PUT app/blobs/uploads/1?_state=n&digest=${encoded}`
      ])
      assert.deepStrictEqual(ranges(asked), ["3000-9999"])
      assert.deepStrictEqual(asked[4]?.body, bytes.subarray(3_000))
    }))

  it.effect("goes in chunks of the same session when the PUT is refused", () =>
    Effect.gen(function*() {
      const { error, lines } = yield* sent([session, { status: 413 }, kept(9_999), created])
      assert.isUndefined(error)
      assert.deepStrictEqual(lines.map((line) => line.split(" ")[0]), ["POST", "PUT", "PATCH", "PUT"])
    }))

  for (const code of [401, 403]) {
    it.effect(`fails at once on ${code}, and cancels its session`, () =>
      Effect.gen(function*() {
        const { error, lines } = yield* sent([session, { status: code }, { status: 204 }])
        assert.strictEqual(error?.reason.status, code)
        assert.deepStrictEqual(lines, [mount, put, "DELETE app/blobs/uploads/1?_state=a%2Fb"])
      }))
  }

  it.effect("fails with a reason of its own when the registry finds other bytes than promised", () =>
    Effect.gen(function*() {
      const { error, lines } = yield* sent([session, { status: 400, body: `{"code":"DIGEST_INVALID"}` }, {
        status: 204
      }])
      assert.strictEqual(error?.reason._tag, "DigestMismatch")
      assert.strictEqual(lines.length, 3)
    }))

  it.effect("passes a failure of the content on as it is, and cancels", () =>
    Effect.gen(function*() {
      const failure = storeError("failed to get blob", "ConnectionLost", "source went away")
      for (const [expected, data] of [[blob, bytes], [large, largeBytes]] as const) {
        const content = fromPump((sink) =>
          Effect.andThen(pumpOf(fromBytes(data.subarray(0, 100)))(sink), Effect.fail(failure))
        )
        const { error, lines } = yield* sent([session, { status: 204 }, { status: 204 }], {}, content, expected)
        assert.strictEqual(error, failure)
        assert.strictEqual(lines.at(-1), "DELETE app/blobs/uploads/1?_state=a%2Fb")
      }
    }))

  it.effect("is cancelled when its bytes are wrong, and can be sent again (C01)", () =>
    Effect.gen(function*() {
      const content = verified(fromBytes(new Uint8Array(large.size)), large)
      const { error, lines } = yield* sent([session, { status: 204 }, session, created], {}, content, large)
      assert.strictEqual(error?.reason._tag, "DigestMismatch")
      assert.deepStrictEqual(lines.map((line) => line.split(" ")[0]), ["POST", "PUT", "DELETE"])
    }))

  it.effect("is refused when it is shorter or longer than promised", () =>
    Effect.gen(function*() {
      for (const length of [9_999, 10_001]) {
        const content = fromBytes(new Uint8Array(length))
        const { error } = yield* sent([session, { status: 204 }, session, { status: 204 }], {}, content)
        assert.strictEqual(error?.reason._tag, "SizeMismatch")
      }
    }))

  it.effect("is cancelled when the upload is interrupted", () =>
    Effect.gen(function*() {
      const http = fakeHttp([session, () => Effect.never, { status: 204 }])
      const repository = yield* opened(http)
      const sending = yield* Effect.forkChild(repository.putBlob(fromBytes(bytes), blob))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(http.lines(), [mount, put])
      yield* Fiber.interrupt(sending)
      assert.deepStrictEqual(http.lines(), [mount, put, "DELETE app/blobs/uploads/1?_state=a%2Fb"])
    }).pipe(Effect.scoped))

  it.effect("does not wait longer than 2 s for a cancelled session", () =>
    Effect.gen(function*() {
      const http = fakeHttp([session, { status: 403 }, () => Effect.never])
      const repository = yield* opened(http)
      const sending = yield* Effect.forkChild(Effect.flip(repository.putBlob(fromBytes(bytes), blob)))
      yield* TestClock.adjust("1900 millis")
      assert.isUndefined(sending.pollUnsafe())
      yield* TestClock.adjust("100 millis")
      assert.strictEqual((yield* Fiber.join(sending)).reason._tag, "Forbidden")
    }).pipe(Effect.scoped))
})

describe("an upload in chunks", () => {
  it.effect("sends each with its range to the newest location", () =>
    Effect.gen(function*() {
      const { asked, error, lines } = yield* sent([
        session,
        kept(3_999, "/v2/app/blobs/uploads/1?_state=b"),
        kept(7_999, "/v2/app/blobs/uploads/1?_state=c"),
        kept(9_999, "/v2/app/blobs/uploads/1?_state=d"),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.deepStrictEqual(lines, [
        mount,
        "PATCH app/blobs/uploads/1?_state=a%2Fb",
        "PATCH app/blobs/uploads/1?_state=b",
        "PATCH app/blobs/uploads/1?_state=c",
        `PUT app/blobs/uploads/1?_state=d&digest=${encoded}`
      ])
      assert.deepStrictEqual(ranges(asked), ["0-3999", "4000-7999", "8000-9999"])
      assert.deepStrictEqual(assembled(asked, 10_000), bytes)
    }))

  it.effect("keeps to the least size of a chunk that the registry names", () =>
    Effect.gen(function*() {
      const { asked } = yield* sent([
        at("/v2/app/blobs/uploads/1", { "OCI-Chunk-Min-Length": "6000" }),
        kept(5_999),
        kept(9_999),
        created
      ], chunked)
      assert.deepStrictEqual(ranges(asked), ["0-5999", "6000-9999"])
    }))

  it.effect("keeps in memory no more than is configured, whatever the registry names", () =>
    Effect.gen(function*() {
      const { asked } = yield* sent([
        at("/v2/app/blobs/uploads/1", { "OCI-Chunk-Min-Length": "900000000000" }),
        kept(4_999),
        kept(9_999),
        created
      ], { ...chunked, blobLimit: 5_000 })
      assert.deepStrictEqual(ranges(asked), ["0-4999", "5000-9999"])
    }))

  it.effect("finds size and digest on the way when nobody knew them", () =>
    Effect.gen(function*() {
      const content = Stream.fromIterable([bytes.slice(0, 1_000), bytes.slice(1_000, 9_000), bytes.slice(9_000)])
      const { asked, descriptor, lines } = yield* sent(
        [session, kept(3_999), kept(7_999), kept(9_999), created],
        { blobChunk: 4_000 },
        content,
        "unknown"
      )
      assert.deepStrictEqual(descriptor, blob)
      assert.strictEqual(lines[0], "POST app/blobs/uploads/")
      assert.deepStrictEqual(assembled(asked, 10_000), bytes)
    }).pipe(Effect.scoped))

  it.effect("believes its own count over a range that stands still or is missing (ECR)", () =>
    Effect.gen(function*() {
      const { asked, error } = yield* sent([
        session,
        kept(3_999),
        kept(3_999),
        at("/v2/app/blobs/uploads/1"),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.deepStrictEqual(ranges(asked), ["0-3999", "4000-7999", "8000-9999"])
    }))

  it.effect("sends the rest of a chunk of which a part was kept", () =>
    Effect.gen(function*() {
      const { asked } = yield* sent([session, kept(1_999), kept(3_999), kept(7_999), kept(9_999), created], chunked)
      assert.deepStrictEqual(ranges(asked), ["0-3999", "2000-3999", "4000-7999", "8000-9999"])
      assert.deepStrictEqual(assembled(asked, 10_000), bytes)
    }))

  it.effect("follows the offset of a 416", () =>
    Effect.gen(function*() {
      const { asked, error } = yield* sent([
        session,
        kept(3_999),
        { ...kept(5_999), status: 416 },
        kept(7_999),
        kept(9_999),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.deepStrictEqual(ranges(asked), ["0-3999", "4000-7999", "6000-7999", "8000-9999"])
    }))

  it.effect("reads the content again when the registry goes back behind the chunk (N30)", () =>
    Effect.gen(function*() {
      const { asked, error } = yield* sent([
        session,
        kept(3_999),
        kept(7_999),
        { ...kept(999), status: 416 },
        kept(4_999),
        kept(8_999),
        kept(9_999),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.deepStrictEqual(ranges(asked).slice(2), ["8000-9999", "1000-4999", "5000-8999", "9000-9999"])
      assert.deepStrictEqual(assembled(asked, 10_000), bytes)
    }))

  it.effect("asks where it stands when a connection broke, and goes on from there", () =>
    Effect.gen(function*() {
      const { asked, error, lines } = yield* sent([
        session,
        kept(3_999),
        reset,
        status(7_999),
        kept(9_999),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.strictEqual(lines[3], "GET app/blobs/uploads/1?_state=n")
      assert.deepStrictEqual(ranges(asked), ["0-3999", "4000-7999", "8000-9999"])
    }))

  it.effect("begins a new session from byte 0 when the old one is lost (N29)", () =>
    Effect.gen(function*() {
      const { asked, error, lines } = yield* sent([
        session,
        kept(3_999),
        { status: 404, body: "BLOB_UPLOAD_UNKNOWN" },
        at("/v2/app/blobs/uploads/2"),
        kept(3_999, "/v2/app/blobs/uploads/2"),
        kept(7_999, "/v2/app/blobs/uploads/2"),
        kept(9_999, "/v2/app/blobs/uploads/2"),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.strictEqual(lines[3], "POST app/blobs/uploads/")
      assert.deepStrictEqual(ranges(asked).slice(2), ["0-3999", "4000-7999", "8000-9999"])
    }))

  it.effect("begins anew when the registry claims more than was sent", () =>
    Effect.gen(function*() {
      const { error, lines } = yield* sent([
        session,
        kept(99_999),
        status(99_999),
        { status: 204 },
        at("/v2/app/blobs/uploads/2"),
        kept(3_999),
        kept(7_999),
        kept(9_999),
        created
      ], chunked)
      assert.isUndefined(error)
      assert.deepStrictEqual(lines.slice(2, 5), [
        "GET app/blobs/uploads/1?_state=n",
        "DELETE app/blobs/uploads/1?_state=n",
        "POST app/blobs/uploads/"
      ])
    }))

  it.effect("gives up on a registry that loses every session", () =>
    Effect.gen(function*() {
      const http = fakeHttp(({ line }) => line.startsWith("POST") ? session : { status: 404 })
      const repository = yield* opened(http, chunked)
      const error = yield* Effect.flip(repository.putBlob(fromBytes(bytes), blob))
      assert.strictEqual(error.reason._tag, "UploadLost")
      assert.strictEqual(http.lines().filter((line) => line.startsWith("POST")).length, 5)
    }).pipe(Effect.scoped))

  it.effect("gives up on a registry that never moves on", () =>
    Effect.gen(function*() {
      const http = fakeHttp(({ line }) =>
        line.startsWith("POST") ? session : line.startsWith("GET") ? status(0) : refusal(503)
      )
      const repository = yield* opened(http, chunked)
      const sending = yield* Effect.forkChild(Effect.flip(repository.putBlob(fromBytes(bytes), blob)))
      yield* TestClock.adjust("1 hour")
      const error = yield* Fiber.join(sending)
      assert.strictEqual(error.reason.status, 503)
      assert.isBelow(http.asked.length, 60)
    }).pipe(Effect.scoped))

  it.effect("gives up on a registry that goes to and fro", () =>
    Effect.gen(function*() {
      const http = fakeHttp(({ line, request }) => {
        if (line.startsWith("POST")) return session
        if (!line.startsWith("PATCH")) return status(0)
        return String(request.headers?.["content-range"]).startsWith("0-") ? kept(3_999) : { ...kept(0), status: 416 }
      })
      const repository = yield* opened(http, chunked)
      const error = yield* Effect.flip(repository.putBlob(fromBytes(bytes), blob))
      assert.strictEqual(error.reason.status, 416)
      assert.isBelow(http.asked.length, 100)
    }).pipe(Effect.scoped))

  it.effect("halves its chunks for a proxy that takes no more", () =>
    Effect.gen(function*() {
      const { asked, error } = yield* sent([
        session,
        { status: 413 },
        status(0),
        kept(4_999),
        kept(9_999),
        created
      ], { blobChunk: 20_000, blobMax: 1 })
      assert.isUndefined(error)
      assert.deepStrictEqual(ranges(asked), ["0-9999", "0-4999", "5000-9999"])
    }))

  it.effect("looks for the blob before it closes a session again (N10)", () =>
    Effect.gen(function*() {
      const chunks = [kept(3_999), kept(7_999), kept(9_999)]
      const done = yield* sent([session, ...chunks, reset, { status: 200 }], chunked)
      assert.isUndefined(done.error)
      assert.strictEqual(done.lines.at(-1), `HEAD app/blobs/${blob.digest}`)
      const again = yield* sent([session, ...chunks, refusal(503), { status: 404 }, created], chunked)
      assert.isUndefined(again.error)
      assert.deepStrictEqual(again.lines.slice(-3).map((line) => line.split(" ")[0]), ["PUT", "HEAD", "PUT"])
    }))

  it.effect("does not take a page for the blob it looks for (N10, N42)", () =>
    Effect.gen(function*() {
      const chunks = [kept(3_999), kept(7_999), kept(9_999)]
      const page = { status: 200, headers: { "Content-Type": "text/html" } }
      const { error, lines } = yield* sent([session, ...chunks, refusal(503), page, created], chunked)
      assert.isUndefined(error)
      assert.deepStrictEqual(lines.slice(-3).map((line) => line.split(" ")[0]), ["PUT", "HEAD", "PUT"])
    }))

  it.effect("refuses content that is not what was promised, and cancels", () =>
    Effect.gen(function*() {
      const chunks = [kept(3_999), kept(7_999), kept(9_999)]
      const { error, lines } = yield* sent(
        [session, ...chunks, { status: 204 }],
        chunked,
        fromBytes(new Uint8Array(10_000))
      )
      assert.strictEqual(error?.reason._tag, "DigestMismatch")
      assert.isTrue(lines.at(-1)?.startsWith("DELETE"))
    }))
})

describe("mountBlob", () => {
  const from = Location.Registry({ registry: "r.example", repository: "other" })

  it.effect("asks for the blob of another repository, with the right to read it", () =>
    Effect.gen(function*() {
      const http = fakeHttp([created])
      const repository = yield* opened(http)
      assert.isTrue(yield* repository.mountBlob(blob, from))
      assert.deepStrictEqual(http.lines(), [`${mount}&from=other`])
      assert.deepStrictEqual(http.asked[0]?.request.scopes, { other: "pull" })
    }).pipe(Effect.scoped))

  it.effect("leaves its session to the upload that follows", () =>
    Effect.gen(function*() {
      const http = fakeHttp([session, created])
      const repository = yield* opened(http)
      assert.isFalse(yield* repository.mountBlob(blob, from))
      yield* repository.putBlob(fromBytes(bytes), blob)
      assert.deepStrictEqual(http.lines(), [`${mount}&from=other`, put])
    }).pipe(Effect.scoped))

  it.effect("cancels a session nobody went on with", () =>
    Effect.gen(function*() {
      const http = fakeHttp([session, { status: 204 }])
      yield* Effect.scoped(Effect.flatMap(opened(http), (it) => it.mountBlob(blob, from)))
      assert.deepStrictEqual(http.lines(), [`${mount}&from=other`, "DELETE app/blobs/uploads/1?_state=a%2Fb"])
    }))

  it.effect("asks nothing of other registries and of places on disk", () =>
    Effect.gen(function*() {
      const http = fakeHttp([])
      const repository = yield* opened(http)
      const elsewhere = Location.Registry({ registry: "s.example", repository: "other" })
      assert.isFalse(yield* repository.mountBlob(blob, elsewhere))
      assert.isFalse(yield* repository.mountBlob(blob, Location.OciLayout({ path: "x" })))
      assert.strictEqual(http.asked.length, 0)
    }).pipe(Effect.scoped))

  it.effect("sends the bytes really once a mount turned out to be empty (N34)", () =>
    Effect.gen(function*() {
      const http = fakeHttp([created, session, created])
      const repository = yield* opened(http)
      assert.isTrue(yield* repository.mountBlob(blob, from))
      assert.isFalse(yield* repository.mountBlob(blob, from))
      yield* repository.putBlob(fromBytes(bytes), blob)
      assert.deepStrictEqual(http.lines(), [`${mount}&from=other`, "POST app/blobs/uploads/", put])
    }).pipe(Effect.scoped))

  it.effect("does the same when the mount was the upload's own", () =>
    Effect.gen(function*() {
      const http = fakeHttp([created, session, created])
      const repository = yield* opened(http)
      yield* repository.putBlob(fromBytes(bytes), blob)
      yield* repository.putBlob(fromBytes(bytes), blob)
      assert.deepStrictEqual(http.lines(), [mount, "POST app/blobs/uploads/", put])
    }).pipe(Effect.scoped))

  it.effect("says no whatever the refusal", () =>
    Effect.gen(function*() {
      for (const refused of [400, 401, 403, 404, 405, 503]) {
        const http = fakeHttp([{ status: refused }])
        const repository = yield* opened(http)
        assert.isFalse(yield* repository.mountBlob(blob, from))
      }
    }).pipe(Effect.scoped))
})
