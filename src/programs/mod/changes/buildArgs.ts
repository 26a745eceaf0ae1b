/** `--buildarg-rm` and `--buildarg-rm-regex`: takes a build argument out of the history (library description, 17.3). */
import { Effect } from "effect"
import type { History } from "../../../schemas/ImageConfig.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import type { Change } from "../draft.ts"

type Matcher = (value: string) => boolean

/** `name=value`. */
export const buildArgRemove = Effect.fnUntraced(function*(text: string): Effect.fn.Return<Change, UsageError> {
  const equals = text.indexOf("=")
  if (equals < 0) return yield* new UsageError({ message: `arg must be in the format "name=value"` })
  const value = text.slice(equals + 1)
  return remove(text.slice(0, equals), (it) => it === value)
})

/** `name=regex`; the expression matches the whole value. */
export const buildArgRemoveRegex = Effect.fnUntraced(function*(text: string): Effect.fn.Return<Change, UsageError> {
  const equals = text.indexOf("=")
  if (equals < 0) return yield* new UsageError({ message: `arg must be in the format "name=regex"` })
  const { anchored, searching } = yield* Effect.promise(() => import("../../../lib/pattern.ts"))
  const expression = text.slice(equals + 1)
  const alone = searching(expression)
  if ("problem" in alone) return yield* new UsageError({ message: `regexp value is invalid: ${alone.problem}` })
  const whole = anchored(`(?:${expression})`)
  return remove(text.slice(0, equals), "matches" in whole ? whole.matches : alone.matches)
})

const remove = (name: string, isValue: Matcher): Change => ({
  config: (document) => {
    const history = document.history ?? []
    const changed = history.flatMap((entry) => isArg(entry, name) ? [] : [withoutArg(entry, name, isValue)])
    const isSame = changed.length === history.length && changed.every((it, at) => it === history[at])
    return Effect.succeed(isSame ? document : { ...document, history: changed })
  }
})

const isArg = ({ created_by: step, empty_layer: isEmpty }: History, name: string): boolean =>
  isEmpty === true && (step === `ARG ${name}` || (step ?? "").startsWith(`ARG ${name}=`))

/** `RUN |2 a=b c=d cmd` without `a=b` is `RUN |1 c=d cmd`, and without `c=d` then `RUN cmd`. */
const withoutArg = (entry: History, name: string, isValue: Matcher): History => {
  const parts = /^RUN \|([1-9]\d{0,5}) (.*)$/s.exec(entry.created_by ?? "")
  if (parts === null) return entry
  const count = Number(parts[1]) - 1
  const found = rangeOf(parts[2] ?? "", name, isValue)
  if (found === undefined) return entry
  const [before, after] = found
  // The space on either side stays, as upstream leaves it.
  const rest = count === 0 ? (before + after).trimStart() : `|${count} ${before}${after}`
  return { ...entry, created_by: `RUN ${rest}` }
}

/** Characters of all values tried in one step: a step can be a script, in which every word could end a value. */
const maxTried = 64 * 1024 * 1024

/** What stands before and after the first such argument. Values may have spaces: the shortest that fits is taken. */
const rangeOf = (text: string, name: string, isValue: Matcher): readonly [string, string] | undefined => {
  const start = `${name}=`
  let tried = 0
  for (let from = text.indexOf(start); from >= 0; from = text.indexOf(start, from + 1)) {
    if (from > 0 && text[from - 1] !== " ") continue
    const valueAt = from + start.length
    for (let to = text.indexOf(" ", valueAt); to >= 0; to = text.indexOf(" ", to + 1)) {
      tried += to - valueAt + 1
      if (tried > maxTried) return undefined
      if (isValue(text.slice(valueAt, to))) return [text.slice(0, from), text.slice(to)]
    }
    if (isValue(text.slice(valueAt))) return [text.slice(0, from), ""]
  }
  return undefined
}
