/** A copy as data: the steps of its plan and the events of its execution. */
import { Data } from "effect"
import type { Descriptor } from "./Descriptor.ts"
import type { Manifest } from "./Manifest.ts"
import type { Tag } from "./Ref.ts"

/** Referrers may come from and go to other repositories than the content. */
export type Lane = "content" | "referrers"

interface Common {
  readonly id: string
  readonly lane: Lane
  readonly descriptor: Descriptor
  /** The steps that come first; in a plan they stand earlier. */
  readonly needs: ReadonlyArray<string>
}

export type CopyStep = Data.TaggedEnum<{
  /** `isKnownAbsent`: the target cannot have it, so that a small blob is sent without a question. */
  Blob: Common & { readonly isKnownAbsent: boolean }
  Manifest: Common & { readonly manifest: Manifest; readonly tag?: Tag; readonly isChild: boolean }
  Skip: Common
  /** Named by a manifest that is to be copied, and absent at the source. */
  Missing: Common
}>
export const CopyStep = Data.taggedEnum<CopyStep>()

export type How = "copied" | "mounted" | "present" | "skipped"

/** Bytes moved so far: raised at every chunk, sampled by whoever shows it. */
export interface Counter {
  bytes: number
}

export type CopyEvent = Data.TaggedEnum<{
  Planned: { readonly step: CopyStep }
  Started: { readonly step: CopyStep; readonly moved: Counter }
  Finished: { readonly step: CopyStep; readonly how: How }
}>
export const CopyEvent = Data.taggedEnum<CopyEvent>()
