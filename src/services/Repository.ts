/**
 * The algebra of a content store: one repository of blobs, manifests and tags.
 *
 * Registry, OCI layout directory, tar archive, memory and the embedded server's
 * backend all give this interface, so a program never asks what it talks to.
 */
import type { Effect, Stream } from "effect"
import type { Annotations, Descriptor } from "../schemas/Descriptor.ts"
import type { Headers, Index, Manifest } from "../schemas/Manifest.ts"
import type { Location, Reference, Tag } from "../schemas/Ref.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Bytes } from "./Bytes.ts"

/** What a place says of content without sending it; places without headers give none. */
export interface Head {
  readonly descriptor: Descriptor
  readonly headers: Headers
}

/** One answer of a listing: its names, and the answer itself for those who print it raw. */
export interface Page {
  readonly names: ReadonlyArray<string>
  readonly body: Uint8Array
  readonly headers: Headers
  /** Where a registry was asked for it. */
  readonly url?: URL
  /** How many names were left out, since no reference could hold them. */
  readonly skipped?: number
}

export interface PageRequest {
  /** Names after this one. */
  readonly last?: string
  /** Stop once this many names came. */
  readonly limit?: number
}

export interface Referrers {
  readonly descriptors: ReadonlyArray<Descriptor>
  /** Of the index that lists them. */
  readonly annotations: Annotations
  /** The fallback tag that was read, where there is no API and somebody made one. */
  readonly tag?: Tag
  /** The index below that tag, where all that is listed comes from it. */
  readonly received?: Index
}

export interface ReadonlyRepository {
  readonly location: Location

  /** Looks up a manifest without its body. Fails with `NotFound` when absent. */
  readonly resolve: (reference: Reference) => Effect.Effect<Head, StoreError>
  /** The descriptor, when the reader has it, tells type and size to expect; its `data` is used in place of a request. */
  readonly manifest: (reference: Reference, expected?: Descriptor) => Effect.Effect<Manifest, StoreError>

  /** Looks up a blob. Fails with `NotFound` when absent. The descriptor given back has the size found. */
  readonly headBlob: (blob: Descriptor) => Effect.Effect<Head, StoreError>
  /** A whole blob is checked against size and digest, a part of one is not. Running it again reads again. */
  readonly blob: (blob: Descriptor, part?: { readonly from: number; readonly to?: number }) => Bytes

  /** Pages are asked for as the stream is pulled. */
  readonly tags: (page?: PageRequest) => Stream.Stream<Page, StoreError>
  readonly referrers: (
    subject: Descriptor,
    filter?: { readonly artifactType?: string; readonly slow?: boolean }
  ) => Effect.Effect<Referrers, StoreError>
}

export interface PutManifest {
  /** None: by digest only. */
  readonly tag?: Tag
  /** Reached through another manifest: a layout gives it no entry in `index.json`. */
  readonly isChild?: boolean
}

export interface Repository extends ReadonlyRepository {
  /** Without `expected`, digest and size are found on the way. The content may be run twice: once a try. */
  readonly putBlob: (content: Bytes, expected?: Descriptor) => Effect.Effect<Descriptor, StoreError>
  /** A copy inside the store: mount in a registry, clone of a file. `false` when it cannot: send the bytes instead. */
  readonly mountBlob: (blob: Descriptor, from: Location) => Effect.Effect<boolean, StoreError>
  /** The bytes as they are; a subject's list of referrers is kept up to date where the place has none of its own. */
  readonly putManifest: (manifest: Manifest, how?: PutManifest) => Effect.Effect<Descriptor, StoreError>
  readonly deleteBlob: (blob: Descriptor) => Effect.Effect<void, StoreError>
  /** With a subject, the manifest leaves that subject's list of referrers too. All tags on it vanish. */
  readonly deleteManifest: (manifest: Descriptor, subject?: Descriptor) => Effect.Effect<void, StoreError>
  /** Other tags of the same manifest stay. */
  readonly deleteTag: (tag: Tag) => Effect.Effect<void, StoreError>
}
