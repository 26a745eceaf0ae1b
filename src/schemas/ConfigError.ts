/** A configuration file that cannot be read, understood or written. */
import { Data } from "effect"
import { visible } from "../lib/visibleText.ts"

/** The stable names of reasons, as `--logopt json` prints them. */
export interface ConfigReason {
  readonly _tag:
    | "ConfigSyntax"
    | "ConfigInvalid"
    | "ConfigVersion"
    | "YamlLimit"
    | "FsIo"
    | "FsPermission"
    | "FsNoSpace"
  /** What the user reads after the file's name, a line for each problem; secrets of the file are never in it. */
  readonly detail: string
}

export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly file: string
  readonly reason: ConfigReason
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.file === "" ? this.reason.detail : `${visible(this.file)}: ${this.reason.detail}`
  }
}
