/** `regctl artifact list`: the manifests that refer to another one. */
import { Effect } from "effect"
import { within } from "../../schemas/StoreError.ts"
import { Formatter, namedFormat } from "../../services/Formatter.ts"
import { listByDigestTags, listReferrers, type ReferrerFlags, subjectOf, wantedOf } from "../graph/referrers.ts"
import { shownPlatformOf } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { listIndexView, referrersView } from "../views/referrers.ts"

export interface ListInput extends ReferrerFlags {
  readonly digestTags: boolean
  readonly external: string
  readonly platform: string
  readonly args: ReadonlyArray<string>
}

interface Input extends ListInput {
  readonly format: string
}

export const run = Effect.fn("artifact list")(function*({ format, ...input }: Input) {
  const { found, source, subject, tagged, used } = yield* listArtifacts(input)
  const { write } = yield* Formatter
  const index = listIndexView({ ...found, location: (source ?? subject).ref.location })
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

/** What refers to a manifest: by its list of referrers, and by tags named after it. */
export const listArtifacts = Effect.fnUntraced(function*({ args, digestTags, external, ...input }: ListInput) {
  const wanted = yield* wantedOf(input)
  const { ref, repository } = yield* openRef(args[0])
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
  return { found, source, subject, tagged, used }
})
