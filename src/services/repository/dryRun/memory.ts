/**
 * What a dry run would have written: by place, shared by all who have the place open. Small content is in memory up to
 * a bound, the rest of what has no store of its own in temporary files.
 */
import { Effect, FileSystem, Path, type Scope } from "effect"
import { Recent } from "../../../lib/recent.ts"
import { computeDigest } from "../../../schemas/computeDigest.ts"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import { algorithmOf, type Digest } from "../../../schemas/Digest.ts"
import { decodeManifest, type Manifest, maxRead } from "../../../schemas/Manifest.ts"
import { type Location, locationName, type Tag } from "../../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import { type Bytes, collect, fromBytes, storedOf, verified } from "../../Bytes.ts"
import { diskOf, realPathOf } from "../../ociLayout/disk.ts"
import { scratch, spool } from "../../spool.ts"

/** Content that can be read at any time. */
export interface Kept {
  readonly size: number
  readonly content: Bytes
}

interface Identified extends Kept {
  readonly digest: Digest
}

export interface KeptManifest {
  readonly descriptor: Descriptor
  readonly read: Effect.Effect<Manifest, StoreError>
}

/** One place as it would be: what is not mentioned here is as it really is, `undefined` is what was deleted. */
export interface Place {
  readonly location: Location
  readonly tags: Map<Tag, Digest | undefined>
  readonly manifests: Map<Digest, KeptManifest | undefined>
  readonly blobs: Map<Digest, Kept | undefined>
  /** By subject, then by their own digest. */
  readonly referrers: Map<Digest, Map<Digest, Descriptor>>
  /** Manifests that were deleted: the real tags on them went along, and do not come back with them. */
  readonly untagged: Set<Digest>
  /** Where real tags were found to lead. */
  readonly seen: Recent<Digest>
  /** Something was put: the place would be there. */
  isMade: boolean
}

export interface Memory {
  readonly placeAt: (location: Location) => Effect.Effect<Place, StoreError>
  /** Repositories of a registry where something was put. */
  readonly repositoriesAt: (registry: string) => ReadonlySet<string>
  /** Content from a store is not read, but found there when somebody asks for it; any other is run now. */
  readonly keep: (
    content: Bytes,
    expected?: Descriptor
  ) => Effect.Effect<Identified, StoreError>
  readonly keepManifest: (manifest: Manifest) => Effect.Effect<KeptManifest, StoreError>
  /** Fails with SizeLimit when there is more to remember than anybody would look at. */
  readonly countWrite: Effect.Effect<void, StoreError>
}

/** Bytes of one content in memory, and of all. */
const small = 1024 * 1024
const inMemory = 64 * 1024 * 1024
/** Writes remembered (a few hundred bytes each). */
const maxWrites = 1_000_000
const tagsSeen = 100_000

/** Temporary files end with the scope. */
export const makeMemory: Effect.Effect<Memory, never, FileSystem.FileSystem | Path.Path | Scope.Scope> = Effect.gen(
  function*() {
    const path = yield* Path.Path
    const disk = diskOf(yield* FileSystem.FileSystem)
    const { newFile, remove } = yield* scratch
    const places = new Map<string, Place>()
    /** What is kept here: once, however often it is put. */
    const contents = new Map<Digest, Identified>()
    let used = 0
    let writes = 0

    const once = (found: Identified): Identified => {
      const before = contents.get(found.digest) ?? found
      contents.set(found.digest, before)
      return before
    }

    const nameOf = (location: Location): Effect.Effect<string, StoreError> =>
      location._tag === "OciLayout"
        ? Effect.map(realPathOf(disk, path, path.resolve(location.path)), (real) => `ocidir://${real}`)
        : Effect.succeed(locationName(location))

    const inFile = Effect.fnUntraced(function*(content: Bytes, expected: Descriptor | undefined) {
      const file = yield* newFile
      const algorithm = expected === undefined ? "sha256" : algorithmOf(expected.digest)
      const forget = Effect.ignore(remove(file)) // the first failure is the one to tell
      const spooled = yield* Effect.onError(spool(file, content, algorithm), () => forget)
      if (contents.has(spooled.digest)) yield* forget
      return once(spooled)
    })
    const here = Effect.fnUntraced(function*(content: Bytes, expected: Descriptor | undefined) {
      const room = Math.min(small, inMemory - used)
      const bytes = yield* Effect.catchReason(
        collect(content, room),
        "StoreError",
        "SizeLimit",
        () => Effect.succeed(undefined) // or it fails by itself once more
      )
      if (bytes === undefined) return yield* inFile(content, expected)
      const digest = expected?.digest ?? computeDigest("sha256", bytes)
      if (!contents.has(digest)) used += bytes.length
      return once({ digest, size: bytes.length, content: fromBytes(bytes) })
    })

    const keep: Memory["keep"] = Effect.fnUntraced(function*(content, expected) {
      const store = storedOf(content)
      if (store !== undefined && expected !== undefined) {
        yield* store.hold
        return { digest: expected.digest, size: expected.size, content }
      }
      const checked = expected === undefined ? content : verified(content, expected)
      return yield* expected !== undefined && expected.size > Math.min(small, inMemory - used)
        ? inFile(checked, expected)
        : here(checked, expected)
    })

    return {
      placeAt: (location) =>
        Effect.map(nameOf(location), (name) => {
          const place = places.get(name) ?? emptyPlace(location)
          places.set(name, place)
          return place
        }),
      repositoriesAt: (registry) =>
        new Set(
          [...places.values()].flatMap(({ isMade, location }) =>
            isMade && location._tag === "Registry" && location.registry === registry ? [location.repository] : []
          )
        ),
      keep,
      keepManifest: Effect.fnUntraced(function*({ bytes, descriptor }) {
        // Kept as bytes, which are less than what they say; without the headers of where they were read.
        const { content } = yield* keep(fromBytes(bytes))
        const { digest, mediaType, size } = descriptor
        const read = Effect.flatMap(
          collect(content, maxRead),
          (it) => Effect.fromResult(decodeManifest(it, { name: digest, digest, mediaType, size }))
        )
        return { descriptor: { mediaType, digest, size }, read }
      }),
      countWrite: Effect.suspend(() =>
        ++writes > maxWrites
          ? Effect.fail(storeError("", "SizeLimit", `size limit exceeded: more than ${maxWrites} writes in a dry run`))
          : Effect.void
      )
    }
  }
)

const emptyPlace = (location: Location): Place => ({
  location,
  tags: new Map(),
  manifests: new Map(),
  blobs: new Map(),
  referrers: new Map(),
  untagged: new Set(),
  seen: new Recent(tagsSeen),
  isMade: false
})
