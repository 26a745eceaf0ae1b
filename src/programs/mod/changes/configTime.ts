/** `--config-time`: when a configuration and the steps of its history were made (library description, 17.3). */
import { Effect, Result } from "effect"
import { formatTime, parseTime, rfc3339Nano } from "../../../lib/goTime.ts"
import type { ImageConfig } from "../../../schemas/ImageConfig.ts"
import type { Change } from "../draft.ts"
import {
  type Base,
  configOperation,
  loadBase,
  newTime,
  resolveTime,
  rfc3339,
  type TimeOptions,
  type TimeRule
} from "../time.ts"

/** The history of the base is left alone. Without a time to set it fails when it is applied. */
export const configTime = (options: TimeOptions): Effect.Effect<Change> =>
  Effect.sync(() => {
    let known: { readonly rule: TimeRule; readonly base: Base } | undefined
    return {
      begin: Effect.fnUntraced(function*(top) {
        const rule = yield* resolveTime(top, options, "WithConfigTimestamp")
        known = { rule, base: yield* loadBase(options, configOperation) }
      }),
      config: (document) =>
        known === undefined ? Effect.succeed(document) : Effect.fromResult(withTimes(document, known.rule, known.base))
    }
  })

const withTimes = (document: ImageConfig, rule: TimeRule, base: Base) =>
  Result.map(base.historyLength(document), (kept): ImageConfig => {
    const created = changed(document.created, rule)
    const history = (document.history ?? []).map((entry, at) => {
      const time = at < kept ? undefined : changed(entry.created, rule)
      return time === undefined ? entry : { ...entry, created: time }
    })
    const isSame = history.every((entry, at) => entry === document.history?.[at])
    if (created === undefined && isSame) return document
    return { ...document, ...(created === undefined ? {} : { created }), ...(isSame ? {} : { history }) }
  })

/** The new time as text; `undefined` for one that stays, which one that is absent or no time does. */
const changed = (text: string | null | undefined, rule: TimeRule): string | undefined => {
  const parsed = parseTime(rfc3339, text ?? "")
  const old = "time" in parsed ? parsed.time.nanos : undefined
  return newTime(old, rule) === undefined ? undefined : formatTime(rule.set, rfc3339Nano)
}
