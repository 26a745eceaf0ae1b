/**
 * A dry run: reads pass, every write is recorded, remembered for later reads, and not done (architecture, 4.8).
 *
 * It believes what descriptors say: content on its way from one store to another is not read, a manifest is taken
 * without a look at what it names, and where a mount could work it works. What a registry without an API for referrers
 * needs for its lists is neither counted nor shown as a tag; nor is a layout swept.
 */
import { Context, Effect, Scope, Stream } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Manifest, maxPush, maxRead } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { commonName, isSameStore, Location, locationName, type Ref, Reference } from "../../schemas/Ref.ts"
import { referrer } from "../../schemas/Referrers.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { fromPump, pumpOf, type Stored, storedOf } from "../Bytes.ts"
import type { Client } from "../Clients.ts"
import { Journal, type Write } from "../Journal.ts"
import { Registry, WillWrite } from "../Registry.ts"
import { Repositories } from "../Repositories.ts"
import type { Repository } from "../Repository.ts"
import { checked } from "./checked.ts"
import { changed } from "./dryRun/lists.ts"
import { type Kept, makeMemory, type Memory, type Place } from "./dryRun/memory.ts"
import { reads } from "./dryRun/reads.ts"

/**
 * A client that writes nothing: its repositories share one memory, which ends with the scope, and its catalogs list the
 * repositories that would be there. Fails as the real places do.
 */
export const dryClient = Effect.fnUntraced(function*(client: Context.Context<Client>) {
  const memory = yield* makeMemory
  const registry = Context.get(client, Registry)
  const repositories = yield* remembering(Context.get(client, Repositories), memory)
  return client.pipe(
    Context.add(Repositories, repositories),
    Context.add(Registry, {
      ping: registry.ping,
      open: (at) => repositories.open(Location.Registry(at)),
      list: (name, page = {}) =>
        Stream.suspend(() => {
          const added = memory.repositoriesAt(name)
          return added.size === 0 ? registry.list(name, page) : changed((it) => registry.list(name, it), {
            added,
            isThere: () => Effect.succeed(true),
            gone: 0,
            isMade: false,
            bodyOf: (names) => Buffer.from(JSON.stringify({ repositories: names }))
          }, page)
        })
    })
  )
})

/** The repositories of such a client. */
export const dryRepositories = (real: Repositories["Service"]) =>
  Effect.flatMap(makeMemory, (memory) => remembering(real, memory))

const remembering = Effect.fnUntraced(function*(real: Repositories["Service"], memory: Memory) {
  const scope = yield* Effect.scope
  const held = new Set<string>()
  /** What is compressed is unpacked for as long as it is open. */
  const holding = (location: Location): Stored["hold"] =>
    Effect.suspend(() => {
      const name = locationName(location)
      if (location._tag !== "Archive" || held.has(name)) return Effect.void
      held.add(name)
      return real.open(location).pipe(
        Scope.provide(scope),
        Effect.provideService(WillWrite, false),
        Effect.onError(() => Effect.sync(() => held.delete(name))),
        Effect.asVoid
      )
    })
  return {
    open: Effect.fnUntraced(function*(location: Location) {
      // A layout would be told that somebody is about to write.
      const repository = yield* location._tag === "OciLayout"
        ? Effect.provideService(real.open(location), WillWrite, false)
        : real.open(location)
      const place = yield* memory.placeAt(location)
      const readable = reads(repository, place, holding(location))
      // What only refuses to be written may do so itself.
      if (location._tag === "Archive") return { ...repository, ...readable }
      return { ...readable, ...writes(readable, place, { real, memory }) }
    })
  } satisfies Repositories["Service"]
})

interface World {
  readonly real: Repositories["Service"]
  readonly memory: Memory
}

type Writes = Omit<Repository, keyof ReturnType<typeof reads>>

const writes = (readable: ReturnType<typeof reads>, place: Place, { memory, real }: World): Writes => {
  const { location } = readable
  const isRegistry = location._tag === "Registry"
  /** Notes a write once it would have been done. */
  const wrote = (
    operation: Write["operation"],
    target: Pick<Ref, "tag" | "digest">,
    { bytes = 0, requests = 0 }: { readonly bytes?: number; readonly requests?: number }
  ) =>
    Effect.andThen(
      memory.countWrite,
      Effect.flatMap(Journal, ({ record }) =>
        record({ operation, target: commonName({ ...target, location }), bytes, requests }))
    )
  const made = Effect.sync(() => {
    place.isMade = true
  })

  return {
    putBlob: Effect.fnUntraced(function*(content, expected) {
      const { digest, ...kept } = yield* memory.keep(content, expected)
      yield* made
      place.blobs.set(digest, kept)
      // Opened, sent; content that nobody described goes in a piece of its own between the two.
      const sending = !isRegistry ? 0 : expected === undefined ? 3 : 2
      const requests = sending + (storedOf(content)?.requests ?? 0)
      yield* wrote("putBlob", { digest }, { bytes: kept.size, requests })
      return expected ?? { mediaType: mediaTypes.octetStream, digest, size: kept.size }
    }),
    mountBlob: Effect.fnUntraced(function*(blob, from) {
      if (!isSameStore(from, location)) return false
      const other = yield* memory.placeAt(from)
      if (other === place) return isRegistry ? false : yield* exists(readable.headBlob(blob))
      const kept = other.blobs.has(blob.digest)
        ? other.blobs.get(blob.digest)
        : yield* mountable(real, from, blob)
      if (kept === undefined) return false
      yield* made
      place.blobs.set(blob.digest, kept)
      yield* wrote("mountBlob", { digest: blob.digest }, { requests: isRegistry ? 1 : 0 })
      return true
    }),
    putManifest: Effect.fnUntraced(function*(manifest, { tag } = {}) {
      const { descriptor, subject } = manifest
      const { digest } = descriptor
      const target = tag === undefined ? { digest } : { tag }
      yield* Effect.mapError(
        Effect.andThen(fits(manifest, isRegistry ? maxPush : maxRead), checked(manifest)),
        within(`failed to put manifest ${commonName({ ...target, location })}`)
      )
      const kept = yield* memory.keepManifest(manifest)
      yield* made
      place.manifests.set(digest, kept)
      if (tag !== undefined) place.tags.set(tag, digest)
      if (subject !== undefined) {
        const list = place.referrers.get(subject.digest) ?? new Map()
        place.referrers.set(subject.digest, list.set(digest, referrer(manifest)))
      }
      yield* wrote("putManifest", target, { bytes: manifest.bytes.length, requests: isRegistry ? 1 : 0 })
      return descriptor
    }),
    deleteBlob: Effect.fnUntraced(function*(blob) {
      const what = `failed to delete blob, digest ${blob.digest}, ref ${locationName(location)}`
      yield* Effect.mapError(readable.headBlob(blob), within(what))
      place.blobs.set(blob.digest, undefined)
      yield* wrote("deleteBlob", { digest: blob.digest }, { requests: isRegistry ? 1 : 0 })
    }),
    deleteManifest: Effect.fnUntraced(function*({ digest }, subject) {
      const what = `failed to delete manifest ${commonName({ location, digest })}`
      yield* Effect.mapError(readable.resolve(Reference.ByDigest({ digest })), within(what))
      place.manifests.set(digest, undefined)
      place.untagged.add(digest)
      for (const [tag, target] of place.tags) if (target === digest) place.tags.set(tag, undefined)
      for (const list of place.referrers.values()) list.delete(digest)
      // Whoever knows the subject asks whether its list is the registry's own affair.
      const requests = !isRegistry ? 0 : subject === undefined ? 1 : 2
      yield* wrote("deleteManifest", { digest }, { requests })
    }),
    deleteTag: Effect.fnUntraced(function*(tag) {
      const what = `failed deleting ${commonName({ location, tag })}`
      yield* Effect.mapError(readable.resolve(Reference.ByTag({ tag })), within(what))
      place.tags.set(tag, undefined)
      yield* wrote("deleteTag", { tag }, { requests: isRegistry ? 1 : 0 })
    })
  }
}

const exists = (look: Effect.Effect<unknown, StoreError>): Effect.Effect<boolean, StoreError> =>
  look.pipe(Effect.as(true), Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(false)))

/** A blob of another place of the store. A layout is looked into, which costs nothing; a registry is not asked. */
const mountable = (
  real: Repositories["Service"],
  from: Location,
  blob: Descriptor
): Effect.Effect<Kept | undefined, StoreError> =>
  Effect.scoped(Effect.gen(function*() {
    const isThere = from._tag === "Registry" || (yield* exists((yield* real.open(from)).headBlob(blob)))
    if (!isThere) return undefined
    const content = fromPump((sink) =>
      Effect.scoped(Effect.flatMap(real.open(from), (repository) => pumpOf(repository.blob(blob))(sink)))
    )
    return { size: blob.size, content }
  }))

const fits = ({ bytes: { length } }: Manifest, limit: number): Effect.Effect<void, StoreError> =>
  length <= limit
    ? Effect.void
    : Effect.fail(storeError("", "SizeLimit", `manifest too large, calculated ${length}, limit ${limit}`))
