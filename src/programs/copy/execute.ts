/** Carries out the steps of a copy: blobs and manifests at once where they can be, each after what it needs. */
import { type Cause, Deferred, Effect, Pull, Queue, Stream } from "effect"
import { CopyEvent, type CopyStep, type Counter, type How, type Lane } from "../../schemas/Copy.ts"
import { type Descriptor, isSizeKnown } from "../../schemas/Descriptor.ts"
import { contentOf, type Manifest } from "../../schemas/Manifest.ts"
import { isManifestType } from "../../schemas/MediaType.ts"
import { isSameStore, type Location } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { RateLimiter } from "../../services/RateLimiter.ts"
import type { Repository } from "../../services/Repository.ts"
import { exists } from "../missing.ts"
import type { Ends } from "./plan.ts"
import { once } from "./sent.ts"
import { transfer } from "./transfer.ts"

export interface Execution {
  readonly ends: Readonly<Record<Lane, Ends<Repository>>>
  /** Steps at once; the limiter has the last word on requests. */
  readonly concurrency: number
}

/** What became of a step: an absent blob fails at the end, so that all absent ones can be named. */
type Outcome = "done" | "missing"

/** Absent digests after which nobody looks for more: a failure has room to name a hundred of them (faults C12, C13). */
const mostMissing = 1_000

/**
 * Runs a plan. A step waits for its needs; they stand earlier in the plan, so the oldest running step never waits for
 * one that has not started, and any bound on concurrency is free of deadlock. The first failure interrupts the rest.
 */
export const execute = ({ concurrency, ends }: Execution) =>
(
  steps: Stream.Stream<CopyStep, StoreError>
): Stream.Stream<CopyEvent, StoreError, RateLimiter> =>
  Stream.callback<CopyEvent, StoreError, RateLimiter>((queue) => {
    const outcomes = new Map<string, Deferred.Deferred<Outcome, StoreError>>()
    const missing = new Set<string>()
    const tell = (event: CopyEvent) => Queue.offer(queue, event)

    const run = Effect.fnUntraced(function*(step: CopyStep) {
      for (const need of step.needs) {
        const outcome = outcomes.get(need)
        if (outcome !== undefined && (yield* Deferred.await(outcome)) === "missing") return "missing" as const
      }
      const moved: Counter = { bytes: 0 }
      if (step._tag === "Missing") return yield* miss(step)
      yield* tell(CopyEvent.Started({ step, moved }))
      const how = yield* perform(ends[step.lane], step, moved)
      if (how === "missing") return yield* miss(step)
      yield* tell(CopyEvent.Finished({ step, how }))
      return "done" as const
    })

    const miss = ({ descriptor }: CopyStep): Effect.Effect<Outcome, StoreError> =>
      Effect.suspend(() => {
        missing.add(descriptor.digest)
        return missing.size > mostMissing ? Effect.fail(absent([...missing])) : Effect.succeed("missing")
      })

    const settled = (step: CopyStep) => {
      const outcome = Deferred.makeUnsafe<Outcome, StoreError>()
      outcomes.set(step.id, outcome)
      return Effect.as(tell(CopyEvent.Planned({ step })), { step, outcome })
    }

    return eachOf(
      Stream.mapEffect(steps, settled),
      concurrency,
      ({ outcome, step }) => Effect.onExit(run(step), (exit) => Deferred.done(outcome, exit))
    ).pipe(
      Effect.andThen(Effect.suspend(() => missing.size === 0 ? Effect.void : Effect.fail(absent([...missing])))),
      Queue.into(queue)
    )
  }, { bufferSize: 1024 })

/**
 * Runs an effect for each, begun in order, some at once. What is interrupted ends side by side, as each may have an
 * upload to take back at a slow registry; the fibers of a stream's `mapEffect` end one after the other.
 */
const eachOf = <A, E, R>(
  items: Stream.Stream<A, E>,
  concurrency: number,
  run: (item: A) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, E, R> =>
  Effect.gen(function*() {
    const queue = yield* Queue.bounded<A, E | Cause.Done>(1)
    const worker = Pull.catchDone(Effect.forever(Effect.flatMap(Queue.take(queue), run)), () => Effect.void)
    const workers = Array.from({ length: concurrency }, () => worker)
    const all = [Stream.runIntoQueue(items, queue), ...workers]
    yield* Effect.all(all, { concurrency: all.length, discard: true })
  })

const absent = (digests: ReadonlyArray<string>): StoreError =>
  storeError(
    "copy failed",
    "NotFound",
    `not found: the source lacks ${digests.length > mostMissing ? `more than ${mostMissing} parts: ` : ""}${
      digests.toSorted().join(", ")
    }`
  )

const perform = (
  ends: Ends<Repository>,
  step: Exclude<CopyStep, { _tag: "Missing" }>,
  moved: Counter
): Effect.Effect<How | "missing", StoreError, RateLimiter> => {
  switch (step._tag) {
    case "Skip":
      return Effect.succeed("skipped")
    case "Blob":
      return once(
        ends.to.location,
        step.descriptor.digest,
        (mountable) => moveBlob(ends, step.descriptor, { isKnownAbsent: step.isKnownAbsent, moved, mountable })
      )
    case "Manifest":
      return putManifest(ends, step)
  }
}

interface Move {
  readonly isKnownAbsent: boolean
  readonly moved: Counter
  /** Where the target's registry is known to have it. */
  readonly mountable?: Location | undefined
}

/** A blob that is there already, can be mounted, or has to travel; its two hosts are entered in one step. */
const moveBlob = Effect.fnUntraced(function*(
  { from, to }: Ends<Repository>,
  given: Descriptor,
  { isKnownAbsent, mountable, moved }: Move
): Effect.fn.Return<How | "missing", StoreError, RateLimiter> {
  const limiter = yield* RateLimiter
  const hosts = hostsOf({ from, to })
  const steps = Effect.gen(function*() {
    const origin = mountable ?? (isSameStore(from.location, to.location) ? from.location : undefined)
    if (origin !== undefined && (yield* to.mountBlob(given, origin))) return "mounted" as const
    // Only a registry is a question that costs more than a small blob.
    const isAsked = !isKnownAbsent || to.location._tag !== "Registry"
    const isThere = isAsked && (yield* exists(to.headBlob(given)))
    if (isThere) return "present" as const
    const blob = yield* sized(from, given)
    yield* transfer(from, to, blob, moved)
    return "copied" as const
  })
  return yield* steps.pipe(
    limiter.admit(hosts, { kind: "blob", size: given.size }),
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound",
      (error) =>
        Effect.flatMap(
          exists(from.headBlob(given)),
          (isThere) => isThere ? Effect.fail(error) : Effect.succeed("missing" as const)
        )
    ),
    Effect.mapError(within("failed to copy blob"))
  )
})

/** Docker schema 1 names layers without sizes: the source knows them. */
const sized = (from: Ends["from"], blob: Descriptor): Effect.Effect<Descriptor, StoreError> =>
  isSizeKnown(blob)
    ? Effect.succeed(blob)
    : Effect.map(from.headBlob(blob), ({ descriptor }) => ({ ...blob, size: descriptor.size }))

/** The registries that a transfer enters, each once. */
export const hostsOf = ({ from, to }: Ends): ReadonlyArray<string> => [
  ...new Set([from.location, to.location].flatMap((it) => it._tag === "Registry" ? [it.registry] : []))
]

/**
 * A registry may know less than it said when it was asked for a blob (faults N34): what the manifest names is then sent
 * for real, once, and the manifest again.
 */
const putManifest = (
  ends: Ends<Repository>,
  { isChild, manifest, tag }: CopyStep & { readonly _tag: "Manifest" }
): Effect.Effect<How, StoreError, RateLimiter> => {
  const put = Effect.suspend(() => ends.to.putManifest(manifest, { isChild, ...(tag === undefined ? {} : { tag }) }))
  return put.pipe(
    Effect.catchIf(
      ({ reason }) => reason.lacksContent === true && blobsOf(manifest).length > 0,
      () => Effect.andThen(resend(ends, manifest), put)
    ),
    Effect.as<How>("copied")
  )
}

/** What an index names are manifests: there is nothing to send again for one that is sparse. */
const blobsOf = (manifest: Manifest) =>
  contentOf(manifest).filter(({ mediaType, urls }) => urls === undefined && !isManifestType(mediaType))

const resend = (ends: Ends<Repository>, manifest: Manifest) =>
  Effect.forEach(
    blobsOf(manifest),
    (blob) => moveBlob(ends, blob, { isKnownAbsent: true, moved: { bytes: 0 } }),
    { concurrency: 3, discard: true }
  )
