/** One pair from the first look to its end (regsync description, 9.5 and 9.6). */
import { Clock, Effect } from "effect"
import { commonName } from "../../schemas/Ref.ts"
import type { SyncEntry } from "../../schemas/RegsyncConfig.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { type Action, type Decision, type Job, type PairResult, SyncEvent } from "../../schemas/Sync.ts"
import { Secrets } from "../../services/Secrets.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { reasonOf } from "../cli/report.ts"
import { decide, decideFirst, type Facts } from "./decide.ts"
import { freshness } from "./heads.ts"
import { type Item, look, type Looked, pinned, platformDigest } from "./look.ts"
import type { Shared } from "./shared.ts"
import { type Traffic, transfer } from "./transfer.ts"

/**
 * Looks, decides, copies; the result says how that ended. A look that was taken ahead is taken again when it is old.
 */
export const syncPair = Effect.fnUntraced(function*(
  job: Job,
  item: Item,
  action: Action,
  ahead: Effect.Effect<Looked, StoreError, Shared>
): Effect.fn.Return<PairResult, never, Effect.Services<ReturnType<typeof work>>> {
  const { publish } = yield* SyncEvents
  const began = yield* Clock.currentTimeMillis
  const [source, target] = [commonName(item.source), commonName(item.target)]
  const traffic: Traffic = { bytes: 0, saved: 0 }
  yield* publish(SyncEvent.PairStarted({ job: job.name, source, target, time: began }))
  const common = { job: job.name, source, target }
  const ended = (outcome: Pick<PairResult, "outcome" | "decision" | "error" | "reason">) =>
    Effect.map(Clock.currentTimeMillis, (now): PairResult => ({
      ...common,
      ...outcome,
      ...traffic,
      began,
      elapsed: now - began
    }))
  return yield* Effect.matchEffect(work(job, item, action, ahead, traffic), {
    onFailure: (error) =>
      Effect.gen(function*() {
        const told = (yield* Secrets).censored(error.message)
        yield* Effect.annotateLogs(Effect.logError("Failed to sync"), { target, source, error: told })
        return yield* ended({ outcome: "failed", error: told, reason: reasonOf(error) })
      }),
    onSuccess: (decision) => ended({ decision, outcome: outcomes(action)[decision] })
  })
})

const outcomes = (action: Action): Readonly<Record<Decision, PairResult["outcome"]>> => ({
  current: "current",
  "current-platform": "current",
  exists: "current",
  ignored: "ignored",
  // A check does not look at what is attached: an equal image is not stale.
  refresh: action === "check" ? "current" : "refreshed",
  copy: action === "check" ? "stale" : "copied"
})

const work = Effect.fnUntraced(function*(
  { entry, name: job }: Job,
  item: Item,
  action: Action,
  ahead: Effect.Effect<Looked, StoreError, Shared>,
  traffic: Traffic
) {
  const looked = yield* Effect.tapError(
    freshLook(item, ahead),
    (error) =>
      Effect.annotateLogs(Effect.logError("Failed to lookup source manifest"), {
        source: commonName(item.source),
        error: error.message
      })
  )
  // Overwriting needs to know what is there when that is to be kept.
  if (looked.unknown !== undefined && (action === "missing" || (action === "copy" && entry.backup !== ""))) {
    return yield* Effect.fail(looked.unknown)
  }
  const { decision, digest } = yield* decided(entry, item, looked, action)
  const { source: head } = looked
  const name = commonName(digest === undefined ? item.source : pinned(item.source, digest))
  yield* tell(decision, entry, item, head.descriptor.mediaType, name)
  if (action === "check" || (decision !== "copy" && decision !== "refresh")) return decision
  const source = pinned(item.source, digest ?? head.descriptor.digest)
  const overwrites = looked.target !== undefined && decision === "copy"
  yield* transfer({ job, entry, item, head, source, name, overwrites }, traffic)
  return decision
})

const freshLook = Effect.fnUntraced(function*(item: Item, ahead: Effect.Effect<Looked, StoreError, Shared>) {
  const looked = yield* ahead
  return (yield* Clock.currentTimeMillis) - looked.time > freshness ? yield* look(item) : looked
})

/** The decision, and the digest of the platform where one was looked up. */
const decided = Effect.fnUntraced(function*(entry: SyncEntry, item: Item, looked: Looked, action: Action) {
  const { switches } = entry
  const there = looked.target?.descriptor.digest
  const { digest, mediaType } = looked.source.descriptor
  const facts: Facts = {
    action,
    isThere: there !== undefined,
    isEqual: there === digest,
    isAllowed: entry.mediaTypes.includes(mediaType),
    fastCheck: switches.fastCheck === true,
    forceRecursive: switches.forceRecursive === true,
    hasAttachments: switches.referrers === true || switches.digestTags === true
  }
  const first = decideFirst(facts)
  if (first !== undefined) return { decision: first }
  const own = yield* platformDigest(entry, item, looked.source)
  return own === undefined ? { decision: decide(facts) } : { decision: decide(facts, there === own), digest: own }
})

/** The log line of each decision (section 11). */
const tell = (decision: Decision, entry: SyncEntry, item: Item, mediaType: string, source: string) => {
  const target = commonName(item.target)
  const { platform, switches } = entry
  switch (decision) {
    case "current":
      return Effect.annotateLogs(Effect.logDebug("Image matches"), { source, target })
    case "exists":
      return Effect.annotateLogs(Effect.logDebug("target exists"), { source, target })
    case "ignored":
      return Effect.annotateLogs(Effect.logInfo("Skipping unsupported media type"), {
        ref: source,
        mediaType,
        allowed: entry.mediaTypes
      })
    case "current-platform":
      return Effect.annotateLogs(Effect.logDebug("Image matches for platform"), { source, platform, target })
    case "refresh":
      return Effect.annotateLogs(Effect.logInfo("Image refreshing"), {
        source,
        target,
        forced: switches.forceRecursive === true,
        digestTags: switches.digestTags === true,
        referrers: switches.referrers === true
      })
    case "copy":
      return Effect.annotateLogs(Effect.logInfo("Image sync needed"), { source, target })
  }
}
