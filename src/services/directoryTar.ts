/**
 * Directories as tar archives: equal trees give equal bytes (library description, 19.1). Links are kept as they are;
 * sockets, pipes and devices are left out.
 */
import { Effect, FileSystem } from "effect"
import { describe, type Described, type OwnerNames, ownerNames } from "../lib/directory.ts"
import { readWhole } from "../lib/files.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { type Bytes, fromBytes, fromPump } from "./Bytes.ts"
import { filePump } from "./fileBytes.ts"
import { fsError, platformError } from "./fsError.ts"
import { tarBytes, type TarOut } from "./tar.ts"

/** What an archive is made of, and where it goes. */
interface Packing {
  readonly fs: FileSystem.FileSystem
  readonly names: OwnerNames
  readonly out: TarOut
  readonly root: string
}

/** The archive of all that is below a directory, made each time the bytes are run. Fails as files do. */
export const directoryTar = (root: string): Effect.Effect<Bytes, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const names = ownerNames()
    return tarBytes((out) => addAll({ fs, names, out, root }, ""))
  })

/** Entries looked at ahead, and bytes of a file that is read then: small files are mostly waited for. */
const ahead = 16
const smallSize = 64 * 1024

/** Entries in the order of their names' bytes, what is in a directory right behind it. */
const addAll = (packing: Packing, below: string): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const folder = `${packing.root}${below === "" ? "" : `/${below}`}`
    const found = yield* Effect.mapError(packing.fs.readDirectory(folder), platformError("open", folder))
    const sorted = found.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (let at = 0; at < sorted.length; at += ahead) {
      const looked = yield* Effect.forEach(
        sorted.slice(at, at + ahead),
        (name) => look(`${folder}/${name}`, below === "" ? name : `${below}/${name}`),
        { concurrency: ahead }
      )
      for (const one of looked) yield* add(packing, one)
    }
  })

interface Looked {
  readonly path: string
  readonly name: string
  readonly described: Described
  /** The whole of a small file. */
  readonly content?: Bytes
}

const look = Effect.fnUntraced(function*(path: string, name: string) {
  const described = yield* Effect.tryPromise({ try: () => describe(path), catch: fsError(path, "lstat") })
  const looked: Looked = { path, name, described }
  if (described.type !== "file" || described.size > smallSize) return looked
  const bytes = yield* Effect.tryPromise({ try: () => readWhole(path, smallSize), catch: fsError(path, "open") })
  return { ...looked, content: fromBytes(bytes) }
})

const add = Effect.fnUntraced(
  function*(packing: Packing, { content, described: { type, ...described }, name, path }: Looked) {
    const { names, out } = packing
    const entry = { ...described, name, uname: names.user(described.uid), gname: names.group(described.gid) }
    switch (type) {
      case "file":
        return yield* Effect.catchReason(
          out.add({ ...entry, type }, content ?? fromPump(filePump(path))),
          "StoreError",
          "TarInvalid",
          () => Effect.fail(storeError(`read ${path}`, "FsIo", "the file changed while it was read"))
        )
      case "symlink":
        return yield* out.add({ ...entry, type })
      case "directory":
        // Without a slash at the end of its name, as other tools pack artifacts.
        yield* out.add({ ...entry, type })
        return yield* addAll(packing, name)
      case "other":
        yield* Effect.logWarning("Sockets, pipes and devices are left out").pipe(Effect.annotateLogs({ path }))
    }
  }
)
