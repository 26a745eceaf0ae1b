/** What goes into an archive of an image: everything below its manifest and, if asked for, what is attached to it. */
import { Effect } from "effect"
import { composeManifest } from "../../schemas/compose.ts"
import { type Descriptor, isSizeKnown } from "../../schemas/Descriptor.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { Reference, type Tag } from "../../schemas/Ref.ts"
import { fallbackTag } from "../../schemas/Referrers.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { checkKnown, childrenOf, isDigestTagOf, listDigestTags } from "../graph/edges.ts"
import { fold } from "../graph/fold.ts"

/** Content with what it is made of, in its order. */
export type Tree =
  | { readonly _tag: "Blob"; readonly descriptor: Descriptor }
  | { readonly _tag: "Manifest"; readonly manifest: Manifest; readonly children: ReadonlyArray<Tree> }

/** A manifest that the archive names, and by which tag. */
export interface Named {
  readonly tree: Tree & { readonly _tag: "Manifest" }
  readonly tag: Tag
}

export interface Collected {
  readonly root: Tree & { readonly _tag: "Manifest" }
  /** Lists of referrers and tags named after digests. */
  readonly attached: ReadonlyArray<Named>
  /** Referrers that the lists name. */
  readonly referrers: ReadonlyArray<Tree>
}

export interface Choice {
  readonly referrers: boolean
  readonly digestTags: boolean
}

/** Limits of one archive (faults, limits). */
const maxObjects = 100_000
const maxDepth = 32

interface Node {
  readonly kind: "manifest" | "blob" | "unknown"
  readonly descriptor: Descriptor
  readonly depth: number
  readonly manifest?: Manifest
}

/** Reads all manifests and no blob. Fails as the repository does, and with SizeLimit or DepthLimit. */
export const collectImage = Effect.fnUntraced(function*(
  repository: ReadonlyRepository,
  top: Manifest,
  choice: Choice
) {
  const walk = walker(repository)
  const root = asManifest(yield* walk(nodeOf(top)))
  const attached: Array<Named> = []
  const referrers: Array<Tree> = []
  const digestTags = yield* Effect.cached(listDigestTags(repository))
  const doneTags = new Set<Tag>()
  const seen = new Set<string>()
  const waiting: Array<Tree> = [root]
  // It grows while it is walked.
  for (const tree of waiting) {
    if (tree._tag === "Blob" || seen.has(tree.manifest.descriptor.digest)) continue
    const { descriptor } = tree.manifest
    seen.add(descriptor.digest)
    for (const child of tree.children) waiting.push(child)
    const list = choice.referrers ? yield* referrerList(repository, descriptor) : undefined
    if (list !== undefined) {
      const trees = yield* Effect.forEach(
        list.manifests,
        (it) => walk({ kind: "manifest", descriptor: it, depth: 0 }),
        { concurrency: 4 }
      )
      attached.push({ tag: fallbackTag(descriptor.digest), tree: { _tag: "Manifest", manifest: list, children: [] } })
      for (const it of trees) {
        referrers.push(it)
        waiting.push(it)
      }
    }
    if (choice.referrers) doneTags.add(fallbackTag(descriptor.digest))
    if (!choice.digestTags) continue
    const isOwn = isDigestTagOf(descriptor.digest)
    for (const tag of (yield* digestTags).filter((it) => isOwn(it) && !doneTags.has(it))) {
      doneTags.add(tag)
      const named = asManifest(yield* walk(nodeOf(yield* repository.manifest(Reference.ByTag({ tag })))))
      attached.push({ tag, tree: named })
      waiting.push(named)
    }
  }
  const collected: Collected = { root, attached, referrers }
  return collected
})

const nodeOf = (manifest: Manifest): Node => ({
  kind: "manifest",
  descriptor: manifest.descriptor,
  depth: 0,
  manifest
})

/** A walk from a manifest ends with one. */
const asManifest = (tree: Tree): Tree & { readonly _tag: "Manifest" } => tree as Tree & { readonly _tag: "Manifest" }

/** The referrers of a manifest as an index, in an order of its own; `undefined` when there are none. */
const referrerList = Effect.fnUntraced(function*(repository: ReadonlyRepository, subject: Descriptor) {
  const { descriptors } = yield* repository.referrers(subject)
  if (descriptors.length === 0) return undefined
  const manifests = descriptors.toSorted((a, b) => a.digest < b.digest ? -1 : 1)
  const list = yield* Effect.fromResult(composeManifest({ mediaType: mediaTypes.ociIndex, manifests }))
  return list._tag === "Index" ? list : undefined
})

const walker = (repository: ReadonlyRepository) => {
  const found = new Map<string, Manifest>()
  let objects = 0
  return fold<Node, Tree, StoreError, never>({
    key: ({ descriptor, kind }) => `${kind === "blob" ? "blob" : "manifest"}:${descriptor.digest}`,
    expand: Effect.fnUntraced(function*({ depth, descriptor, kind, manifest: given }) {
      if (++objects > maxObjects)
        return yield* storeError("", "SizeLimit", `more than ${maxObjects} objects in one archive`)
      if (depth > maxDepth)
        return yield* storeError("", "DepthLimit", `more than ${maxDepth} indexes in one another`)
      if (kind === "blob") return []
      const look = repository.manifest(Reference.ByDigest({ digest: descriptor.digest }), descriptor)
      // What is of a type nobody knows may be a blob.
      const manifest = given ?? (yield* kind === "manifest" ? look : Effect.orElseSucceed(look, () => undefined))
      if (manifest === undefined) return []
      yield* checkKnown(manifest)
      found.set(descriptor.digest, manifest)
      return childrenOf(manifest, { includeExternal: true, platforms: [] }).map((child): Node => ({
        ...child,
        depth: depth + 1
      }))
    }),
    visit: Effect.fnUntraced(function*({ descriptor, kind }, children) {
      const manifest = kind === "blob" ? undefined : found.get(descriptor.digest)
      if (manifest !== undefined) return { _tag: "Manifest", manifest, children } satisfies Tree
      // Docker schema 1 names layers without sizes.
      const sized = isSizeKnown(descriptor) ? descriptor : (yield* repository.headBlob(descriptor)).descriptor
      return { _tag: "Blob", descriptor: sized } satisfies Tree
    })
  })
}
