/** A run that writes nowhere: what it would have written it reads as if it had (regbot description, section 10). */
import { Effect } from "effect"
import { Repositories } from "../../services/Repositories.ts"
import { dryRepositories } from "../../services/repository/dryRun.ts"

/** All that runs in it sees the writes of each other, and nobody does after it. */
export const drily = <A, E, R>(run: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const dry = yield* dryRepositories(yield* Repositories)
    return yield* Effect.provideService(run, Repositories, dry)
  }))
