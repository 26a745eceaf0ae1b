/**
 * The lock between processes that write one layout: a file made exclusively, with its owner inside.
 *
 * The lock of a dead process is taken over at once; one of another machine when its file was not touched for 30 s, which
 * a living owner does every 10 s.
 */
import { Clock, Effect, Random } from "effect"
import { hashHex } from "../../lib/hash.ts"
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

/** The right to remove the file of a dead owner: this and a hash of that file's name and content. */
const takeoverPrefix = ".regclient-takeover-"

const second = 1_000_000_000n
const reported = 5n * second
const failed = 60n * second
const silent = 30n * second

/** Random hex of 16 digits. */
export const randomName: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 0x1_0000_0000), Random.nextIntBetween(0, 0x1_0000_0000)]),
  (parts) => parts.map((part) => part.toString(16).padStart(8, "0")).join("")
)

/** What stands in a lock: its owner, and what tells it from every other lock. */
const claim: Effect.Effect<string> = Effect.map(randomName, (name) => `${encodeOwner(self())}${name}\n`)

/** Holds the lock during an effect. Waiting is reported after 5 s and fails after 60 s with `LayoutLocked` (faults L09, L10). */
export const locked =
  (disk: Disk, dir: string) => <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
    Effect.uninterruptibleMask(
      Effect.fnUntraced(function*(restore) {
        const path = `${dir}/${lockName}`
        const content = yield* claim
        yield* acquire(disk, dir, content, restore)
        const release = Effect.flatMap(
          textOf(disk, path),
          (text) => text === content ? disk.remove(path) : Effect.void
        )
        // A lock that cannot be removed is taken over once this process has ended.
        const held = Effect.andThen(Effect.forkScoped(heartbeat(disk, path)), effect)
        return yield* Effect.ensuring(restore(Effect.scoped(held)), Effect.ignore(release))
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
  readonly text: string | undefined
  /** Another one when the file is another one, or was touched. */
  readonly mark: string
  /** Milliseconds since the epoch. */
  readonly modified: number
}

/** `undefined` when there is no file. A link to nothing has no text. */
const look = Effect.fnUntraced(function*(disk: Disk, path: string) {
  const [text, info] = [yield* textOf(disk, path), yield* disk.infoOfName(path)]
  if (info === undefined) return undefined
  return { text, mark: `${info.identity} ${text}`, modified: info.modified } satisfies Seen
})

const acquire = Effect.fnUntraced(function*(
  disk: Disk,
  dir: string,
  content: string,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
) {
  const path = `${dir}/${lockName}`
  const start = yield* Clock.monotonicTimeNanos
  let isReported = false
  let [mark, since] = ["", start]
  for (let tries = 0; !(yield* createWhole(disk, dir, lockName, content)); tries++) {
    const now = yield* Clock.monotonicTimeNanos
    const seen = yield* look(disk, path)
    // Gone by now. A link to nothing is waited for as any other.
    if (seen === undefined) continue
    // Some network file systems make a name and say that it was there.
    if (seen.text === content) return
    if (seen.mark !== mark) [mark, since] = [seen.mark, now]
    const hasDied = isDead(seen, now - since)
    if (hasDied) yield* takeOver(disk, dir, lockName, seen)
    if (hasDied && now - start <= failed) continue
    const owner = ownerIn(seen)
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

const ownerIn = ({ text }: Seen) => decodeOwner(text?.split("\n")[0] ?? "")

/** Whether the owner has ended; one that cannot be told when its file did not change for so many nanoseconds. */
const isDead = (seen: Seen, unchanged: bigint): boolean => {
  const owner = ownerIn(seen)
  const state = owner === undefined ? "unknown" : stateOf(owner)
  return seen.text !== undefined && (state === "dead" || (state === "unknown" && unchanged > silent))
}

/**
 * Removes the file of a dead owner. Its name and content give the name of a second file, and who makes that one alone
 * may remove the first: else a new owner's file could go with the old. The second file of one who died meanwhile is
 * removed in the same way.
 */
const takeOver = (disk: Disk, dir: string, name: string, dead: Seen): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const path = `${dir}/${name}`
    const right = `${takeoverPrefix}${hashHex("sha256", Buffer.from(`${name}\n${dead.text}`)).slice(0, 16)}`
    if (yield* createWhole(disk, dir, right, yield* claim)) {
      return yield* Effect.ensuring(
        Effect.flatMap(look(disk, path), (now) => now?.mark === dead.mark ? disk.remove(path) : Effect.void),
        Effect.ignore(disk.remove(`${dir}/${right}`)) // the next one finds its owner dead
      )
    }
    const other = yield* look(disk, `${dir}/${right}`)
    if (other === undefined) return
    // It is held for some milliseconds only.
    const age = (yield* Clock.currentTimeMillis) - other.modified
    if (isDead(other, BigInt(Math.round(age)) * 1_000_000n)) yield* takeOver(disk, dir, right, other)
    else yield* Effect.sleep(20)
  })

/** Under the lock: rights to remove files that are gone. Nobody can use one, as no two files of owners are the same. */
export const removeTakeovers = Effect.fnUntraced(function*(disk: Disk, dir: string) {
  for (const name of yield* disk.list(dir)) {
    if (!name.startsWith(takeoverPrefix)) continue
    const seen = yield* look(disk, `${dir}/${name}`)
    if (seen !== undefined && isDead(seen, 0n)) yield* disk.remove(`${dir}/${name}`)
  }
})

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
