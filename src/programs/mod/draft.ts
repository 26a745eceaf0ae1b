/**
 * What an image is while it is being changed: its manifests as a tree, each with its parts side by side, so that a change
 * sees and edits them together. Drafts are never edited in place.
 */
import type { Effect, FileSystem, Path, Scope } from "effect"
import type { Annotations, Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Algorithm } from "../../schemas/Digest.ts"
import type { ImageConfig } from "../../schemas/ImageConfig.ts"
import type { Artifact, Image, Index, Other, Schema1 } from "../../schemas/Manifest.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { UsageError } from "../../schemas/UsageError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import type { Repositories } from "../../services/Repositories.ts"
import type { EntryChange, TarEntry } from "../../services/tar.ts"

interface Common {
  readonly mediaType: string
  readonly artifactType?: string
  readonly annotations: Annotations
  readonly subject?: Descriptor
  /** The manifest that was asked for. */
  readonly isTop: boolean
  /** Of the digest it gets when it is pushed; none: that of its origin. */
  readonly algorithm?: Algorithm
  /** Loaded as a referrer: no option changes it or what is below it, it follows its subject. */
  readonly isFollower?: true
  /** Manifests whose subject this is: they follow it to its new digest. */
  readonly referrers: ReadonlyArray<Draft>
}

export interface LayerDraft {
  /** As the manifest names it, or will once the phase of layers is done. */
  readonly descriptor: Descriptor
  /** Of the uncompressed tar, as the configuration has it; none where there is no image configuration. */
  readonly diffId?: string
  /** Position among the layers that came; none for one that was added. */
  readonly received?: number
  /** Bytes of a layer that is new; none: the source has it. To be run as often as needed. */
  readonly content?: Bytes
  /** Made of all layers of the image: it is none of its base. */
  readonly isSquashed?: true
}

export interface ImageDraft extends Common {
  readonly _tag: "Image"
  readonly origin: Image
  readonly layers: ReadonlyArray<LayerDraft>
  readonly config: {
    readonly descriptor: Descriptor
    /**
     * Of an image, not of an artifact. Who adds or removes a layer changes its `history` in the same step; `rootfs` is
     * made from the layers when the image is pushed.
     */
    readonly document?: ImageConfig
    /** The document as it came: its bytes stay while it is the same. */
    readonly received?: ImageConfig
  }
}

export interface Entry {
  /** As the index names it; media type, digest and size are those of the draft once it is pushed. */
  readonly descriptor: Descriptor
  /** None for what is no manifest, or is not there (a sparse index): it stays as it is. */
  readonly draft?: Draft
}

export interface IndexDraft extends Common {
  readonly _tag: "Index"
  readonly origin: Index
  readonly entries: ReadonlyArray<Entry>
}

/** A manifest that can be copied, not changed: docker's schema 1, the withdrawn artifact manifest, unknown types. */
export interface FixedDraft extends Common {
  readonly _tag: "Fixed"
  readonly origin: Artifact | Schema1 | Other
}

export type Draft = ImageDraft | IndexDraft | FixedDraft

/** A draft and all below it in the order of entries, each once however often it is named; referrers left out. */
export const draftsOf = (top: Draft): ReadonlySet<Draft> => {
  const found = new Set<Draft>()
  const visit = (draft: Draft): void => {
    if (found.has(draft)) return
    found.add(draft)
    if (draft._tag !== "Index") return
    for (const entry of draft.entries) if (entry.draft !== undefined) visit(entry.draft)
  }
  visit(top)
  return found
}

export type ChangeError = StoreError | UsageError

/** What a change may use: other images, files, until the end of the run. */
export type ChangeNeeds = Repositories | FileSystem.FileSystem | Path.Path | Scope.Scope

type Changed<A> = Effect.Effect<A, ChangeError, ChangeNeeds>

/** A layer at work in the third phase. */
export interface LayerAt {
  readonly layer: LayerDraft
  /** Position among the image's layers as they are now. */
  readonly position: number
  readonly image: ImageDraft
}

/** One option of `image mod`, in the order of the command line within each phase (library description, 17.2). */
export interface Change {
  /** Once before the first phase, with the whole tree: data that has to be there before anything is changed. */
  readonly prepare?: (top: Draft) => Changed<void>
  /** Once before it first acts, with the tree as the options before it left it: what it looks up in the images. */
  readonly begin?: (top: Draft) => Changed<void>
  /** First phase: each manifest, children before their parents; referrers that an option made before their subjects. */
  readonly manifest?: (draft: Draft) => Changed<Draft>
  /** Second phase: each image's configuration. */
  readonly config?: (document: ImageConfig, image: ImageDraft) => Changed<ImageConfig>
  /** Between the second and the third phase: all layers of an image become one. */
  readonly squash?: true
  /** Third phase: the layers that hold a tar, have no `urls` and are still there. */
  readonly layer?: LayerChange
  /** Fourth phase: descriptors of up to so many bytes carry their content, larger ones do not. */
  readonly dataMax?: number
}

export type LayerChange =
  /** The form the layer is stored in. */
  | { readonly _tag: "Compress"; readonly to: "gzip" | "zstd" | "none" }
  | { readonly _tag: "Digest"; readonly algorithm: Algorithm }
  /** Its files, one by one; which layers it means is asked first. */
  | {
    readonly _tag: "Files"
    readonly isMeant: (at: LayerAt) => Changed<boolean>
    readonly file: (entry: TarEntry) => Effect.Effect<EntryChange, StoreError>
  }

/** Images that a platform prefix such as `[linux/amd64,linux/arm64]` means; `all` for `[*]`, none without a prefix. */
export type Scoped = "all" | ReadonlyArray<Platform> | undefined
