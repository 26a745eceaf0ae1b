/**
 * The directory in which a server keeps its upload sessions, beside those of others, and removed with it. What a server
 * left that was killed goes when the next one starts, or, where its owner cannot be told, after an hour (faults L12).
 */
import { Clock, Effect, FileSystem, Option, Path, Schedule } from "effect"
import { decodeOwner, encodeOwner, self, stateOf } from "../../lib/owner.ts"

const prefix = "server-"
const hour = 3_600_000

/** The name of the file that says whose a directory is; no session is called so. */
const ownerName = "owner"

/** A new directory below this one, for as long as the scope is open. */
export const openHome = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const tidy = removeStale(fs, path, directory)
  yield* tidy
  yield* fs.makeDirectory(directory, { recursive: true })
  const home = yield* fs.makeTempDirectoryScoped({ directory, prefix })
  // On a full disk it has no owner, and is told by its age.
  yield* Effect.ignore(fs.writeFileString(path.join(home, ownerName), encodeOwner(self())))
  yield* Effect.forkScoped(Effect.repeat(Effect.andThen(keepFresh(fs, home), tidy), Schedule.spaced("10 minutes")))
  return home
})

/** The directory of a server that is at work looks young to other machines, who remove old ones. */
const keepFresh = (fs: FileSystem.FileSystem, home: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.ignore(fs.utimes(home, now / 1000, now / 1000)))

const removeStale = (fs: FileSystem.FileSystem, path: Path.Path, directory: string) =>
  Effect.gen(function*() {
    const names = yield* Effect.orElseSucceed(fs.readDirectory(directory), () => [])
    for (const name of names.filter((it) => it.startsWith(prefix))) {
      const home = path.join(directory, name)
      const removing = Effect.flatMap(
        isLeft(fs, path, home),
        (it) => it ? fs.remove(home, { recursive: true, force: true }) : Effect.void
      )
      // What is gone by itself, or cannot be removed now, is looked at again later.
      yield* Effect.ignore(removing)
    }
  })

/** Whether the server of a directory has ended; one nobody can tell of, once nothing in it has changed for an hour. */
const isLeft = (fs: FileSystem.FileSystem, path: Path.Path, home: string) =>
  Effect.gen(function*() {
    const text = yield* Effect.orElseSucceed(fs.readFileString(path.join(home, ownerName)), () => "")
    const owner = decodeOwner(text)
    const state = owner === undefined ? "unknown" : stateOf(owner)
    if (state !== "unknown") return state === "dead"
    const now = yield* Clock.currentTimeMillis
    const files = [home, ...(yield* fs.readDirectory(home)).map((file) => path.join(home, file))]
    const changed = yield* Effect.forEach(files, (file) => fs.stat(file))
    return !changed.some(({ mtime }) => Option.exists(mtime, (at) => now - at.getTime() < hour))
  })
