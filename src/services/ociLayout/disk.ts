/** The disk below a layout: Effect's FileSystem and our own file operations, with one kind of error that names the path. */
import { Effect, type FileSystem, type Path, Semaphore } from "effect"
import * as files from "../../lib/files.ts"
import { ownFileSize } from "../../lib/ownFile.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { fsError, platformError } from "../fsError.ts"

const wrapped = <A>(path: string, verb: string, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: fsError(path, verb) })

export interface Disk {
  readonly info: (path: string) => Effect.Effect<files.FileInfo | undefined, StoreError>
  /** Of the name itself, where it is a link. */
  readonly infoOfName: (path: string) => Effect.Effect<files.FileInfo | undefined, StoreError>
  /** Of a plain file that only we have, by its name. */
  readonly ownFileSize: (path: string) => Effect.Effect<number | undefined, StoreError>
  readonly read: (path: string, limit: number) => Effect.Effect<Uint8Array, StoreError>
  /** With its parents; gives the directories that have a new name in them. */
  readonly makeDirectory: (path: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Empty when there is no such directory. */
  readonly list: (path: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Nothing happens when it is absent. */
  readonly remove: (path: string) => Effect.Effect<void, StoreError>
  readonly realPath: (path: string) => Effect.Effect<string, StoreError>
  /** False when the name is taken. The file has its content when it appears; `temporary` is a name beside it. */
  readonly create: (path: string, temporary: string, content: string) => Effect.Effect<boolean, StoreError>
  readonly createSynced: (path: string, content: Uint8Array) => Effect.Effect<void, StoreError>
  readonly replace: (path: string, temporary: string, content: Uint8Array) => Effect.Effect<void, StoreError>
  readonly rename: (from: string, to: string) => Effect.Effect<void, StoreError>
  readonly sync: (directory: string) => Effect.Effect<void, StoreError>
  readonly touch: (path: string) => Effect.Effect<void, StoreError>
  readonly clone: (from: string, to: string) => Effect.Effect<void, StoreError>
}

/** Small files read at once: with the blobs in flight they stay far below 256 descriptors (faults L16). */
const smallReads = 32

/** Files being made at once, each held open over several operations; there are four threads to do them. */
const smallWrites = 8

export const diskOf = (fs: FileSystem.FileSystem): Disk => {
  const reads = Semaphore.makeUnsafe(smallReads)
  const writes = Semaphore.makeUnsafe(smallWrites)
  return {
    info: (path) => wrapped(path, "stat", () => files.info(path)),
    infoOfName: (path) => wrapped(path, "lstat", () => files.infoOfName(path)),
    ownFileSize: (path) => wrapped(path, "lstat", () => ownFileSize(path)),
    read: (path, limit) => reads.withPermit(wrapped(path, "open", () => files.readWhole(path, limit))),
    makeDirectory: (path) => wrapped(path, "mkdir", () => files.makeDirectories(path)),
    list: (path) =>
      fs.readDirectory(path).pipe(
        Effect.mapError(platformError("readdir", path)),
        Effect.catchReason("StoreError", "NotFound", () => Effect.succeed([]))
      ),
    remove: (path) => Effect.mapError(fs.remove(path, { force: true }), platformError("remove", path)),
    realPath: (path) => Effect.mapError(fs.realPath(path), platformError("realpath", path)),
    create: (path, temporary, content) =>
      Effect.tryPromise({ try: () => files.createExclusive(path, temporary, content), catch: (cause) => cause }).pipe(
        Effect.as(true),
        Effect.catch((cause) =>
          files.codeOf(cause) === "EEXIST" ? Effect.succeed(false) : Effect.fail(fsError(path, "create")(cause))
        ),
        Effect.uninterruptible
      ),
    createSynced: (path, content) => writes.withPermit(wrapped(path, "write", () => files.createSynced(path, content))),
    replace: (path, temporary, content) =>
      Effect.uninterruptible(wrapped(path, "write", () => files.replace(path, temporary, content))),
    rename: (from, to) => wrapped(to, "rename", () => files.rename(from, to)),
    sync: (directory) => wrapped(directory, "fsync", () => files.syncDirectory(directory)),
    touch: (path) => wrapped(path, "touch", () => files.touch(path)),
    clone: (from, to) => writes.withPermit(Effect.uninterruptible(wrapped(to, "clone", () => files.clone(from, to))))
  }
}

/** Of a directory, or of the part of its path that exists. */
export const realPathOf = (
  disk: Pick<Disk, "realPath">,
  path: Path.Path,
  dir: string
): Effect.Effect<string, StoreError> =>
  disk.realPath(dir).pipe(Effect.catchReason("StoreError", "NotFound", (_, error) => {
    const parent = path.dirname(dir)
    return parent === dir
      ? Effect.fail(error)
      : Effect.map(realPathOf(disk, path, parent), (real) => path.join(real, path.basename(dir)))
  }))
