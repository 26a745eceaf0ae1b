/** `regctl tag delete`: removes one tag; others on the same manifest stay. */
import { Effect } from "effect"
import { Reference } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Repositories } from "../../services/Repositories.ts"
import { ignoreMissing } from "../missing.ts"
import { readRef } from "../open.ts"

interface Input {
  readonly ignoreMissing: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("tag delete")(function*(input: Input) {
  const ref = yield* readRef(input.args[0])
  if (ref.tag === undefined) return yield* new UsageError({ message: "tag missing from image reference" })
  const { open } = yield* Repositories
  const repository = yield* open(ref.location)
  const remove = repository.deleteTag(ref.tag)
  yield* input.ignoreMissing ? ignoreMissing(repository, Reference.ByTag({ tag: ref.tag }), remove) : remove
}, Effect.scoped)
