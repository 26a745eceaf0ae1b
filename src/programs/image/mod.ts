/** `regctl image mod`: an image changed, and the name of what was pushed. */
import { Console, Effect } from "effect"
import { isTag, parseRef, type Ref, Tag } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { Occurrence } from "../cli/dialect.ts"
import { parseChanges } from "../mod/parse.ts"
import { rewrite } from "../mod/rewrite.ts"
import { readRef } from "../open.ts"

interface Input {
  readonly create: string
  readonly replace: boolean
  readonly args: ReadonlyArray<string>
  readonly occurrences: ReadonlyArray<Occurrence>
}

export const run = Effect.fn("image mod")(function*({ args, create, occurrences, replace }: Input) {
  const source = yield* readRef(args[0])
  const changes = yield* parseChanges(occurrences, source)
  const target = yield* targetOf(source, { create, replace })
  yield* Console.log(yield* rewrite(source, target, changes))
})

/** Where the result goes: under a new name, over its source, or by digest alone. */
export const targetOf = (
  source: Ref,
  { create, replace }: Pick<Input, "create" | "replace">
): Effect.Effect<Ref, UsageError> =>
  create !== "" ? newName(create, source) : Effect.succeed(replace ? sameName(source) : byDigest(source))

const byDigest = ({ location, text }: Ref): Ref => ({ location, text })

/** With a digest the result goes by its own, as every reference with both does (library description, 1.2). */
const sameName = (source: Ref): Ref =>
  source.digest === undefined && source.tag === undefined ? { ...source, tag: Tag.make("latest") } : source

/** A reference, or a tag in the repository of the source (regctl description, 4.6). */
const newName = (text: string, { location }: Ref): Effect.Effect<Ref, UsageError> => {
  const refuse = (reason: string) => new UsageError({ message: `failed to parse new image name ${text}: ${reason}` })
  if (/[/:]/.test(text)) {
    return Effect.mapError(Effect.fromResult(parseRef(text)), ({ message }) => refuse(message))
  }
  return isTag(text) ? Effect.succeed({ location, text, tag: text }) : refuse(`invalid tag ${JSON.stringify(text)}`)
}
