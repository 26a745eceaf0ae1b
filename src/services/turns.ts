/** Turns by name: one at a time for each name, any number of names at once. A name nobody waits for costs nothing. */
import { Effect, Semaphore } from "effect"

export type Turns = (name: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

export const makeTurns = (): Turns => {
  const held = new Map<string, { readonly turn: Semaphore.Semaphore; users: number }>()
  return (name) => (effect) =>
    Effect.suspend(() => {
      const entry = held.get(name) ?? { turn: Semaphore.makeUnsafe(1), users: 0 }
      held.set(name, entry)
      entry.users++
      return Effect.ensuring(
        entry.turn.withPermit(effect),
        Effect.sync(() => {
          if (--entry.users === 0) held.delete(name)
        })
      )
    })
}
