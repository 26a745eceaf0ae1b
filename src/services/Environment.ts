/** Environment variables and the user's home, as the configuration of all tools finds its files by them. */
import { Config, Effect } from "effect"
import { homeDir } from "../lib/homeDir.ts"

/** The value, empty when it is not set. */
export const variable = (name: string): Effect.Effect<string> =>
  Config.String(name).pipe(Config.withDefault(""), Effect.orElseSucceed(() => ""))

/** `$HOME`, else the system's record of the user; empty when neither is known (faults L15). */
export const home: Effect.Effect<string> = Effect.map(variable("HOME"), (it) => it === "" ? homeDir() ?? "" : it)
