/** Compression as the usual programs write it, taken off whole or refused (faults C19). */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { StoreError } from "../../src/schemas/StoreError.ts"
import { type Bytes, collect, fromBytes, fromPump, pumpOf } from "../../src/services/Bytes.ts"
import { compressed, decompressed } from "../../src/services/compressed.ts"
import { send } from "../../src/services/tar.ts"
import { installed } from "../support/programs.ts"

const limit = 1024 ** 3

const program = (name: string, debian: string, ...args: ReadonlyArray<string>) => (bytes: Uint8Array): Buffer =>
  execFileSync(installed(name, debian), ["-c", ...args], { input: bytes, maxBuffer: limit, stdio: "pipe" })

const formats: ReadonlyArray<readonly [name: string, compress: (bytes: Uint8Array) => Buffer]> = [
  ["gzip", (bytes) => gzipSync(bytes)],
  ["zstd", (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ["xz", program("xz", "xz-utils")],
  ["bzip2", program("bzip2", "bzip2")]
]

const inPieces = (bytes: Uint8Array, size: number): Bytes =>
  fromPump((sink) =>
    Effect.forEach(
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
      (view) => send(sink, view),
      { discard: true }
    )
  )

/** Noise, text, and long runs. */
const mixed = (size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  let state = 5
  for (let at = 0; at < size;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const length = Math.min(1 + (state >>> 20) % 700, size - at)
    if (state % 3 === 0) bytes.fill(state >>> 8, at, at + length)
    else if (state % 3 === 1) bytes.fill(`word ${state >>> 28} `, at, at + length)
    else for (let next = at; next < at + length; next++) bytes[next] = (Math.imul(next, state) >>> 13) & 255
    at += length
  }
  return bytes
}

const tried = (bytes: Uint8Array, pieces = 65_536) => Effect.exit(collect(decompressed(inPieces(bytes, pieces)), limit))

const failureOf = (exit: Exit.Exit<unknown, StoreError>): string =>
  Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail"
    ? `${exit.cause.reasons[0].error.reason._tag}: ${exit.cause.reasons[0].error.message}`
    : "none"

const content = mixed(300_000)

describe.each(formats)("%s", (name, compress) => {
  const bytes = compress(content)

  it.effect("is taken off, however the bytes come", () =>
    Effect.gen(function*() {
      for (const pieces of [1_000_000, 4_096, 333]) {
        const plain = yield* collect(decompressed(inPieces(bytes, pieces)), limit)
        assert.isTrue(content.equals(plain))
      }
      const kinds: Array<string> = []
      const none = yield* collect(decompressed(fromBytes(compress(Buffer.alloc(0))), (kind) => kinds.push(kind)), limit)
      assert.deepStrictEqual([none.length, kinds], [0, [name]])
    }))

  it.effect("is taken off of views that are filled anew as soon as they come back", () =>
    Effect.gen(function*() {
      const noise = createHash("shake256", { outputLength: 400_000 }).update("noise").digest()
      const packed = compress(noise)
      const one = Buffer.alloc(5_000)
      const reused: Bytes = fromPump((sink) =>
        Effect.forEach(
          Array.from({ length: Math.ceil(packed.length / one.length) }, (_, at) => at * one.length),
          (at) => Effect.suspend(() => send(sink, one.subarray(0, packed.copy(one, 0, at, at + one.length)))),
          { discard: true }
        )
      )
      assert.isTrue(noise.equals(yield* collect(decompressed(reused), limit)))
    }))

  it.effect("is taken off of several members as of one", () =>
    Effect.gen(function*() {
      const members = Buffer.concat(
        [content.subarray(0, 1), content.subarray(1, 90_000), content.subarray(90_000)].map(compress)
      )
      for (const pieces of [1_000_000, 100]) {
        assert.isTrue(content.equals(yield* collect(decompressed(inPieces(members, pieces)), limit)))
      }
    }))

  it.effect("that is cut, is refused", () =>
    Effect.gen(function*() {
      for (const length of [8, bytes.length >> 1, bytes.length - 9, bytes.length - 1]) {
        assert.strictEqual(
          failureOf(yield* tried(bytes.subarray(0, length))),
          `DecompressLimit: ${name} content cannot be decompressed: unexpected end of file`
        )
      }
    }))

  it.effect("with other bytes after its end is refused", () =>
    Effect.gen(function*() {
      const exit = yield* tried(Buffer.concat([bytes, Buffer.from("these are no longer part of it")]))
      assert.match(failureOf(exit), /^DecompressLimit: /)
    }))

  it.effect("with a changed byte is refused", () =>
    Effect.gen(function*() {
      for (const at of [bytes.length >> 1, bytes.length >> 2, bytes.length - 6]) {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ 0x55
        assert.match(failureOf(yield* tried(damaged)), /^DecompressLimit: /)
      }
    }))

  it.effect("that grows beyond every measure is stopped in little memory", () =>
    Effect.gen(function*() {
      const bomb = compress(Buffer.alloc((name === "gzip" ? 120 : 40) * 1024 ** 2))
      const before = process.memoryUsage.rss()
      let given = 0
      const exit = yield* Effect.exit(
        pumpOf(decompressed(fromBytes(bomb)))((view, release) => {
          given += view.length
          release()
        })
      )
      assert.strictEqual(
        failureOf(exit),
        `DecompressLimit: size limit exceeded: ${name} content grows beyond every measure`
      )
      // The ratio of gzip cannot be much higher than the one allowed.
      assert.isBelow(given, (name === "gzip" ? 119 : 32) * 1024 ** 2)
      assert.isBelow(process.memoryUsage.rss() - before, 150 * 1024 ** 2)
    }))
})

describe("bzip2", () => {
  it.effect.each(["-1", "-9"])(
    "of several blocks with runs of every length is taken off (%s)",
    (level) =>
      Effect.gen(function*() {
        const runs = Array.from({ length: 300 }, (_, at) => Buffer.alloc(at, at % 3))
        const plain = Buffer.concat([...runs, mixed(2_000_000), ...runs, Buffer.alloc(1_000_000, 7), ...runs])
        const bytes = program("bzip2", "bzip2", level)(plain)
        assert.isTrue(plain.equals(yield* collect(decompressed(inPieces(bytes, 10_000)), limit)))
      })
  )
})

describe("xz", () => {
  it.effect.each(["none", "crc32", "crc64"])("with the check %s is taken off", (check) =>
    Effect.gen(function*() {
      const bytes = program("xz", "xz-utils", `--check=${check}`)(content)
      assert.isTrue(content.equals(yield* collect(decompressed(fromBytes(bytes)), limit)))
    }))

  it.effect("with a check or filter that is not known says so", () =>
    Effect.gen(function*() {
      const bytes = program("xz", "xz-utils", "--check=sha256")(content)
      assert.strictEqual(
        failureOf(yield* tried(bytes)),
        "DecompressLimit: xz content cannot be decompressed: a check or filter that is not supported"
      )
    }))
})

describe("zeros behind gzip and xz", () => {
  it.effect.each(formats.filter(([name]) => name === "gzip" || name === "xz"))(
    "are padding (%s)",
    ([, compress]) =>
      Effect.gen(function*() {
        const bytes = Buffer.concat([compress(content), Buffer.alloc(1_024)])
        assert.isTrue(content.equals(yield* collect(decompressed(fromBytes(bytes)), limit)))
      })
  )
})

describe("a skippable frame", () => {
  it.effect("before zstd is passed over", () =>
    Effect.gen(function*() {
      const frame = Buffer.from("502a4d180500000068656c6c6f", "hex")
      const bytes = Buffer.concat([frame, zstdCompressSync(content), frame])
      assert.isTrue(content.equals(yield* collect(decompressed(fromBytes(bytes)), limit)))
    }))
})

describe("bytes compressed here", () => {
  it.effect.each(["gzip", "zstd"] as const)(
    "are the same each time, and plain again (%s)",
    (kind) =>
      Effect.gen(function*() {
        const once = yield* collect(compressed(inPieces(content, 1_000), kind), limit)
        const again = yield* collect(compressed(fromBytes(content), kind), limit)
        assert.isTrue(Buffer.from(once).equals(again))
        assert.isTrue(content.equals(yield* collect(decompressed(fromBytes(once)), limit)))
      })
  )
})

describe("a source that hands over its next view while the last one is released", () => {
  const large = mixed(2_000_000)
  const eager = (bytes: Uint8Array, size: number): Bytes =>
    fromPump((sink) =>
      Effect.callback<void>((resume) => {
        let at = 0
        const next = () => {
          if (at >= bytes.length) return resume(Effect.void)
          at += size
          sink(bytes.subarray(at - size, at), next)
        }
        next()
      })
    )

  it.effect.each(["gzip", "zstd"] as const)(
    "is compressed to what other programs read: %s",
    (kind) =>
      Effect.gen(function*() {
        const made = yield* collect(compressed(fromBytes(large), kind), limit)
        assert.isTrue(large.equals(kind === "gzip" ? gunzipSync(made) : zstdDecompressSync(made)))
      })
  )

  it.effect.each([5, 6, 1_000])(
    "has its compression taken off: views of %d bytes",
    (size) =>
      Effect.gen(function*() {
        const bytes = gzipSync(content)
        assert.isTrue(content.equals(yield* collect(decompressed(eager(bytes, size)), limit)))
        assert.isTrue(
          content.subarray(0, 5_000).equals(
            yield* collect(decompressed(eager(content.subarray(0, 5_000), size)), limit)
          )
        )
      })
  )
})
