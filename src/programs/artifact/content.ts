/** What `artifact put` pushes as blobs: files, directories as archives, standard input, each known by its digest first. */
import { Effect, FileSystem, Stream } from "effect"
import { readForward } from "../../lib/files.ts"
import { titleAnnotation } from "../../schemas/artifact.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { type Bytes, fromPump } from "../../services/Bytes.ts"
import { filePump } from "../../services/fileBytes.ts"
import { fsError, platformError } from "../../services/fsError.ts"
import type { Repository } from "../../services/Repository.ts"
import { keep, measure } from "../../services/spool.ts"
import { exists } from "../missing.ts"
import { stdin } from "../stdin.ts"

export interface Content {
  readonly descriptor: Descriptor
  /** May be run more than once. */
  readonly bytes: Bytes
}

export interface Titles {
  readonly isTitled: boolean
  readonly stripDirs: boolean
}

/** Files read, and blobs sent, at once. */
const concurrency = 4

/** Standard input as a layer. */
export const stdinLayer = Effect.fnUntraced(function*(mediaType: string) {
  return yield* kept(yield* stdin, mediaType)
})

/** Fails unless each of the files can be found. */
export const checkFiles = Effect.fnUntraced(function*(files: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  for (const file of files) yield* Effect.mapError(fs.stat(file), platformError("stat", file))
})

/** Files as layers of the given media types, in their order. */
export const fileLayers = (files: ReadonlyArray<string>, types: ReadonlyArray<string>, titles: Titles) =>
  Effect.forEach(files, (file, at) => layer(file, types[at] ?? "", titles), { concurrency })

const layer = Effect.fnUntraced(function*(file: string, mediaType: string, { isTitled, stripDirs }: Titles) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fs.stat(file), platformError("stat", file))
  const isDirectory = type === "Directory"
  const { bytes, descriptor } = isDirectory
    ? yield* archive(file, mediaType)
    : yield* fileContent(file, mediaType)
  if (!isTitled) return { bytes, descriptor }
  const title = titleOf(file, isDirectory, stripDirs)
  return { bytes, descriptor: { ...descriptor, annotations: { [titleAnnotation]: title } } }
})

/** A file as it is; a pipe, which can be read once, is kept first. */
export const fileContent = Effect.fnUntraced(function*(file: string, mediaType: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fs.stat(file), platformError("open", file))
  const isOnce = type !== "File" && type !== "Directory"
  const once = Stream.fromAsyncIterable(readForward(file), fsError(file, "read"))
  return isOnce ? yield* kept(once, mediaType) : yield* known(file, mediaType)
})

const titleOf = (file: string, isDirectory: boolean, stripDirs: boolean): string => {
  const bare = file.replace(/\/+$/, "")
  const name = stripDirs ? bare.slice(bare.lastIndexOf("/") + 1) : bare
  return isDirectory ? `${name}/` : name
}

/** A file of the user's, read once for its digest. */
const known = (path: string, mediaType: string): Effect.Effect<Content, StoreError> => {
  const bytes = fromPump(filePump(path))
  return Effect.map(measure(bytes, "sha256"), (found) => ({ bytes, descriptor: { mediaType, ...found } }))
}

/** An archive of a directory, equal for equal directories. It is made once: files that change would make another. */
const archive = Effect.fnUntraced(function*(directory: string, mediaType: string) {
  const { directoryTar } = yield* Effect.promise(() => import("../../services/directoryTar.ts"))
  const { compressed } = yield* Effect.promise(() => import("../../services/compressed.ts"))
  return yield* kept(compressed(yield* directoryTar(directory), "gzip"), mediaType)
})

/** What can be read once, in a file of ours until the scope ends. */
const kept = (bytes: Bytes, mediaType: string) =>
  Effect.map(keep(bytes, "sha256"), ({ content, digest, size }): Content => ({
    bytes: content,
    descriptor: { mediaType, digest, size }
  }))

/** Sends what the repository lacks, each content once. */
export const sendAll = (repository: Repository, contents: ReadonlyArray<Content>) => {
  const unique = new Map(contents.map((it) => [it.descriptor.digest, it]))
  return Effect.forEach([...unique.values()], ({ bytes, descriptor }) =>
    Effect.flatMap(
      exists(repository.headBlob(descriptor)),
      (isThere) => isThere ? Effect.void : Effect.asVoid(repository.putBlob(bytes, descriptor))
    ), { concurrency, discard: true })
}
