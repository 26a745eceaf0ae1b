import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { encodeOwner, self } from "../../../src/lib/owner.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { type ReasonTag, storeError } from "../../../src/schemas/StoreError.ts"
import { type Bytes, fromBytes, fromPump, pumpOf, tapped, withRest } from "../../../src/services/Bytes.ts"
import { filesIn, inDirectory, using } from "./places.ts"

const mebi = 1024 * 1024
const size = 24 * mebi
const content = randomBytes(size)
const hex = createHash("sha256").update(content).digest("hex")
const blob = { mediaType: "application/octet-stream", digest: Digest.make(`sha256:${hex}`), size }
const file = `blobs/sha256/${hex}`
const part = `blobs/sha256/.regclient-part-${hex}`
const dead = encodeOwner({ ...self(), pid: 2_147_483_646, started: "1" })

/** The content of a source that knows ranges; notes from where it was read. */
const source = (bytes: Uint8Array = content, breaks?: { readonly at: number; readonly with: ReasonTag }) => {
  const from: Array<number> = []
  const pump = (start: number) => {
    const end = breaks === undefined ? bytes.length : Math.max(start, breaks.at)
    return Effect.fnUntraced(function*(sink: Parameters<ReturnType<typeof pumpOf>>[0]) {
      from.push(start / mebi)
      for (let at = start; at < end; at += mebi)
        yield* pumpOf(fromBytes(bytes.subarray(at, Math.min(at + mebi, end))))(sink)
      if (breaks !== undefined) return yield* storeError("get", breaks.with, "broke as told")
    })
  }
  const bytesOf: Bytes = withRest(fromPump((sink) => pump(0)(sink)), (start) => (sink) => pump(start)(sink))
  return { bytes: bytesOf, from }
}

/** A layout in which these files are found by the run that puts the blob. */
const putBeside = (prepare: (dir: string) => Promise<unknown>) =>
  inDirectory((dir) =>
    Effect.gen(function*() {
      yield* using(dir, (it) => it.putBlob(fromBytes(new Uint8Array([1]))))
      yield* Effect.promise(async () => {
        await fs.mkdir(`${dir}/blobs/sha256`, { recursive: true })
        await prepare(dir)
      })
      const { bytes, from } = source()
      let moved = 0
      yield* using(dir, (it) =>
        Effect.gen(function*() {
          yield* it.putBlob(tapped(bytes, (view) => moved += view.length), blob)
          const stored = yield* Effect.promise(() => fs.readFile(`${dir}/${file}`))
          assert.isTrue(stored.equals(content))
        }))
      return { from, moved, left: (yield* filesIn(dir)).filter((it) => it.includes(".regclient")) }
    })
  )

describe("the download of a large blob", () => {
  it.effect("goes on from what a killed writer had, the last bytes of it left out", () =>
    Effect.gen(function*() {
      const found = yield* putBeside(async (dir) => {
        await fs.writeFile(`${dir}/.regclient-writer-0123456789abcdef`, dead)
        await fs.writeFile(`${dir}/blobs/sha256/.regclient-tmp-0123456789abcdef-${hex}`, content.subarray(0, 20 * mebi))
      })
      assert.deepStrictEqual(found, { from: [16], moved: 8 * mebi, left: [] })
    }))

  it.effect("begins anew with what is too small to be worth it", () =>
    Effect.gen(function*() {
      const found = yield* putBeside(async (dir) => {
        await fs.writeFile(`${dir}/.regclient-writer-0123456789abcdef`, dead)
        await fs.writeFile(`${dir}/blobs/sha256/.regclient-tmp-0123456789abcdef-${hex}`, content.subarray(0, 15 * mebi))
      })
      assert.deepStrictEqual(found, { from: [0], moved: size, left: [] })
    }))

  it.effect("begins anew after a part that turns out wrong", () =>
    Effect.gen(function*() {
      const wrong = Buffer.from(content.subarray(0, 20 * mebi))
      wrong[5] = (wrong[5] ?? 0) ^ 1
      const found = yield* putBeside((dir) => fs.writeFile(`${dir}/${part}`, wrong))
      assert.deepStrictEqual(found, { from: [16, 0], moved: size + 8 * mebi, left: [] })
    }))

  it.effect("takes no file for a part that is longer than the blob, a link, or has another name", () =>
    Effect.gen(function*() {
      const other = Buffer.alloc(20 * mebi, 7)
      const long = yield* putBeside((dir) => fs.writeFile(`${dir}/${part}`, Buffer.concat([content, Buffer.from("x")])))
      assert.deepStrictEqual(long, { from: [0], moved: size, left: [] })
      let victim = ""
      const linked = (make: (from: string, to: string) => Promise<void>) =>
        putBeside(async (dir) => {
          victim = await fs.mkdtemp(`${dir}-victim`)
          await fs.writeFile(`${victim}/file`, other)
          await make(`${victim}/file`, `${dir}/${part}`)
        })
      for (const make of [fs.symlink, fs.link]) {
        assert.deepStrictEqual(yield* linked(make), { from: [0], moved: size, left: [] })
        const kept = yield* Effect.promise(() => fs.readFile(`${victim}/file`))
        yield* Effect.promise(() => fs.rm(victim, { recursive: true }))
        assert.isTrue(kept.equals(other))
      }
      const directory = yield* putBeside((dir) => fs.mkdir(`${dir}/${part}`))
      assert.deepStrictEqual([directory.from, directory.moved], [[0], size])
    }))

  it.effect("goes on after a source that was lost, not after one that sent something wrong", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const put = (bytes: Bytes) => using(dir, (it) => Effect.result(it.putBlob(bytes, blob)))
        yield* using(dir, (it) => it.putBlob(fromBytes(new Uint8Array([1]))))
        const parts = Effect.map(filesIn(dir), (files) => files.filter((it) => it.includes(".regclient")))
        yield* put(source(content, { at: 20 * mebi, with: "DigestMismatch" }).bytes)
        assert.deepStrictEqual(yield* parts, [])
        yield* put(source(content, { at: 20 * mebi, with: "ConnectionLost" }).bytes)
        assert.deepStrictEqual(yield* parts, [part])
        // It brings less than is there already.
        yield* put(source(content, { at: 0, with: "ConnectFailed" }).bytes)
        const later = source()
        yield* put(later.bytes)
        assert.deepStrictEqual([yield* parts, later.from.length], [[], 1])
      })
    ))

  it.effect("has one who goes on from a part; another begins anew", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* using(dir, (it) => it.putBlob(fromBytes(new Uint8Array([1]))))
        yield* Effect.promise(() => fs.mkdir(`${dir}/blobs/sha256`, { recursive: true }))
        yield* Effect.promise(() => fs.writeFile(`${dir}/${part}`, content.subarray(0, 20 * mebi)))
        const [one, other] = [source(), source()]
        yield* using(
          dir,
          (it) => Effect.all([it.putBlob(one.bytes, blob), it.putBlob(other.bytes, blob)], { concurrency: 2 })
        )
        assert.deepStrictEqual([...one.from, ...other.from].toSorted((a, b) => a - b), [0, 16])
      })
    ))
})

describe("kept parts", () => {
  it.effect("are removed when they are old, their blobs are there, or they are too much together", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const name = (letter: string) => `blobs/sha256/.regclient-part-${letter.repeat(64)}`
        yield* TestClock.adjust("30 days")
        yield* using(dir, (it) => it.putBlob(fromBytes(new Uint8Array([1]))))
        yield* Effect.promise(async () => {
          const make = async (letter: string, bytes: number, days: number) => {
            await fs.mkdir(`${dir}/blobs/sha256`, { recursive: true })
            await (await fs.open(`${dir}/${name(letter)}`, "w")).close()
            await fs.truncate(`${dir}/${name(letter)}`, bytes)
            const time = (30 - days) * 24 * 3600
            await fs.utimes(`${dir}/${name(letter)}`, time, time)
          }
          await make("a", 6 * 1024 * mebi, 1)
          await make("b", 6 * 1024 * mebi, 2)
          await make("c", 20 * mebi, 14)
          await make("d", 20 * mebi, 0)
        })
        yield* using(dir, (it) => it.putBlob(fromBytes(new Uint8Array([2]))))
        const left = (yield* filesIn(dir)).filter((it) => it.includes(".regclient"))
        assert.deepStrictEqual(left, [name("a"), name("d")])
      })
    ))
})
