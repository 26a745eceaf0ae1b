/** Directories for temporary files. Their names tell whose they are: what a dead process left goes with the next (faults L12). */
import { Clock, Effect, FileSystem, Path } from "effect"
import { directoryPrefix, removeLeftovers } from "../lib/leftovers.ts"

/**
 * A new directory for as long as the scope is open, below `parent` or where the system has its own. It is touched now and
 * then, which tells other machines that its owner is alive.
 */
export const temporaryDirectory = Effect.fnUntraced(function*(parent?: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const tidy = (folder: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.promise(() => removeLeftovers(folder, now)))
  if (parent !== undefined) {
    // On a full disk what is left over makes room for the new one.
    yield* tidy(parent)
    yield* fs.makeDirectory(parent, { recursive: true })
  }
  const directory = yield* fs.makeTempDirectoryScoped({
    prefix: directoryPrefix(),
    ...(parent === undefined ? {} : { directory: parent })
  })
  const folder = parent ?? path.dirname(directory)
  if (parent === undefined) yield* tidy(folder)
  const touch = Effect.flatMap(Clock.currentTimeMillis, (now) => fs.utimes(directory, now / 1000, now / 1000))
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.sleep("10 minutes").pipe(
        Effect.andThen(Effect.ignore(touch)), // the next one may
        Effect.andThen(tidy(folder))
      )
    )
  )
  return directory
})
