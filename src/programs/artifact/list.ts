/** `regctl artifact list`: the manifests that refer to another one. */
import { Effect } from "effect"
import { within } from "../../schemas/StoreError.ts"
import { Formatter, namedFormat } from "../../services/Formatter.ts"
import { listByDigestTags, listReferrers, type ReferrerFlags, subjectOf, wantedOf } from "../graph/referrers.ts"
import { shownPlatformOf } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { listIndexView, referrersView } from "../views/referrers.ts"

interface Input extends ReferrerFlags {
  readonly digestTags: boolean
  readonly external: string
  readonly format: string
  readonly platform: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("artifact list")(function*(input: Input) {
  const { digestTags, external, format } = input
  const wanted = yield* wantedOf(input)
  const { ref, repository } = yield* openRef(input.args[0])
  const source = external === "" ? undefined : yield* openRef(external)
  const platform = input.platform === "" ? undefined : yield* shownPlatformOf(input.platform)
  const subject = yield* Effect.mapError(
    subjectOf(repository, ref, platform),
    within("failed to get digest for subject")
  )
  const { digest } = subject.descriptor
  const found = yield* listReferrers(source?.repository ?? repository, subject.descriptor, wanted)
  const used = found.tag === undefined ? [] : [found.tag]
  const tagged = digestTags ? yield* listByDigestTags(repository, digest, used) : []
  const { write } = yield* Formatter
  const index = listIndexView({ ...found, location: (source ?? { ref }).ref.location })
  if (namedFormat(format) !== format && index !== undefined) return yield* write(format, index, { named: true })
  const view = referrersView({
    ...found,
    subject: subject.ref,
    ...(source === undefined ? {} : { source: source.ref }),
    descriptors: [...found.descriptors, ...tagged.map(({ descriptor }) => descriptor)],
    tags: [...used, ...tagged.map(({ tag }) => tag)]
  }, index)
  yield* write(format, view)
}, Effect.scoped)
