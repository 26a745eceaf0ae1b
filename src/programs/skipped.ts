/** The end of a list that held names no reference can hold: what could be shown was, and the run failed (faults N38). */
import { Effect } from "effect"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import type { Page } from "../services/Repository.ts"

/** Fails with ReferenceInvalid when names were left out of a list. */
export const checkSkipped = (
  operation: string,
  { skipped = 0 }: Pick<Page, "skipped">
): Effect.Effect<void, StoreError> =>
  skipped === 0
    ? Effect.void
    : Effect.fail(storeError(operation, "ReferenceInvalid", `invalid reference: ${skipped} names are not allowed`))
