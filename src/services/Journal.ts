/** Hears of what a dry run would have written. */
import { Context, Effect } from "effect"

export interface Write {
  readonly operation: "putBlob" | "mountBlob" | "putManifest" | "deleteBlob" | "deleteManifest" | "deleteTag"
  /** Common name of the place, with tag or digest. */
  readonly target: string
  /** Bytes that would have been sent; 0 where that is none or not known. */
  readonly bytes: number
  /** Requests that it would have taken, reading the content included; 0 for places without requests. */
  readonly requests: number
}

/** Provided by who wants to know; nobody listens otherwise. */
export const Journal = Context.Reference<{ readonly record: (write: Write) => Effect.Effect<void> }>(
  "regclient/services/Journal",
  { defaultValue: () => ({ record: () => Effect.void }) }
)
