/** Where an archive goes: standard output, a device, or a file that gets its content once that is whole (faults L04). */
import { Effect, FileSystem, Option, Path, Stdio, Stream } from "effect"
import type { PlatformError, Sink } from "effect"
import { createSynced, syncDirectory, syncFile } from "../../lib/files.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { fsError, platformError } from "../../services/fsError.ts"
import { nameBeside } from "../outputFile.ts"

/** Takes bytes in order, once. */
export interface Pipe {
  readonly _tag: "Pipe"
  readonly write: (bytes: Bytes) => Effect.Effect<void, StoreError>
}

/** A name for a file, in a directory that takes new ones; nothing is there yet where nothing was. */
export interface Place {
  readonly _tag: "Place"
  readonly path: string
  /** Links followed. */
  readonly target: string
  /** Permission bits of the file that was there. */
  readonly mode?: number
}

/** Standard output for `-` and `/dev/stdout`, unless it is a terminal. Fails as the file system does where there can be no such file. */
export const openOutput = Effect.fnUntraced(function*(path: string) {
  const files = yield* FileSystem.FileSystem
  const stdio = yield* Stdio.Stdio
  const pipe = (sink: Sink.Sink<void, Uint8Array, unknown, PlatformError.PlatformError>, name: string): Pipe => ({
    _tag: "Pipe",
    write: (bytes) =>
      Stream.run(bytes, sink).pipe(
        Effect.catchTag("PlatformError", (error) => Effect.fail(platformError("write", name)(error)))
      )
  })
  // A file that output goes to already is written where it stands, not replaced by another of its name.
  if (path === "-" || path === "/dev/stdout") {
    if (yield* stdio.stdoutIsTerminal) {
      const message = "an archive is not written to a terminal: name a file, or redirect the output"
      return yield* new UsageError({ message })
    }
    return pipe(stdio.stdout({ endOnDone: false }), "stdout")
  }
  const there = yield* files.stat(path).pipe(
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(undefined)),
    Effect.mapError(platformError("open", path))
  )
  if (there?.type === "Directory") return yield* fsError(path, "open")({ code: "EISDIR" })
  // Appended to: a position, as a file is written at, is nothing that a pipe has.
  if (there !== undefined && there.type !== "File") return pipe(files.sink(path, { flag: "a" }), path)
  const target = there === undefined ? path : yield* Effect.mapError(files.realPath(path), platformError("open", path))
  if (there === undefined) yield* probe(path)
  else yield* Effect.mapError(files.access(target, { writable: true }), platformError("open", path))
  const place: Place = { _tag: "Place", path, target, ...(there === undefined ? {} : { mode: there.mode & 0o7777 }) }
  return place
})

/** Whether a file can be made here: found out with another, since a name stands for the whole archive only (faults L04). */
const probe = Effect.fnUntraced(function*(path: string) {
  const files = yield* FileSystem.FileSystem
  // A link to nothing is not replaced.
  if (Option.isSome(yield* Effect.option(files.readLink(path)))) return yield* fsError(path, "open")({ code: "EEXIST" })
  const temporary = yield* nameBeside(path)
  yield* attempt(path, "open", () => createSynced(temporary, new Uint8Array()))
  yield* Effect.mapError(files.remove(temporary), platformError("open", path))
})

const attempt = (path: string, verb: string, run: () => Promise<void>): Effect.Effect<void, StoreError> =>
  Effect.tryPromise({ try: run, catch: fsError(path, verb) })

/**
 * A new file beside the target, for `fill` to write, that takes the target's place when it is whole. After a failure
 * the target is what it was before the archive was asked for.
 */
export const fillPlace = Effect.fnUntraced(function*<E, R>(
  { mode, path, target }: Place,
  fill: (temporary: string) => Effect.Effect<void, E, R>
) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const folder = paths.dirname(target)
  const temporary = yield* nameBeside(target)
  const discard = files.remove(temporary, { force: true })
  yield* Effect.gen(function*() {
    yield* attempt(path, "create", () => createSynced(temporary, new Uint8Array()))
    yield* fill(temporary)
    if (mode !== undefined) yield* Effect.mapError(files.chmod(temporary, mode), platformError("chmod", path))
    yield* attempt(path, "fsync", () => syncFile(temporary))
    yield* Effect.mapError(files.rename(temporary, target), platformError("rename", path))
    yield* attempt(folder, "fsync", () => syncDirectory(folder))
  }).pipe(
    // The first failure is the one to tell.
    Effect.onError(() => Effect.ignore(discard))
  )
})
