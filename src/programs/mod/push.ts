/** Brings a changed image to where it goes: blobs, configurations, manifests, index, and the tag last (faults D1). */
import { Effect, Stream } from "effect"
import { CopyEvent, CopyStep, type Counter } from "../../schemas/Copy.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { isSameLocation, type Tag } from "../../schemas/Ref.ts"
import { tapped } from "../../services/Bytes.ts"
import { Progress } from "../../services/Progress.ts"
import { RateLimiter } from "../../services/RateLimiter.ts"
import { execute, hostsOf } from "../copy/execute.ts"
import { exists } from "../missing.ts"
import type { Ends } from "./apply.ts"
import type { Documents } from "./documents.ts"

/** Steps of a copy in progress at once, and new blobs, which may be made while they are sent. */
const concurrency = 16
const newAtOnce = 3
/** Bytes of a new blob from which on its way is shown on a terminal. */
const worthShowing = 1024 * 1024

export interface PushTarget {
  readonly tag?: Tag
  /** The target has the top under its name already if it is the one that was loaded. */
  readonly isNamed: boolean
}

/**
 * In the repository of the source only what is new is sent; another one gets everything, and the copy is shown. Fails
 * with the `StoreError` of the side that failed; the tag then is what it was before.
 */
export const push = Effect.fnUntraced(
  function*(documents: Documents, isNewTop: boolean, ends: Ends, { isNamed, tag }: PushTarget) {
    const { created, manifests, top } = documents
    const isMoved = !isSameLocation(ends.from.location, ends.to.location)
    const pushed = [
      ...manifests.flatMap(({ isNew, manifest }) => isMoved || isNew ? [stepOf(manifest, true)] : []),
      ...(isMoved || isNewTop || !isNamed ? [stepOf(top, false, tag)] : [])
    ]
    const events = Stream.fromIterable(pushed.map((step) => CopyEvent.Planned({ step }))).pipe(
      Stream.concat(isMoved ? copies(documents, ends) : Stream.empty),
      Stream.concat(
        Stream.flatMap(Stream.fromIterable(created), (blob) => sendNew(blob, ends), { concurrency: newAtOnce })
      ),
      Stream.concat(Stream.mapEffect(Stream.fromIterable(pushed), (step) => putManifest(step, ends)))
    )
    const isLong = isMoved || created.some(({ descriptor }) => descriptor.size >= worthShowing)
    yield* isLong ? (yield* Progress).report(events) : Stream.runDrain(events)
  }
)

type ManifestStep = CopyStep & { readonly _tag: "Manifest" }

const stepOf = (manifest: Manifest, isChild: boolean, tag?: Tag): ManifestStep => {
  const { descriptor } = manifest
  const common = { id: descriptor.digest, lane: "content" as const, descriptor, needs: [] }
  return CopyStep.Manifest({ ...common, manifest, isChild, ...(tag === undefined ? {} : { tag }) })
}

const putManifest = (step: ManifestStep, { to }: Ends) => {
  const { isChild, manifest, tag } = step
  return Effect.as(
    to.putManifest(manifest, { isChild, ...(tag === undefined ? {} : { tag }) }),
    CopyEvent.Finished({ step, how: "copied" })
  )
}

/** Blobs that the source has; entries of indexes only where it does. */
const copies = ({ entries, kept }: Documents, ends: Ends) =>
  Stream.unwrap(Effect.map(
    Effect.filter(entries, (it) => exists(ends.from.headBlob(it)), { concurrency }),
    (there) => {
      const steps = [...kept, ...there].map((descriptor) =>
        CopyStep.Blob({ id: descriptor.digest, lane: "content", descriptor, needs: [], isKnownAbsent: false })
      )
      return execute({ ends: { content: ends, referrers: ends }, concurrency })(Stream.fromIterable(steps))
    }
  ))

/** A blob that was made here, sent unless the target has it. */
const sendNew = ({ content, descriptor }: Documents["created"][number], ends: Ends) => {
  const common = { id: descriptor.digest, lane: "content" as const, descriptor, needs: [] }
  const step = CopyStep.Blob({ ...common, isKnownAbsent: false })
  const moved: Counter = { bytes: 0 }
  const put = Effect.gen(function*() {
    const limiter = yield* RateLimiter
    const { to } = ends
    const counted = tapped(content, (view) => moved.bytes += view.length)
    const send = Effect.gen(function*() {
      if (yield* exists(to.headBlob(descriptor))) return "present" as const
      yield* to.putBlob(counted, descriptor)
      return "copied" as const
    })
    const how = yield* limiter.admit(hostsOf(ends), { kind: "blob", size: descriptor.size })(send)
    return CopyEvent.Finished({ step, how })
  })
  return Stream.concat(
    Stream.make(CopyEvent.Planned({ step }), CopyEvent.Started({ step, moved })),
    Stream.fromEffect(put)
  )
}
