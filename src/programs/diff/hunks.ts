/** What the diff commands have in common: their flags' values, and texts compared by line on stdout. */
import { Effect, Stdio, Stream } from "effect"
import { diffHunks } from "../../lib/diff.ts"
import { textOf } from "../../lib/gotemplate/value.ts"
import { indentJson } from "../../lib/json.ts"

export interface DiffInput {
  /** Unchanged lines around changes; none when negative. */
  readonly context: number
  readonly contextFull: boolean
  readonly args: ReadonlyArray<string>
}

/** JSON as received, spaced anew, line by line (command description, 5.4). */
export const jsonLines = (document: Uint8Array): ReadonlyArray<string> =>
  indentJson(textOf(document), { escapeHtml: true }).split("\n")

/** Prints the hunks and a newline, which is all there is of equal texts (command description, 8). */
export const printDiff = (
  a: ReadonlyArray<string>,
  b: ReadonlyArray<string>,
  { context, contextFull }: Pick<DiffInput, "context" | "contextFull">
) =>
  Effect.gen(function*() {
    const hunks = diffHunks(a, b, { context: contextFull ? Number.POSITIVE_INFINITY : context })
    const stdio = yield* Stdio.Stdio
    yield* Stream.run(Stream.succeed(`${hunks.join("\n")}\n`), stdio.stdout({ endOnDone: false }))
  })
