/** What `manifest get` and `manifest head` ask for: an index as it is, or the manifest of one platform. */
import { Effect } from "effect"
import { UsageError } from "../../schemas/UsageError.ts"

/** Fails when both are asked for. */
export const checkRequest = (
  { platform, requireList }: { readonly platform: string; readonly requireList: boolean }
): Effect.Effect<void, UsageError> =>
  requireList && platform !== ""
    ? Effect.fail(new UsageError({ message: "cannot request a platform and require-list simultaneously" }))
    : Effect.void
