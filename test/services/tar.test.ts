import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { changeHeader } from "../../src/lib/tar/header.ts"
import type { StoreError } from "../../src/schemas/StoreError.ts"
import { collect, fromBytes } from "../../src/services/Bytes.ts"
import { compressed, decompressed } from "../../src/services/compressed.ts"
import { changedTar, readTar, tarBytes } from "../../src/services/tar.ts"
import { temporary } from "../support/registries.ts"

const limit = 1024 ** 3

const listed = (bytes: Uint8Array) =>
  Effect.gen(function*() {
    const found: Array<readonly [string, string]> = []
    yield* readTar(
      decompressed(fromBytes(bytes)),
      ({ body, header }) =>
        header.name.endsWith(".skip")
          ? Effect.sync(() => found.push([header.name, "-"]))
          : Effect.map(collect(body, limit), (content) => found.push([header.name, Buffer.from(content).toString()]))
    )
    return found
  })

const tagOf = (exit: Exit.Exit<unknown, StoreError>): string =>
  Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail" ? exit.cause.reasons[0].error.reason._tag : "none"

describe("a tar made by GNU tar", () => {
  const { path, remove } = temporary("tar")
  const long = "very-".repeat(40) + "long"
  mkdirSync(join(path, "tree", long), { recursive: true })
  writeFileSync(join(path, "tree/a.txt"), "one")
  writeFileSync(join(path, "tree/b.skip"), "x".repeat(2_000))
  writeFileSync(join(path, "tree", long, "ü.txt"), "two".repeat(1_000))
  symlinkSync("a.txt", join(path, "tree/link"))
  const packed = (format: string) => {
    execFileSync("tar", ["-C", path, `--format=${format}`, "--sort=name", "-cf", join(path, "x.tar"), "tree"])
    return readFileSync(join(path, "x.tar"))
  }
  const expected: ReadonlyArray<readonly [string, string]> = [
    ["tree/", ""],
    ["tree/a.txt", "one"],
    ["tree/b.skip", "-"],
    ["tree/link", ""],
    [`tree/${long}/`, ""],
    [`tree/${long}/ü.txt`, "two".repeat(1_000)]
  ]

  for (const format of ["gnu", "pax"]) {
    it.effect(`is read entry by entry in its ${format} format`, () =>
      Effect.gen(function*() {
        const found = yield* listed(packed(format))
        assert.deepStrictEqual(found.toSorted(), [...expected].toSorted())
      }))

    it.effect(`changes nothing but its times in its ${format} format`, () =>
      Effect.gen(function*() {
        const bytes = packed(format)
        const changed = tarBytes((out) =>
          readTar(fromBytes(bytes), (entry) =>
            out.pass(
              changeHeader(entry, { mtime: 1_600_000_000_000_000_000n }),
              entry.header.size,
              entry.body
            ))
        )
        writeFileSync(join(path, "y.tar"), yield* collect(changed, limit))
        const list = execFileSync("tar", ["--full-time", "--utc", "-tvf", join(path, "y.tar")]).toString().trimEnd()
        assert.deepStrictEqual(
          list.split("\n").map((line) => line.includes("2020-09-13 12:26:40")),
          expected.map(() => true)
        )
        execFileSync("tar", ["-C", path, "-xf", join(path, "y.tar"), "--one-top-level=out"])
        execFileSync("diff", ["-r", join(path, "tree"), join(path, "out/tree")])
      }))
  }

  it.effect("is the same after it was taken apart and put together", () =>
    Effect.gen(function*() {
      const bytes = packed("pax")
      const again = yield* collect(
        tarBytes((out) => readTar(fromBytes(bytes), (entry) => out.pass(entry.blocks, entry.header.size, entry.body))),
        limit
      )
      assert.isTrue(bytes.subarray(0, again.length).equals(again))
      remove()
    }))
})

describe("a tar", () => {
  it.effect("that is made can be read", () =>
    Effect.gen(function*() {
      const made = tarBytes((out) =>
        Effect.andThen(
          out.add({ name: "d/", type: "directory", size: 0, mode: 0o755, mtime: 0 }),
          out.add({ name: "d/f", type: "file", size: 4, mode: 0o644, mtime: 0 }, fromBytes(Buffer.from("text")))
        )
      )
      assert.deepStrictEqual(yield* listed(yield* collect(compressed(made, "gzip"), limit)), [["d/", ""], [
        "d/f",
        "text"
      ]])
      assert.deepStrictEqual(yield* listed(yield* collect(compressed(made, "zstd"), limit)), [["d/", ""], [
        "d/f",
        "text"
      ]])
    }))

  for (const length of [100, 700, 1_300, 1_500]) {
    it.effect(`that is cut after ${length} bytes is refused`, () =>
      Effect.gen(function*() {
        const made = yield* collect(
          tarBytes((out) =>
            out.add({ name: "f", type: "file", size: 1_000, mode: 0, mtime: 0 }, fromBytes(new Uint8Array(1_000)))
          ),
          limit
        )
        assert.strictEqual(tagOf(yield* Effect.exit(listed(made.subarray(0, length)))), "TarInvalid")
      }))
  }

  it.effect("that lacks the padding of its last body, and its end, is whole", () =>
    Effect.gen(function*() {
      const made = yield* collect(
        tarBytes((out) =>
          out.add({ name: "f", type: "file", size: 3, mode: 0, mtime: 0 }, fromBytes(Buffer.from("abc")))
        ),
        limit
      )
      const short = made.subarray(0, 515)
      assert.deepStrictEqual(yield* listed(short), [["f", "abc"]])
      const same = yield* collect(changedTar(fromBytes(short), () => Effect.succeed({ _tag: "Keep" })), limit)
      assert.isTrue(Buffer.from(short).equals(same))
    }))

  it.effect("of noise is refused", () =>
    Effect.gen(function*() {
      assert.strictEqual(tagOf(yield* Effect.exit(listed(randomBytes(5_000)))), "TarInvalid")
    }))
})

describe("compressed bytes", () => {
  it.effect("that are cut are refused", () =>
    Effect.gen(function*() {
      const noise = randomBytes(100_000)
      for (const bytes of [gzipSync(noise), zstdCompressSync(noise)]) {
        const exit = yield* Effect.exit(collect(decompressed(fromBytes(bytes.subarray(0, 50_000))), limit))
        assert.strictEqual(tagOf(exit), "DecompressLimit")
      }
    }))

  it.effect("that grow beyond every measure are stopped", () =>
    Effect.gen(function*() {
      const bytes = zstdCompressSync(Buffer.alloc(256 * 1024 ** 2))
      const exit = yield* Effect.exit(collect(decompressed(fromBytes(bytes)), limit))
      assert.strictEqual(tagOf(exit), "DecompressLimit")
    }))

  it.effect("of no known format are themselves", () =>
    Effect.gen(function*() {
      for (const text of ["", "a", "plain text"]) {
        const bytes = yield* collect(decompressed(fromBytes(Buffer.from(text))), limit)
        assert.strictEqual(Buffer.from(bytes).toString(), text)
      }
    }))
})
