/**
 * Removes what no entry of a layout's index reaches any more (library, garbage collection; faults D5).
 *
 * Nothing is removed while another process writes, or when a manifest that is there cannot be read. Files that we do
 * not know stay, and so do files younger than this writer that another tool put there.
 */
import { Clock, Effect, Result } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Digest, isDigest } from "../../schemas/Digest.ts"
import { contentOf, decodeManifest, maxRead } from "../../schemas/Manifest.ts"
import { isBlobType, isManifestType } from "../../schemas/MediaType.ts"
import { type ReasonTag, type StoreError, storeError } from "../../schemas/StoreError.ts"
import { knownAs, presentSize } from "./blobs.ts"
import { temporaryPrefix, writers } from "./lock.ts"
import { pruneParts } from "./parts.ts"
import { exclusively, indexOf, type LayoutState, pathOf, settle } from "./state.ts"
import { unmark } from "./writer.ts"

/** Ends this program's writing: makes it durable, sweeps if asked for, takes the marker away. Problems are warnings. */
export const finish = (state: LayoutState): Effect.Effect<void> => {
  if (state.writing === undefined) return Effect.void
  const end = state.wantsSweep && !state.wantsNoSweep
    ? exclusively(state)(Effect.andThen(sweep(state), unmark(state)))
    : unmark(state)
  return Effect.andThen(settle(state), end).pipe(
    Effect.catch((error) => Effect.logWarning(`garbage collection of ${state.dir}: ${error.message}`)),
    Effect.ensuring(Effect.ignore(unmark(state))) // a marker that stays is buried by the next writer
  )
}

const sweep = Effect.fnUntraced(function*(state: LayoutState) {
  const { alive } = yield* writers(state.disk, state.dir)
  if (alive.some((name) => name !== state.writing?.name)) {
    state.place.swept = undefined // those may rely on us to remove what they leave
    return
  }
  const now = yield* Clock.monotonicTimeNanos
  if (yield* isClean(state, now)) return noteSwept(state, now)
  state.place.swept = undefined
  const { entries } = yield* indexOf(state)
  const reached = yield* mark(state, entries.map(({ descriptor }) => descriptor))
  const root = `${state.dir}/blobs`
  for (const algorithm of ["sha256", "sha384", "sha512"]) {
    const folder = `${root}/${algorithm}`
    if ((yield* state.disk.infoOfName(folder))?.kind !== "directory") continue
    const names = yield* state.disk.list(folder)
    yield* pruneParts(state.disk, folder, names)
    for (const name of names) {
      const digest = `${algorithm}:${name}`
      const path = `${folder}/${name}`
      const isGarbage = isDigest(digest)
        ? !reached.has(digest) && (yield* isOurs(state, digest))
        : name.startsWith(temporaryPrefix) && !alive.includes(writerOf(name))
      if (isGarbage) yield* state.disk.remove(path)
    }
  }
  for (const name of yield* state.disk.list(state.dir)) {
    if (name.startsWith(temporaryPrefix) && !alive.includes(writerOf(name))) {
      yield* state.disk.remove(`${state.dir}/${name}`)
    }
  }
  noteSwept(state, now)
})

/** Nanoseconds after which everything is looked at again, for what others may have left. */
const sweptFor = 600_000_000_000n

/** Since this program swept, entries were only added, and they reach all that it wrote: a mirror of thousands of tags. */
const isClean = Effect.fnUntraced(function*(state: LayoutState, now: bigint) {
  const { swept, written } = state.place
  if (swept === undefined || now - swept.at > sweptFor) return false
  const { entries } = yield* indexOf(state)
  const present = new Set(entries.map(({ descriptor }) => descriptor.digest))
  for (const digest of swept.entries) if (!present.has(digest)) return false
  const added = entries.filter(({ descriptor }) => !swept.entries.has(descriptor.digest))
  const reached = yield* mark(state, added.map(({ descriptor }) => descriptor))
  return [...written].every((digest) => reached.has(digest))
})

const noteSwept = ({ place }: LayoutState, now: bigint): void => {
  const entries = (place.cached?.index.entries ?? []).map(({ descriptor }) => descriptor.digest)
  place.swept = { entries: new Set(entries), at: place.swept?.at ?? now }
  place.written.clear()
}

const writerOf = (temporary: string): string => temporary.slice(temporaryPrefix.length, temporary.lastIndexOf("-"))

/** Older than this writer, or written by this program: not what another tool is about to name. */
const isOurs = Effect.fnUntraced(function*(state: LayoutState, digest: Digest) {
  const info = yield* state.disk.infoOfName(pathOf(state, digest))
  if (info?.kind !== "file") return false
  const known = knownAs(state, digest)
  return info.changed < (state.writing?.began ?? 0n) || (known?.isOwn === true && known.identity === info.identity)
})

/** Every digest that these reach, through indexes, manifests and lists of referrers. */
const mark = Effect.fnUntraced(function*(state: LayoutState, from: ReadonlyArray<Descriptor>) {
  const reached = new Set<string>()
  // Apart from those: the same bytes may be a layer of one image and the manifest of another.
  const opened = new Set<string>()
  const queue = [...from]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    reached.add(next.digest)
    if (isBlobType(next.mediaType) || opened.has(next.digest)) continue
    opened.add(next.digest)
    const content = yield* partsOf(state, next)
    for (const part of content) {
      if ("mediaType" in part) queue.push(part)
      else reached.add(part.digest)
    }
  }
  return reached
})

type Part = Descriptor | { readonly digest: string }

/** What a manifest is made of; nothing when its file is absent. Anything else that is wrong stops the sweep. */
const partsOf = Effect.fnUntraced(function*(state: LayoutState, { digest, mediaType, size }: Descriptor) {
  const none: ReadonlyArray<Part> = []
  const path = pathOf(state, digest)
  const info = yield* state.disk.info(path)
  if (info === undefined) return none
  const isManifest = isManifestType(mediaType)
  if (info.size > maxRead && !isManifest) return none
  const bytes = yield* state.disk.read(path, maxRead)
  const decoded = decodeManifest(bytes, { name: digest, digest, size, mediaType })
  if (Result.isFailure(decoded)) {
    // Content of a type nobody here knows, and no manifest: a blob, if it is whole.
    const isBlob = !isManifest && noManifest.has(decoded.failure.reason._tag)
    if (isBlob && (yield* presentSize(state, { digest, size })) !== undefined) return digestsIn(bytes)
    return yield* unreadable(path, decoded.failure)
  }
  const { _tag } = decoded.success
  if (_tag === "Other") return digestsIn(bytes)
  // The layers of an image are not looked into, whatever they call themselves.
  return _tag === "Index" ? contentOf(decoded.success) : contentOf(decoded.success).map((it) => ({ digest: it.digest }))
})

const noManifest: ReadonlySet<ReasonTag> = new Set<ReasonTag>(["ManifestInvalid", "DigestInvalid"])

const unreadable = (path: string, error: StoreError): StoreError =>
  storeError(`nothing removed, cannot read ${path}`, error.reason._tag, error.reason.detail)

/** Whatever looks like a digest in a document whose form nobody here knows. */
const digestsIn = (bytes: Uint8Array): ReadonlyArray<Part> =>
  (new TextDecoder().decode(bytes).match(/sha(?:256|384|512):[0-9a-f]{64,128}/g) ?? []).map((digest) => ({ digest }))
