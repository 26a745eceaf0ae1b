/** Bytes kept in a file of their own until they are needed, hashed as they come. */
import { Effect, FileSystem, Path, Scope } from "effect"
import { hasher } from "../lib/hash.ts"
import { randomId } from "../lib/randomId.ts"
import { type Algorithm, Digest } from "../schemas/Digest.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { type Bytes, fromPump, pumpOf, tapped } from "./Bytes.ts"
import { filePump, writeNewFile } from "./fileBytes.ts"
import { platformError } from "./fsError.ts"
import { temporaryDirectory } from "./temporaryDirectory.ts"

interface Measured {
  readonly digest: Digest
  readonly size: number
}

export interface Spooled extends Measured {
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
    const directory = yield* temporaryDirectory().pipe(
      Effect.mapError(platformError("create")),
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.provideService(Path.Path, path),
      Effect.provideService(Scope.Scope, yield* Effect.scope),
      Effect.cached
    )
    return {
      newFile: Effect.map(directory, (it) => path.join(it, randomId())),
      remove: (file) => Effect.mapError(fs.remove(file, { force: true }), platformError("remove", file))
    }
  }
)

/** Digest and size of what passes until the run ends. */
const measured = <E>(
  bytes: Bytes,
  algorithm: Algorithm,
  run: (bytes: Bytes) => Effect.Effect<void, E>
): Effect.Effect<Measured, E> =>
  Effect.suspend(() => {
    const hash = hasher(algorithm)
    let size = 0
    const tallied = tapped(bytes, (view) => {
      size += view.length
      hash.update(view)
    })
    return Effect.map(run(tallied), () => ({ digest: Digest.make(`${algorithm}:${hash.hex()}`), size }))
  })

/** What bytes are, for which they are read once. */
export const measure = (bytes: Bytes, algorithm: Algorithm): Effect.Effect<Measured, StoreError> =>
  measured(bytes, algorithm, (it) => pumpOf(it)((_view, release) => release()))

/** Fails as the bytes do, and when the file is there already or cannot be written. Its removal is the caller's. */
export const spool = (path: string, bytes: Bytes, algorithm: Algorithm): Effect.Effect<Spooled, StoreError> =>
  Effect.map(
    measured(bytes, algorithm, (it) => writeNewFile(path, it)),
    (found) => ({ ...found, content: fromPump(filePump(path)) })
  )

/** In a file until the scope ends. */
export const keep = Effect.fnUntraced(function*(bytes: Bytes, algorithm: Algorithm) {
  const { newFile } = yield* scratch
  return yield* spool(yield* newFile, bytes, algorithm)
})
