/** Saves what a target's tag names before it is overwritten (regsync description, 9.6.3). */
import { Effect, Stream } from "effect"
import { Struct } from "../../lib/gotemplate/value.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { commonName, isTag, parseRef, type Ref, Reference, referenceOf, RefError } from "../../schemas/Ref.ts"
import type { SyncEntry } from "../../schemas/RegsyncConfig.ts"
import type { ReasonTag, StoreError } from "../../schemas/StoreError.ts"
import { Formatter } from "../../services/Formatter.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { copy } from "../copy/copy.ts"
import { childrenOf } from "../graph/edges.ts"
import { fold } from "../graph/fold.ts"
import { referenceView } from "../views/reference.ts"
import { syncView } from "../views/sync.ts"

/** Where the backup goes: a tag beside the target, or a reference of its own. */
export const backupRef = Effect.fnUntraced(function*(entry: SyncEntry, target: Ref) {
  const { expand } = yield* Formatter
  const sync = syncView(entry)
  const type = "struct { Ref ref.Ref; Step main.ConfigSync; Sync main.ConfigSync }"
  const data = new Struct(type, { Ref: referenceView(target), Step: sync, Sync: sync })
  const original = commonName(target)
  const text = yield* Effect.tapError(
    Effect.map(expand(entry.backup, data), (it) => it.trim()),
    (error) =>
      Effect.annotateLogs(Effect.logError("Failed to expand backup template"), {
        original,
        "backup-template": entry.backup,
        error: error.message
      })
  )
  return yield* Effect.tapError(
    refOf(text, target),
    (error) =>
      Effect.annotateLogs(Effect.logError("Failed to parse backup reference"), {
        original,
        template: entry.backup,
        backup: text,
        error: error.message
      })
  )
})

const refOf = (text: string, { location, tag }: Ref): Effect.Effect<Ref, RefError> => {
  const own = isTag(text) ? { text: commonName({ location, tag: text }), location, tag: text } : undefined
  if (!/[:/]/.test(text) && own === undefined) {
    return Effect.fail(new RefError({ message: `invalid reference "${text}": no tag for a backup` }))
  }
  return Effect.filterOrFail(
    own === undefined ? Effect.fromResult(parseRef(text)) : Effect.succeed(own),
    (ref) => commonName(ref) !== commonName({ location, ...(tag === undefined ? {} : { tag }) }),
    () => new RefError({ message: `invalid reference "${text}": the backup is what is overwritten` })
  )
}

/**
 * Copies the target to its backup. A failure stops the step, and so nothing is overwritten, unless the entry says
 * `backupRequired: false` or what is at the target cannot be read whole: then there is nothing to save.
 */
export const saveBackup = Effect.fnUntraced(function*(
  entry: SyncEntry,
  { target, to }: { readonly target: Ref; readonly to: ReadonlyRepository },
  backup: Ref
) {
  const [original, saved] = [commonName(target), commonName(backup)]
  yield* Effect.annotateLogs(Effect.logInfo("Saving backup"), { original, backup: saved })
  yield* Effect.catch(
    copy(target, backup, {
      digestTags: false,
      fastCheck: false,
      forceRecursive: false,
      includeExternal: false,
      platforms: [],
      referrers: false
    }),
    Effect.fnUntraced(function*(error) {
      const fields = { original, template: entry.backup, backup: saved, error: error.message }
      const goesOn = entry.backupRequired === false || (error._tag === "StoreError" && !(yield* isWhole(to, target)))
      const tell = goesOn ? Effect.logWarning : Effect.logError
      yield* Effect.annotateLogs(tell("Failed to backup existing image"), fields)
      if (!goesOn) return yield* Effect.fail(error)
    })
  )
})

/** What a place says of content that is not there, or is not what it should be. */
const broken: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "NotFound",
  "DigestMismatch",
  "SizeMismatch",
  "ManifestInvalid",
  "MediaTypeMismatch",
  "UnsupportedMediaType",
  "DigestInvalid",
  "DepthLimit",
  "SizeLimit"
])

/** Whether all of an image can be read, to its last byte; a place that does not answer is no proof that it cannot. */
const isWhole = (repository: ReadonlyRepository, ref: Ref): Effect.Effect<boolean> => {
  const walk = fold<{ readonly manifest: Manifest }, void, StoreError, never>({
    key: ({ manifest }) => manifest.descriptor.digest,
    expand: ({ manifest }) =>
      Effect.gen(function*() {
        const children = childrenOf(manifest, { includeExternal: false, platforms: [] })
        const found: Array<{ readonly manifest: Manifest }> = []
        for (const { descriptor, kind } of children) {
          if (kind === "blob") yield* Stream.runDrain(repository.blob(descriptor))
          else {
            const reference = Reference.ByDigest({ digest: descriptor.digest })
            found.push({ manifest: yield* repository.manifest(reference, descriptor) })
          }
        }
        return found
      }),
    visit: () => Effect.void
  })
  return repository.manifest(referenceOf(ref)).pipe(
    Effect.flatMap((manifest) => walk({ manifest })),
    Effect.as(true),
    Effect.catch(({ reason }) => Effect.succeed(!broken.has(reason._tag)))
  )
}
