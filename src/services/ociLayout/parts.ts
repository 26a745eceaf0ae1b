/**
 * Beginnings of large blobs whose download was cut off: kept beside the blobs, in files that nobody takes for one, until
 * the next writer goes on from there.
 *
 * A part is claimed by renaming it, so two processes never have the same one. It is not trusted: its bytes are hashed
 * again before anything is added to them.
 */
import { Clock, Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Digest, encodedOf } from "../../schemas/Digest.ts"
import { type ReasonTag, type StoreError } from "../../schemas/StoreError.ts"
import type { Disk } from "./disk.ts"
import { temporaryPrefix } from "./lock.ts"
import { folderOf, type LayoutState } from "./state.ts"

/** A part: this and the hexadecimal digits of the digest. */
const partPrefix = ".regclient-part-"

/** Bytes of a blob, and of a beginning of one, from which on it is worth to keep it. */
export const leastKept = 16 * 1024 * 1024

/** Writes go out side by side: a process that was killed may leave holes among the last bytes, which are fetched again. */
const unsure = 4 * 1024 * 1024

/** Milliseconds a part is kept, and bytes of all parts of a layout. */
const [longest, most] = [7 * 24 * 3_600_000, 10 * 1024 ** 3]

/** The temporary file of a large blob tells the digest: whoever finds it knows what it begins. */
export const temporaryOf = (state: LayoutState, digest: Digest): string =>
  `${folderOf(state, digest)}/${temporaryPrefix}${state.writing?.name ?? "none"}-${encodedOf(digest)}`

const digits = /-([0-9a-f]{64,128})$/

/** Puts what a transfer left aside for the next, or removes it where that is not worth it. */
export const keepPart = Effect.fnUntraced(function*(disk: Disk, folder: string, name: string) {
  const temporary = `${folder}/${name}`
  const hex = digits.exec(name)?.[1]
  const size = hex === undefined ? undefined : yield* disk.ownFileSize(temporary)
  if (hex === undefined || size === undefined || size < leastKept) return yield* disk.remove(temporary)
  const part = `${folder}/${partPrefix}${hex}`
  const other = yield* disk.ownFileSize(part)
  yield* other !== undefined && other >= size ? disk.remove(temporary) : disk.rename(temporary, part)
})

/** Takes the part of a blob, under the name of a temporary file: how many of its bytes can be relied on, if they fit. */
export const claimPart = (state: LayoutState, blob: Descriptor, temporary: string): Effect.Effect<number> =>
  Effect.gen(function*() {
    const { disk } = state
    const part = `${folderOf(state, blob.digest)}/${partPrefix}${encodedOf(blob.digest)}`
    const fits = (size: number | undefined) => size !== undefined && size >= leastKept && size <= blob.size
    // A link, a directory, something that is too long: none of ours.
    if (!fits(yield* disk.ownFileSize(part))) return yield* Effect.as(disk.remove(part), 0)
    yield* disk.rename(part, temporary)
    const size = yield* disk.ownFileSize(temporary)
    return size !== undefined && fits(size) ? size - unsure : yield* Effect.as(disk.remove(temporary), 0)
  }).pipe(
    Effect.catch((error) =>
      error.reason._tag === "NotFound"
        ? Effect.succeed(0)
        : Effect.as(Effect.logDebug(`kept part not used: ${error.message}`), 0)
    )
  )

/** The source or the way to it failed: what came is right, and can be gone on from. */
const passing: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "ConnectFailed",
  "ConnectionLost",
  "DnsFailed",
  "HttpStatus",
  "RateLimited",
  "Timeout"
])

export const isWorthKeeping = ({ reason }: StoreError): boolean => passing.has(reason._tag)

/** A part found while a layout is swept. */
interface Found {
  readonly path: string
  readonly size: number
  readonly modified: number
}

/** Removes parts of blobs that are there now, old ones, and the oldest where all together are too much. */
export const pruneParts = Effect.fnUntraced(function*(disk: Disk, folder: string, names: ReadonlyArray<string>) {
  const parts = names.filter((name) => name.startsWith(partPrefix))
  if (parts.length === 0) return
  const now = yield* Clock.currentTimeMillis
  const present = new Set(names)
  const found: Array<Found> = []
  for (const name of parts) {
    const path = `${folder}/${name}`
    const info = yield* disk.infoOfName(path)
    if (info === undefined || info.kind === "directory") continue
    const isOver = present.has(name.slice(partPrefix.length)) || now - info.modified > longest || info.kind !== "file"
    if (isOver) yield* disk.remove(path)
    else found.push({ path, size: info.size, modified: info.modified })
  }
  let all = 0
  for (const { path, size } of found.toSorted((one, other) => other.modified - one.modified)) {
    all += size
    if (all > most) yield* disk.remove(path)
  }
})
