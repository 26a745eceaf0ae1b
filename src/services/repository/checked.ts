/** Manifests held to what their descriptors say, where no registry does that. */
import { Effect } from "effect"
import { computeDigest } from "../../schemas/computeDigest.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"

/** The bytes are those of the digest; that of a signed schema 1 manifest is over a part of them. */
export const checked = ({ _tag, bytes, descriptor: { digest, size } }: Manifest): Effect.Effect<void, StoreError> => {
  const computed = computeDigest(algorithmOf(digest), bytes)
  if (bytes.length !== size) {
    return Effect.fail(storeError("", "SizeMismatch", `short read [expected ${size}, received ${bytes.length}]`))
  }
  return _tag === "Schema1" || computed === digest ? Effect.void : Effect.fail(
    storeError("", "DigestMismatch", `manifest digest mismatch, expected ${digest}, computed ${computed}`)
  )
}
