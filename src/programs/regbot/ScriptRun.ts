/** One run of a script, as its functions see it. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Location } from "../../schemas/Ref.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { Page, Repository } from "../../services/Repository.ts"

export class ScriptRun extends Context.Service<ScriptRun, {
  /** The script's name, for the log. */
  readonly script: string
  readonly isDry: boolean
  /** No file of this machine is opened for it but layouts and archives that references name (faults S09). */
  readonly isSandboxed: boolean
  /** A repository is open until it is closed or the run ends, so that what was put can still be referred to. */
  readonly open: (location: Location) => Effect.Effect<Repository, StoreError>
  /**
   * Finishes the writes of a place: a layout is swept (regbot description, 7.2). Nothing when it is not open; in a call of
   * `parallel`, or once a blob was put there, the end of the run does.
   */
  readonly close: (location: Location) => Effect.Effect<void>
  /**
   * Holds one of the places that all scripts share, while there is one to wait for; inside `parallel` its own count
   * bounds the calls (regbot description, 4.5).
   */
  readonly throttled: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Names were left out of a list, which `operation` names: the script goes on, and fails in the end (faults N38). */
  readonly noteSkipped: (operation: string, list: Pick<Page, "skipped">) => void
  /** Whether a further line of `log` is printed, and why not if it is the first that is not (faults S13). */
  readonly mayLog: () => "yes" | "last" | "no"
}>()("regclient/programs/regbot/ScriptRun") {}
