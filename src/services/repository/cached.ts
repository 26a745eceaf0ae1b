/**
 * Keeps what repositories said, for a while: manifests by digest, lists of referrers. What is asked by tag, and every
 * HEAD, goes through: those answers change, and pull limits are told by them.
 */
import { Clock, Effect } from "effect"
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

/** The oldest use goes first when there are too many. */
class Answers<A> {
  private readonly kept = new Map<string, { readonly answer: A; readonly until: number }>()
  private readonly settings: CacheSettings

  constructor(settings: CacheSettings) {
    this.settings = settings
  }

  get(key: string, now: number): A | undefined {
    const found = this.kept.get(key)
    this.kept.delete(key)
    if (found === undefined || found.until <= now) return undefined
    this.kept.set(key, found)
    return found.answer
  }

  set(key: string, answer: A, now: number): void {
    this.kept.delete(key)
    this.kept.set(key, { answer, until: now + this.settings.time })
    const [oldest] = this.kept.keys()
    if (this.kept.size > this.settings.count && oldest !== undefined) this.kept.delete(oldest)
  }

  drop(isMeant: (key: string) => boolean): void {
    for (const key of this.kept.keys()) if (isMeant(key)) this.kept.delete(key)
  }
}

/** A wrapper for repositories that share one memory. */
export const caching = (settings: CacheSettings) => {
  const manifests = new Answers<Manifest>(settings)
  const lists = new Answers<Referrers>(settings)

  return (repository: Repository): Repository => {
    const place = locationName(repository.location)
    const relisted = (subject: Digest | undefined) =>
      Effect.sync(() => lists.drop((key) => key.startsWith(`${place}@${subject ?? ""}`)))
    const remembered = <A>(answers: Answers<A>, key: string) => <E, R>(ask: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        const found = answers.get(key, yield* Clock.currentTimeMillis)
        if (found !== undefined) return found
        const answer = yield* ask
        answers.set(key, answer, yield* Clock.currentTimeMillis)
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
