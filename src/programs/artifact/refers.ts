/** The flag `--subject`, and the name it had before. */
import { Effect } from "effect"

interface Flags {
  readonly refers: string
  readonly subject: string
}

/** The subject asked for, empty for none. */
export const subjectFlag = Effect.fnUntraced(function*({ refers, subject }: Flags) {
  if (refers === "") return subject
  yield* Effect.logWarning("--refers is deprecated, use --subject instead")
  return subject === "" ? refers : subject
})
