/** What is absent: told apart from what cannot be asked, and no failure where it need not be there. */
import { Effect, Stream } from "effect"
import type { Reference } from "../schemas/Ref.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Repository } from "../services/Repository.ts"

/** Whether what is looked up is there; any failure but `NotFound` stays one. */
export const exists = (look: Effect.Effect<unknown, StoreError>): Effect.Effect<boolean, StoreError> =>
  look.pipe(Effect.as(true), Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(false)))

/**
 * `--ignore-missing`: a failed removal succeeds when the place then says that the thing is not there; any other answer
 * keeps the failure.
 */
export const ignoreMissing = (repository: Repository, reference: Reference, remove: Effect.Effect<void, StoreError>) =>
  Effect.catch(
    remove,
    (error) =>
      Effect.matchEffect(Effect.andThen(readable(repository), exists(repository.resolve(reference))), {
        onFailure: () => Effect.fail(error),
        onSuccess: (isThere) => isThere ? Effect.fail(error) : Effect.void
      })
  )

/** A layout that does not exist is no place where something could be missing. */
const readable = ({ location, tags }: Repository): Effect.Effect<void, StoreError> =>
  location._tag === "OciLayout" ? Stream.runDrain(tags()) : Effect.void
