import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { Digest } from "../../../src/schemas/Digest.ts"
import { fromBytes } from "../../../src/services/Bytes.ts"
import { KeptSessions } from "../../../src/services/KeptSessions.ts"
import { type Answer, type Asked, fakeHttp, opened, refusal, type Reply, type Replying, reset } from "./fakeHttp.ts"

const mebi = 1024 * 1024
const bytes = Buffer.alloc(72 * mebi)
for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at)
const digest = Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
const blob = { mediaType: "application/octet-stream", digest, size: bytes.length }
const encoded = digest.replace(":", "%3A")

const old = "https://r.example/v2/app/blobs/uploads/old"
const mount = `POST app/blobs/uploads/?mount=${encoded}`
const fresh: Answer = { status: 202, headers: { Location: "/v2/app/blobs/uploads/new" } }
const created: Answer = { status: 201 }
const has = (end: number, status = 202): Answer => ({
  status,
  headers: { Location: "/v2/app/blobs/uploads/old?n", Range: `0-${end - 1}` }
})

/** A journal with one entry, and what was asked of it. */
const journal = (location: string | undefined) => {
  const asked: Array<string> = []
  const layer = KeptSessions.of({
    take: () =>
      Effect.sync(() => {
        asked.push("take")
        return location === undefined ? undefined : { location: new URL(location), least: 0 }
      }),
    keep: (_, session) =>
      Effect.sync(() => {
        asked.push(`keep ${session.location.pathname.split("/").at(-1)}${session.location.search}`)
        return true
      }),
    forget: () => Effect.sync(() => void asked.push("forget"))
  })
  return { asked, layer }
}

const send = Effect.fnUntraced(
  function*(location: string | undefined, replies: ReadonlyArray<Reply> | Replying, expected = blob) {
    const { asked, layer } = journal(location)
    const http = fakeHttp(replies)
    const repository = yield* Effect.provideService(opened(http), KeptSessions, layer)
    const sending = yield* Effect.forkChild(
      Effect.result(repository.putBlob(fromBytes(bytes.subarray(0, expected.size)), expected))
    )
    yield* TestClock.adjust("10 minutes")
    const result = yield* Fiber.join(sending)
    return { isSent: result._tag === "Success", lines: http.lines(), asked: http.asked, journal: asked }
  },
  Effect.scoped
)

const chunksOf = (asked: ReadonlyArray<Asked>) =>
  asked.filter(({ request }) => request.method === "PATCH").map(({ body, request }) => {
    const from = Number(/^\d+/.exec(String(request.headers?.["content-range"]))?.[0])
    assert.isTrue(Buffer.from(body ?? []).equals(bytes.subarray(from, from + (body?.length ?? 0))))
    return [from / mebi, (body?.length ?? 0) / mebi]
  })

describe("a large blob", () => {
  it.effect("has its session noted before it is sent in one request, and forgotten then", () =>
    Effect.gen(function*() {
      const { journal, lines } = yield* send(undefined, [fresh, created])
      assert.deepStrictEqual(lines, [mount, `PUT app/blobs/uploads/new?digest=${encoded}`])
      assert.deepStrictEqual(journal, ["take", "keep new", "forget"])
    }))

  it.effect("goes on with what the registry has of it", () =>
    Effect.gen(function*() {
      const { asked, isSent, journal, lines } = yield* send(old, [
        has(40 * mebi, 204),
        has(56 * mebi),
        has(72 * mebi),
        created
      ])
      assert.isTrue(isSent)
      assert.deepStrictEqual(lines, [
        "GET app/blobs/uploads/old",
        "PATCH app/blobs/uploads/old?n",
        "PATCH app/blobs/uploads/old?n",
        `PUT app/blobs/uploads/old?n&digest=${encoded}`
      ])
      assert.deepStrictEqual(chunksOf(asked), [[40, 16], [56, 16]])
      assert.deepStrictEqual(journal, ["take", "keep old?n", "forget"])
    }))

  it.effect("is only finished where the registry has all of it", () =>
    Effect.gen(function*() {
      const { isSent, lines } = yield* send(old, [has(72 * mebi, 204), created])
      assert.deepStrictEqual([isSent, lines], [true, [
        "GET app/blobs/uploads/old",
        `PUT app/blobs/uploads/old?n&digest=${encoded}`
      ]])
    }))

  const anew: ReadonlyArray<readonly [string, string, ReadonlyArray<Reply>, ReadonlyArray<string>]> = [
    ["is gone", old, [refusal(404)], ["GET app/blobs/uploads/old"]],
    ["cannot be asked", old, [reset], ["GET app/blobs/uploads/old"]],
    ["is empty", old, [{ ...has(1, 204) }, { status: 204 }], [
      "GET app/blobs/uploads/old",
      "DELETE app/blobs/uploads/old?n"
    ]],
    ["has more than there is", old, [has(99 * mebi, 204), { status: 204 }], [
      "GET app/blobs/uploads/old",
      "DELETE app/blobs/uploads/old?n"
    ]],
    ["is at another host", "https://evil.example/v2/app/blobs/uploads/old", [], []],
    ["is at another port", "https://r.example:444/v2/app/blobs/uploads/old", [], []],
    ["is without encryption", "http://r.example/v2/app/blobs/uploads/old", [], []]
  ]
  for (const [name, location, replies, asked] of anew) {
    it.effect(`is sent anew in one request when the session ${name}`, () =>
      Effect.gen(function*() {
        const { isSent, lines } = yield* send(location, [...replies, fresh, created])
        assert.deepStrictEqual([isSent, lines], [true, [
          ...asked,
          mount,
          `PUT app/blobs/uploads/new?digest=${encoded}`
        ]])
      }))
  }

  it.effect("is sent anew when what the registry has turns out wrong", () =>
    Effect.gen(function*() {
      const { asked, isSent } = yield* send(old, ({ line }) => {
        if (line === "GET app/blobs/uploads/old") return has(64 * mebi, 204)
        if (line.startsWith("PUT app/blobs/uploads/old")) return refusal(400, `{"errors":[{"code":"DIGEST_INVALID"}]}`)
        if (line.startsWith("POST")) return fresh
        if (line.startsWith("DELETE")) return { status: 204 }
        return line.startsWith("PUT") ? created : { status: 202 }
      })
      assert.isTrue(isSent)
      assert.deepStrictEqual(chunksOf(asked), [[64, 8], [0, 16], [16, 16], [32, 16], [48, 16], [64, 8]])
    }))

  it.effect("leaves its session for the next run when the registry is lost", () =>
    Effect.gen(function*() {
      const { isSent, journal, lines } = yield* send(undefined, ({ line }) => line.startsWith("POST") ? fresh : reset)
      assert.isFalse(isSent)
      assert.deepStrictEqual(lines.filter((it) => it.startsWith("DELETE")), [])
      assert.deepStrictEqual(journal, ["take", "keep new", "keep new"])
    }))

  it.effect("gives its session up when it is interrupted", () =>
    Effect.gen(function*() {
      const { asked, layer } = journal(undefined)
      const begun = yield* Deferred.make<void>()
      const http = fakeHttp(({ line }) => {
        if (!line.startsWith("PUT")) return fresh
        Deferred.doneUnsafe(begun, Exit.void)
        return Effect.never
      })
      const repository = yield* Effect.provideService(opened(http), KeptSessions, layer)
      const sending = yield* Effect.forkChild(repository.putBlob(fromBytes(bytes), blob))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(sending)
      assert.deepStrictEqual(asked, ["take", "keep new", "forget"])
      assert.strictEqual(http.lines().at(-1), "DELETE app/blobs/uploads/new")
    }).pipe(Effect.scoped))

  it.effect("is none below 64 MiB: nothing is noted of it", () =>
    Effect.gen(function*() {
      const part = bytes.subarray(0, 60 * mebi)
      const small = Digest.make(`sha256:${createHash("sha256").update(part).digest("hex")}`)
      const { isSent, journal } = yield* send(old, [fresh, created], { ...blob, digest: small, size: part.length })
      assert.deepStrictEqual([isSent, journal], [true, []])
    }))
})
