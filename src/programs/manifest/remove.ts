/** `regctl manifest delete`: removes a manifest, and with it all tags on it. */
import { Effect } from "effect"
import { commonName, Reference, referenceOf } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Repositories } from "../../services/Repositories.ts"
import { ignoreMissing } from "../missing.ts"
import { readRef } from "../open.ts"

interface Input {
  readonly forceTagDereference: boolean
  readonly ignoreMissing: boolean
  readonly referrers: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("manifest delete")(function*(input: Input) {
  const ref = yield* readRef(input.args[0])
  if (ref.digest === undefined && !input.forceTagDereference) {
    return yield* new UsageError({ message: `digest required to delete manifest, reference ${commonName(ref)}` })
  }
  const { open } = yield* Repositories
  const repository = yield* open(ref.location)
  const reference = referenceOf(ref)
  const remove = Effect.gen(function*() {
    const { descriptor } = yield* repository.resolve(reference)
    const subject = input.referrers
      ? (yield* repository.manifest(Reference.ByDigest({ digest: descriptor.digest }))).subject
      : undefined
    yield* repository.deleteManifest(descriptor, subject)
  })
  yield* input.ignoreMissing ? ignoreMissing(repository, reference, remove) : remove
}, Effect.scoped)
