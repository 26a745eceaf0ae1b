/**
 * Directories as tar archives: equal trees give equal bytes (library description, 19.1). Links are kept as they are;
 * sockets, pipes and devices are left out.
 */
import { Effect, FileSystem } from "effect"
import { describe, type OwnerNames, ownerNames } from "../lib/directory.ts"
import { directoryHeader } from "../lib/tar/directoryHeader.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { type Bytes, fromPump } from "./Bytes.ts"
import { filePump } from "./fileBytes.ts"
import { fsError, platformError } from "./fsError.ts"
import { tarBytes, type TarOut } from "./tar.ts"

/** The archive of all that is below a directory, made each time the bytes are run. Fails as files do. */
export const directoryTar = (directory: string): Effect.Effect<Bytes, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const names = ownerNames()
    return tarBytes((out) => addAll(fs, names, out, directory, ""))
  })

/** Entries in the order of their names' bytes, what is in a directory right behind it. */
const addAll = (
  fs: FileSystem.FileSystem,
  names: OwnerNames,
  out: TarOut,
  root: string,
  below: string
): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const folder = `${root}${below === "" ? "" : `/${below}`}`
    const found = yield* Effect.mapError(fs.readDirectory(folder), platformError("open", folder))
    for (const name of found.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const path = `${folder}/${name}`
      const { type, ...described } = yield* Effect.tryPromise({
        try: () => describe(path),
        catch: fsError(path, "lstat")
      })
      const entry = {
        ...described,
        name: below === "" ? name : `${below}/${name}`,
        uname: names.user(described.uid),
        gname: names.group(described.gid)
      }
      switch (type) {
        case "file":
          yield* out.add({ ...entry, type }, fromPump(filePump(path)))
          break
        case "symlink":
          yield* out.add({ ...entry, type })
          break
        case "directory":
          yield* out.pass(yield* Effect.promise(() => directoryHeader(entry)), 0)
          yield* addAll(fs, names, out, root, entry.name)
          break
        case "other":
          yield* Effect.logWarning("Sockets, pipes and devices are left out").pipe(Effect.annotateLogs({ path }))
      }
    }
  })
