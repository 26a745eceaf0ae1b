/** A repository in memory: for tests, and the plainest statement of what a repository owes. */
import { Effect, Option, Result, Stream } from "effect"
import { computeDigest } from "../../schemas/computeDigest.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { decodeManifest, type Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { isSameLocation, type Location, locationName, Reference, type Tag } from "../../schemas/Ref.ts"
import { referrer } from "../../schemas/Referrers.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { collect, fromBytes, fromPump, pumpOf, verified } from "../Bytes.ts"
import type { Repository } from "../Repository.ts"
import { checked } from "./checked.ts"

/** What one repository holds; shared by every opening of its location. */
interface Content {
  readonly blobs: Map<string, Uint8Array>
  readonly manifests: Map<string, Manifest>
  readonly tags: Map<Tag, Digest>
}

export interface MemoryStore {
  readonly open: (location: Location) => Repository
  readonly locations: () => ReadonlyArray<string>
}

/** Bytes one blob may have here. */
const limit = 1024 * 1024 * 1024

export const memoryStore = (): MemoryStore => {
  const contents = new Map<string, Content>()
  const content = (location: Location): Content => {
    const name = locationName(location)
    const found = contents.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() }
    contents.set(name, found)
    return found
  }
  return { open: (location) => repository(location, content), locations: () => [...contents.keys()].sort() }
}

const repository = (location: Location, contentOf: (location: Location) => Content): Repository => {
  const { blobs, manifests, tags } = contentOf(location)
  const absent = (what: string) =>
    Effect.fail(storeError(`${locationName(location)}`, "NotFound", `not found: ${what}`))
  const find = (reference: Reference): Effect.Effect<Manifest, StoreError> =>
    Effect.suspend(() => {
      const digest = Reference.$match(reference, { ByTag: ({ tag }) => tags.get(tag), ByDigest: (it) => it.digest })
      const found = digest === undefined ? undefined : manifests.get(digest)
      return found === undefined ? absent(JSON.stringify(reference)) : Effect.succeed(found)
    })
  return {
    location,
    resolve: (reference) => Effect.map(find(reference), ({ descriptor, headers }) => ({ descriptor, headers })),
    manifest: (reference, expected) =>
      Option.match(inlined(expected), { onNone: () => find(reference), onSome: Effect.succeed }),
    headBlob: (blob) =>
      Effect.suspend(() => {
        const size = blobs.get(blob.digest)?.length
        return size === undefined ? absent(blob.digest) : Effect.succeed({ descriptor: { ...blob, size }, headers: {} })
      }),
    blob: (blob, part) => {
      const whole = fromPump((sink) =>
        Effect.suspend(() => {
          const found = blobs.get(blob.digest)
          return found === undefined ? absent(blob.digest) : pumpOf(fromBytes(slice(found, part)))(sink)
        })
      )
      return part === undefined ? verified(whole, blob) : whole
    },
    tags: ({ last, limit } = {}) =>
      Stream.suspend(() => {
        const after = [...tags.keys()].sort().filter((tag) => last === undefined || tag > last)
        const names = after.slice(0, limit === undefined || limit === 0 ? after.length : limit)
        return Stream.succeed({ names, body: new TextEncoder().encode(JSON.stringify({ tags: names })), headers: {} })
      }),
    referrers: (subject, filter = {}) =>
      Effect.sync(() => ({
        descriptors: [...manifests.values()]
          .filter((it) => it.subject?.digest === subject.digest)
          .map(referrer)
          .filter(({ artifactType }) => filter.artifactType === undefined || artifactType === filter.artifactType),
        annotations: {}
      })),
    putBlob: (bytes, expected) =>
      Effect.map(collect(expected === undefined ? bytes : verified(bytes, expected), limit), (whole) => {
        const digest = expected?.digest ?? computeDigest("sha256", whole)
        blobs.set(digest, whole)
        return expected ?? { mediaType: mediaTypes.octetStream, digest, size: whole.length }
      }),
    mountBlob: (blob, from) =>
      Effect.sync(() => {
        const found = isSameLocation(from, location) ? undefined : contentOf(from).blobs.get(blob.digest)
        if (found === undefined) return blobs.has(blob.digest)
        blobs.set(blob.digest, found)
        return true
      }),
    putManifest: (manifest, { tag } = {}) =>
      Effect.map(checked(manifest), () => {
        manifests.set(manifest.descriptor.digest, manifest)
        if (tag !== undefined) tags.set(tag, manifest.descriptor.digest)
        return manifest.descriptor
      }),
    deleteBlob: (blob) => Effect.suspend(() => blobs.delete(blob.digest) ? Effect.void : absent(blob.digest)),
    deleteManifest: ({ digest }) =>
      Effect.suspend(() => {
        for (const [tag, target] of tags) if (target === digest) tags.delete(tag)
        return manifests.delete(digest) ? Effect.void : absent(digest)
      }),
    deleteTag: (tag) => Effect.suspend(() => tags.delete(tag) ? Effect.void : absent(tag))
  }
}

/** The manifest that a descriptor carries itself. */
const inlined = (expected?: Descriptor): Option.Option<Manifest> =>
  expected?.data === undefined
    ? Option.none()
    : Result.getSuccess(decodeManifest(Buffer.from(expected.data, "base64"), { ...expected, name: expected.digest }))

const slice = (bytes: Uint8Array, part?: { readonly from: number; readonly to?: number }): Uint8Array =>
  part === undefined ? bytes : bytes.subarray(part.from, part.to === undefined ? bytes.length : part.to + 1)
