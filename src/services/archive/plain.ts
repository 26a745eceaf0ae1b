/** An archive as a plain file with random access: unpacked, or spooled where it is none, to a temporary file of the scope. */
import { Effect, FileSystem, Stdio, Stream } from "effect"
import { type Compression, compressionOf, magicSize } from "../../lib/compression.ts"
import { pipedBytes } from "../../lib/files.ts"
import { storeError, within } from "../../schemas/StoreError.ts"
import { type Bytes, collect, fromPump } from "../Bytes.ts"
import { decompressed } from "../compressed.ts"
import { filePump, writeNewFile } from "../fileBytes.ts"
import { fsError, platformError } from "../fsError.ts"
import { scratch } from "../spool.ts"

/** The path of a plain tar: the file itself where that can be. `-` is standard input. */
export const plainFile = Effect.fnUntraced(function*(path: string) {
  const files = yield* FileSystem.FileSystem
  const stdio = yield* Stdio.Stdio
  if (path === "-" && (yield* stdio.stdinIsTerminal)) {
    return yield* storeError("read stdin", "FsIo", "standard input is a terminal: an archive is expected there")
  }
  const info = path === "-" ? undefined : yield* Effect.mapError(files.stat(path), platformError("open", path))
  if (info?.type === "Directory") return yield* fsError(path, "open")({ code: "EISDIR" })
  const bytes: Bytes = info?.type === "File"
    ? fromPump(filePump(path))
    : path === "-"
    ? Stream.mapError(stdio.stdin, platformError("read", "stdin"))
    : Stream.fromAsyncIterable(pipedBytes(path), fsError(path, "read"))
  if (info?.type === "File" && (yield* compressionAt(path)) === "none") return path
  const { newFile } = yield* scratch
  const unpacked = yield* newFile
  yield* Effect.mapError(writeNewFile(unpacked, decompressed(bytes)), within("failed to unpack the archive"))
  return unpacked
})

const compressionAt = (path: string): Effect.Effect<Compression, ReturnType<typeof storeError>> =>
  Effect.map(collect(fromPump(filePump(path, { from: 0, to: magicSize - 1 })), magicSize), compressionOf)
