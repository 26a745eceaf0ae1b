/** Log records of host functions: each names the script it is of (regbot description, 11). */
import { Effect } from "effect"
import { Shown } from "../../../lib/slog.ts"
import type { PageRequest } from "../../../services/Repository.ts"
import { ScriptRun } from "../ScriptRun.ts"

type Fields = Readonly<Record<string, unknown>>

const told = (log: (message: string) => Effect.Effect<void>) => (message: string, fields: Fields) =>
  Effect.flatMap(ScriptRun, ({ script }) => Effect.annotateLogs(log(message), { script, ...fields }))

export const debug = told(Effect.logDebug)
export const info = told(Effect.logInfo)

/** A record of what is written, or would be. */
export const infoOfWrite = (message: string, fields: Fields) =>
  Effect.flatMap(ScriptRun, ({ isDry }) => info(message, { ...fields, "dry-run": isDry }))

/** A record of what is written without a word at INFO, unless it only would be (regbot description, 13, row 5). */
export const debugOfWrite = (message: string, fields: Fields) =>
  Effect.flatMap(ScriptRun, ({ isDry }) => isDry ? infoOfWrite(message, fields) : debug(message, fields))

/** As the Go tool prints its options of lists. */
export const loggedPage = ({ last = "", limit = 0 }: PageRequest): Shown =>
  new Shown(`{Limit:${limit} Last:${last}}`, { limit, last })
