/** `regctl ref`: a reference taken apart. */
import { Effect, Result } from "effect"
import { parseRef, RefError } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import { referenceView } from "../views/reference.ts"

interface Input {
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("ref")(function*({ args, format }: Input) {
  const [text = ""] = args
  const failed = ({ message }: RefError) => new RefError({ message: `failed to parse ${text}: ${message}` })
  const ref = yield* Effect.fromResult(Result.mapError(parseRef(text), failed))
  yield* (yield* Formatter).write(format, referenceView(ref))
})
