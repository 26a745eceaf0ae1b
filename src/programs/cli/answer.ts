/** `__complete`: what a shell asks while its user types. The answer is cobra's: candidates, `:directive`, a note. */
import { Console, Effect } from "effect"
import { UsageError } from "../../schemas/UsageError.ts"
import type { Tool } from "./command.ts"
import { complete, directives, type Known, known, type Question } from "./complete.ts"

/** Prints what could stand for the last of `words`; `lookUp` finds what the command line alone does not say. */
export const answer = Effect.fnUntraced(function*<R>(
  tool: Tool,
  words: ReadonlyArray<string>,
  isDescribed: boolean,
  lookUp: (question: Question) => Effect.Effect<Known, unknown, R>
) {
  if (words.length === 0) return yield* new UsageError({ message: "requires at least 1 arg(s), only received 0" })
  const rules = tool.completes === undefined ? {} : (yield* Effect.promise(tool.completes)).completes
  const found = complete(tool, rules, words)
  const { candidates, directive } = found._tag === "Known" ? found : yield* silently(lookUp(found))
  const lines = candidates.map(({ about, value }) =>
    isDescribed && about !== undefined ? `${value}\t${about.split("\n", 1)[0]}` : value
  )
  yield* Console.log([...lines, `:${directive}`].join("\n"))
  yield* Console.error(`Completion ended with directive: ${names(directive)}`)
})

/** A failure would be written into what the user types. */
const silently = <R>(looking: Effect.Effect<Known, unknown, R>): Effect.Effect<Known, never, R> =>
  Effect.catchCause(looking, () => Effect.succeed(known([])))

const bits: ReadonlyArray<readonly [bit: number, name: string]> = [
  [directives.noSpace, "ShellCompDirectiveNoSpace"],
  [directives.noFiles, "ShellCompDirectiveNoFileComp"]
]

const names = (directive: number): string =>
  bits.filter(([bit]) => (directive & bit) !== 0).map(([, name]) => name).join(", ") || "ShellCompDirectiveDefault"
