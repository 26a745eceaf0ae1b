/** What a copy has to do, as a stream of steps in dependency order, found while the graph is still being walked. */
import { Effect, Queue, Stream } from "effect"
import { CopyStep, type Lane } from "../../schemas/Copy.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { isSameLocation, Reference, type Tag } from "../../schemas/Ref.ts"
import { fallbackTag, isMatch, type ReferrerFilter } from "../../schemas/Referrers.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { checkKnown, childrenOf, type Choice, isDigestTagOf, listDigestTags } from "../graph/edges.ts"
import { fold } from "../graph/fold.ts"
import { type Found, look, type Node, startAt } from "./look.ts"

export interface PlanOptions extends Choice {
  /** What the target has already is complete: no look at what is attached to it. Beats `forceRecursive`. */
  readonly fastCheck: boolean
  /** Look at every manifest and blob below, and push manifests again. */
  readonly forceRecursive: boolean
  /** Which referrers go along: those that some filter lets through; no filter, no referrers. */
  readonly referrers: ReadonlyArray<ReferrerFilter>
  /** In a layout: look for the subject in every manifest. */
  readonly referrersSlow?: boolean
  /** Tags named after a copied digest go along. */
  readonly digestTags: boolean
  /** All tags of the source that could be named after a digest, for who knows them; asked for otherwise. */
  readonly knownDigestTags?: ReadonlyArray<Tag>
}

export interface Ends<To extends ReadonlyRepository = ReadonlyRepository> {
  readonly from: ReadonlyRepository
  readonly to: To
}

export interface PlanRequest {
  readonly ends: Readonly<Record<Lane, Ends>>
  readonly source: Reference
  /** None: the target gets the manifest by digest only. */
  readonly tag?: Tag
  /** Another manifest is to name it: without a tag, a layout gives it no entry of its own. */
  readonly isChild?: boolean
  readonly options: PlanOptions
}

/** Something attached to a manifest: a root of its own, because relations can loop. */
type Relation =
  | { readonly lane: Lane; readonly referrer: Descriptor }
  | { readonly lane: Lane; readonly tag: Tag }

/** Limits of one copy (faults, limits). */
const maxObjects = 100_000
const maxDepth = 32
/** Bytes up to which sending a blob costs no more than asking whether it is there. */
const smallBlob = 1024 * 1024

/** Reads both sides, writes neither. Steps in dependency order; the asked-for tag comes last. */
export const plan = (request: PlanRequest): Stream.Stream<CopyStep, StoreError> =>
  Stream.callback<CopyStep, StoreError>(
    (queue) => Queue.into(walkAll(request, (step) => Effect.asVoid(Queue.offer(queue, step))), queue),
    { bufferSize: 64 }
  )

const walkAll = Effect.fnUntraced(function*(
  { ends, isChild = false, options, source, tag }: PlanRequest,
  emit: (step: CopyStep) => Effect.Effect<void>
) {
  const found = new Map<Node, Found>()
  const relations: Array<Relation> = []
  const tagged: Array<CopyStep & { readonly _tag: "Manifest" }> = []
  const doneTags = new Set<Tag>()
  const relationsOf = yield* relationFinder(ends, options)

  const walk = fold<Node, string, StoreError, never>({
    key: idOf,
    expand: Effect.fnUntraced(function*(node) {
      if (found.size >= maxObjects)
        return yield* storeError("", "SizeLimit", `more than ${maxObjects} objects in one copy`)
      if (node.depth > maxDepth)
        return yield* storeError("", "DepthLimit", `more than ${maxDepth} indexes in one another`)
      const it = yield* look(node, ends[node.lane], options)
      found.set(node, it)
      if (it.manifest === undefined || isWithin(ends[node.lane])) return []
      yield* checkKnown(it.manifest)
      return childrenOf(it.manifest, options).map((child): Node => ({
        ...child,
        lane: node.lane,
        depth: node.depth + 1,
        isFresh: node.isFresh,
        state: node.present?.has(child.descriptor.digest) === true ? "present" : "unknown"
      }))
    }),
    visit: Effect.fnUntraced(function*(node, needs) {
      const it = found.get(node) ?? { is: "blob", isPresent: false }
      const common = { id: idOf(node), lane: node.lane, descriptor: node.descriptor, needs }
      if (it.is === "missing") yield* emit(CopyStep.Missing(common))
      else if (it.is === "blob") {
        const isKnownAbsent = node.isFresh && node.descriptor.size <= smallBlob
        yield* emit(it.isPresent ? CopyStep.Skip(common) : CopyStep.Blob({ ...common, isKnownAbsent }))
      } else {
        const attached = yield* relationsOf(node, it.isPresent)
        for (const relation of attached) relations.push(relation)
        yield* emit(manifestStep(node, it, common, attached.length > 0))
      }
      return common.id
    })
  })

  const manifestStep = (node: Node, { isPresent, manifest }: Found, common: Common, isAwaited: boolean): CopyStep => {
    const isPushed = !isPresent || (options.forceRecursive && !options.fastCheck)
    if (!isPushed || manifest === undefined) return CopyStep.Skip(common)
    if (node.tag === undefined || isAwaited) {
      return CopyStep.Manifest({
        ...common,
        manifest,
        isChild: isChild || node.tag !== undefined || node.depth > 0 || node !== root
      })
    }
    doneTags.add(node.tag)
    return CopyStep.Manifest({ ...common, manifest, tag: node.tag, isChild: false })
  }

  /** Walks a root; a tag that could not be put with its manifest is put at the end. */
  const follow = Effect.fnUntraced(function*(node: Node) {
    const id = yield* walk(node)
    const manifest = node.manifest ?? found.get(node)?.manifest
    if (node.tag === undefined || manifest === undefined || doneTags.has(node.tag)) return id
    const { descriptor, lane, tag } = node
    tagged.push(CopyStep.Manifest({ id: `${id}:${tag}`, lane, descriptor, needs: [id], manifest, tag, isChild: false }))
    return id
  })

  const root = yield* startAt(ends.content, {
    lane: "content",
    reference: source,
    ...(tag === undefined ? {} : { tag })
  }, options)
  yield* follow(root)
  const walked: Array<string> = []
  for (let relation = relations.shift(); relation !== undefined; relation = relations.shift()) {
    walked.push(yield* follow(yield* nodeOf(relation, ends, options)))
  }
  // The root was found first: its tag goes last, when everything attached is there.
  for (const step of tagged.toReversed()) {
    yield* emit(CopyStep.Manifest({ ...step, needs: [...step.needs, ...walked] }))
  }
})

type Common = Parameters<typeof CopyStep.Skip>[0]

const nodeOf = (
  relation: Relation,
  ends: PlanRequest["ends"],
  options: PlanOptions
): Effect.Effect<Node, StoreError> => {
  const { lane } = relation
  if ("tag" in relation) {
    const { tag } = relation
    return startAt(ends[lane], { lane, reference: Reference.ByTag({ tag }), tag }, options)
  }
  const descriptor = relation.referrer
  return Effect.succeed({ lane, kind: "manifest", descriptor, depth: 0, state: "unknown", isFresh: false })
}

/** Finds what is attached to a manifest: referrers, and tags named after its digest. */
const relationFinder = Effect.fnUntraced(function*(ends: PlanRequest["ends"], options: PlanOptions) {
  const { knownDigestTags } = options
  const digestTags = knownDigestTags === undefined
    ? yield* Effect.cached(listDigestTags(ends.content.from))
    : Effect.succeed(knownDigestTags)
  const isOneLane = isSameLocation(ends.content.from.location, ends.referrers.from.location) &&
    isSameLocation(ends.content.to.location, ends.referrers.to.location)
  const lane: Lane = isOneLane ? "content" : "referrers"

  return Effect.fnUntraced(function*(node: Node, isPresent: boolean) {
    if ((options.fastCheck && isPresent) || isWithin(ends[node.lane])) return []
    const attached: Array<Relation> = []
    if (options.referrers.length > 0) {
      const { descriptors } = yield* ends.referrers.from.referrers(node.descriptor, queryOf(options))
      const isWanted = (it: Descriptor) => options.referrers.some((filter) => isMatch(filter)(it))
      for (const referrer of descriptors.filter(isWanted)) attached.push({ lane, referrer })
    }
    if (options.digestTags && node.lane === "content") {
      const isOwn = isDigestTagOf(node.descriptor.digest)
      const covered = options.referrers.length > 0 ? fallbackTag(node.descriptor.digest) : undefined
      const tags = (yield* digestTags).filter((it) => isOwn(it) && it !== covered)
      for (const tag of tags) attached.push({ lane: "content", tag })
    }
    return attached
  })
})

/** Both ends are one repository: only names change. */
const isWithin = ({ from, to }: Ends): boolean => isSameLocation(from.location, to.location)

const idOf = ({ descriptor, kind, lane }: Node): string =>
  `${lane}:${kind === "blob" ? "blob" : "manifest"}:${descriptor.digest}`

/** A single type asked for can be asked of the server. */
const queryOf = ({ referrers, referrersSlow }: PlanOptions) => {
  const [first] = referrers
  return {
    ...(referrers.length === 1 && first?.artifactType !== undefined ? { artifactType: first.artifactType } : {}),
    ...(referrersSlow === true ? { slow: true } : {})
  }
}
