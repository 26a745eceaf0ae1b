/** What a copy asks both sides before it decides: is it there, is it the same, what is inside. */
import { Effect, Option } from "effect"
import type { Lane } from "../../schemas/Copy.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { isIndexType } from "../../schemas/MediaType.ts"
import { isSameLocation, Reference, type Tag } from "../../schemas/Ref.ts"
import { type ReasonTag, type StoreError, within } from "../../schemas/StoreError.ts"
import type { Head, ReadonlyRepository } from "../../services/Repository.ts"
import type { Ends, PlanOptions } from "./plan.ts"

export interface Node {
  readonly lane: Lane
  readonly kind: "manifest" | "blob" | "unknown"
  readonly descriptor: Descriptor
  readonly depth: number
  /** What is known of the target before asking it. */
  readonly state: "present" | "absent" | "unknown"
  /** The tag that leads here was absent at the target, and so most likely all that is new below. */
  readonly isFresh: boolean
  /** The source's manifest, where it was fetched already. */
  readonly manifest?: Manifest
  /** The tag to put, unless something attached has to come first. */
  readonly tag?: Tag
  /** Blobs that are at the target, as one of its manifests tells. */
  readonly present?: ReadonlySet<string>
}

/** What was found of a node besides its children. */
export interface Found {
  readonly is: "blob" | "manifest" | "missing"
  readonly isPresent: boolean
  /** Fetched only where somebody has to look inside. */
  readonly manifest?: Manifest
}

/** Failures of the way to the target; after any other one the thing counts as absent, and pushing it will tell. */
const unreachable: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "ConnectFailed",
  "DnsFailed",
  "TlsFailed",
  "ConnectionLost",
  "Timeout",
  "RateLimited",
  "RedirectRefused",
  "LayoutInvalid",
  "LayoutLocked",
  "FsPermission",
  "FsIo"
])

const headTarget = (to: ReadonlyRepository, reference: Reference): Effect.Effect<Head | undefined, StoreError> =>
  to.resolve(reference).pipe(
    Effect.catch((error) =>
      unreachable.has(error.reason._tag)
        ? Effect.fail(within("failed to access target registry")(error))
        : Effect.succeed<Head | undefined>(undefined)
    )
  )

const sourceManifest = (from: ReadonlyRepository, reference: Reference, expected?: Descriptor) =>
  Effect.mapError(from.manifest(reference, expected), within("copy failed, error getting source"))

export interface Start {
  readonly lane: Lane
  readonly reference: Reference
  /** Where the target gets it; none: by its digest. */
  readonly tag?: Tag
}

/**
 * The node a copy starts from. An image that is current costs one HEAD of the target and one of the source; one that
 * is not, one HEAD of the target and one GET of the source.
 */
export const startAt = Effect.fnUntraced(
  function*(
    { from, to }: Ends,
    { lane, reference, tag }: Start,
    options: PlanOptions
  ): Effect.fn.Return<Node, StoreError> {
    const common = { lane, kind: "manifest" as const, depth: 0, ...(tag === undefined ? {} : { tag }) }
    const target = tag !== undefined ? Reference.ByTag({ tag }) : reference._tag === "ByDigest" ? reference : undefined
    const there = target === undefined ? undefined : yield* headTarget(to, target)
    if (there === undefined) {
      const manifest = yield* sourceManifest(from, reference)
      return {
        ...common,
        descriptor: manifest.descriptor,
        state: "absent",
        isFresh: target !== undefined,
        manifest
      }
    }
    const source = reference._tag === "ByDigest"
      ? reference.digest
      : (yield* Effect.mapError(from.resolve(reference), within("copy failed, error getting source"))).descriptor.digest
    if (source === there.descriptor.digest) {
      return { ...common, descriptor: there.descriptor, state: "present", isFresh: false }
    }
    const manifest = yield* sourceManifest(from, Reference.ByDigest({ digest: source }))
    // Files may have been damaged since: in a layout each is looked at (faults L07).
    const present = options.forceRecursive || isFiles(to) || isSameLocation(from.location, to.location)
      ? new Set<string>()
      : yield* blobsBehind(to, there, manifest)
    return { ...common, descriptor: manifest.descriptor, state: "absent", isFresh: false, manifest, present }
  }
)

const isFiles = ({ location }: ReadonlyRepository): boolean => location._tag === "OciLayout"

/** The image that the tag names now shares most blobs with its successor: one GET in place of a HEAD for each. */
const blobsBehind = (
  to: ReadonlyRepository,
  { descriptor }: Head,
  next: Manifest
): Effect.Effect<ReadonlySet<string>> => {
  const isWorthIt = next._tag === "Image" && next.layers.length > 1 && !isIndexType(descriptor.mediaType)
  if (!isWorthIt) return Effect.succeed(new Set())
  return to.manifest(Reference.ByDigest({ digest: descriptor.digest })).pipe(
    Effect.map((old) =>
      new Set(
        old._tag === "Image"
          ? [old.config, ...old.layers.filter((it) => it.urls === undefined)].map((it) => it.digest)
          : []
      )
    ),
    // Only a hint: without it every blob is asked for.
    Effect.catch(() => Effect.succeed(new Set<string>()))
  )
}

/** Looks at one node: whether the target has it, and what is inside where that matters. */
export const look = Effect.fnUntraced(function*(
  node: Node,
  { from, to }: Ends,
  options: PlanOptions
): Effect.fn.Return<Found, StoreError> {
  if (node.kind === "blob") return { is: "blob", isPresent: node.state === "present" }
  const reference = Reference.ByDigest({ digest: node.descriptor.digest })
  const isPresent = node.state === "present" ||
    (node.state === "unknown" && node.kind === "manifest" && (yield* headTarget(to, reference)) !== undefined)
  const looksFurther = !options.fastCheck && (options.digestTags || options.referrers.length > 0)
  const isInside = !isPresent || (options.forceRecursive && !options.fastCheck) ||
    (looksFurther && isIndexType(node.descriptor.mediaType))
  if (!isInside) {
    // What a manifest in a layout names may have been damaged since: its blobs are looked at (faults L07).
    const isSure = node.state === "present" || options.fastCheck || !isFiles(to)
    if (isSure) return { is: "manifest", isPresent }
    const own = yield* Effect.option(to.manifest(reference, node.descriptor))
    if (Option.isSome(own)) return { is: "manifest", isPresent, manifest: own.value }
  }
  if (node.manifest !== undefined) return { is: "manifest", isPresent, manifest: node.manifest }
  return yield* sourceManifest(from, reference, node.descriptor).pipe(
    Effect.map((manifest): Found => ({ is: "manifest", isPresent, manifest })),
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound" || (node.kind === "unknown" && refusals.has(reason._tag)),
      () => Effect.succeed<Found>({ is: node.kind === "unknown" ? "blob" : "missing", isPresent })
    )
  )
})

/** How places say that a digest is no manifest of theirs. */
const refusals: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "HttpStatus",
  "Unsupported",
  "UnsupportedMediaType",
  "ManifestInvalid",
  "SizeLimit"
])
