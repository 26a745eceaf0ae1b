/**
 * The lock between processes that write one layout: a file made exclusively, with its owner inside.
 *
 * The lock of a dead process is taken over at once; one of another machine when its file was not touched for 30 s.
 */
import { Clock, Effect, Random } from "effect"
import { decodeOwner, encodeOwner, self, stateOf } from "../../lib/owner.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Disk } from "./disk.ts"

const lockName = ".regclient-lock"
export const writerPrefix = ".regclient-writer-"

/** Temporary files: this, the writer's name, a dash, a number. */
export const temporaryPrefix = ".regclient-tmp-"

/**
 * A file made at once with its content: one without would tell nobody that its owner is dead. `false` when the name is
 * taken, or when a sweep took the temporary file, which stands under no writer's name.
 */
export const createWhole = Effect.fnUntraced(function*(disk: Disk, dir: string, name: string, content: string) {
  const temporary = `${dir}/${temporaryPrefix}${yield* randomName}-0`
  return yield* disk.create(`${dir}/${name}`, temporary, content).pipe(
    Effect.catchReason(
      "StoreError",
      "NotFound",
      (_, error) =>
        Effect.flatMap(disk.info(dir), (info) => info === undefined ? Effect.fail(error) : Effect.succeed(false))
    )
  )
})

/** Names the kind of file in one look: what a dead process left. */
const takeoverName = ".regclient-takeover"

const second = 1_000_000_000n
const reported = 5n * second
const failed = 60n * second
const silent = 30n * second

/** Random hex of 16 digits. */
export const randomName: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 0x1_0000_0000), Random.nextIntBetween(0, 0x1_0000_0000)]),
  (parts) => parts.map((part) => part.toString(16).padStart(8, "0")).join("")
)

/** Holds the lock during an effect. Waiting is reported after 5 s and fails after 60 s with `LayoutLocked` (faults L09, L10). */
export const locked =
  (disk: Disk, dir: string) => <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
    Effect.uninterruptibleMask(
      Effect.fnUntraced(function*(restore) {
        const path = `${dir}/${lockName}`
        const content = `${encodeOwner(self())}${yield* randomName}\n`
        yield* acquire(disk, dir, content, restore)
        const release = Effect.flatMap(
          textOf(disk, path),
          (text) => text === content ? disk.remove(path) : Effect.void
        )
        // A lock that cannot be removed is taken over once this process has ended.
        return yield* Effect.ensuring(restore(effect), Effect.ignore(release))
      })
    )

/** Shows other machines that the owner of a file is alive. A touch that fails is made good by the next. */
export const heartbeat = (disk: Disk, path: string): Effect.Effect<never> =>
  Effect.forever(Effect.andThen(Effect.sleep("10 seconds"), Effect.ignore(disk.touch(path))))

const textOf = (disk: Disk, path: string): Effect.Effect<string | undefined, StoreError> =>
  disk.read(path, 4096).pipe(
    Effect.map((bytes) => new TextDecoder().decode(bytes)),
    Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(undefined))
  )

interface Seen {
  readonly mark: string
  readonly since: bigint
}

const acquire = Effect.fnUntraced(function*(
  disk: Disk,
  dir: string,
  content: string,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
) {
  const path = `${dir}/${lockName}`
  const start = yield* Clock.monotonicTimeNanos
  let isReported = false
  let seen: Seen = { mark: "", since: start }
  for (let tries = 0; !(yield* createWhole(disk, dir, lockName, content)); tries++) {
    const now = yield* Clock.monotonicTimeNanos
    const [text, info] = [yield* textOf(disk, path), yield* disk.infoOfName(path)]
    // Gone by now, unless it is a link to nothing: that is waited for as any other.
    if (info === undefined) continue
    const mark = `${info.identity} ${text}`
    if (mark !== seen.mark) seen = { mark, since: now }
    const hasDied = text !== undefined && isDead(text, now - seen.since)
    if (hasDied) yield* takeOver(disk, dir, text)
    if (hasDied && now - start <= failed) continue
    const owner = decodeOwner(text?.split("\n")[0] ?? "")
    const by = owner === undefined ? "another process" : `process ${owner.pid} on ${owner.host.split("/")[0]}`
    if (now - start > reported && !isReported) {
      isReported = true
      yield* Effect.logWarning(`waiting for ${dir}, locked by ${by}`)
    }
    if (now - start > failed) {
      return yield* storeError(`lock ${dir}`, "LayoutLocked", `layout is locked by ${by}: ${path}`)
    }
    yield* restore(Effect.sleep(Math.min(5 + tries, 50) + (yield* Random.nextIntBetween(0, 10))))
  }
})

const isDead = (text: string, unchanged: bigint): boolean => {
  const owner = decodeOwner(text.split("\n")[0] ?? "")
  const state = owner === undefined ? "unknown" : stateOf(owner)
  return state === "dead" || (state === "unknown" && unchanged > silent)
}

/** Removes a dead lock. A second file lets one process at a time do so, or a new owner's lock could go with the old. */
const takeOver = (disk: Disk, dir: string, dead: string): Effect.Effect<void, StoreError> => {
  const [path, guard] = [`${dir}/${lockName}`, `${dir}/${takeoverName}`]
  return Effect.gen(function*() {
    if (!(yield* createWhole(disk, dir, takeoverName, encodeOwner(self())))) {
      const owner = decodeOwner((yield* textOf(disk, guard)) ?? "")
      const since = (yield* disk.infoOfName(guard))?.modified ?? Number.POSITIVE_INFINITY
      // It is held for some milliseconds only.
      const isOld = (yield* Clock.currentTimeMillis) - since > 30_000
      if (isOld || (owner !== undefined && stateOf(owner) === "dead")) yield* disk.remove(guard)
      else yield* Effect.sleep(20)
      return
    }
    yield* Effect.ensuring(
      Effect.flatMap(textOf(disk, path), (text) => text === dead ? disk.remove(path) : Effect.void),
      Effect.ignore(disk.remove(guard)) // the next one finds its owner dead
    )
  })
}

/** The writers of a layout that are still at work, and what dead ones left, by the random part of their names. */
export const writers = Effect.fnUntraced(function*(disk: Disk, dir: string) {
  const now = yield* Clock.currentTimeMillis
  const alive: Array<string> = []
  const dead: Array<string> = []
  for (const name of yield* disk.list(dir)) {
    if (!name.startsWith(writerPrefix)) continue
    const path = `${dir}/${name}`
    const [text, info] = [yield* textOf(disk, path), yield* disk.infoOfName(path)]
    if (text === undefined || info === undefined) continue
    const owner = decodeOwner(text)
    const state = owner === undefined ? "unknown" : stateOf(owner)
    // A writer of another machine touches its file every 10 s; its clock may be off by some minutes.
    const isGone = state === "dead" || (state === "unknown" && now - info.modified > 3_600_000)
    ;(isGone ? dead : alive).push(name.slice(writerPrefix.length))
  }
  return { alive, dead }
})
