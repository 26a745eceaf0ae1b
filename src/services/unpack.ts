/**
 * Content from outside on its way into a directory: whatever its names are, nothing is written outside, through a link,
 * or before all of it was verified (library description, 19.4; faults C19 to C21).
 */
import { Effect, FileSystem, Path } from "effect"
import * as files from "../lib/files.ts"
import { partsOf } from "../lib/tar/name.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import type { Bytes } from "./Bytes.ts"
import { decompressed } from "./compressed.ts"
import { writeNewFile } from "./fileBytes.ts"
import { fsError, platformError } from "./fsError.ts"
import { readTar, type TarEntry } from "./tar.ts"

const attempted = <A>(path: string, verb: string, run: () => Promise<A>): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({ try: run, catch: fsError(path, verb) })

/** The parts of a name below a directory: `..` leads no further up than that. Fails with PathEscape for a NUL. */
export const partsBelow = (name: string): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  name.includes("\0")
    ? Effect.fail(storeError(`write ${name}`, "PathEscape", "the name of a file cannot contain NUL"))
    : Effect.succeed(partsOf(name))

/**
 * Makes the directories of `parts` below `root`, which is taken as it is. Fails with PathEscape for a link in the way,
 * and for anything else that is no directory.
 */
const makeBelow = Effect.fnUntraced(function*(root: string, parts: ReadonlyArray<string>) {
  const { join } = yield* Path.Path
  let path = root
  for (const part of parts) {
    path = join(path, part)
    const found = yield* attempted(path, "stat", () => files.infoOfName(path))
    if (found === undefined) yield* attempted(path, "mkdir", () => files.makeDirectories(path))
    else if (found.kind === "link") yield* storeError(`write ${path}`, "PathEscape", "is a symbolic link, not followed")
    else if (found.kind !== "directory") {
      yield* storeError("", "FsPermission", `destination exists and is not a directory: ${JSON.stringify(path)}`)
    }
  }
  return path
})

/** Gives a file its place; one that is there gives way, a link too, a directory does not. */
export const placeFile = Effect.fnUntraced(function*(from: string, root: string, parts: ReadonlyArray<string>) {
  const { join } = yield* Path.Path
  const directory = yield* makeBelow(root, parts.slice(0, -1))
  const path = join(directory, parts.at(-1) ?? "")
  const found = yield* attempted(path, "stat", () => files.infoOfName(path))
  if (found?.kind === "directory") return yield* storeError(`open ${path}`, "FsPermission", "is a directory")
  yield* attempted(path, "rename", () => files.rename(from, path))
})

/** Gives all that is below a directory of ours its place; directories that are there take in what comes. */
export const placeTree: (
  from: string,
  root: string,
  parts: ReadonlyArray<string>
) => Effect.Effect<void, StoreError, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(
  function*(from, root, parts) {
    const { join } = yield* Path.Path
    const fs = yield* FileSystem.FileSystem
    yield* makeBelow(root, parts)
    for (const name of yield* Effect.mapError(fs.readDirectory(from), platformError("readdir", from))) {
      const path = join(from, name)
      const found = yield* attempted(path, "stat", () => files.infoOfName(path))
      if (found?.kind === "directory") yield* placeTree(path, root, [...parts, name])
      else yield* placeFile(path, root, [...parts, name])
    }
  }
)

/** Bytes that may come out for each that is in the archive, once the first of them passed (faults, limits). */
const ratio = 1_000
const free = 16 * 1024 ** 2

/** Files, sparse files, directories. */
const unpackable: ReadonlySet<string> = new Set(["0", "S", "5"])

/** What is in an archive besides files and directories. */
export interface LeftOut {
  readonly count: number
  readonly first: string
}

/**
 * Unpacks an archive, compressed or not, into an empty directory of ours: directories and files, each with the mode of
 * a new one; of equal names the last holds. Tells what was left out: links and devices.
 */
export const unpackInto = Effect.fnUntraced(function*(root: string, archive: Bytes) {
  let [unpacked, leftOut, first] = [0, 0, ""]
  const visit = Effect.fnUntraced(function*({ content, header, offset, size }: TarEntry) {
    unpacked += size
    // The holes of sparse files grow what no compression did.
    if (unpacked > free && unpacked > (offset + header.size) * ratio) {
      return yield* storeError("", "DecompressLimit", "size limit exceeded: sparse files grow beyond every measure")
    }
    if (!unpackable.has(header.type)) {
      if (leftOut++ === 0) first = header.name
      return
    }
    const parts = yield* partsBelow(header.name)
    if (header.type === "5" || header.name.endsWith("/")) return void (yield* makeBelow(root, parts))
    const name = parts.at(-1)
    if (name === undefined) return
    const path = `${yield* makeBelow(root, parts.slice(0, -1))}/${name}`
    const taken = yield* attempted(path, "stat", () => files.infoOfName(path))
    if (taken !== undefined) {
      const fs = yield* FileSystem.FileSystem
      yield* Effect.mapError(fs.remove(path), platformError("open", path))
    }
    yield* writeNewFile(path, content)
  })
  yield* readTar(decompressed(archive), visit)
  return { count: leftOut, first } satisfies LeftOut
})
