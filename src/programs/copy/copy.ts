/** Copies an image, index or artifact from one reference to another, moving only what the target lacks. */
import { Effect } from "effect"
import type { Platform } from "../../schemas/Descriptor.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import { commonName, type Ref, Reference, referenceOf, type Tag, tagFor } from "../../schemas/Ref.ts"
import type { ReferrerFilter } from "../../schemas/Referrers.ts"
import { storeError, within } from "../../schemas/StoreError.ts"
import { Progress } from "../../services/Progress.ts"
import { WillWrite } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import { platformOf, selectPlatform } from "../graph/select.ts"
import { execute } from "./execute.ts"
import { plan } from "./plan.ts"

export interface CopyOptions {
  readonly fastCheck: boolean
  readonly forceRecursive: boolean
  readonly includeExternal: boolean
  /** Which referrers go along: all, none, or those a filter lets through. */
  readonly referrers: boolean | ReadonlyArray<ReferrerFilter>
  /** In a layout: look for the subject in every manifest. */
  readonly referrersSlow?: boolean
  readonly digestTags: boolean
  /** All tags of the source that could be named after a digest, for who knows them; asked for otherwise. */
  readonly knownDigestTags?: ReadonlyArray<Tag>
  /** Entries of an index whose content goes along, the index unchanged; an empty text means entries without a platform. */
  readonly platforms: ReadonlyArray<string>
  /** Copy this platform's manifest in place of the index. */
  readonly platform?: string
  /** Where referrers are, and where they go, when not beside the content. */
  readonly referrersSource?: Ref
  readonly referrersTarget?: Ref
  /** Another manifest is to name it: without a tag, a layout gives it no entry in `index.json`. */
  readonly isChild?: boolean
}

/** Steps in progress at once; most wait for the limiter or for what they need. */
const concurrency = 16

/**
 * Copies `source` to `target`. Fails with the `StoreError` of whichever side failed; the target's tag then is what it
 * was before.
 */
export const copy = Effect.fn("copy")(function*(source: Ref, target: Ref, options: CopyOptions) {
  const { open } = yield* Repositories
  const progress = yield* Progress
  const platforms = yield* Effect.forEach(
    options.platforms,
    (text) => text === "" ? Effect.succeed<Platform | undefined>(undefined) : platformOf(text)
  )
  const from = yield* open(source.location)
  const openTarget = (ref: Ref) => Effect.provideService(open(ref.location), WillWrite, true)
  const to = yield* openTarget(target)
  const { referrersSource, referrersTarget } = options
  const referrers = {
    from: referrersSource === undefined ? from : yield* open(referrersSource.location),
    to: referrersTarget === undefined ? to : yield* openTarget(referrersTarget)
  }
  const ends = { content: { from, to }, referrers }
  const reference = options.platform === undefined
    ? referenceOf(source)
    : yield* childOf(from, referenceOf(source), options.platform)
  yield* checkDigest(from, reference, target)
  const tag = tagFor(target)
  const steps = plan({
    ends,
    source: reference,
    ...(tag === undefined ? {} : { tag }),
    isChild: options.isChild === true,
    options: { ...options, platforms, referrers: filtersOf(options.referrers) }
  })
  yield* progress.report(execute({ ends, concurrency })(steps))
}, Effect.scoped)

const filtersOf = (referrers: CopyOptions["referrers"]): ReadonlyArray<ReferrerFilter> =>
  referrers === true ? [{}] : referrers === false ? [] : referrers

const childOf = Effect.fnUntraced(function*(
  from: Parameters<typeof selectPlatform>[0],
  reference: Reference,
  text: string
) {
  const platform = yield* platformOf(text)
  const { descriptor } = yield* selectPlatform(from, reference, platform)
  return Reference.ByDigest({ digest: descriptor.digest })
})

/** A target named by digest takes the content of that digest alone. */
const checkDigest = Effect.fnUntraced(function*(
  from: Parameters<typeof selectPlatform>[0],
  reference: Reference,
  target: Ref
) {
  if (target.digest === undefined || (reference._tag === "ByDigest" && reference.digest === target.digest)) return
  const { digest } = (yield* Effect.mapError(from.resolve(reference), within("copy failed, error getting source")))
    .descriptor
  if (digest === target.digest || algorithmOf(digest) !== algorithmOf(target.digest)) return
  const detail = `manifest digest mismatch, expected ${target.digest}, computed ${digest}`
  return yield* storeError(`failed to copy to ${commonName(target)}`, "DigestMismatch", detail)
})
