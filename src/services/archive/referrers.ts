/** Referrers inside an archive: listed under fallback tags, as in a layout. */
import { Effect } from "effect"
import type { Digest } from "../../schemas/Digest.ts"
import { Reference } from "../../schemas/Ref.ts"
import { fallbackTag, isMatch, referrer } from "../../schemas/Referrers.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { find } from "../ociLayout/documents.ts"
import type { Referrers } from "../Repository.ts"
import { byDigest, type Contents, manifestOf } from "./contents.ts"

/** `slow` adds manifests of the index that name the subject and stand in no list. */
export const referrersOf = Effect.fnUntraced(function*(
  contents: Contents,
  subject: Digest,
  { artifactType, slow = false }: { readonly artifactType?: string; readonly slow?: boolean }
) {
  const { layout, name } = contents
  if (layout === undefined) return { descriptors: [], annotations: {} } satisfies Referrers
  const tag = fallbackTag(subject)
  const entry = find(layout.index, Reference.ByTag({ tag }))
  const list = entry === undefined
    ? undefined
    : yield* Effect.catchReason(
      manifestOf(contents, byDigest(entry), entry),
      "StoreError",
      "NotFound",
      () => Effect.succeed(undefined)
    )
  if (list !== undefined && list._tag !== "Index") {
    return yield* storeError("", "ManifestInvalid", `referrers tag is not an index: ${name}:${tag}`)
  }
  const all = new Map((list?.manifests ?? []).map((it) => [it.digest, it]))
  if (slow) {
    for (const { descriptor } of layout.index.entries) {
      // What cannot be read is no referrer that could be shown.
      const found = yield* Effect.option(manifestOf(contents, byDigest(descriptor), descriptor))
      if (found._tag === "Some" && found.value.subject?.digest === subject && !all.has(descriptor.digest)) {
        all.set(descriptor.digest, referrer(found.value))
      }
    }
  }
  const found: Referrers = {
    descriptors: [...all.values()].filter(isMatch(artifactType === undefined ? {} : { artifactType })),
    annotations: list?.annotations ?? {},
    ...(entry === undefined ? {} : { tag })
  }
  return found
})
