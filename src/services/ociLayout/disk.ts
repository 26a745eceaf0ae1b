/** The disk below a layout: Effect's FileSystem and our own file operations, with one kind of error that names the path. */
import { Effect, type FileSystem, type PlatformError, Semaphore } from "effect"
import * as files from "../../lib/files.ts"
import { type ReasonTag, type StoreError, storeError } from "../../schemas/StoreError.ts"

const reasons: Readonly<Record<string, readonly [ReasonTag, string]>> = {
  ENOENT: ["NotFound", "no such file or directory"],
  ENOSPC: ["FsNoSpace", "no space left on device"],
  EDQUOT: ["FsNoSpace", "disk quota exceeded"],
  EACCES: ["FsPermission", "permission denied"],
  EPERM: ["FsPermission", "operation not permitted"],
  EROFS: ["FsPermission", "read-only file system"],
  EEXIST: ["FsPermission", "file exists"],
  ENOTDIR: ["FsPermission", "not a directory"],
  EISDIR: ["FsPermission", "is a directory"],
  ELOOP: ["PathEscape", "too many levels of symbolic links"],
  TOO_LARGE: ["SizeLimit", "size limit exceeded"],
  EFBIG: ["FsIo", "file too large"],
  EMFILE: ["FsIo", "too many open files"],
  EIO: ["FsIo", "input/output error"]
}

/** A failure of Node as ours: `open dir/index.json: permission denied` (faults L01-L03). */
export const fsError = (path: string, verb: string) => (cause: unknown): StoreError => {
  const code = files.codeOf(cause)
  const [tag, text] = reasons[code] ?? ["FsIo", code === "" ? String(cause) : code]
  return storeError(`${verb} ${path}`, tag, text, { cause })
}

const platformError = (path: string, verb: string) => (error: PlatformError.PlatformError): StoreError =>
  fsError(path, verb)(error.reason.cause ?? error)

const wrapped = <A>(path: string, verb: string, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: fsError(path, verb) })

export interface Disk {
  readonly info: (path: string) => Effect.Effect<files.FileInfo | undefined, StoreError>
  /** Of the name itself, where it is a link. */
  readonly infoOfName: (path: string) => Effect.Effect<files.FileInfo | undefined, StoreError>
  readonly read: (path: string, limit: number) => Effect.Effect<Uint8Array, StoreError>
  readonly makeDirectory: (path: string) => Effect.Effect<void, StoreError>
  /** Empty when there is no such directory. */
  readonly list: (path: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Nothing happens when it is absent. */
  readonly remove: (path: string) => Effect.Effect<void, StoreError>
  readonly realPath: (path: string) => Effect.Effect<string, StoreError>
  /** False when the name is taken. */
  readonly create: (path: string, content: string) => Effect.Effect<boolean, StoreError>
  readonly createSynced: (path: string, content: Uint8Array) => Effect.Effect<void, StoreError>
  readonly replace: (path: string, temporary: string, content: Uint8Array) => Effect.Effect<void, StoreError>
  readonly rename: (from: string, to: string) => Effect.Effect<void, StoreError>
  readonly sync: (directory: string) => Effect.Effect<void, StoreError>
  readonly touch: (path: string) => Effect.Effect<void, StoreError>
  readonly clone: (from: string, to: string) => Effect.Effect<void, StoreError>
}

/** Small files read at once: with the blobs in flight they stay far below 256 descriptors (faults L16). */
const smallReads = 32

export const diskOf = (fs: FileSystem.FileSystem): Disk => {
  const reads = Semaphore.makeUnsafe(smallReads)
  return {
    info: (path) => wrapped(path, "stat", () => files.info(path)),
    infoOfName: (path) => wrapped(path, "lstat", () => files.infoOfName(path)),
    read: (path, limit) => reads.withPermit(wrapped(path, "open", () => files.readWhole(path, limit))),
    makeDirectory: (path) => wrapped(path, "mkdir", () => files.makeDirectories(path)),
    list: (path) =>
      fs.readDirectory(path).pipe(
        Effect.mapError(platformError(path, "readdir")),
        Effect.catchReason("StoreError", "NotFound", () => Effect.succeed([]))
      ),
    remove: (path) => Effect.mapError(fs.remove(path, { force: true }), platformError(path, "remove")),
    realPath: (path) => Effect.mapError(fs.realPath(path), platformError(path, "realpath")),
    create: (path, content) =>
      Effect.tryPromise({ try: () => files.createExclusive(path, content), catch: (cause) => cause }).pipe(
        Effect.as(true),
        Effect.catch((cause) =>
          files.codeOf(cause) === "EEXIST" ? Effect.succeed(false) : Effect.fail(fsError(path, "create")(cause))
        )
      ),
    createSynced: (path, content) => wrapped(path, "write", () => files.createSynced(path, content)),
    replace: (path, temporary, content) =>
      Effect.uninterruptible(wrapped(path, "write", () => files.replace(path, temporary, content))),
    rename: (from, to) => wrapped(to, "rename", () => files.rename(from, to)),
    sync: (directory) => wrapped(directory, "fsync", () => files.syncDirectory(directory)),
    touch: (path) => wrapped(path, "touch", () => files.touch(path)),
    clone: (from, to) => Effect.uninterruptible(wrapped(to, "clone", () => files.clone(from, to)))
  }
}
