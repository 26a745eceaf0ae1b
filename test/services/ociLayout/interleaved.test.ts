/** Steps of several writers put in an order that real ones take once in a thousand runs. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem } from "effect"
import { TestClock } from "effect/testing"
import * as fs from "node:fs/promises"
import { encodeOwner, self } from "../../../src/lib/owner.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import { fromBytes } from "../../../src/services/Bytes.ts"
import { cloneBlob, writeBlob } from "../../../src/services/ociLayout/blobs.ts"
import { type Disk, diskOf } from "../../../src/services/ociLayout/disk.ts"
import { tagsOf } from "../../../src/services/ociLayout/documents.ts"
import { locked } from "../../../src/services/ociLayout/lock.ts"
import { deleteManifest, putManifest } from "../../../src/services/ociLayout/manifests.ts"
import { indexOf, type LayoutState, makeState, pathOf, settle } from "../../../src/services/ociLayout/state.ts"
import { announce } from "../../../src/services/ociLayout/writer.ts"
import { encode, image } from "../../fixtures/content.ts"
import { filesIn, inDirectory, putImage, using } from "./places.ts"

const deadPid = 2_147_483_646
const failures: Array<string> = []

interface Actor {
  isDead: boolean
}

/** Files of several processes: once one has ended, the files it made name an owner that has ended. */
const inMemory = (random: () => number) => {
  const all = new Map<string, { readonly text: string; readonly owner: Actor; readonly inode: number }>()
  let inodes = 0
  const textOf = (file: { readonly text: string; readonly owner: Actor }) =>
    file.owner.isDead ? file.text.replace(`"pid":${process.pid}`, `"pid":${deadPid}`) : file.text
  return (actor: Actor, mortality: number, base: Disk): Disk => {
    /** Time passes before and after the step itself; a process may end in between. */
    const step = <A>(run: () => A): Effect.Effect<A> =>
      Effect.gen(function*() {
        yield* Effect.sleep(1 + Math.floor(random() ** 3 * 12))
        const result = run()
        if (random() < mortality) {
          actor.isDead = true
          return yield* Effect.never
        }
        yield* Effect.sleep(1 + Math.floor(random() ** 3 * 12))
        return result
      })
    const infoOf = (path: string) => {
      const file = all.get(path)
      if (file === undefined) return undefined
      return {
        kind: "file" as const,
        size: file.text.length,
        identity: `${file.inode}`,
        modified: 0,
        changed: 0n
      }
    }
    return {
      ...base,
      info: (path) => step(() => infoOf(path)),
      infoOfName: (path) => step(() => infoOf(path)),
      read: (path, limit) =>
        Effect.flatMap(
          step(() => all.get(path)),
          (file) => file === undefined ? base.read("/nowhere", limit) : Effect.succeed(encode(textOf(file)))
        ),
      list: () => step(() => [...all.keys()].map((path) => path.slice(path.lastIndexOf("/") + 1))),
      create: (path, _temporary, text) =>
        step(() => {
          if (all.has(path)) return false
          all.set(path, { text, owner: actor, inode: inodes++ })
          return true
        }),
      remove: (path) => step(() => void all.delete(path)),
      touch: () => Effect.void
    }
  }
}

/** Numbers that follow from a seed. */
const seeded = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed / 2_147_483_648
}

describe("steps of several processes", () => {
  it.effect("leave the lock with one living owner, whoever ends while holding it or taking it over", () =>
    inDirectory(() =>
      Effect.gen(function*() {
        const base = diskOf(yield* FileSystem.FileSystem)
        for (let seed = 990; seed < 1_020; seed++) {
          const random = seeded(seed)
          const diskFor = inMemory(random)
          const inside = new Set<Actor>()
          let [over, held] = [0, 0]
          const actors = Array.from({ length: 12 }, (): Actor => ({ isDead: false }))
          for (const [at, actor] of actors.entries()) {
            // Half of them end at some step; those who ended stay away for good.
            const disk = diskFor(actor, at < 6 ? 0.12 : 0, base)
            const critical = Effect.gen(function*() {
              inside.add(actor)
              yield* Effect.sleep(3)
              assert.lengthOf([...inside].filter(({ isDead }) => !isDead), 1, `seed ${seed}`)
              held++
              inside.delete(actor)
            })
            yield* Effect.forkDetach(Effect.ensuring(
              Effect.repeat(locked(disk, "/layout")(critical), { times: 2 }).pipe(
                Effect.catchCause((cause) => Effect.sync(() => failures.push(String(cause))))
              ),
              Effect.sync(() => over++)
            ))
          }
          while (over + actors.filter(({ isDead }) => isDead).length < 12) yield* TestClock.adjust("10 millis")
          assert.deepStrictEqual(failures, [])
          assert.isAtLeast(held, 18)
        }
      })
    ))
  it.effect("touch the lock while it is held, so that other machines wait", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const path = `${dir}/.regclient-lock`
        const mtime = Effect.promise(async () => (await fs.stat(path)).mtimeMs)
        yield* locked(diskOf(yield* FileSystem.FileSystem), dir)(Effect.gen(function*() {
          yield* Effect.promise(() => fs.utimes(path, 1000, 1000))
          yield* TestClock.adjust("10 seconds")
          while ((yield* mtime) === 1_000_000) yield* Effect.promise(() => fs.stat("."))
        }))
        assert.deepStrictEqual(yield* filesIn(dir), [])
      })
    ))
  it.effect("leave no rights to take over behind", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const dead = encodeOwner({ ...self(), pid: deadPid, started: "1" })
        yield* Effect.promise(() => fs.writeFile(`${dir}/.regclient-takeover-0123456789abcdef`, dead))
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        assert.deepStrictEqual((yield* filesIn(dir)).filter((name) => name.includes(".regclient")), [])
      })
    ))
})

/** A state of its own, as another process has one, whose disk is changed. */
const stateOn = (dir: string, change: (disk: Disk) => Partial<Disk>) =>
  Effect.gen(function*() {
    const disk = diskOf(yield* FileSystem.FileSystem)
    const shared = { verified: new Map(), places: new Map() }
    return makeState({ ...disk, ...change(disk) }, dir, dir, shared, yield* Effect.scope)
  })

const index = (tag: string) =>
  `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:${
    "a".repeat(64)
  }","size":2,"annotations":{"org.opencontainers.image.ref.name":"${tag}"}}]}`

describe("an index that was replaced", () => {
  it.effect("within one tick of the file system's clock, by one of the same size in the same place, is read anew", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* Effect.promise(() => fs.writeFile(`${dir}/oci-layout`, "{\"imageLayoutVersion\":\"1.0.0\"}"))
        const now = 1_000_000_000_000
        yield* TestClock.setTime(now)
        const same = { kind: "file", size: index("a").length, identity: "same", modified: now - 1 } as const
        const state = yield* stateOn(dir, () => ({
          info: () => Effect.succeed({ ...same, changed: BigInt(now - 1) * 1_000_000n })
        }))
        yield* Effect.promise(() => fs.writeFile(`${dir}/index.json`, index("a")))
        assert.deepStrictEqual(tagsOf(yield* indexOf(state)), ["a"])
        yield* Effect.promise(() => fs.writeFile(`${dir}/index.json`, index("b")))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(tagsOf(yield* indexOf(state)), ["b"])
      })
    ))
  it.effect("by a tool without lock, right after we wrote it, is read anew", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(Date.now() + 3_600_000)
        const state = yield* stateOn(dir, (disk) => ({
          sync: (path) =>
            Effect.andThen(
              disk.sync(path),
              Effect.promise(() => fs.writeFile(`${dir}/index.json`, index("foreign")))
            )
        }))
        yield* announce(state, false)
        assert.deepStrictEqual(tagsOf(yield* indexOf(state)), ["foreign"])
      })
    ))
})

describe("a manifest that is put", () => {
  const manifest = image({})
  const { digest } = manifest.descriptor
  it.effect("is there also when another deletes it between the look at its file and the change of the index", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        let locks = 0
        const state: LayoutState = yield* stateOn(dir, (disk) => ({
          create: (path, temporary, content) => {
            const isLater = path.endsWith("/.regclient-lock") && ++locks === 3
            const other = isLater ? Effect.promise(() => fs.rm(pathOf(state, digest))) : Effect.void
            return Effect.andThen(other, disk.create(path, temporary, content))
          }
        }))
        yield* announce(state, false)
        yield* putManifest(state, manifest, { tag: Tag.make("v1") })
        yield* putManifest(state, manifest, { tag: Tag.make("v2") })
        assert.strictEqual(locks, 3)
        assert.include(yield* filesIn(dir), pathOf(state, digest).slice(dir.length + 1))
      })
    ))
  it.effect("is deleted before another can put it again", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const seen: Array<boolean> = []
        const state: LayoutState = yield* stateOn(dir, (disk) => ({
          remove: (path) =>
            path !== pathOf(state, digest) ? disk.remove(path) : Effect.gen(function*() {
              seen.push((yield* filesIn(dir)).includes(".regclient-lock"))
              yield* disk.remove(path)
            })
        }))
        yield* announce(state, false)
        yield* putManifest(state, manifest, { tag: Tag.make("v1") })
        yield* deleteManifest(state, digest)
        assert.deepStrictEqual(seen, [true])
      })
    ))
})

/** Runs `second` while `first` is held in a step of the disk, and tells whether it came to its end there. */
const endsBeside =
  <E>(entered: Deferred.Deferred<void>, held: Deferred.Deferred<void>) =>
  (first: Effect.Effect<void, E>, second: Effect.Effect<void, E>) =>
    Effect.gen(function*() {
      let hasEnded = false
      const one = yield* Effect.forkChild(first)
      yield* Deferred.await(entered)
      const other = yield* Effect.forkChild(Effect.tap(second, () => Effect.sync(() => hasEnded = true)))
      for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
      const atOnce = hasEnded
      yield* Deferred.succeed(held, undefined)
      yield* Fiber.join(one)
      yield* Fiber.join(other)
      return atOnce
    })

describe("two writers of one process", () => {
  it.effect("put nothing before the layout is there, as nobody would find it after a crash (R19)", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const [entered, held] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const state = yield* stateOn(dir, (disk) => ({
          replace: (path, temporary, content) =>
            path.endsWith("/oci-layout")
              ? Deferred.succeed(entered, undefined).pipe(
                Effect.andThen(Deferred.await(held)),
                Effect.andThen(disk.replace(path, temporary, content))
              )
              : disk.replace(path, temporary, content)
        }))
        assert.isFalse(yield* endsBeside<StoreError>(entered, held)(announce(state, false), announce(state, false)))
        assert.deepStrictEqual(tagsOf(yield* indexOf(state)), [])
      })
    ))
  it.effect("put nothing after the layout could not be made for the first of them", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        let isFull = true
        const state = yield* stateOn(dir, (disk) => ({
          replace: (path, temporary, content) =>
            isFull ? Effect.fail(storeError("write", "FsNoSpace", "full")) : disk.replace(path, temporary, content)
        }))
        for (const _ of [1, 2]) {
          assert.strictEqual((yield* Effect.flip(announce(state, false))).reason._tag, "FsNoSpace")
          assert.deepStrictEqual(yield* filesIn(dir), [])
        }
        isFull = false
        yield* announce(state, false)
        assert.deepStrictEqual(tagsOf(yield* indexOf(state)), [])
      })
    ))
  it.effect("both wait until the names of both are durable (R08)", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const [entered, held] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const state = yield* stateOn(dir, () => ({
          sync: () => Effect.andThen(Deferred.succeed(entered, undefined), Deferred.await(held))
        }))
        state.unsynced.add(dir)
        assert.isFalse(yield* endsBeside<StoreError>(entered, held)(settle(state), settle(state)))
      })
    ))
})

describe("a blob that is cloned", () => {
  const text = encode("of both")
  const replacedBy = (content: Uint8Array) =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const from = yield* stateOn(`${dir}/from`, () => ({}))
        yield* announce(from, false)
        const blob = yield* writeBlob(from, fromBytes(text))
        const source = pathOf(from, blob.digest)
        const state = yield* stateOn(`${dir}/to`, (disk) => ({
          clone: (path, to) =>
            Effect.promise(async () => {
              await fs.writeFile(`${dir}/again`, content)
              await fs.rename(`${dir}/again`, path)
            }).pipe(Effect.andThen(disk.clone(path, to)))
        }))
        yield* announce(state, false)
        const result = yield* Effect.result(cloneBlob(state, blob, from))
        assert.isTrue((yield* filesIn(`${dir}/from`)).some((name) => source.endsWith(name)))
        return result._tag === "Success" ?
          yield* Effect.promise(() => fs.readFile(pathOf(state, blob.digest), "utf8"))
          : result.failure.reason._tag
      })
    )
  it.effect("may be put again meanwhile by another", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* replacedBy(text), "of both")
    }))
  it.effect("is refused where its file became another", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* replacedBy(encode("of one ")), "DigestMismatch")
    }))
})
