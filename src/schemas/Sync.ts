/** What a synchronisation does, as data: the pairs it looks at, what it decides of each, and what it tells as it goes. */
import { Data } from "effect"
import type { CopyEvent } from "./Copy.ts"
import type { Ref } from "./Ref.ts"
import type { SyncEntry } from "./RegsyncConfig.ts"
import type { ReasonTag } from "./StoreError.ts"

/** `check` copies nothing, `missing` only what the target has not. */
export type Action = "check" | "copy" | "missing"

/** What a run is for: an action over images, or a script. */
export type Task = Action | "run"

/** An entry of a daemon as those see it who watch. */
export interface Watched {
  /** Its own among all. */
  readonly name: string
  /** Empty for a script, which may read and write anywhere. */
  readonly source: string
  readonly target: string
  /** `registry`, `repository`, `image` or `script`. */
  readonly type: string
  /** As the file has it; `@every 1h` for an interval; empty for neither. */
  readonly schedule: string
}

/** An entry with a name of its own, by which status pages and requests call it. */
export interface Job {
  readonly name: string
  readonly entry: SyncEntry
}

/** One image of an entry. */
export interface SyncPair {
  readonly source: Ref
  readonly target: Ref
}

/**
 * What becomes of a pair (regsync description, 9.6): the same already; the same for the platform asked for; there and
 * not to be replaced; of a media type that is not asked for; the same, its attachments looked after; to be copied.
 */
export type Decision = "current" | "current-platform" | "exists" | "ignored" | "refresh" | "copy"

/** How the work on a pair ended. */
export interface PairResult {
  readonly job: string
  /** Common names. */
  readonly source: string
  readonly target: string
  readonly decision?: Decision
  /** `copied` and `refreshed` moved or checked content; `stale` is what a check found to be copied. */
  readonly outcome: "current" | "ignored" | "stale" | "copied" | "refreshed" | "failed"
  readonly error?: string
  readonly reason?: ReasonTag | (string & {})
  /** Bytes sent, and bytes that a mount or the target itself spared. */
  readonly bytes: number
  readonly saved: number
  /** Milliseconds since 1970, and of the work. */
  readonly began: number
  readonly elapsed: number
}

/** What a run did, in pairs and bytes. */
export interface RunSummary {
  readonly action: Action
  readonly copied: number
  readonly refreshed: number
  readonly current: number
  readonly ignored: number
  readonly stale: number
  readonly failed: number
  readonly bytes: number
  readonly saved: number
  /** Milliseconds. */
  readonly elapsed: number
  /** The run was cut short from outside: what else there was to do is not told of. */
  readonly interrupted?: true
}

/** Something of a run failed; each message is a text of its own. */
export class SyncFailed extends Data.TaggedError("SyncFailed")<{
  readonly messages: ReadonlyArray<string>
  /** What all of them failed for, where it is one thing. */
  readonly reason?: { readonly _tag: string }
}> {
  override get message(): string {
    return this.messages.join("\n")
  }
}

export type SyncEvent = Data.TaggedEnum<{
  /** The configuration is new, at start or after a reload. */
  Configured: { readonly jobs: ReadonlyArray<Watched> }
  JobStarted: { readonly job: string; readonly action: Task; readonly time: number }
  /** So many more pairs of the job are known; an entry of a whole registry learns of them one repository at a time. */
  Listed: { readonly job: string; readonly pairs: number }
  PairStarted: { readonly job: string; readonly source: string; readonly target: string; readonly time: number }
  /** Waits for pulls to come back. */
  Waiting: {
    readonly job: string
    readonly source: string
    readonly remaining: number
    readonly limit: number
    readonly min: number
    /** Milliseconds. */
    readonly sleep: number
  }
  Copying: { readonly job: string; readonly target: string; readonly event: CopyEvent }
  PairEnded: { readonly result: PairResult; readonly time: number }
  /** `error` tells of a failure of the whole job, which no pair has told of: of a script. */
  JobEnded: {
    readonly job: string
    readonly failures: number
    readonly elapsed: number
    readonly time: number
    readonly error?: string
    readonly reason?: ReasonTag | (string & {})
  }
  /** The job's next time, milliseconds since 1970; none when there is none. */
  Scheduled: { readonly job: string; readonly next?: number }
  /** The first pass over all jobs ended; a reload does not take that back. */
  Ready: { readonly time: number }
  /** What a registry said of its pull limit. */
  Limited: { readonly registry: string; readonly remaining: number; readonly limit: number }
  /** A new configuration could not be used, the old one holds. */
  ConfigRefused: { readonly error: string; readonly time: number }
}>
export const SyncEvent = Data.taggedEnum<SyncEvent>()
