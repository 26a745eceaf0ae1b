/** What copies that run together know of each other's blobs. */
import { Context, Deferred, Effect, Exit } from "effect"
import type { How } from "../../schemas/Copy.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { type Location, locationName } from "../../schemas/Ref.ts"

/** By place and digest, whether a blob got there; of one on its way it is not known yet. None: a copy on its own. */
export const Sent = Context.Reference<Map<string, Deferred.Deferred<boolean>> | undefined>(
  "regclient/programs/copy/Sent",
  { defaultValue: () => undefined }
)

/** Moves a blob unless another copy does or did; when that one failed, whoever comes first tries again. */
export const once = <E, R>(
  to: Location,
  digest: Digest,
  move: Effect.Effect<How | "missing", E, R>
): Effect.Effect<How | "missing", E, R> =>
  Effect.flatMap(Sent, (sent) => {
    if (sent === undefined) return move
    const key = `${locationName(to)} ${digest}`
    const attempt: Effect.Effect<How | "missing", E, R> = Effect.suspend(() => {
      const other = sent.get(key)
      if (other !== undefined) {
        return Effect.flatMap(Deferred.await(other), (isThere) => isThere ? Effect.succeed("present") : attempt)
      }
      const outcome = Deferred.makeUnsafe<boolean>()
      sent.set(key, outcome)
      return Effect.onExit(move, (exit) => {
        const isThere = Exit.isSuccess(exit) && exit.value !== "missing"
        if (!isThere) sent.delete(key)
        return Deferred.succeed(outcome, isThere)
      })
    })
    return attempt
  })
