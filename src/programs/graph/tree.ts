/**
 * A manifest with all that hangs on it: children of an index, referrers, tags named after its digest, each with theirs.
 * What was found before a failure is kept, in the order of the tree whatever came first.
 */
import { Effect, Fiber, Result } from "effect"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { isBlobType } from "../../schemas/MediaType.ts"
import { atDigest, commonName, locationName, type Ref, referenceOf, type Tag } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { isDigestTagOf, listDigestTags } from "./edges.ts"
import { type Listed, listReferrers, type Wanted } from "./referrers.ts"

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
/** Nodes asked about ahead of the walk. */
const ahead = 8

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

/** What is below a manifest wherever it stands, and how many nodes that makes with the manifest. */
interface Below extends Pick<TreeNode, "children" | "referrers"> {
  readonly size: number
}

/** Walks a tree from its root, depth first; nothing behind the first failure is part of the result. */
export const walkTree = (root: Place, options: TreeOptions): Effect.Effect<Walked> => {
  const { attachedTo, manifestOf } = asking(options)
  /** Walked to the end without a loop, and so without one below any other node. */
  const done = new Map<string, Below>()

  const look = (spot: Spot) =>
    Effect.ignore(Effect.flatMap(manifestOf(spot), ({ descriptor }) => attachedTo(spot, descriptor))) // told by the walk

  const walkAll = Effect.fnUntraced(function*(spots: ReadonlyArray<Spot>, above: ReadonlySet<Digest>) {
    const looking = spots.length < 2
      ? undefined
      : yield* Effect.forkChild(Effect.forEach(spots.filter(isManifest), look, { concurrency: ahead, discard: true }))
    const nodes: Array<TreeNode> = []
    let [size, failure]: [number, StoreError | undefined] = [0, undefined]
    for (const spot of spots) {
      const walked: Sized = yield* walk(spot, above)
      size += walked.size
      failure = size > maxNodes ? tooMany : walked.failure
      if (walked.node !== undefined && size <= maxNodes) nodes.push(walked.node)
      if (failure !== undefined) break
    }
    if (looking !== undefined) yield* Fiber.interrupt(looking)
    return { nodes, size, failure }
  })

  const walk = (spot: Spot, above: ReadonlySet<Digest>): Effect.Effect<Sized> =>
    Effect.gen(function*() {
      if (above.size > maxDepth) return { size: 0, failure: tooDeep }
      const { descriptor, ref, told = {} } = spot
      const bare = { ref, ...told, children: [], referrers: [] }
      if (descriptor !== undefined && !isManifest(spot))
        return { node: { ...bare, digest: descriptor.digest }, size: 1 }
      const read = yield* Effect.result(manifestOf(spot))
      if (Result.isFailure(read))
        return { size: 0, failure: read.failure }
      const manifest = read.success
      const { digest } = manifest.descriptor
      const node: TreeNode = { ...bare, digest, manifest }
      if (above.has(digest)) {
        const loop = storeError("", "LoopDetected", `loop encountered, already processed ${digest}`)
        return { node, size: 1, failure: loop }
      }
      const key = `${locationName(ref.location)}@${digest}`
      const known = done.get(key)
      if (known !== undefined)
        return { node: { ...node, ...known }, size: known.size }
      const { failure, ...below } = yield* walkBelow(spot, manifest, new Set(above).add(digest))
      if (failure === undefined) done.set(key, below)
      return { node: { ...node, ...below }, size: below.size, ...(failure === undefined ? {} : { failure }) }
    })

  const walkBelow = Effect.fnUntraced(function*(spot: Spot, manifest: Manifest, above: ReadonlySet<Digest>) {
    // First, since one question tells for all children how the registry lists referrers.
    const attached = yield* Effect.result(attachedTo(spot, manifest.descriptor))
    const children = yield* walkAll(childrenOf(spot, manifest), above)
    const found = { children: children.nodes, referrers: [], size: 1 + children.size }
    if (children.failure !== undefined) return { ...found, failure: children.failure }
    if (Result.isFailure(attached)) return { ...found, failure: attached.failure }
    const referrers = yield* walkAll(attached.success.spots, above)
    const size = found.size + referrers.size
    const failure = referrers.failure ?? attached.success.failure
    return { children: found.children, referrers: referrers.nodes, size, failure }
  })

  return Effect.map(walk(root, new Set()), ({ failure, node }) => ({
    ...(node === undefined ? {} : { node }),
    ...(failure === undefined ? {} : { failure })
  }))
}

interface Sized extends Walked {
  readonly size: number
}

const tooMany = storeError("", "SizeLimit", `more than ${maxNodes} nodes in one tree`)
const tooDeep = storeError("", "DepthLimit", `more than ${maxDepth} manifests above one another`)

const isManifest = ({ descriptor }: Spot): boolean => descriptor === undefined || !isBlobType(descriptor.mediaType)

/** The questions of a walk, each asked once. */
const asking = ({ digestTags, external, wanted }: TreeOptions) => {
  const [manifestOnce, referrersOnce, tagsOnce] = [asked<Manifest>(), asked<Listed>(), asked<ReadonlyArray<Tag>>()]

  const manifestOf = ({ descriptor, ref, repository }: Spot) =>
    manifestOnce(commonName(ref), repository.manifest(referenceOf(ref), descriptor))

  const attachedTo = Effect.fnUntraced(function*(spot: Spot, descriptor: Descriptor) {
    const { ref, repository } = spot
    const from = external ?? spot
    const key = `${locationName(from.ref.location)}@${descriptor.digest}`
    const found = yield* referrersOnce(key, listReferrers(from.repository, descriptor, wanted))
    const spots = found.descriptors.map((it): Spot => ({
      repository: from.repository,
      ref: atDigest(from.ref, it.digest),
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

  return { manifestOf, attachedTo }
}

const childrenOf = (spot: Spot, manifest: Manifest): ReadonlyArray<Spot> =>
  manifest._tag !== "Index" ? [] : manifest.manifests.map((descriptor) => ({
    repository: spot.repository,
    ref: atDigest(spot.ref, descriptor.digest),
    descriptor,
    told: {
      ...(descriptor.platform === undefined ? {} : { platform: descriptor.platform }),
      ...(descriptor.artifactType === undefined ? {} : { artifactType: descriptor.artifactType })
    }
  }))
