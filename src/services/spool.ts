/** Bytes kept in a file of their own until they are needed, hashed as they come. */
import { Effect, FileSystem, Path, Scope } from "effect"
import { hasher } from "../lib/hash.ts"
import { randomId } from "../lib/randomId.ts"
import { type Algorithm, Digest } from "../schemas/Digest.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { type Bytes, fromPump, pumpOf } from "./Bytes.ts"
import { filePump, writeNewFile } from "./fileBytes.ts"
import { platformError } from "./fsError.ts"

export interface Spooled {
  readonly digest: Digest
  readonly size: number
  /** To be run as often as needed, while the file is there. */
  readonly content: Bytes
}

/** Where files can be that nobody needs after the scope. */
export interface Scratch {
  /** The name of a new file. */
  readonly newFile: Effect.Effect<string, StoreError>
  readonly remove: (file: string) => Effect.Effect<void, StoreError>
}

/** A directory of its own, made when it is first needed. */
export const scratch: Effect.Effect<Scratch, never, FileSystem.FileSystem | Path.Path | Scope.Scope> = Effect.gen(
  function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "regclient-" }).pipe(
      Effect.mapError(platformError("create")),
      Effect.provideService(Scope.Scope, yield* Effect.scope),
      Effect.cached
    )
    return {
      newFile: Effect.map(directory, (it) => path.join(it, randomId())),
      remove: (file) => Effect.mapError(fs.remove(file, { force: true }), platformError("remove", file))
    }
  }
)

/** The same bytes, each view told to `seen` before it goes on. */
export const seeing = (bytes: Bytes, seen: (view: Uint8Array) => void): Bytes =>
  fromPump((sink) =>
    pumpOf(bytes)((view, release) => {
      seen(view)
      sink(view, release)
    })
  )

/** Fails as the bytes do, and when the file is there already or cannot be written. Its removal is the caller's. */
export const spool = (path: string, bytes: Bytes, algorithm: Algorithm): Effect.Effect<Spooled, StoreError> =>
  Effect.suspend(() => {
    const hash = hasher(algorithm)
    let size = 0
    const hashed = seeing(bytes, (view) => {
      size += view.length
      hash.update(view)
    })
    return Effect.map(writeNewFile(path, hashed), () => ({
      digest: Digest.make(`${algorithm}:${hash.hex()}`),
      size,
      content: fromPump(filePump(path))
    }))
  })
