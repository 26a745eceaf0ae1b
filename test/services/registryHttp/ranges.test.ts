import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import type { Host } from "../../../src/schemas/Host.ts"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import type { Sink } from "../../../src/services/Bytes.ts"
import { RegistryHttp, type RegistryRequest } from "../../../src/services/RegistryHttp.ts"
import { type Asked, type Play, playback } from "./playback.ts"

const mebi = 1024 * 1024
const size = 72 * mebi

const content = Buffer.alloc(size)
for (let at = 0; at < size; at += 4) content.writeUInt32LE(at, at)
const digest = createHash("sha256").update(content).digest("hex")

const step = 256 * 1024

/** Bytes of the content, so many in a second; with `breaks` the connection is lost there. */
const slowly = (from: number, end: number, perSecond: number, breaks = end) => (sink: Sink) =>
  Effect.gen(function*() {
    for (let at = from; at < Math.min(end, breaks);) {
      const view = content.subarray(at, Math.min(at + step, end, breaks))
      at += view.length
      yield* Effect.sleep((view.length / perSecond) * 1000)
      yield* Effect.callback<void, StoreError>((resume) => {
        try {
          sink(view, () => {})
          resume(Effect.void)
        } catch (error) {
          resume(Effect.fail(error as StoreError))
        }
      })
    }
    if (breaks < end) return yield* storeError("", "ConnectionLost", "broke as told")
  })

/** Goes on when what it handed over was given back, as a socket does. */
const pausing = (perSecond: number) => (sink: Sink) =>
  Effect.gen(function*() {
    for (let at = 0; at < size; at += step) {
      yield* Effect.sleep((step / perSecond) * 1000)
      yield* Effect.callback<void>((resume) => sink(content.subarray(at, at + step), () => resume(Effect.void)))
    }
  })

const rangeOf = ({ headers }: Asked) => /bytes=(\d+)-(\d+)/.exec(String(headers["range"] ?? ""))

/** A server that knows ranges, each connection with a rate of its own. */
const serving = (perSecond: number) => (asked: Asked): Play => {
  const range = rangeOf(asked)
  const [from, end] = range === null ? [0, size] : [Number(range[1]), Number(range[2]) + 1]
  const headers = { "accept-ranges": "bytes", etag: `"one"`, "content-length": String(end - from) }
  return range === null
    ? { headers, pump: slowly(from, end, perSecond) }
    : {
      status: 206,
      headers: { ...headers, "content-range": `bytes ${from}-${end - 1}/${size}` },
      pump: slowly(from, end, perSecond)
    }
}

const request: RegistryRequest = {
  registry: "r.example.com",
  repository: "a/b",
  method: "GET",
  path: "blobs/x",
  demand: { kind: "blob", size },
  resume: { from: 0, size }
}

interface Reader {
  readonly host?: Partial<Host>
  readonly request?: Partial<RegistryRequest>
  /** Milliseconds until a view is given back. */
  readonly takes?: number
  /** The reader fails at this byte. */
  readonly fails?: number
}

type Script = (asked: Asked, index: number) => Play

/** Reads the blob: what came, when it was there (seconds), and the ranges asked for in mebibytes. */
const read = (script: Script, { fails = Infinity, host = {}, request: more = {}, takes = 0 }: Reader = {}) => {
  const { asked, layer, open } = playback(script, { hosts: { "r.example.com": host } })
  let most = 0
  const once = Effect.gen(function*() {
    const hash = createHash("sha256")
    let received = 0
    const context = yield* Effect.context<never>()
    const { body } = yield* (yield* RegistryHttp).request({ ...request, ...more })
    yield* body((view, release) => {
      if (received >= fails) throw storeError("", "FsNoSpace", "mine")
      hash.update(view)
      received += view.length
      most = Math.max(most, open.now)
      if (takes === 0) release()
      else Effect.runForkWith(context)(Effect.andThen(Effect.sleep(takes), Effect.sync(release)))
    })
    return { digest: hash.digest("hex"), received }
  }).pipe(Effect.scoped, Effect.result)
  return Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.zip(once, Clock.currentTimeMillis))
    for (let step = 0; step < 5000 && fiber.pollUnsafe() === undefined; step++) yield* TestClock.adjust("50 millis")
    const [result, time] = yield* Fiber.join(fiber)
    assert.strictEqual(open.now, 0)
    const ranges = asked.map((it) => rangeOf(it)).map((range) =>
      range === null ? "whole" : `${Number(range[1]) / mebi}-${(Number(range[2]) + 1) / mebi}`
    )
    const reason = result._tag === "Failure" ? result.failure.message : undefined
    const came = result._tag === "Success" ? result.success : undefined
    return { came, most, ranges, reason, seconds: Math.round(time / 100) / 10 }
  }).pipe(Effect.provide(layer))
}

/** 20 Mbit/s. */
const slow = 2_500_000

const whole = { digest, received: size }
const segments = ["16-24", "24-32", "32-40", "40-48", "48-56", "56-64", "64-72"]

describe("a large body on a slow link", () => {
  it.effect("comes in four requests at once, in order", () =>
    Effect.gen(function*() {
      const { came, most, ranges, seconds } = yield* read(serving(slow))
      assert.deepStrictEqual([came, ranges, most], [whole, ["whole", ...segments], 4])
      // One stream takes 30.2 s.
      assert.isBelow(seconds, 11)
    }))

  it.effect("comes in one when it is fast, or small, or parts cannot be asked for", () =>
    Effect.gen(function*() {
      const fast = yield* read(serving(60_000_000))
      assert.deepStrictEqual([fast.came, fast.ranges], [whole, ["whole"]])
      const unranged = yield* read(() => ({ pump: slowly(0, size, slow) }))
      assert.deepStrictEqual([unranged.came, unranged.ranges], [whole, ["whole"]])
      const small = yield* read(
        () => ({ headers: { "accept-ranges": "bytes" }, pump: slowly(0, 60 * mebi, slow) }),
        { request: { resume: { from: 0, size: 60 * mebi } } }
      )
      assert.deepStrictEqual([small.came?.received, small.ranges], [60 * mebi, ["whole"]])
    }))

  it.effect("comes in one from a server of this machine that is not that slow", () =>
    Effect.gen(function*() {
      const { came, ranges } = yield* read((it) => ({ ...serving(20_000_000)(it), reach: "local" }))
      assert.deepStrictEqual([came, ranges], [whole, ["whole"]])
    }))

  it.effect("comes in one where requests are counted, or one is all that is allowed", () =>
    Effect.gen(function*() {
      for (const host of [{ reqPerSec: 100 }, { reqConcurrent: 1 }]) {
        const { came, ranges } = yield* read(serving(slow), { host })
        assert.deepStrictEqual([came, ranges], [whole, ["whole"]])
      }
    }))

  it.effect("keeps to the requests that are allowed at once", () =>
    Effect.gen(function*() {
      const { came, most } = yield* read(serving(slow), { host: { reqConcurrent: 2 } })
      assert.deepStrictEqual([came, most], [whole, 2])
    }))

  it.effect("comes in one when it is its reader who is slow", () =>
    Effect.gen(function*() {
      // A view takes 2 ms to come and is kept for 150.
      const { came, ranges } = yield* read((it) => {
        const play = serving(slow)(it)
        return rangeOf(it) === null ? { ...play, pump: pausing(131_072_000) } : play
      }, { takes: 150 })
      assert.deepStrictEqual([came, ranges], [whole, ["whole"]])
    }))

  const nonsense: ReadonlyArray<readonly [string, (play: Play) => Play]> = [
    ["a 200", () => ({ pump: slowly(0, size, slow) })],
    ["another part", (play) => ({ ...play, headers: { ...play.headers, "content-range": `bytes 0-9/${size}` } })],
    ["another total", (play) => ({
      ...play,
      headers: { ...play.headers, "content-range": String(play.headers?.["content-range"]).replace(/\d+$/, "99999999") }
    })],
    ["no total", (play) => ({
      ...play,
      headers: { ...play.headers, "content-range": String(play.headers?.["content-range"]).replace(/\d+$/, "*") }
    })],
    ["another entity tag", (play) => ({ ...play, headers: { ...play.headers, etag: `"two"` } })],
    ["a refusal", () => ({ status: 503 })],
    ["nothing", () => ({ fails: "ConnectionLost" })]
  ]
  for (const [name, change] of nonsense) {
    it.effect(`goes on in its one stream when the answer to a range is ${name}`, () =>
      Effect.gen(function*() {
        const { came, ranges, seconds } = yield* read((it) => {
          const play = serving(slow)(it)
          return rangeOf(it) === null ? play : change(play)
        })
        assert.deepStrictEqual([came, ranges], [whole, ["whole", "16-24"]])
        assert.strictEqual(seconds, 30.2)
      }))
  }

  it.effect("goes on in its one stream when the ranges are slower", () =>
    Effect.gen(function*() {
      const { came, ranges } = yield* read((it) => ({
        ...serving(slow)(it),
        ...(rangeOf(it) === null ? {} : { after: 60_000 })
      }))
      assert.deepStrictEqual([came, ranges], [whole, ["whole", "16-24", "24-32", "32-40"]])
    }))

  it.effect("continues a segment where it broke off", () =>
    Effect.gen(function*() {
      const { came, ranges } = yield* read((it, index) => {
        const play = serving(slow)(it)
        return index === 2 ? { ...play, pump: slowly(24 * mebi, 32 * mebi, slow, 26 * mebi) } : play
      })
      assert.deepStrictEqual(came, whole)
      assert.deepStrictEqual(ranges.toSorted(), [...segments, "26-32", "whole"].toSorted())
    }))

  it.effect("continues in one stream when the ranges fail later", () =>
    Effect.gen(function*() {
      const { came, ranges } = yield* read((it) => {
        const range = rangeOf(it)
        const isRest = range === null || Number(range[2]) === size - 1
        return isRest || Number(range[1]) < 48 * mebi ? serving(slow)(it) : { status: 403 }
      })
      assert.deepStrictEqual(came, whole)
      assert.strictEqual(ranges.at(-1)?.endsWith("-72"), true)
    }))

  it.effect("ends with what its reader fails with, before and after ranges began", () =>
    Effect.gen(function*() {
      for (const fails of [2 * mebi, 30 * mebi]) {
        const { reason } = yield* read(serving(slow), { fails })
        assert.strictEqual(reason, "mine")
      }
    }))

  it.effect("may be the rest of one", () =>
    Effect.gen(function*() {
      const { came, ranges } = yield* read(serving(slow), { request: { resume: { from: 4 * mebi, size } } })
      assert.strictEqual(came?.received, 68 * mebi)
      assert.deepStrictEqual(ranges.slice(0, 2), ["4-72", "20-28"])
    }))
})
