/** Failures of programs as scripts see them (regbot description, 9). */
import { Effect } from "effect"
import type { HostAnswer, HostFailure } from "../../../lib/lua/border.ts"
import { ScriptRun } from "../ScriptRun.ts"

/** A function that returns nothing. */
export const nothing: HostAnswer = { values: [] }

/** The same failure, told as part of what the script asked for: `Failed doing it: reason`. */
export const failed = (what: string) => (error: { readonly message: string }): HostFailure => ({
  message: `${what}: ${error.message}`
})

/** Fails for a script in a sandbox, which no file is opened for (faults S09). */
export const mayUseFiles = (what: string): Effect.Effect<void, HostFailure, ScriptRun> =>
  Effect.flatMap(
    ScriptRun,
    ({ isSandboxed }) =>
      isSandboxed ? Effect.fail({ message: `${what} is denied: the script runs in a sandbox` }) : Effect.void
  )
