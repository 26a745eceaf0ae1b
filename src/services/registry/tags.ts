/** The tags of a repository: listed page by page, deleted one at a time even where registries delete manifests only. */
import { Effect, Result, Schema } from "effect"
import { isTag, Reference, type Tag } from "../../schemas/Ref.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import type { Repository } from "../Repository.ts"
import { type At, farewell, type Http, isTrouble, nameOf, remove, repositoryName, statusOf } from "./exchange.ts"
import { deleteByDigest } from "./manifests.ts"
import { pages } from "./pages.ts"
import { placeholder } from "./placeholder.ts"

/** `tags` is null where a registry means none (registry-quirks 3.14); an object without it is some other document. */
const decodeTags = Schema.decodeUnknownResult(
  Schema.Struct({ tags: Schema.NullOr(Schema.Array(Schema.String)) })
)

export const tags = (
  at: At,
  http: Http,
  content: Pick<Repository, "resolve" | "putBlob" | "putManifest">
): Pick<Repository, "tags" | "deleteTag"> => ({
  tags: (page) =>
    pages(http, {
      request: { ...at, method: "GET", path: "tags/list", demand: { kind: "query", size: 0 }, mirrors: true },
      namesOf: (json) => Result.map(decodeTags(json), (it) => it.tags ?? []),
      isName: isTag,
      operation: `failed to list tags for ${repositoryName(at)}`
    }, page),
  deleteTag: (tag) => deleteTag(at, http, content, tag)
})

/** Asks for the deletion first; where tags cannot be deleted, puts a placeholder in the tag's place and deletes that (library 12.4). */
const deleteTag = (
  at: At,
  http: Http,
  content: Pick<Repository, "resolve" | "putBlob" | "putManifest">,
  tag: Tag
): Effect.Effect<void, StoreError> =>
  Effect.catch(
    remove(http, { ...at, method: "DELETE", path: `manifests/${tag}`, demand: { kind: "query", size: 0 } }),
    (refusal) =>
      isTrouble(refusal) || refusal.reason._tag === "RedirectRefused"
        ? failedToDelete(at, tag)(refusal)
        : replace(at, http, content, tag, refusal)
  )

const failedToDelete = (at: At, tag: Tag) => (error: StoreError) =>
  Effect.fail(within(`failed deleting ${nameOf(at, Reference.ByTag({ tag }))}`)(error))

/** After a push that failed, though the registry may have done it: where the tag is now (faults N43). */
const leftAt = (
  { resolve }: Pick<Repository, "resolve">,
  reference: Reference,
  digest: string
): Effect.Effect<string> =>
  Effect.match(resolve(reference), {
    onFailure: () => `the tag may now point at the placeholder ${digest}, delete it again`,
    onSuccess: ({ descriptor }) =>
      descriptor.digest === digest
        ? `the tag now points at the placeholder ${digest}, delete it again`
        : "the tag is as it was"
  })

const replace = Effect.fnUntraced(function*(
  at: At,
  http: Http,
  content: Pick<Repository, "resolve" | "putBlob" | "putManifest">,
  tag: Tag,
  refusal: StoreError
) {
  const reference = Reference.ByTag({ tag })
  const { descriptor } = yield* content.resolve(reference)
  const dummy = yield* placeholder(tag, descriptor.mediaType.startsWith("application/vnd.docker."))
  // 405 may mean deletion of tags or deletion at all: asked with a digest nobody has, before anything is changed.
  if (statusOf(refusal) === 405) {
    yield* deleteByDigest(at, http, dummy.manifest.descriptor.digest).pipe(
      Effect.catchIf((error) => statusOf(error) !== 405, () => Effect.void),
      Effect.catch(failedToDelete(at, tag))
    )
  }
  yield* Effect.forEach(dummy.blobs, ({ content: bytes, descriptor }) => content.putBlob(bytes, descriptor), {
    concurrency: 2
  })
  const { digest } = dummy.manifest.descriptor
  yield* content.putManifest(dummy.manifest, { tag }).pipe(
    Effect.catch((error) =>
      Effect.flatMap(leftAt(content, reference, digest), (said) => Effect.fail(within(said)(error)))
    ),
    Effect.andThen(Effect.mapError(
      deleteByDigest(at, http, digest),
      within(
        `failed deleting dummy manifest for ${nameOf(at, reference)}: ` +
          `the tag now points at the placeholder ${digest}, delete it again`
      )
    )),
    // The tag must not stay with the placeholder, which the registry may have taken.
    Effect.onInterrupt(() => farewell(deleteByDigest(at, http, digest)))
  )
})
