/** Which tags are meant: those that some `--include` matches, or any without one, and that no `--exclude` matches. */
import { Effect } from "effect"
import type { Matcher } from "../../lib/pattern.ts"
import { UsageError } from "../../schemas/UsageError.ts"

interface Patterns {
  readonly include: ReadonlyArray<string>
  readonly exclude: ReadonlyArray<string>
}

/** Fails with what `problem` makes of an expression that cannot be read. */
export const tagFilter = Effect.fnUntraced(function*(
  { exclude, include }: Patterns,
  problem: (flag: keyof Patterns, expression: string, why: string) => string
) {
  const read = (flag: keyof Patterns) =>
    Effect.fnUntraced(function*(expression: string) {
      // The engine is large, and loaded for patterns only.
      const { anchored } = yield* Effect.promise(() => import("../../lib/pattern.ts"))
      const found = anchored(expression)
      return "matches" in found
        ? found.matches
        : yield* new UsageError({ message: problem(flag, expression, found.problem) })
    })
  const [wanted, unwanted] = [
    yield* Effect.forEach(include, read("include")),
    yield* Effect.forEach(exclude, read("exclude"))
  ]
  const isWanted: Matcher = (tag) =>
    (wanted.length === 0 || wanted.some((matches) => matches(tag))) && !unwanted.some((matches) => matches(tag))
  return isWanted
})
