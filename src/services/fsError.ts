/** Failures of the file system as one kind of error, translated where they enter (faults L01 to L03). */
import type { PlatformError } from "effect"
import { codeOf } from "../lib/files.ts"
import { tooManyFiles } from "../lib/tooManyFiles.ts"
import { type ReasonTag, type StoreError, storeError } from "../schemas/StoreError.ts"

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
  NOT_PLAIN: ["FsIo", "not a plain file"],
  EFBIG: ["FsIo", "file too large"],
  EMFILE: ["FsIo", tooManyFiles],
  ENFILE: ["FsIo", "too many open files in the system"],
  EIO: ["FsIo", "input/output error"]
}

/** A failure of Node as ours: `open dir/index.json: permission denied` (faults L01 to L03). */
export const fsError = (path: string, verb: string) => (cause: unknown): StoreError => {
  const code = codeOf(cause)
  const [tag, text] = reasons[code] ?? ["FsIo", code === "" ? String(cause) : code]
  return storeError(`${verb} ${path}`, tag, text, { cause })
}

/** The same for what Effect's `FileSystem` fails with, which knows operation and path by itself. */
export const platformError = (verb?: string, path?: string) => (error: PlatformError.PlatformError): StoreError => {
  const { cause, method } = error.reason
  const place = "pathOrDescriptor" in error.reason ? error.reason.pathOrDescriptor : undefined
  return fsError(path ?? String(place ?? ""), verb ?? method)(cause ?? error)
}
