import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { encodeOwner, self } from "../../../src/lib/owner.ts"
import { filesIn, inDirectory, putImage, using } from "./places.ts"

const write = (path: string, text: string) => Effect.promise(() => fs.writeFile(path, text))

/** As long as a file operation takes, so that those of others come on. */
const turn = Effect.promise(() => fs.stat("."))

/** Lets time pass, in steps, until a fiber has ended. */
const untilDone = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("1 second")
    yield* turn
  }
  return yield* Fiber.await(fiber)
})

describe("the lock of a layout", () => {
  it.effect("of a dead process is taken over (L10)", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* write(`${dir}/.regclient-lock`, encodeOwner({ ...self(), pid: 2_147_483_646, started: "1" }))
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        assert.notInclude(yield* filesIn(dir), ".regclient-lock")
      })
    ))
  it.effect("is taken over also where a process died while taking it over", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const dead = encodeOwner({ ...self(), pid: 2_147_483_646, started: "1" })
        yield* write(`${dir}/.regclient-lock`, dead)
        const right = createHash("sha256").update(`.regclient-lock\n${dead}`).digest("hex").slice(0, 16)
        yield* write(`${dir}/.regclient-takeover-${right}`, dead)
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        assert.deepStrictEqual((yield* filesIn(dir)).filter((name) => name.includes(".regclient")), [])
      })
    ))
  it.effect("of a process whose number now belongs to another is taken over", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* write(`${dir}/.regclient-lock`, encodeOwner({ ...self(), started: "1" }))
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        assert.notInclude(yield* filesIn(dir), ".regclient-lock")
      })
    ))
  it.effect("of another machine is taken over once it was silent for 30 s, also one cut short", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        for (const text of [encodeOwner({ pid: 1, host: "elsewhere", started: "1" }), ""]) {
          yield* write(`${dir}/.regclient-lock`, text)
          const fiber = yield* Effect.forkChild(using(dir, (repository) => putImage(repository, "v1", "one")))
          const exit = yield* untilDone(fiber)
          assert.strictEqual(exit._tag, "Success")
        }
      })
    ))
  it.effect("of a living process is waited for, which is told after 5 s and fails after 60 s", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const lines: Array<unknown> = []
        const logger = Logger.make(({ message }) => void lines.push(String(message)))
        yield* write(`${dir}/.regclient-lock`, encodeOwner(self()))
        const fiber = yield* Effect.forkChild(
          Effect.flip(using(dir, (repository) => putImage(repository, "v1", "one"))).pipe(
            Effect.provide(Logger.layer([logger]))
          )
        )
        yield* untilDone(fiber)
        const failed = yield* Fiber.join(fiber)
        assert.strictEqual(failed.reason._tag, "LayoutLocked")
        assert.include(failed.message, `process ${process.pid}`)
        assert.lengthOf(lines, 1)
        assert.include(String(lines[0]), `waiting for ${dir}`)
        assert.deepStrictEqual(yield* filesIn(dir), [".regclient-lock"])
      })
    ))
  it.effect("that is a link to nothing is waited for too, and left alone", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* Effect.promise(() => fs.symlink("nowhere", `${dir}/.regclient-lock`))
        const fiber = yield* Effect.forkChild(
          Effect.flip(using(dir, (repository) => putImage(repository, "v1", "one")))
        )
        yield* untilDone(fiber)
        assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "LayoutLocked")
        assert.deepStrictEqual(yield* filesIn(dir), [".regclient-lock"])
      })
    ))
  it.effect("shows that its writer lives, every 10 s", () =>
    inDirectory((dir) =>
      using(dir, (repository) =>
        Effect.gen(function*() {
          yield* putImage(repository, "v1", "one")
          const marker = (yield* filesIn(dir)).find((name) => name.startsWith(".regclient-writer-")) ?? assert.fail()
          const path = `${dir}/${marker}`
          yield* Effect.promise(() => fs.utimes(path, 1000, 1000))
          yield* TestClock.adjust("9 seconds")
          assert.strictEqual((yield* Effect.promise(() => fs.stat(path))).mtimeMs, 1_000_000)
          yield* TestClock.adjust("1 second")
          while ((yield* Effect.promise(() => fs.stat(path))).mtimeMs === 1_000_000) yield* turn
        }))
    ))
})
