import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import * as fs from "node:fs/promises"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { fromBytes, pumpOf } from "../../../src/services/Bytes.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { stuck } from "../../fixtures/content.ts"
import { filesIn, inDirectory, using } from "./places.ts"

const bytes = new Uint8Array(8 * 1024 * 1024).fill(9)
const openFiles = Effect.promise(async () => (await fs.readdir("/proc/self/fd")).length)

/** A blob of many buffers in an open layout. */
const withBlob = <A, E>(
  body: (repository: Repository, blob: Effect.Success<ReturnType<Repository["putBlob"]>>) => Effect.Effect<A, E>
) => inDirectory((dir) => using(dir, (it) => Effect.flatMap(it.putBlob(fromBytes(bytes)), (blob) => body(it, blob))))

describe("the files of blobs", () => {
  it.effect("leave no temporary file when a put is interrupted or its content fails", () =>
    inDirectory((dir) =>
      using(dir, (repository) =>
        Effect.gen(function*() {
          const half = yield* Deferred.make<void>()
          const content = stuck(bytes, () => Deferred.doneUnsafe(half, Exit.void))
          const fiber = yield* Effect.forkChild(repository.putBlob(content))
          yield* Deferred.await(half)
          yield* Fiber.interrupt(fiber)
          yield* Effect.flip(repository.putBlob(fromBytes(bytes), {
            mediaType: "application/octet-stream",
            digest: (yield* repository.putBlob(fromBytes(bytes.subarray(1)))).digest,
            size: bytes.length
          }))
          assert.deepStrictEqual((yield* filesIn(dir)).filter((name) => name.includes("tmp")), [])
        }))
    ))
  it.effect("are closed when their reader is interrupted", () =>
    withBlob((repository, blob) =>
      Effect.gen(function*() {
        const before = yield* openFiles
        for (let round = 0; round < 20; round++) {
          const first = yield* Deferred.make<void>()
          const reading = pumpOf(repository.blob(blob))(() => void Deferred.doneUnsafe(first, Exit.void))
          const fiber = yield* Effect.forkChild(reading)
          yield* Deferred.await(first)
          yield* Fiber.interrupt(fiber)
        }
        assert.strictEqual(yield* openFiles, before)
      })
    ))
  it.effect("are closed when their reader fails, with its failure", () =>
    withBlob((repository, blob) =>
      Effect.gen(function*() {
        const before = yield* openFiles
        for (let round = 0; round < 20; round++) {
          const failed = yield* Effect.flip(
            pumpOf(repository.blob(blob))((_view, release) => {
              release()
              throw storeError("send", "ConnectionLost", "gone")
            })
          )
          assert.strictEqual(failed.message, "send: gone")
        }
        assert.strictEqual(yield* openFiles, before)
      })
    ))
  it.effect("hold two views at most that were not released", () =>
    withBlob((repository, blob) =>
      Effect.gen(function*() {
        const held: Array<() => void> = []
        let most = 0
        yield* pumpOf(repository.blob(blob))((_view, release) => {
          most = Math.max(most, held.push(release))
          if (held.length === 2) setImmediate(() => held.splice(0).forEach((it) => it()))
        })
        assert.strictEqual(most, 2)
      })
    ))
  it.effect("are not read to hold more than 256 descriptors when hundreds are asked for", () =>
    withBlob((repository, blob) =>
      Effect.gen(function*() {
        let most = 0
        yield* Effect.forEach(
          Array.from({ length: 400 }),
          () =>
            Effect.andThen(repository.headBlob(blob), Effect.map(openFiles, (count) => most = Math.max(most, count))),
          { concurrency: "unbounded" }
        )
        assert.isBelow(most, 256)
      })
    ))
})
