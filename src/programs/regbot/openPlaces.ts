/** The repositories that a run of a script has open: each once, until the script closes it or the run ends. */
import { Effect, Exit, Scope } from "effect"
import { type Location, locationName } from "../../schemas/Ref.ts"
import { Depth } from "../../services/LuaEngine.ts"
import { SweepAtEnd } from "../../services/OciLayout.ts"
import { WillWrite } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import type { Repository } from "../../services/Repository.ts"
import { makeTurns } from "../../services/turns.ts"

interface Place {
  readonly repository: Repository
  readonly scope: Scope.Closeable
}

/** What is open is closed with the scope. */
export const makePlaces = Effect.gen(function*() {
  const { open } = yield* Repositories
  const all = yield* Scope.Scope
  const turn = makeTurns()
  /** By name, then by whether it was opened to be written to. */
  const places = new Map<string, Map<boolean, Place>>()
  /** Names of those that may hold blobs which no manifest names yet: a sweep would take them. */
  const unswept = new Set<string>()
  return {
    open: Effect.fnUntraced(function*(location: Location) {
      const name = locationName(location)
      const willWrite = yield* WillWrite
      if (!(yield* SweepAtEnd)) unswept.add(name)
      // Calls of `parallel` come at once.
      return yield* turn(name)(Effect.gen(function*() {
        const found = places.get(name)?.get(willWrite)
        if (found !== undefined) return found.repository
        return yield* Effect.uninterruptibleMask((restore) =>
          Effect.gen(function*() {
            const scope = yield* Scope.fork(all)
            const repository = yield* restore(Scope.provide(open(location), scope)).pipe(
              Effect.onError(() => Scope.close(scope, Exit.void))
            )
            const known = places.get(name) ?? new Map<boolean, Place>()
            places.set(name, known.set(willWrite, { repository, scope }))
            return repository
          })
        )
      }))
    }),
    close: Effect.fnUntraced(function*(location: Location) {
      const name = locationName(location)
      // Calls of `parallel` share what is open: one that is done must not close it under the others.
      if (unswept.has(name) || (yield* Depth) > 0) return
      yield* turn(name)(Effect.suspend(() => {
        const known = [...places.get(name)?.values() ?? []]
        places.delete(name)
        return Effect.forEach(known, ({ scope }) => Scope.close(scope, Exit.void), { discard: true })
      }))
    })
  }
})
