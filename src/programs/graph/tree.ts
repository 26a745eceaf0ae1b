/**
 * A manifest with all that hangs on it: children of an index, referrers, tags named after its digest, each with theirs.
 * What was found before a failure is kept, in the order of the tree whatever came first.
 */
import { Effect, Result, Stream } from "effect"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { isBlobType } from "../../schemas/MediaType.ts"
import { commonName, locationName, type Ref, referenceOf, type Tag } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { isDigestTagOf, listDigestTags } from "./edges.ts"
import { byDigest, listReferrers, type Wanted } from "./referrers.ts"

export interface TreeNode {
  readonly ref: Ref
  readonly digest: Digest
  /** Absent for a blob that an index lists. */
  readonly manifest?: Manifest
  readonly platform?: Platform
  readonly artifactType?: string
  readonly children: ReadonlyArray<TreeNode>
  readonly referrers: ReadonlyArray<TreeNode>
}

/** As far as it was walked; a failure ended it. */
export interface Walked {
  readonly node?: TreeNode
  readonly failure?: StoreError
}

export interface TreeOptions {
  readonly wanted: Wanted
  readonly digestTags: boolean
  /** Where referrers are listed, and live, when not beside their subject. */
  readonly external?: Place
}

export interface Place {
  readonly ref: Ref
  readonly repository: ReadonlyRepository
}

/** A place in the tree that has not been looked at. */
interface Spot extends Place {
  readonly descriptor?: Descriptor
  /** What its parent says of it. */
  readonly told?: Pick<TreeNode, "platform" | "artifactType">
}

interface Attached {
  readonly spots: ReadonlyArray<Spot>
  readonly failure?: StoreError
}

/** Nodes of one tree, and how many may stand above one another (faults, limits). */
const maxNodes = 100_000
const maxDepth = 100
/** Children of one node walked at once. */
const siblings = 8

/** Asked once for each key, however many nodes want to know. */
const asked = <A>() => {
  const known = new Map<string, Effect.Effect<A, StoreError>>()
  return (key: string, ask: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.suspend(() => {
      const found = known.get(key)
      if (found !== undefined) return found
      return Effect.flatMap(Effect.cached(ask), (cached) => {
        known.set(key, cached)
        return cached
      })
    })
}

/** Walks a tree from its root, depth first; nothing behind the first failure is part of the result. */
export const walkTree = (root: Place, { digestTags, external, wanted }: TreeOptions): Effect.Effect<Walked> => {
  let count = 0
  const [manifestOnce, referrersOnce, tagsOnce] = [
    asked<Manifest>(),
    asked<{ readonly descriptors: ReadonlyArray<Descriptor>; readonly tag?: Tag }>(),
    asked<ReadonlyArray<Tag>>()
  ]

  const manifestOf = ({ descriptor, ref, repository }: Spot) =>
    manifestOnce(commonName(ref), repository.manifest(referenceOf(ref), descriptor))

  const attachedTo = Effect.fnUntraced(function*(spot: Spot, descriptor: Descriptor) {
    const { ref, repository } = spot
    const from = external ?? spot
    const key = `${locationName(from.ref.location)}@${descriptor.digest}`
    const found = yield* referrersOnce(key, listReferrers(from.repository, descriptor, wanted))
    const spots = found.descriptors.map((it): Spot => ({
      ...from,
      ref: byDigest(from.ref, it.digest),
      descriptor: it,
      told: it.artifactType === undefined ? {} : { artifactType: it.artifactType }
    }))
    if (!digestTags) return { spots } satisfies Attached
    const tags = yield* Effect.result(tagsOnce(locationName(ref.location), listDigestTags(repository)))
    if (Result.isFailure(tags)) return { spots, failure: tags.failure } satisfies Attached
    const own = tags.success.filter((tag) => isDigestTagOf(descriptor.digest)(tag) && tag !== found.tag)
    const tagged = own.map((tag): Spot => ({
      repository,
      ref: { text: commonName({ location: ref.location, tag }), location: ref.location, tag }
    }))
    return { spots: [...spots, ...tagged] } satisfies Attached
  })

  const walkAll = (spots: ReadonlyArray<Spot>, above: ReadonlySet<Digest>) =>
    Stream.fromIterable(spots).pipe(
      Stream.mapEffect((spot) => walk(spot, above), { concurrency: siblings }),
      Stream.takeUntil(({ failure }) => failure !== undefined),
      Stream.runCollect,
      Effect.map((walked) => {
        const failure = walked.at(-1)?.failure
        return {
          nodes: walked.flatMap(({ node }) => node === undefined ? [] : [node]),
          ...(failure === undefined ? {} : { failure })
        }
      })
    )

  const walk = (spot: Spot, above: ReadonlySet<Digest>): Effect.Effect<Walked> =>
    Effect.gen(function*() {
      if (++count > maxNodes) return { failure: storeError("", "SizeLimit", `more than ${maxNodes} nodes in one tree`) }
      if (above.size > maxDepth) {
        return { failure: storeError("", "DepthLimit", `more than ${maxDepth} manifests above one another`) }
      }
      const { ref, told = {} } = spot
      const bare = { ref, ...told, children: [], referrers: [] }
      if (spot.descriptor !== undefined && isBlobType(spot.descriptor.mediaType)) {
        return { node: { ...bare, digest: spot.descriptor.digest } }
      }
      const read = yield* Effect.result(manifestOf(spot))
      if (Result.isFailure(read)) return { failure: read.failure }
      const manifest = read.success
      const { digest } = manifest.descriptor
      const node: TreeNode = { ...bare, digest, manifest }
      if (above.has(digest)) {
        return {
          node,
          failure: storeError("", "LoopDetected", `loop encountered, already processed ${digest}`)
        }
      }
      const within = new Set(above).add(digest)
      // First, since one question tells for all children how the registry lists referrers.
      const attached = yield* Effect.result(attachedTo(spot, manifest.descriptor))
      const children = yield* walkAll(childrenOf(spot, manifest), within)
      if (children.failure !== undefined) {
        return { node: { ...node, children: children.nodes }, failure: children.failure }
      }
      if (Result.isFailure(attached)) {
        return { node: { ...node, children: children.nodes }, failure: attached.failure }
      }
      const { spots, failure: unlisted } = attached.success
      const referrers = yield* walkAll(spots, within)
      const failure = referrers.failure ?? unlisted
      return {
        node: { ...node, children: children.nodes, referrers: referrers.nodes },
        ...(failure === undefined ? {} : { failure })
      }
    })

  return walk(root, new Set())
}

const childrenOf = (spot: Spot, manifest: Manifest): ReadonlyArray<Spot> =>
  manifest._tag !== "Index" ? [] : manifest.manifests.map((descriptor) => ({
    repository: spot.repository,
    ref: byDigest(spot.ref, descriptor.digest),
    descriptor,
    told: {
      ...(descriptor.platform === undefined ? {} : { platform: descriptor.platform }),
      ...(descriptor.artifactType === undefined ? {} : { artifactType: descriptor.artifactType })
    }
  }))
