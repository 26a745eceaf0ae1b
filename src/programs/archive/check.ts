/** Whether all of an image is in its archive, in its size: asked before anything is sent anywhere. */
import { Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { isSizeKnown } from "../../schemas/Descriptor.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { Reference } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { tarInvalid } from "../../services/tarReader.ts"
import { childrenOf, isDigestTagOf, listDigestTags } from "../graph/edges.ts"

export interface Choice {
  readonly referrers: boolean
  readonly digestTags: boolean
}

export interface Checked {
  readonly descriptor: Descriptor
  /** Layers that are kept elsewhere by URL are in the archive, too, every one. */
  readonly hasExternal: boolean
}

/** Manifests of one image, and indexes in one another (faults, limits). */
const maxObjects = 100_000
const maxDepth = 32
/** Digests that a failure names. */
const shown = 20

interface Node {
  readonly descriptor: Descriptor
  readonly depth: number
}

/** Fails with TarInvalid, naming what is absent or has another size, and as manifests are read. */
export const checkComplete = Effect.fnUntraced(function*(
  archive: ReadonlyRepository,
  top: Descriptor,
  { digestTags, referrers }: Choice
) {
  const missing = new Set<string>()
  /** Of the blobs found. */
  const sizes = new Map<string, number>()
  /** Manifests. */
  const seen = new Set<string>()
  const waiting: Array<Node> = [{ descriptor: top, depth: 0 }]
  const tags = digestTags ? yield* listDigestTags(archive) : []
  let hasExternal = true

  const blob = Effect.fnUntraced(function*(descriptor: Descriptor) {
    const size = sizes.get(descriptor.digest) ?? (yield* sizeOf(archive, descriptor))
    if (size === undefined) return false
    sizes.set(descriptor.digest, size)
    if (isSizeKnown(descriptor) && size !== descriptor.size) return yield* wrongSize(descriptor, size)
    return true
  })

  const inside = Effect.fnUntraced(function*(manifest: Manifest, depth: number) {
    const choice = { includeExternal: true, platforms: [] }
    for (const { descriptor, kind } of childrenOf(manifest, choice)) {
      if (kind === "manifest") waiting.push({ descriptor, depth: depth + 1 })
      else if (yield* blob(descriptor)) continue
      else if (descriptor.urls !== undefined && descriptor.urls.length > 0) hasExternal = false
      else missing.add(descriptor.digest)
    }
    const { descriptor } = manifest
    if (referrers) {
      const found = yield* archive.referrers(descriptor)
      for (const descriptor of found.descriptors) waiting.push({ descriptor, depth: 0 })
    }
    for (const tag of tags.filter(isDigestTagOf(descriptor.digest))) {
      waiting.push({ descriptor: (yield* archive.resolve(Reference.ByTag({ tag }))).descriptor, depth: 0 })
    }
  })

  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const { depth, descriptor } = node
    if (seen.has(descriptor.digest)) continue
    seen.add(descriptor.digest)
    if (seen.size + sizes.size > maxObjects)
      return yield* storeError("", "SizeLimit", `more than ${maxObjects} objects in one image`)
    if (depth > maxDepth) return yield* storeError("", "DepthLimit", `more than ${maxDepth} indexes in one another`)
    const manifest = yield* manifestOf(archive, descriptor)
    if (manifest === undefined) missing.add(descriptor.digest)
    else yield* inside(manifest, depth)
  }
  if (missing.size > 0) return yield* incomplete([...missing].toSorted())
  const checked: Checked = { descriptor: top, hasExternal }
  return checked
})

const absent = () => Effect.succeed(undefined)

const sizeOf = (archive: ReadonlyRepository, blob: Descriptor): Effect.Effect<number | undefined, StoreError> =>
  archive.headBlob(blob).pipe(
    Effect.map(({ descriptor }) => descriptor.size),
    Effect.catchReason("StoreError", "NotFound", absent)
  )

/** Verified, and `undefined` where the archive has none. */
const manifestOf = (
  archive: ReadonlyRepository,
  descriptor: Descriptor
): Effect.Effect<Manifest | undefined, StoreError> => {
  const expected = descriptor.mediaType === "" || descriptor.size === 0 ? undefined : descriptor
  return Effect.catchReason(
    archive.manifest(Reference.ByDigest({ digest: descriptor.digest }), expected),
    "StoreError",
    "NotFound",
    absent
  )
}

const wrongSize = ({ digest, size }: Descriptor, found: number): StoreError =>
  tarInvalid(`${digest} has ${found} bytes, and should have ${size}`)

const incomplete = (digests: ReadonlyArray<string>): StoreError => {
  const rest = digests.length > shown ? `, and ${digests.length - shown} more` : ""
  const list = digests.slice(0, shown).join(", ")
  return storeError("", "TarInvalid", `unable to read all files from tar: not found: ${list}${rest}`)
}
