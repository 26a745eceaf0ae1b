/** Brings a changed image to where it goes: blobs, configurations, manifests, index, and the tag last (faults D1). */
import { Effect, Stream } from "effect"
import { CopyStep } from "../../schemas/Copy.ts"
import { isSameLocation, type Location, type Tag } from "../../schemas/Ref.ts"
import { Progress } from "../../services/Progress.ts"
import { RateLimiter } from "../../services/RateLimiter.ts"
import { execute } from "../copy/execute.ts"
import { exists } from "../missing.ts"
import type { Ends } from "./apply.ts"
import type { Documents } from "./documents.ts"

/** Steps of a copy in progress at once, and new blobs, which may be made while they are sent. */
const concurrency = 16
const newAtOnce = 3

export interface PushTarget {
  readonly tag?: Tag
  /** The target has the top under its name already if it is the one that was loaded. */
  readonly isNamed: boolean
}

/**
 * In the repository of the source only what is new is sent; another one gets everything. Fails with the `StoreError` of
 * the side that failed; the tag then is what it was before.
 */
export const push = Effect.fnUntraced(
  function*(documents: Documents, isNewTop: boolean, ends: Ends, target: PushTarget) {
    const { created, manifests, top } = documents
    const { from, to } = ends
    const isMoved = !isSameLocation(from.location, to.location)
    if (isMoved) yield* copyBlobs(documents, ends)
    yield* Effect.forEach(created, (blob) => putBlob(blob, ends), { concurrency: newAtOnce, discard: true })
    for (const { isNew, manifest } of manifests) {
      if (isMoved || isNew) yield* to.putManifest(manifest, { isChild: true })
    }
    if (isMoved || isNewTop || !target.isNamed) {
      yield* to.putManifest(top, target.tag === undefined ? {} : { tag: target.tag })
    }
  }
)

const copyBlobs = Effect.fnUntraced(function*({ entries, kept }: Documents, ends: Ends) {
  const progress = yield* Progress
  const there = yield* Effect.filter(entries, (it) => exists(ends.from.headBlob(it)), { concurrency })
  const steps = [...kept, ...there].map((descriptor) =>
    CopyStep.Blob({ id: descriptor.digest, lane: "content", descriptor, needs: [], isKnownAbsent: false })
  )
  const lanes = { content: ends, referrers: ends }
  yield* progress.report(execute({ ends: lanes, concurrency })(Stream.fromIterable(steps)))
})

const putBlob = Effect.fnUntraced(
  function*({ content, descriptor }: Documents["created"][number], { from, to }: Ends) {
    const limiter = yield* RateLimiter
    const hosts = [...new Set([from.location, to.location].flatMap(hostOf))]
    const steps = Effect.gen(function*() {
      if (!(yield* exists(to.headBlob(descriptor)))) yield* to.putBlob(content, descriptor)
    })
    yield* limiter.admit(hosts, { kind: "blob", size: descriptor.size })(steps)
  }
)

const hostOf = (location: Location): ReadonlyArray<string> => location._tag === "Registry" ? [location.registry] : []
