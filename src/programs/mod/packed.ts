/** A layer's tar on its way into a file: hashed plain for the configuration, then in the form the layer is stored in. */
import { Effect } from "effect"
import { hasher } from "../../lib/hash.ts"
import { type Algorithm, algorithmOf, isDigest } from "../../schemas/Digest.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { type Bytes, tapped } from "../../services/Bytes.ts"
import { compressed } from "../../services/compressed.ts"
import { spool, type Spooled } from "../../services/spool.ts"
import type { Form } from "./layerForms.ts"

export interface Packing {
  readonly form: Form
  /** Of the layer as it is stored. */
  readonly algorithm: Algorithm
  /** Of its plain tar. */
  readonly diffAlgorithm: Algorithm
}

export interface Packed extends Spooled {
  readonly diffId: string
}

/** The algorithm of a `diff_id`; sha256 where there is none. */
export const diffAlgorithmOf = (diffId: string | undefined): Algorithm =>
  diffId !== undefined && isDigest(diffId) ? algorithmOf(diffId) : "sha256"

/** Reads the tar once, into a new file. Fails as the tar does, and when the file cannot be written. */
export const packed = (
  file: string,
  tar: Bytes,
  { algorithm, diffAlgorithm, form }: Packing
): Effect.Effect<Packed, StoreError> =>
  Effect.suspend(() => {
    const hash = hasher(diffAlgorithm)
    const hashed = tapped(tar, (view) => hash.update(view))
    const bytes = form === "none" ? hashed : compressed(hashed, form)
    return Effect.map(
      spool(file, bytes, algorithm),
      (spooled) => ({ ...spooled, diffId: `${diffAlgorithm}:${hash.hex()}` })
    )
  })
