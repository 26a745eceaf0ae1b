/** What the user said to the tool as a whole: its global flags, as given (regctl.md, section 2). */
import { Context } from "effect"

export interface GlobalSettings {
  /** The texts of `--host`, such as `reg=localhost:5000,tls=disabled`, in their order. */
  readonly hosts: ReadonlyArray<string>
  /** Empty: the tool's own name and version. */
  readonly userAgent: string
  /** A level's name, such as `warn` or `debug-4`. */
  readonly verbosity: string
  /** Whether the user asked for a level; progress bars and log lines do not share a terminal. */
  readonly isVerbose: boolean
  /** The values of `--logopt`; `json` is the only one with a meaning. */
  readonly logOptions: ReadonlyArray<string>
}

export const Globals = Context.Reference<GlobalSettings>("regclient/services/Globals", {
  defaultValue: () => ({ hosts: [], userAgent: "", verbosity: "WARN", isVerbose: false, logOptions: [] })
})
