/** A blob's way from one repository into another; what arrives wrong is asked for once more (faults C01). */
import { Effect } from "effect"
import type { Counter } from "../../schemas/Copy.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { tapped } from "../../services/Bytes.ts"
import type { ReadonlyRepository, Repository } from "../../services/Repository.ts"

/** Counts the bytes of the attempt that is under way. */
export const transfer = (
  from: ReadonlyRepository,
  to: Repository,
  blob: Descriptor,
  moved: Counter
): Effect.Effect<void, StoreError> => {
  const send = Effect.suspend(() => {
    moved.bytes = 0
    const content = tapped(from.blob(blob), ({ length }) => {
      moved.bytes += length
    })
    return Effect.asVoid(to.putBlob(content, blob))
  })
  return Effect.catchIf(send, isWrong, () => send)
}

const isWrong = ({ reason }: StoreError): boolean => reason._tag === "DigestMismatch" || reason._tag === "SizeMismatch"
