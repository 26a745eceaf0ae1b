/** `--ignore-missing`: what is gone already need not be removed. */
import { Effect } from "effect"
import type { Reference } from "../schemas/Ref.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Repository } from "../services/Repository.ts"

/** A failed removal succeeds when the place then says that the thing is not there; any other answer keeps the failure. */
export const ignoreMissing = (repository: Repository, reference: Reference, remove: Effect.Effect<void, StoreError>) =>
  Effect.catch(remove, (error) =>
    Effect.matchEffect(repository.resolve(reference), {
      onFailure: ({ reason }) => reason._tag === "NotFound" ? Effect.void : Effect.fail(error),
      onSuccess: () => Effect.fail(error)
    }))
