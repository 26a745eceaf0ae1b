import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as fs from "node:fs/promises"
import { self } from "../../src/lib/owner.ts"
import { KeptSessions, layer } from "../../src/services/KeptSessions.ts"

const blob = {
  registry: "r.example",
  repository: "app",
  digest: `sha256:${"a".repeat(64)}`,
  size: 100_000_000
}
const session = { location: new URL("https://r.example/v2/app/blobs/uploads/1?_state=secret"), least: 5 }
const dead = { ...self(), pid: 2_147_483_646, started: "1" }
type Service = (typeof KeptSessions)["Service"]

/** Runs with a cache directory of its own; `other` is another process. */
const inCache = <A, E>(
  body: (one: Service, other: Effect.Effect<Service>, uploads: string) => Effect.Effect<A, E, never>
) =>
  Effect.gen(function*() {
    const cache = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    const settings = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { XDG_CACHE_HOME: cache } }))
    const made = Effect.provide(
      Effect.service(KeptSessions),
      Layer.fresh(layer).pipe(Layer.provide(Layer.mergeAll(NodeServices.layer, settings)))
    )
    const provided = Effect.map(made, (it): Service => ({
      take: (it2) => Effect.provide(it.take(it2), settings),
      keep: (it2, how) => Effect.provide(it.keep(it2, how), settings),
      forget: (it2) => Effect.provide(it.forget(it2), settings)
    }))
    return yield* body(yield* provided, provided, `${cache}/regclient/uploads`)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const filesIn = (dir: string) => Effect.promise(() => fs.readdir(dir).catch(() => []))

/** Changes the only entry. */
const change = (dir: string, how: (entry: Record<string, unknown>) => unknown) =>
  Effect.promise(async () => {
    const [file = ""] = await fs.readdir(dir)
    const entry = JSON.parse(await fs.readFile(`${dir}/${file}`, "utf8"))
    const changed = how(entry)
    await fs.writeFile(`${dir}/${file}`, typeof changed === "string" ? changed : JSON.stringify(changed))
    return `${dir}/${file}`
  })

describe("upload sessions kept in files", () => {
  it.effect("are there for the next process once, when theirs has ended", () =>
    inCache((one, other, uploads) =>
      Effect.gen(function*() {
        assert.isTrue(yield* one.keep(blob, session))
        const file = yield* change(uploads, (entry) => ({ ...entry, owner: dead }))
        assert.strictEqual((yield* Effect.promise(() => fs.stat(file))).mode & 0o777, 0o600)
        assert.strictEqual((yield* Effect.promise(() => fs.stat(uploads))).mode & 0o777, 0o700)
        const next = yield* other
        const found = yield* Effect.all([next.take(blob), next.take(blob)], { concurrency: 2 })
        assert.deepStrictEqual(found.filter((it) => it !== undefined), [session])
        assert.deepStrictEqual(yield* filesIn(uploads), [])
      })
    ))

  it.effect("are left alone while their process is at work, which alone may forget them", () =>
    inCache((one, other, uploads) =>
      Effect.gen(function*() {
        yield* one.keep(blob, session)
        const next = yield* other
        assert.isUndefined(yield* next.take(blob))
        assert.isFalse(yield* next.keep(blob, session))
        yield* next.forget(blob)
        assert.strictEqual((yield* filesIn(uploads)).length, 1)
        yield* one.forget(blob)
        assert.deepStrictEqual(yield* filesIn(uploads), [])
      })
    ))

  it.effect("are taken for nothing when they are of something else, or not what was written", () =>
    inCache((one, other, uploads) =>
      Effect.gen(function*() {
        const wrong: ReadonlyArray<(entry: Record<string, unknown>) => unknown> = [
          (entry) => ({ ...entry, owner: dead, size: 5 }),
          (entry) => ({ ...entry, owner: dead, repository: "other" }),
          (entry) => ({ ...entry, owner: dead, location: "nowhere" }),
          (entry) => ({ ...entry, owner: dead, version: 2 }),
          () => "{",
          () => "x".repeat(100_000)
        ]
        for (const how of wrong) {
          yield* one.keep(blob, session)
          yield* change(uploads, how)
          assert.isUndefined(yield* (yield* other).take(blob))
          assert.deepStrictEqual(yield* filesIn(uploads), [])
        }
        yield* one.keep(blob, session)
        const file = yield* change(uploads, (entry) => ({ ...entry, owner: dead }))
        yield* Effect.promise(async () => {
          await fs.rename(file, `${uploads}/../moved`)
          await fs.symlink(`${uploads}/../moved`, file)
        })
        assert.isUndefined(yield* (yield* other).take(blob))
      })
    ))

  it.effect("are of use for a week", () =>
    inCache((one, other, uploads) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("30 days")
        yield* one.keep(blob, session)
        const file = yield* change(uploads, (entry) => ({ ...entry, owner: dead }))
        const day = 24 * 3600
        yield* Effect.promise(() => fs.utimes(file, 22 * day, 22 * day))
        assert.isUndefined(yield* (yield* other).take(blob))
        assert.deepStrictEqual(yield* filesIn(uploads), [])
        yield* one.keep(blob, session)
        const again = yield* change(uploads, (entry) => ({ ...entry, owner: dead }))
        yield* Effect.promise(() => fs.utimes(again, 24 * day, 24 * day))
        assert.deepStrictEqual(yield* (yield* other).take(blob), session)
      })
    ))

  it.effect("are not kept where others could write, or where nothing can be written", () =>
    inCache((one, _other, uploads) =>
      Effect.gen(function*() {
        yield* Effect.promise(async () => {
          await fs.mkdir(uploads, { recursive: true })
          await fs.chmod(uploads, 0o777)
        })
        assert.isFalse(yield* one.keep(blob, session))
        assert.isUndefined(yield* one.take(blob))
        yield* Effect.promise(async () => {
          await fs.rmdir(uploads)
          await fs.writeFile(uploads, "")
        })
        assert.isFalse(yield* one.keep(blob, session))
        assert.isUndefined(yield* one.take(blob))
      })
    ))
})
