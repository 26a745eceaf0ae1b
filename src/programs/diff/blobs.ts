/** The two blobs that a diff command names. */
import { Effect } from "effect"
import { openRef, readBlob, readRef } from "../open.ts"

/** The bytes of `<repository> <digest> <repository> <digest>`; all four are read before anything is asked for. */
export const openTwoBlobs = Effect.fnUntraced(function*([aRef, aDigest, bRef, bDigest]: ReadonlyArray<string>) {
  const blobs = [[aRef, yield* readBlob(aDigest)], [bRef, yield* readBlob(bDigest)]] as const
  for (const [ref] of blobs) yield* readRef(ref)
  return yield* Effect.forEach(
    blobs,
    ([ref, blob]) => Effect.map(openRef(ref), ({ repository }) => repository.blob(blob))
  )
})
