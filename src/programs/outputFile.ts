/** A file that a user names for output: it gets its name, or its new content, once the content is whole. */
import { Clock, Effect, FileSystem, Option, Path, Stream } from "effect"
import { syncDirectory, syncFile } from "../lib/files.ts"
import { removeLeftovers, temporaryName } from "../lib/leftovers.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Bytes } from "../services/Bytes.ts"
import { fsError, platformError } from "../services/fsError.ts"

/** A name in the directory of a file, for what is to take its place; what dead writers left there is removed (faults L12). */
export const nameBeside = Effect.fnUntraced(function*(file: string) {
  const { dirname, join } = yield* Path.Path
  const now = yield* Clock.currentTimeMillis
  yield* Effect.promise(() => removeLeftovers(dirname(file), now))
  return join(dirname(file), temporaryName())
})

export interface OutputFile {
  /** To be run once. */
  readonly write: (content: Bytes) => Effect.Effect<void, StoreError>
  /** Puts what was written into place. Without it nothing has happened when the scope ends. */
  readonly finish: Effect.Effect<void, StoreError>
}

/**
 * Fails with NotFound or FsPermission when the file cannot be there. Links are followed, the mode of a file that is
 * there stays; what is no plain file, such as a pipe or `/dev/null`, is written to as the content comes.
 */
export const openOutput = Effect.fnUntraced(function*(path: string) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const failed = Effect.mapError(platformError("open", path))
  const durable = (run: () => Promise<void>) => Effect.tryPromise({ try: run, catch: fsError(path, "fsync") })
  const into = (place: string, flag: "a" | "w" | "wx") => (content: Bytes) =>
    Stream.run(content, files.sink(place, { flag, mode: 0o666 })).pipe(
      Effect.catchTag("PlatformError", (error) => Effect.fail(platformError("write", path)(error)))
    )
  // A name for what is open already, such as `/dev/stdout`, says nothing of where that could be replaced.
  if (/^\/(dev|proc)\//.test(path)) {
    const info = yield* Effect.option(files.stat(path))
    const isPlain = Option.isSome(info) && info.value.type === "File"
    return { write: into(path, isPlain ? "w" : "a"), finish: Effect.void }
  }
  const target = yield* files.realPath(path).pipe(Effect.orElseSucceed(() => path))
  const old = Option.getOrUndefined(yield* Effect.option(files.stat(target)))
  if (old?.type === "Directory") return yield* fsError(path, "open")({ code: "EISDIR" })
  // Pipes have no positions to write at: what is appended goes without.
  if (old !== undefined && old.type !== "File") return { write: into(target, "a"), finish: Effect.void }
  yield* failed(files.access(paths.dirname(target)))
  const temporary = yield* nameBeside(target)
  // It is gone after the rename, and never was when nothing was written.
  yield* Effect.addFinalizer(() => Effect.ignore(files.remove(temporary)))
  const file: OutputFile = {
    write: into(temporary, "wx"),
    finish: Effect.gen(function*() {
      if (old !== undefined) yield* failed(files.chmod(temporary, old.mode & 0o7777))
      yield* durable(() => syncFile(temporary))
      yield* failed(files.rename(temporary, target))
      yield* durable(() => syncDirectory(paths.dirname(target)))
    })
  }
  return file
})
