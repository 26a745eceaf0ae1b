/** What a pair is, asked of both ends: a HEAD each, and the index of the source where a platform is asked for. */
import { Effect, Result } from "effect"
import type { Digest } from "../../schemas/Digest.ts"
import { isIndexType } from "../../schemas/MediaType.ts"
import { commonName, type Ref, Reference, referenceOf, type Tag } from "../../schemas/Ref.ts"
import type { SyncEntry } from "../../schemas/RegsyncConfig.ts"
import type { ReasonTag, StoreError } from "../../schemas/StoreError.ts"
import type { Head, ReadonlyRepository } from "../../services/Repository.ts"
import { findBelow, platformOf, platformsOf } from "../graph/select.ts"
import { sourceHead } from "./heads.ts"
import { Shared } from "./shared.ts"

/** A pair with its repositories at hand. */
export interface Item {
  readonly source: Ref
  readonly from: ReadonlyRepository
  readonly target: Ref
  readonly to: ReadonlyRepository
  /** Tags of the source that could be named after a digest, where they were listed. */
  readonly digestTags?: ReadonlyArray<Tag>
}

export interface Looked {
  readonly source: Head
  /** Absent at the target, or not to be had. */
  readonly target?: Head
  /** Why it cannot be told what the target has. */
  readonly unknown?: StoreError
  /** Milliseconds since 1970. */
  readonly time: number
}

/** Failures that say nothing of the target: it may well be there. */
const unreachable: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "ConnectFailed",
  "DnsFailed",
  "TlsFailed",
  "ConnectionLost",
  "Timeout",
  "RateLimited",
  "ProtocolError",
  "LayoutInvalid",
  "LayoutLocked",
  "FsPermission",
  "FsIo"
])

const saysNothing = ({ reason }: StoreError): boolean => unreachable.has(reason._tag) || (reason.status ?? 0) >= 500

/** Both heads at once. Without the source there is nothing to do; a target that cannot be had counts as absent. */
export const look = ({ from, source, target, to }: Item): Effect.Effect<Looked, StoreError, Shared> =>
  Effect.flatMap(Shared, ({ looking }) =>
    looking(Effect.gen(function*() {
      const [{ head, time }, there] = yield* Effect.all([
        sourceHead(from, source),
        Effect.result(to.resolve(referenceOf(target)))
      ], { concurrency: 2 })
      if (Result.isSuccess(there)) return { source: head, target: there.success, time }
      return { source: head, time, ...(saysNothing(there.failure) ? { unknown: there.failure } : {}) }
    })))

/** The digest that stands for a platform in the source's index; none where no platform is asked for or there is no index. */
export const platformDigest = Effect.fnUntraced(function*(
  { platform: text }: SyncEntry,
  { from, source }: Item,
  { descriptor }: Head
) {
  if (text === "" || !isIndexType(descriptor.mediaType)) return undefined
  const { platforms } = yield* Shared
  const known = platforms.get(descriptor.digest, text)
  if (known !== undefined) return known
  const platform = yield* Effect.tapError(
    platformOf(text),
    (error) =>
      Effect.annotateLogs(Effect.logWarning("Could not parse platform"), { platform: text, err: error.message })
  )
  const manifest = yield* Effect.tapError(
    from.manifest(Reference.ByDigest({ digest: descriptor.digest }), descriptor),
    (error) =>
      Effect.annotateLogs(Effect.logError("Failed to get source manifest"), {
        source: commonName(source),
        error: error.message
      })
  )
  const found = yield* Effect.tapError(
    findBelow(from, manifest, platform),
    (error) =>
      Effect.annotateLogs(Effect.logWarning("Platform could not be found in source manifest list"), {
        platform: text,
        err: error.message,
        platforms: manifest._tag === "Index" ? platformsOf(manifest.manifests).join(", ") : ""
      })
  )
  platforms.set(descriptor.digest, text, found.digest)
  return found.digest
})

/** The same reference by what it means now, so that what is copied is what was looked at. */
export const pinned = (ref: Ref, digest: Digest): Ref => ({ ...ref, digest })
