/**
 * Keeps what repositories said, for a while: manifests by digest, lists of referrers. What is asked by tag, and every
 * HEAD, goes through: those answers change, and pull limits are told by them.
 */
import { Clock, Effect } from "effect"
import { Recent } from "../../lib/recent.ts"
import type { Digest } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { locationName, Reference } from "../../schemas/Ref.ts"
import type { Referrers, Repository } from "../Repository.ts"

export interface CacheSettings {
  /** Answers kept at most. */
  readonly count: number
  /** Milliseconds an answer is kept. */
  readonly time: number
}

interface Kept<A> {
  readonly answer: A
  /** Milliseconds since 1970. */
  readonly until: number
}

/** A wrapper for repositories that share one memory. */
export const caching = ({ count, time }: CacheSettings) => {
  const manifests = new Recent<Kept<Manifest>>(count)
  const lists = new Recent<Kept<Referrers>>(count)

  return (repository: Repository): Repository => {
    const place = locationName(repository.location)
    const relisted = (subject: Digest | undefined) =>
      Effect.sync(() => lists.drop((key) => key.startsWith(`${place}@${subject ?? ""}`)))
    const remembered = <A>(answers: Recent<Kept<A>>, key: string) => <E, R>(ask: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        const found = answers.get(key)
        if (found !== undefined && found.until > (yield* Clock.currentTimeMillis)) return found.answer
        const answer = yield* ask
        answers.set(key, { answer, until: (yield* Clock.currentTimeMillis) + time })
        return answer
      })
    return {
      ...repository,
      manifest: (reference, expected) =>
        Reference.$match(reference, {
          ByTag: () => repository.manifest(reference, expected),
          ByDigest: ({ digest }) =>
            remembered(manifests, `${place}@${digest}`)(repository.manifest(reference, expected))
        }),
      referrers: (subject, filter = {}) =>
        remembered(lists, `${place}@${subject.digest} ${filter.artifactType ?? ""} ${filter.slow === true}`)(
          repository.referrers(subject, filter)
        ),
      putManifest: (manifest, how) =>
        Effect.tap(
          repository.putManifest(manifest, how),
          () => manifest.subject === undefined ? Effect.void : relisted(manifest.subject.digest)
        ),
      deleteManifest: (manifest, subject) =>
        Effect.ensuring(
          repository.deleteManifest(manifest, subject),
          // Whose subject is not told may have had any.
          Effect.andThen(
            Effect.sync(() => manifests.drop((key) => key === `${place}@${manifest.digest}`)),
            relisted(subject?.digest)
          )
        )
    }
  }
}
