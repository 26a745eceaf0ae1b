/** A script that did not end well (regbot description, 4.3, 9). */
import { Data } from "effect"

/** The stable names of reasons, as `--logopt json` prints them. */
export interface ScriptReason {
  readonly _tag:
    | "ScriptError"
    | "ScriptTimeout"
    | "ScriptMemory"
    | "ScriptDenied"
    // Too few files for its thread (faults L16).
    | "FsIo"
    // It ran to its end, but lists held names that no reference can hold (faults N38).
    | "ReferenceInvalid"
  /** The text of the error, with its place in the script, and the stack of Lua below it. */
  readonly detail: string
  /** What a host function died of: a fault of ours that ended the script (regbot description, 4.3). */
  readonly defect?: unknown
}

export class ScriptError extends Data.TaggedError("ScriptError")<{
  /** The script's name. */
  readonly script: string
  readonly reason: ScriptReason
}> {
  override get message(): string {
    return this.reason.detail
  }
}

/** A script that ended the whole run: `os.exit(status)`. */
export class ScriptExit extends Data.TaggedError("ScriptExit")<{ readonly status: number }> {}

/** Scripts of a run failed; each message is the text of one, stack and all. */
export class ScriptsFailed extends Data.TaggedError("ScriptsFailed")<{
  readonly messages: ReadonlyArray<string>
  /** What all of them failed for, where it is one thing. */
  readonly reason?: { readonly _tag: string }
}> {
  override get message(): string {
    return this.messages.join("\n")
  }
}
