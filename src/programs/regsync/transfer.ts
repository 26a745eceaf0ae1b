/** The copy of a pair: its place among the others, the wait for pulls, the backup, the copy itself (9.6.2 to 9.7). */
import { Effect, Stream } from "effect"
import type { CopyEvent } from "../../schemas/Copy.ts"
import { isImageConfigType } from "../../schemas/MediaType.ts"
import { type Quota, quotaOf } from "../../schemas/Quota.ts"
import { commonName, locationName, parseRef, type Ref, referenceOf } from "../../schemas/Ref.ts"
import type { SyncEntry } from "../../schemas/RegsyncConfig.ts"
import { SyncEvent } from "../../schemas/Sync.ts"
import { Progress } from "../../services/Progress.ts"
import type { Head } from "../../services/Repository.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { copy, type CopyOptions } from "../copy/copy.ts"
import { Sent } from "../copy/sent.ts"
import { backupRef, saveBackup } from "./backup.ts"
import { RunHeads } from "./heads.ts"
import { loggedDuration } from "./logged.ts"
import { type Item, pinned, platformDigest } from "./look.ts"
import { Shared } from "./shared.ts"

/** Bytes that were sent, and that a mount or the target itself spared. */
export interface Traffic {
  bytes: number
  saved: number
}

export interface Move {
  readonly job: string
  readonly entry: SyncEntry
  readonly item: Item
  /** What the source was when it was looked at. */
  readonly head: Head
  /** The source by digest: of the platform, where one is asked for. */
  readonly source: Ref
  /** As the log names it. */
  readonly name: string
  /** What the target names will be lost. */
  readonly overwrites: boolean
}

/** Waits for a place and for pulls, then saves and copies. */
export const transfer = Effect.fnUntraced(function*(move: Move, traffic: Traffic) {
  const { entry, head, item } = move
  const { copying, resting } = yield* Shared
  const { publish } = yield* SyncEvents
  const { min, retry } = entry.ratelimit
  const isLimited = min > 0 && quotaOf(head.headers)?.isSet === true
  for (;;) {
    const low = yield* copying(Effect.gen(function*() {
      const probe = isLimited ? yield* probeOf(move) : undefined
      if (probe?.low !== undefined) return probe.low
      yield* saveAndCopy(probe === undefined ? move : yield* moved(move, probe.head), traffic)
      return undefined
    }))
    if (low === undefined) return
    const source = move.name
    yield* Effect.annotateLogs(Effect.logInfo("Delaying for rate limit"), {
      source,
      "source-remain": low.remaining,
      "source-limit": low.limit,
      "step-min": min,
      sleep: loggedDuration(retry)
    })
    const { limit, remaining } = low
    const waiting = { job: move.job, source: commonName(item.source), remaining, limit, min, sleep: retry }
    yield* publish(SyncEvent.Waiting(waiting))
    yield* resting(Effect.sleep(retry))
  }
})

/** Asks the source how many pulls are left; `low` when they are too few. */
const probeOf = Effect.fnUntraced(function*({ entry, item, name }: Move) {
  const head = yield* Effect.tapError(
    item.from.resolve(referenceOf(item.source)),
    (error) => Effect.annotateLogs(Effect.logError("rate limit check failed"), { source: name, error: error.message })
  )
  const quota: Quota | undefined = quotaOf(head.headers)
  if (quota?.isSet !== true) return { head }
  const { location } = item.source
  if (location._tag === "Registry") {
    const { limit, remaining } = quota
    yield* (yield* SyncEvents).publish(SyncEvent.Limited({ registry: location.registry, remaining, limit }))
  }
  if (quota.remaining < entry.ratelimit.min) return { head, low: quota }
  yield* Effect.annotateLogs(Effect.logDebug("Rate limit passed"), {
    source: name,
    "source-remain": quota.remaining,
    "step-min": entry.ratelimit.min
  })
  return { head }
})

/** The source may have become another image while its pulls were waited for. */
const moved = Effect.fnUntraced(function*(move: Move, head: Head) {
  const { digest } = head.descriptor
  if (digest === move.head.descriptor.digest) return move
  const source = pinned(move.item.source, (yield* platformDigest(move.entry, move.item, head)) ?? digest)
  return { ...move, head, source }
})

const saveAndCopy = Effect.fnUntraced(function*(move: Move, traffic: Traffic) {
  const { entry, item, overwrites, source } = move
  const { writing } = yield* Shared
  const backup = overwrites && entry.backup !== "" ? yield* backupRef(entry, item.target) : undefined
  const options = yield* copyOptions(entry, item)
  const hasAttachments = options.digestTags || options.referrers !== false
  const names = [
    commonName(item.target),
    ...(backup === undefined ? [] : [commonName(backup)]),
    // What is attached to one image has tags of its own, whatever the image's tag is.
    ...(hasAttachments ? [`${locationName(item.target.location)}@${source.digest ?? ""}`] : [])
  ]
  const heads = yield* RunHeads
  for (const written of backup === undefined ? [item.target] : [item.target, backup]) heads?.writes(written.location)
  yield* writing(names)(Effect.gen(function*() {
    if (backup !== undefined) yield* saveBackup(entry, item, backup)
    yield* Effect.annotateLogs(Effect.logDebug("Image sync running"), {
      source: move.name,
      target: commonName(item.target)
    })
    yield* Effect.tapError(
      copy(source, item.target, options),
      (error) =>
        Effect.annotateLogs(Effect.logError("Failed to copy image"), {
          source: move.name,
          target: commonName(item.target),
          error: error.message
        })
    ).pipe(told(move, traffic))
  })).pipe(
    // A layout is swept between two copies: what one of them brought may be gone again.
    item.target.location._tag === "OciLayout" ? Effect.provideService(Sent, undefined) : (it) => it
  )
})

/** Section 9.7; a place for referrers that cannot be read stops the step, since they would go to a wrong one. */
const copyOptions = Effect.fnUntraced(function*(entry: SyncEntry, { digestTags }: Item) {
  const { switches } = entry
  const referrers = switches.referrers === true
  const [from, to] = referrers
    ? [yield* placeOf("source", entry.referrerSource), yield* placeOf("target", entry.referrerTarget)]
    : []
  const filters = (entry.referrerFilters ?? []).map(({ annotations, artifactType }) => ({
    annotations,
    ...(artifactType === "" ? {} : { artifactType })
  }))
  const options: CopyOptions = {
    fastCheck: switches.fastCheck === true,
    forceRecursive: switches.forceRecursive === true,
    includeExternal: switches.includeExternal === true,
    referrers: referrers && filters.length > 0 ? filters : referrers,
    referrersSlow: switches.referrerSlow === true,
    digestTags: switches.digestTags === true,
    platforms: entry.platforms,
    ...(digestTags === undefined ? {} : { knownDigestTags: digestTags }),
    ...(from === undefined ? {} : { referrersSource: from }),
    ...(to === undefined ? {} : { referrersTarget: to })
  }
  return options
})

const placeOf = (end: "source" | "target", text: string) =>
  text === "" ? Effect.succeed(undefined) : Effect.tapError(
    Effect.fromResult(parseRef(text)),
    (error) =>
      Effect.annotateLogs(Effect.logError(`failed to parse referrer ${end} reference`), {
        [`referrer${end === "source" ? "Source" : "Target"}`]: text,
        error: error.message
      })
  )

/** Counts what a copy moves, logs each blob it begins with, and lets others listen. */
const told = ({ item, job }: Move, traffic: Traffic) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { report } = yield* Progress
    const { publish } = yield* SyncEvents
    const [source, target] = [commonName(item.source), commonName(item.target)]
    const hear = Effect.fnUntraced(function*(event: CopyEvent) {
      const { step } = event
      if (event._tag === "Finished") {
        if (event.how === "copied") traffic.bytes += step.descriptor.size
        else traffic.saved += step.descriptor.size
      }
      if (event._tag === "Started" && step._tag === "Blob") {
        const isConfig = isImageConfigType(step.descriptor.mediaType)
        yield* Effect.annotateLogs(Effect.logInfo(isConfig ? "Copy config" : "Copy layer"), {
          source,
          target,
          digest: step.descriptor.digest
        })
      }
      yield* publish(SyncEvent.Copying({ job, target, event }))
    })
    return yield* Effect.provideService(
      effect,
      Progress,
      Progress.of({ report: (events) => report(Stream.tap(events, hear)) })
    )
  })
