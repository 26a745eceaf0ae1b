/** Reads what a command line names: references with their repositories, digests. */
import { Effect, Result } from "effect"
import type { Descriptor } from "../schemas/Descriptor.ts"
import { digestProblem, isDigest } from "../schemas/Digest.ts"
import { mediaTypes } from "../schemas/MediaType.ts"
import { parseRef } from "../schemas/Ref.ts"
import { storeError } from "../schemas/StoreError.ts"
import { Repositories } from "../services/Repositories.ts"

export const readRef = (text: string | undefined) => Effect.fromResult(parseRef(text ?? ""))

/** The reference, and its repository until the scope ends. */
export const openRef = Effect.fnUntraced(function*(text: string | undefined) {
  const ref = yield* readRef(text)
  const { open } = yield* Repositories
  return { ref, repository: yield* open(ref.location) }
})

/** A blob of which the digest is all that is known; its size is not. */
export const readBlob = (text: string | undefined) =>
  Effect.fromResult(
    text !== undefined && isDigest(text)
      ? Result.succeed<Descriptor>({ mediaType: mediaTypes.octetStream, digest: text, size: 0 })
      : Result.fail(storeError("", "DigestInvalid", digestProblem(text ?? "") ?? "invalid checksum digest format"))
  )
