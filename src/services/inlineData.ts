/** The `data` of a descriptor: content sent along with its pointer (image-spec, descriptor.md, embedded content). */
import { Effect } from "effect"
import { hashHex } from "../lib/hash.ts"
import type { Descriptor } from "../schemas/Descriptor.ts"
import { algorithmOf, encodedOf } from "../schemas/Digest.ts"

/** The bytes when they are the descriptor's; wrong ones are passed over with a warning (faults C17). */
export const inlineData = (descriptor: Descriptor | undefined): Effect.Effect<Uint8Array | undefined> => {
  if (descriptor?.data === undefined) return Effect.succeed(undefined)
  const { data, digest, size } = descriptor
  const bytes = new Uint8Array(Buffer.from(data, "base64"))
  const isRight = bytes.length === size && hashHex(algorithmOf(digest), bytes) === encodedOf(digest)
  return isRight
    ? Effect.succeed(bytes)
    : Effect.as(Effect.logWarning(`Ignoring the data of a descriptor: it is not the content of ${digest}`), undefined)
}
