/** Blobs of a layout: files named by their digest, whole or not there at all (faults D3, C01, C02, L07, L08). */
import { Effect } from "effect"
import { codeOf, Writer } from "../../lib/files.ts"
import { hasher } from "../../lib/hash.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, Digest, encodedOf } from "../../schemas/Digest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { asChecked, type Bytes, fromPump, isChecked, pumpOf, type Sink, type SpareFile, spareFileOf } from "../Bytes.ts"
import { filePump } from "../fileBytes.ts"
import { fsError } from "../fsError.ts"
import { folderOf, type LayoutState, pathOf, temporaryIn, type Verified } from "./state.ts"
import { noteFound } from "./writer.ts"

/** Files this program remembers as verified. */
const remembered = 100_000

const keyOf = (state: LayoutState, digest: Digest): string => `${state.realPath}\n${digest}`

export const knownAs = (state: LayoutState, digest: Digest): Verified | undefined =>
  state.shared.verified.get(keyOf(state, digest))

/** The file's content is known to fit the digest. */
export const remember = (state: LayoutState, digest: Digest, known: Verified): void => {
  if (state.shared.verified.size >= remembered) state.shared.verified.clear()
  state.shared.verified.set(keyOf(state, digest), known)
}

/** Size and digest as expected, or the reason why not. A size of 0 is one that nobody knew. */
const problemOf = (expected: { readonly digest?: Digest; readonly size: number }, received: number, hex: string) => {
  const { digest, size } = expected
  if (size > 0 && received !== size) {
    return storeError("", "SizeMismatch", `short read [expected ${size}, received ${received}]: EOF`)
  }
  if (digest !== undefined && encodedOf(digest) !== hex) {
    const computed = `${algorithmOf(digest)}:${hex}`
    const detail =
      `digest mismatch [expected ${digest}, calculated ${computed}]: unexpected digest, expected ${digest}, ` +
      `computed ${computed}`
    return storeError("", "DigestMismatch", detail)
  }
  return undefined
}

const tooLong = (size: number) => storeError("", "SizeMismatch", `size limit exceeded: more than ${size} bytes`)

/** Counts and hashes what passes into a sink; not hashed where that is done on its way here. */
const measured = (
  sink: Sink,
  expected: { readonly digest?: Digest; readonly size: number },
  isCheckedBefore = false
) => {
  const { digest } = expected
  const hash = digest !== undefined && isCheckedBefore
    ? { update: () => {}, hex: () => encodedOf(digest) }
    : hasher(digest === undefined ? "sha256" : algorithmOf(digest))
  let received = 0
  return {
    sink: (view: Uint8Array, release: () => void) => {
      received += view.length
      if (expected.size > 0 && received > expected.size) throw tooLong(expected.size)
      hash.update(view)
      sink(view, release)
    },
    isTooLong: () => expected.size > 0 && received > expected.size,
    end: () => {
      const hex = hash.hex()
      return { received, hex, problem: problemOf(expected, received, hex) }
    }
  }
}

/** What is said of a blob without a file. */
export const noBlob = (path: string): StoreError =>
  storeError(`failed to open blob ${path}: open ${path}`, "NotFound", "no such file or directory")

/** A whole blob is verified; a part is not. */
export const readBlob = (
  state: LayoutState,
  blob: Descriptor,
  part?: { readonly from: number; readonly to?: number }
): Bytes => {
  const path = pathOf(state, blob.digest)
  if (part !== undefined) return fromPump(filePump(path, part))
  const whole = fromPump((sink) =>
    Effect.gen(function*() {
      const before = yield* state.disk.info(path)
      const measure = measured(sink, blob)
      yield* Effect.mapError(
        filePump(path)(measure.sink),
        (error) =>
          measure.isTooLong()
            ? within(`read ${path}`)(error)
            : before === undefined && error.reason._tag === "NotFound"
            ? noBlob(path)
            : error
      )
      const { problem } = measure.end()
      if (problem !== undefined) return yield* within(`read ${path}`)(problem)
      const known = knownAs(state, blob.digest)
      if (before !== undefined && known?.identity !== before.identity) {
        remember(state, blob.digest, { identity: before.identity, isOwn: false })
      }
    })
  )
  return asChecked(whole, blob.digest)
}

const discard: Sink = (_view, release) => release()

const isWholeFile = (path: string, digest: Digest): Effect.Effect<boolean, StoreError> => {
  const measure = measured(discard, { digest, size: 0 })
  return Effect.map(filePump(path)(measure.sink), () => measure.end().problem === undefined)
}

/**
 * The size of a blob that is there whole; `undefined` when it is absent, has another size than expected, or does not
 * fit its digest. A file is read for that once, until it changes.
 */
export const presentSize = Effect.fnUntraced(function*(state: LayoutState, blob: Pick<Descriptor, "digest" | "size">) {
  const path = pathOf(state, blob.digest)
  const hadMarker = state.writing !== undefined
  const info = yield* state.disk.info(path)
  if (info === undefined || info.kind !== "file" || (blob.size > 0 && info.size !== blob.size)) return undefined
  const isKnown = () => knownAs(state, blob.digest)?.identity === info.identity
  if (!isKnown()) {
    const isWhole = yield* state.blobChecks.withPermit(Effect.suspend(() => {
      // Many may ask for one large file at once: who had to wait finds it read.
      if (isKnown()) return Effect.succeed(true)
      return isWholeFile(path, blob.digest)
    }))
    if (!isWhole) return undefined
    if (!isKnown()) remember(state, blob.digest, { identity: info.identity, isOwn: false })
  }
  noteFound(state, blob.digest)
  // Looked at before the marker was there, noted after what was found was confirmed.
  const isLate = !hadMarker && state.writing !== undefined
  return isLate && (yield* state.disk.info(path)) === undefined ? undefined : info.size
})

/** The directory for blobs of an algorithm; refused where it or `blobs` is a link (faults L08). */
const makeFolder = Effect.fnUntraced(function*(state: LayoutState, folder: string) {
  for (const path of [`${state.dir}/blobs`, folder]) {
    if ((yield* state.disk.infoOfName(path))?.kind === "link") {
      return yield* storeError(`write ${path}`, "PathEscape", "is a symbolic link, not written through")
    }
  }
  const isNew = (yield* state.disk.infoOfName(folder)) === undefined
  yield* state.disk.makeDirectory(folder)
  if (isNew) {
    state.unsynced.add(`${state.dir}/blobs`)
    state.unsynced.add(state.dir)
  }
})

/** A file got its name: that is not durable yet, and its content is known. */
const placed = Effect.fnUntraced(function*(state: LayoutState, digest: Digest) {
  state.unsynced.add(folderOf(state, digest))
  state.place.written.add(digest)
  const info = yield* state.disk.infoOfName(pathOf(state, digest))
  if (info !== undefined) remember(state, digest, { identity: info.identity, isOwn: true })
})

/** A file made by `fill` under a temporary name, then named by the digest that `fill` gives. Nothing stays of a failure. */
const place = <A extends { readonly digest: Digest }>(
  state: LayoutState,
  folder: string,
  fill: (temporary: string) => Effect.Effect<A, StoreError>
): Effect.Effect<A, StoreError> =>
  Effect.uninterruptibleMask(
    Effect.fnUntraced(function*(restore) {
      yield* makeFolder(state, folder)
      const temporary = temporaryIn(state, folder)
      return yield* Effect.gen(function*() {
        const made = yield* restore(fill(temporary))
        const path = pathOf(state, made.digest)
        yield* state.disk.rename(temporary, path)
        yield* placed(state, made.digest)
        return made
      }).pipe(Effect.onError(() => Effect.ignore(state.disk.remove(temporary)))) // the first failure is the one to tell
    })
  )

/** Moves a file into place; `false` where it lies on another file system. */
const adopt = (state: LayoutState, { digest, path }: SpareFile): Effect.Effect<boolean, StoreError> =>
  Effect.uninterruptible(Effect.gen(function*() {
    const folder = folderOf(state, digest)
    yield* makeFolder(state, folder)
    yield* state.disk.rename(path, pathOf(state, digest))
    yield* placed(state, digest)
    return true
  })).pipe(
    Effect.catchTag(
      "StoreError",
      (error) => codeOf(error.cause) === "EXDEV" ? Effect.succeed(false) : Effect.fail(error)
    )
  )

/** Stores content whose digest may be unknown. The layout has to be announced. */
export const writeBlob = (
  state: LayoutState,
  content: Bytes,
  expected?: Descriptor
): Effect.Effect<Descriptor, StoreError> => {
  const spare = spareFileOf(content)
  if (spare === undefined || spare.digest !== expected?.digest) return copyBlob(state, content, expected)
  return Effect.flatMap(
    adopt(state, spare),
    (isAdopted) => isAdopted ? Effect.succeed({ ...expected, size: spare.size }) : copyBlob(state, content, expected)
  )
}

const copyBlob = (state: LayoutState, content: Bytes, expected?: Descriptor): Effect.Effect<Descriptor, StoreError> => {
  const folder = expected === undefined ? `${state.dir}/blobs/sha256` : folderOf(state, expected.digest)
  const fill = (temporary: string) =>
    Effect.acquireUseRelease(
      Effect.tryPromise({ try: () => Writer.create(temporary), catch: fsError(temporary, "create") }),
      (writer) => fillFrom(writer, temporary, content, expected),
      (writer) => Effect.ignore(Effect.tryPromise(() => writer.close())) // synced before, or to be removed
    )
  return state.blobWrites.withPermit(place(state, folder, fill))
}

const fillFrom = Effect.fnUntraced(function*(writer: Writer, path: string, content: Bytes, expected?: Descriptor) {
  const measure = measured(
    (view, release) => {
      const failed = writer.failure
      if (failed !== undefined) throw fsError(path, "write")(failed)
      writer.write(view, release)
    },
    expected ?? { size: 0 },
    expected !== undefined && isChecked(content, expected.digest)
  )
  yield* pumpOf(content)(measure.sink)
  const { hex, problem, received } = measure.end()
  if (problem !== undefined) return yield* problem
  yield* Effect.tryPromise({ try: () => writer.end(), catch: fsError(path, "write") })
  if (expected !== undefined) return { ...expected, size: received }
  return { mediaType: mediaTypes.octetStream, digest: Digest.make(`sha256:${hex}`), size: received }
})

/** Stores bytes known to be those of the digest. */
export const writeBytes = (state: LayoutState, digest: Digest, bytes: Uint8Array): Effect.Effect<void, StoreError> =>
  place(
    state,
    folderOf(state, digest),
    (temporary) => Effect.as(Effect.uninterruptible(state.disk.createSynced(temporary, bytes)), { digest })
  )

/** A clone of another layout's file, verified; `false` when there is none that fits. */
export const cloneBlob = Effect.fnUntraced(function*(state: LayoutState, blob: Descriptor, from: LayoutState) {
  if ((yield* presentSize(from, blob)) === undefined) return false
  const source = pathOf(from, blob.digest)
  const known = knownAs(from, blob.digest)?.identity
  yield* place(state, folderOf(state, blob.digest), (temporary) =>
    Effect.gen(function*() {
      yield* state.disk.clone(source, temporary)
      // The source was verified under this identity. Another may have put the same blob again meanwhile.
      if ((yield* state.disk.info(source))?.identity === known) return blob
      if (yield* isWholeFile(temporary, blob.digest)) return blob
      return yield* storeError(
        `clone ${source}`,
        "DigestMismatch",
        "digest mismatch: the file changed while it was read"
      )
    }))
  return true
})
