/** A configuration file that cannot be read, understood or written. */
import { Data } from "effect"

/** The stable names of reasons, as `--logopt json` prints them. */
export interface ConfigReason {
  readonly _tag: "ConfigSyntax" | "ConfigInvalid" | "ConfigVersion" | "FsIo" | "FsPermission" | "FsNoSpace"
  /** What the user reads after the file's name; values of the file are never in it. */
  readonly detail: string
}

export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly file: string
  readonly reason: ConfigReason
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.file === "" ? this.reason.detail : `${this.file}: ${this.reason.detail}`
  }
}
