/** What becomes of a pair: the table of the regsync description, 9.6, and nothing else. */
import type { Action, Decision } from "../../schemas/Sync.ts"

export interface Facts {
  readonly action: Action
  /** The target exists. */
  readonly isThere: boolean
  /** Source and target are one digest. */
  readonly isEqual: boolean
  /** The source's media type is one of those asked for. */
  readonly isAllowed: boolean
  readonly fastCheck: boolean
  readonly forceRecursive: boolean
  /** Referrers or tags named after digests are to go along. */
  readonly hasAttachments: boolean
}

/** What can be told without a look at the platforms of an index: rows a to c. */
export const decideFirst = (it: Facts): "current" | "exists" | "ignored" | undefined => {
  if (it.isEqual && (it.fastCheck || !(it.forceRecursive || it.hasAttachments))) return "current"
  if (it.action === "missing" && it.isThere) return "exists"
  return it.isAllowed ? undefined : "ignored"
}

/**
 * `isPlatformEqual` is whether the target is what the source has for the platform asked for; `undefined` when no
 * platform is asked for, or the source is no index. An equal one is current even where attachments are asked for.
 */
export const decide = (it: Facts, isPlatformEqual?: boolean): Decision => {
  const first = decideFirst(it)
  if (first !== undefined) return first
  if (isPlatformEqual === true && !it.forceRecursive) return "current-platform"
  return isPlatformEqual ?? it.isEqual ? "refresh" : "copy"
}
