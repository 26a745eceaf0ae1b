/** Layers as files in a directory: brought and verified out of sight first, then named one after the other (faults C20, C21, L04). */
import { Effect, FileSystem, Path } from "effect"
import { syncFile, Writer } from "../../lib/files.ts"
import { isDirectory, titleOf } from "../../schemas/artifact.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { encodedOf } from "../../schemas/Digest.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { writeInto } from "../../services/fileBytes.ts"
import { fsError, platformError } from "../../services/fsError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { partsBelow, placeFile, placeTree, unpackInto } from "../../services/unpack.ts"
import { nameBeside } from "../outputFile.ts"

interface Target {
  /** A directory that is there. */
  readonly output: string
  readonly stripDirs: boolean
}

/** Layers brought at once. */
const concurrency = 4

/** Fails with PathEscape where a link is in the way, and as reading the layers does; then none of them has its name. */
export const writeLayers = Effect.fnUntraced(
  function*(repository: ReadonlyRepository, layers: ReadonlyArray<Descriptor>, { output, stripDirs }: Target) {
    const staging = yield* stagingIn(output)
    const brought = yield* Effect.forEach(layers, (layer, at) =>
      Effect.gen(function*() {
        const parts = yield* partsBelow(nameOf(layer, stripDirs))
        const from = `${staging}/${at}`
        const content = repository.blob(layer)
        const target = [output, ...parts].join("/")
        yield* isDirectory(layer)
          ? Effect.mapError(unpack(from, layer, content), (error) => renamed(error, from, target))
          : Effect.andThen(
            writeInto(target, content, () => Writer.create(from)),
            Effect.tryPromise({ try: () => syncFile(from), catch: fsError(target, "fsync") })
          )
        return { layer, from, parts }
      }), { concurrency })
    for (const { from, layer, parts } of brought) {
      yield* isDirectory(layer) ? placeTree(from, output, parts) : placeFile(from, output, parts)
    }
  },
  Effect.scoped
)

/** A failure on the way to a place, told of the place. */
const renamed = ({ cause, operation, reason }: StoreError, from: string, to: string): StoreError => {
  const { _tag, detail, ...rest } = reason
  const told = (text: string) => text.replaceAll(from, to)
  return storeError(told(operation), _tag, told(detail), { ...rest, cause })
}

/** A directory that goes away with the scope, where names are given by renaming. */
const stagingIn = Effect.fnUntraced(function*(output: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* nameBeside((yield* Path.Path).join(output, "any"))
  return yield* Effect.acquireRelease(
    Effect.as(Effect.mapError(fs.makeDirectory(path, { mode: 0o700 }), platformError("mkdir", path)), path),
    () => Effect.ignore(fs.remove(path, { recursive: true, force: true })) // what is left of it hides nothing
  )
})

/** The title, or the digest's digits. Without its directories a directory has no name: it is unpacked right there. */
const nameOf = (layer: Descriptor, stripDirs: boolean): string => {
  const title = titleOf(layer) ?? ""
  const name = title === "" ? encodedOf(layer.digest) : title
  return stripDirs ? name.slice(Math.max(name.lastIndexOf("/"), 0)) : name
}

const unpack = Effect.fnUntraced(function*(path: string, layer: Descriptor, content: Bytes) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(fs.makeDirectory(path), platformError("mkdir", path))
  const title = titleOf(layer) ?? layer.digest
  const { count, first } = yield* Effect.mapError(unpackInto(path, content), within(`failed to unpack ${title}`))
  if (count > 0) {
    yield* Effect.logWarning("Links and special files are not unpacked").pipe(
      Effect.annotateLogs({ title, count, first })
    )
  }
})
