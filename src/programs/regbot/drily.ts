/** A run that writes nowhere. */
import type { Effect } from "effect"

/** Until there is more. */
export const drily = <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => run
