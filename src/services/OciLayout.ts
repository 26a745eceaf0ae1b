/** Repositories in directories that follow the OCI image layout (image-spec, image-layout.md). */
import { Context, Effect, FileSystem, Layer, Path, RcMap, Stream } from "effect"
import type { Scope } from "effect"
import type { Digest } from "../schemas/Digest.ts"
import { isSameLocation, Location } from "../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../schemas/StoreError.ts"
import { cloneBlob, noBlob, presentSize, readBlob, writeBlob } from "./ociLayout/blobs.ts"
import { diskOf, realPathOf } from "./ociLayout/disk.ts"
import { tagsOf } from "./ociLayout/documents.ts"
import * as manifests from "./ociLayout/manifests.ts"
import { indexBytes, indexOf, type LayoutState, makeState, pathOf, settle, type Shared } from "./ociLayout/state.ts"
import { finish } from "./ociLayout/sweep.ts"
import { announce, announceAtOnce } from "./ociLayout/writer.ts"
import { WillWrite } from "./Registry.ts"
import type { Repository } from "./Repository.ts"

/**
 * Whether layouts opened under it are swept at their end: not by a server, nor where only a blob is put. Without a sweep
 * each blob is durable as soon as it is put, as no manifest need come after it.
 */
export const SweepAtEnd = Context.Reference<boolean>("regclient/services/OciLayout/SweepAtEnd", {
  defaultValue: () => true
})

export class OciLayout extends Context.Service<OciLayout, {
  /**
   * Closing the last scope removes what no entry reaches any more, if something was written and no writer was opened
   * with `SweepAtEnd` off. The directory is made by the first write.
   */
  readonly open: (at: { readonly path: string }) => Effect.Effect<Repository, StoreError, Scope.Scope>
}>()("regclient/services/OciLayout") {
  static readonly layer = Layer.effect(
    OciLayout,
    Effect.gen(function*() {
      const disk = diskOf(yield* FileSystem.FileSystem)
      const path = yield* Path.Path
      const shared: Shared = { verified: new Map(), places: new Map() }
      const names = new Map<string, string>()
      const states = yield* RcMap.make({
        lookup: (real: string) =>
          Effect.flatMap(Effect.scope, (scope) =>
            Effect.acquireRelease(
              Effect.sync(() => makeState(disk, names.get(real) ?? real, real, shared, scope)),
              finish
            ))
      })
      const stateAt = Effect.fnUntraced(function*(dir: string) {
        const absolute = yield* Effect.try({ try: () => path.resolve(dir), catch: () => homeless(dir) })
        const real = yield* realPathOf(disk, path, absolute)
        if (!(yield* RcMap.has(states, real))) names.set(real, dir)
        return yield* RcMap.get(states, real)
      })
      return OciLayout.of({
        open: Effect.fn("OciLayout.open")(function*({ path: dir }) {
          const wants = { sweep: yield* SweepAtEnd, writing: yield* WillWrite }
          return repository(Location.OciLayout({ path: dir }), yield* stateAt(dir), wants, stateAt)
        })
      })
    })
  )
}

const homeless = (dir: string) => storeError(`open ${dir}`, "FsIo", "the current directory does not exist any more")

const repository = (
  location: Location,
  state: LayoutState,
  wants: { readonly sweep: boolean; readonly writing: boolean },
  stateAt: (dir: string) => Effect.Effect<LayoutState, StoreError, Scope.Scope>
): Repository => {
  const writing = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.andThen(announce(state, wants.sweep), effect)
  const puttingBlob = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    wants.sweep ? effect : Effect.tap(effect, () => settle(state))
  /**
   * What a writer finds by its digest it will rely on: its marker is there first, so that nobody sweeps it meanwhile. A
   * layout that is absent or may not be written is looked at as it is.
   */
  const relying = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    !wants.writing || state.isAnnounced ? effect : Effect.andThen(
      Effect.catchReason(announceAtOnce(state), "StoreError", "FsPermission", () => Effect.void),
      effect
    )
  /** Of what is there already: a layout that is absent is not made. */
  const changing = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.andThen(indexOf(state), writing(effect))
  /** A damaged file counts as absent, so that a copy brings it again; who asks for it is told. */
  const unusable = Effect.fnUntraced(function*(digest: Digest) {
    const isThere = (yield* state.disk.info(pathOf(state, digest))) !== undefined
    if (!isThere) return yield* noBlob(pathOf(state, digest))
    const detail = `not found: ocidir://${state.dir}@${digest}: digest mismatch, its file is damaged`
    return yield* storeError("", "NotFound", detail)
  })
  return {
    location,
    resolve: (reference) => {
      const resolved = manifests.resolve(state, reference)
      return reference._tag === "ByDigest" ? relying(resolved) : resolved
    },
    manifest: (reference, expected) => manifests.manifestOf(state, reference, expected),
    headBlob: Effect.fnUntraced(function*(blob) {
      yield* indexOf(state)
      const size = yield* presentSize(state, blob)
      return size === undefined ? yield* unusable(blob.digest) : { descriptor: { ...blob, size }, headers: {} }
    }, relying),
    blob: (blob, part) => readBlob(state, blob, part),
    tags: ({ last, limit = 0 } = {}) =>
      Stream.fromEffect(Effect.map(Effect.all([indexOf(state), indexBytes(state)]), ([index, body]) => {
        const after = tagsOf(index).filter((tag) => last === undefined || tag > last)
        return { names: limit > 0 ? after.slice(0, limit) : after, body, headers: {} }
      })),
    referrers: (subject, filter = {}) => manifests.referrers(state, subject.digest, filter),
    putBlob: (content, expected) => puttingBlob(writing(writeBlob(state, content, expected))),
    mountBlob: Effect.fnUntraced(
      function*(blob, from) {
        if (from._tag !== "OciLayout") return false
        // What is here whole is not made again (faults D7).
        if ((yield* presentSize(state, blob)) !== undefined) return true
        if (isSameLocation(from, location)) return false
        const other = yield* stateAt(from.path)
        if (other === state) return false
        if ((yield* presentSize(other, blob)) === undefined) return false
        return yield* writing(cloneBlob(state, blob, other))
      },
      Effect.scoped,
      relying,
      puttingBlob
    ),
    putManifest: (manifest, how = {}) => writing(manifests.putManifest(state, manifest, how)),
    deleteBlob: ({ digest }) =>
      changing(Effect.gen(function*() {
        const path = pathOf(state, digest)
        if ((yield* state.disk.infoOfName(path)) === undefined) {
          return yield* storeError(`remove ${path}`, "NotFound", "no such file or directory")
        }
        yield* state.disk.remove(path)
      })),
    deleteManifest: ({ digest }, subject) => changing(manifests.deleteManifest(state, digest, subject?.digest)),
    deleteTag: (tag) =>
      Effect.andThen(
        // Nothing is announced, and so nothing swept, for a tag that is not there.
        Effect.flatMap(
          Effect.mapError(indexOf(state), within("failed to read index")),
          (index) => manifests.untagged(state, index, tag)
        ),
        writing(manifests.deleteTag(state, tag))
      )
  }
}
