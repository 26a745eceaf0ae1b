/**
 * What this program knows of one layout directory, shared by all who have it open: the index as last read, whether
 * something was written. The index changes under the lock between processes (faults D4).
 */
import { Clock, Config, DateTime, Effect, Option, Result, type Scope, Semaphore } from "effect"
import { algorithmOf, type Digest, encodedOf } from "../../schemas/Digest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Disk } from "./disk.ts"
import { encodeIndex, type LayoutIndex, layoutProblem, parseIndex } from "./documents.ts"
import { locked, temporaryPrefix } from "./lock.ts"

/** Nanoseconds: times of files move in steps of up to 2 s; one replaced twice within a step may look as before. */
const settled = 3_000_000_000n

/** Bytes an `index.json` may have. */
const maxIndex = 32 * 1024 * 1024

/** A file whose content was found to fit its digest, as long as its identity stays. */
export interface Verified {
  readonly identity: string
  /** Written by this program, not found. */
  readonly isOwn: boolean
}

/** What outlives single openings: kept by the service. */
export interface Shared {
  /** By real path and digest. */
  readonly verified: Map<string, Verified>
  /** By real path. */
  readonly places: Map<string, Place>
}

/** What stays known of a directory between its openings. */
export interface Place {
  /** One holder of the file lock in this process at a time. */
  readonly mutex: Semaphore.Semaphore
  /** Without identity it is compared by its bytes. */
  cached: { readonly identity?: string; readonly bytes: Uint8Array; readonly index: LayoutIndex } | undefined
  /** The digests of the index when everything was swept, and that time (monotonic, nanoseconds). */
  swept: { readonly entries: ReadonlySet<Digest>; readonly at: bigint } | undefined
  /** What this program has put there since. */
  readonly written: Set<Digest>
}

export interface LayoutState {
  readonly disk: Disk
  /** As the first one who opened it wrote it. */
  readonly dir: string
  readonly realPath: string
  readonly shared: Shared
  /** Ends before the layout is swept. */
  readonly scope: Scope.Scope
  readonly place: Place
  readonly announcing: Semaphore.Semaphore
  /** Blobs being written at once. */
  readonly blobWrites: Semaphore.Semaphore
  /** Large blobs on their way, whose temporary files are named by their digests. */
  readonly filling: Set<Digest>
  /** Blobs being read at once to see whether they are whole. */
  readonly blobChecks: Semaphore.Semaphore
  /** The marker: the random part of its name, and by the file system's clock (nanoseconds) since when it is there. */
  writing: { readonly name: string; readonly began: bigint } | undefined
  /** The layout is there, with its marker: what is put from now on is found again. */
  isAnnounced: boolean
  /** Something was written by one who wants a sweep, or by one who wants none. */
  wantsSweep: boolean
  wantsNoSweep: boolean
  /** Content found before the marker was there: another's sweep may have taken it since. */
  readonly found: Set<Digest>
  /** Directories with new names that are not durable yet. */
  readonly unsynced: Set<string>
  /** One makes names durable at a time: who finds none left to do must not be ahead of who is at it. */
  readonly settling: Semaphore.Semaphore
  isChecked: boolean
  names: number
}

export const makeState = (
  disk: Disk,
  dir: string,
  realPath: string,
  shared: Shared,
  scope: Scope.Scope
): LayoutState => {
  const place = shared.places.get(realPath) ??
    { mutex: Semaphore.makeUnsafe(1), cached: undefined, swept: undefined, written: new Set() }
  shared.places.set(realPath, place)
  return {
    disk,
    dir,
    realPath,
    shared,
    scope,
    place,
    announcing: Semaphore.makeUnsafe(1),
    blobWrites: Semaphore.makeUnsafe(3),
    filling: new Set(),
    blobChecks: Semaphore.makeUnsafe(4),
    writing: undefined,
    isAnnounced: false,
    wantsSweep: false,
    wantsNoSweep: false,
    found: new Set(),
    unsynced: new Set(),
    settling: Semaphore.makeUnsafe(1),
    isChecked: false,
    names: 0
  }
}

export const folderOf = ({ dir }: LayoutState, digest: Digest): string => `${dir}/blobs/${algorithmOf(digest)}`
export const pathOf = (state: LayoutState, digest: Digest): string => `${folderOf(state, digest)}/${encodedOf(digest)}`

/** A name in the folder that nobody else uses; only after `announce`. */
export const temporaryIn = (state: LayoutState, folder: string): string =>
  `${folder}/${temporaryPrefix}${state.writing?.name ?? "none"}-${state.names++}`

/** The `oci-layout` file is there and says what we understand. */
export const check = Effect.fnUntraced(function*(state: LayoutState) {
  if (state.isChecked) return
  const bytes = yield* Effect.mapError(
    state.disk.read(`${state.dir}/oci-layout`, 65_536),
    (error) => unusable(`oci-layout cannot be open: ${error.message}`, error)
  )
  const problem = layoutProblem(bytes)
  if (problem !== undefined) return yield* storeError("", "LayoutInvalid", problem)
  state.isChecked = true
})

/** A layout file that is absent, or is there and cannot be read. */
const unusable = (detail: string, { reason }: StoreError): StoreError =>
  storeError("", reason.detail === "is a directory" ? "LayoutInvalid" : reason._tag, detail)

/** The index, parsed anew when the file is another one. Both layout files have to be there (faults L06). */
export const indexOf = Effect.fnUntraced(function*(state: LayoutState) {
  yield* check(state)
  const path = `${state.dir}/index.json`
  const info = yield* state.disk.info(path)
  const now = BigInt(yield* Clock.currentTimeMillis) * 1_000_000n
  const identity = info !== undefined && now - info.changed > settled ? info.identity : undefined
  const known = state.place.cached
  if (known !== undefined && identity !== undefined && known.identity === identity) return known.index
  const bytes = yield* Effect.mapError(
    state.disk.read(path, maxIndex),
    (error) => unusable(`${path} cannot be open: ${error.message}`, error)
  )
  const parsed = state.place.cached !== undefined && Buffer.compare(bytes, state.place.cached.bytes) === 0
    ? Result.succeed(state.place.cached.index)
    : parseIndex(bytes)
  if (Result.isFailure(parsed)) {
    return yield* storeError("", "LayoutInvalid", `${path} cannot be parsed: ${parsed.failure}`)
  }
  state.place.cached = { ...(identity === undefined ? {} : { identity }), bytes, index: parsed.success }
  return parsed.success
})

/** The bytes of `index.json`, as last read. */
export const indexBytes = (state: LayoutState): Effect.Effect<Uint8Array, StoreError> =>
  Effect.map(indexOf(state), (index) => state.place.cached?.bytes ?? encodeIndex(index))

/** Runs while no other writer, here or in another process, changes the index or sweeps. */
export const exclusively = ({ dir, disk, place }: LayoutState) =>
<A, E>(
  effect: Effect.Effect<A, E>
): Effect.Effect<A, E | StoreError> => place.mutex.withPermit(locked(disk, dir)(effect))

/** Makes names durable: all that were new when it was asked for. */
export const settle = ({ disk, settling, unsynced }: LayoutState): Effect.Effect<void, StoreError> =>
  settling.withPermit(Effect.gen(function*() {
    const folders = [...unsynced]
    for (const folder of folders) {
      // Out of the set before: a name added meanwhile has to be made durable again.
      unsynced.delete(folder)
      yield* Effect.onError(disk.sync(folder), () => Effect.sync(() => unsynced.add(folder)))
    }
  }))

/** Under `exclusively`: puts another index in place of the one that is there. */
export const writeIndex = (state: LayoutState, index: LayoutIndex): Effect.Effect<void, StoreError> =>
  Effect.uninterruptible(Effect.gen(function*() {
    const path = `${state.dir}/index.json`
    const bytes = encodeIndex(index)
    state.place.cached = undefined
    yield* state.disk.replace(path, temporaryIn(state, state.dir), bytes)
    yield* state.disk.sync(state.dir)
    // Without identity: another tool, which takes no lock, may have replaced it since.
    state.place.cached = { bytes, index }
  }))

/**
 * Changes the index at once for everybody; what was written before is durable when it appears (faults D1, D4).
 * A change that gives `undefined` or the same index writes nothing. `then` runs before another writer's change.
 */
export const update = (
  state: LayoutState,
  change: (index: LayoutIndex) => Effect.Effect<LayoutIndex | undefined, StoreError>,
  then: Effect.Effect<void, StoreError> = Effect.void
): Effect.Effect<void, StoreError> =>
  exclusively(state)(Effect.gen(function*() {
    const before = yield* indexOf(state)
    const after = yield* change(before)
    yield* settle(state)
    if (after !== undefined && after !== before) yield* writeIndex(state, after)
    yield* then
  }))

/** RFC 3339, UTC: the time given by `SOURCE_DATE_EPOC` or `SOURCE_DATE_EPOCH`, else now. */
export const creationTime: Effect.Effect<string> = Effect.gen(function*() {
  for (const name of ["SOURCE_DATE_EPOC", "SOURCE_DATE_EPOCH"]) {
    const given = yield* Effect.option(Config.Int(name))
    if (Option.isSome(given)) return rfc3339(DateTime.makeUnsafe(given.value * 1000))
  }
  return rfc3339(yield* DateTime.now)
})

const rfc3339 = (time: DateTime.DateTime): string => DateTime.formatIso(time).replace(/\.\d+Z$/, "Z")
