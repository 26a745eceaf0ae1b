/** Which manifest `artifact get` reads: the one named, or the first wanted among the referrers of a subject. */
import { Effect } from "effect"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Index, Manifest } from "../../schemas/Manifest.ts"
import { bestMatch } from "../../schemas/Platform.ts"
import { Reference, referenceOf } from "../../schemas/Ref.ts"
import { inOrder, isMatch } from "../../schemas/Referrers.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { listReferrers, subjectOf, type Wanted } from "../graph/referrers.ts"
import { openRef } from "../open.ts"

export interface Search {
  readonly wanted: Wanted
  readonly platform?: Platform
}

export interface Found {
  readonly repository: ReadonlyRepository
  readonly manifest: Manifest
}

/** The manifest a reference names, or the entry wanted of an index. */
export const findNamed = Effect.fnUntraced(function*(reference: string, search: Search) {
  const { ref, repository } = yield* openRef(reference)
  return yield* entryOf(repository, yield* repository.manifest(referenceOf(ref)), search)
})

/** The first referrer of a subject that is wanted; says when there are more and no order was asked for. */
export const findReferrer = Effect.fnUntraced(
  function*(subject: string, external: string, search: Search & { readonly isOrdered: boolean }) {
    const { ref, repository } = yield* openRef(subject)
    const source = external === "" ? undefined : yield* openRef(external)
    const { descriptor } = yield* Effect.mapError(
      subjectOf(repository, ref, search.platform),
      within("failed to get digest for subject")
    )
    const from = source?.repository ?? repository
    const { descriptors } = yield* listReferrers(from, descriptor, search.wanted)
    const [first] = descriptors
    if (first === undefined) return yield* storeError("", "NotFound", `no matching referrers to ${subject}`)
    if (descriptors.length > 1 && !search.isOrdered) {
      yield* Effect.logWarning("multiple referrers match, using first match").pipe(
        Effect.annotateLogs({ "match count": descriptors.length, subject })
      )
    }
    return yield* entryOf(from, yield* manifestOf(from, first), search)
  }
)

const manifestOf = (repository: ReadonlyRepository, descriptor: Descriptor) =>
  repository.manifest(Reference.ByDigest({ digest: descriptor.digest }), descriptor)

const entryOf = (
  repository: ReadonlyRepository,
  manifest: Manifest,
  search: Search
): Effect.Effect<Found, StoreError> => {
  if (manifest._tag !== "Index") return Effect.succeed({ repository, manifest })
  const entry = choose(manifest, search)
  if (entry === undefined) {
    return Effect.fail(storeError("", "NotFound", "no matching artifacts found in index: not found"))
  }
  return Effect.map(manifestOf(repository, entry), (manifest) => ({ repository, manifest }))
}

const choose = ({ manifests }: Index, { platform, wanted: { filter, order } }: Search): Descriptor | undefined => {
  const entries = inOrder(order, manifests.filter(isMatch(filter)))
  return platform === undefined ? entries[0] : bestMatch(entries, platform)
}
