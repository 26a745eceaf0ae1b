/** The client of the newest configuration. One before it stays open until the last run that began with it has ended. */
import { type Context, Effect, Exit, Scope } from "effect"
import { type Client, Clients, type ClientSettings } from "../../services/Clients.ts"

interface Generation {
  readonly context: Context.Context<Client>
  readonly scope: Scope.Closeable
  users: number
}

export interface Generations {
  readonly replace: (settings: ClientSettings) => Effect.Effect<void>
  /** Runs with the newest client; it is a defect to do so before there is one. */
  readonly use: <A, E, R>(f: (client: Context.Context<Client>) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** All clients are closed with the scope. */
export const makeGenerations: Effect.Effect<Generations, never, Clients | Scope.Scope> = Effect.gen(function*() {
  const { open } = yield* Clients
  const all = yield* Scope.Scope
  let newest: Generation | undefined
  const closeUnused = (it: Generation | undefined) =>
    it !== undefined && it !== newest && it.users === 0 ? Scope.close(it.scope, Exit.void) : Effect.void
  return {
    replace: (settings) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const scope = yield* Scope.fork(all)
        const context = yield* Scope.provide(open(settings), scope)
        const before = newest
        newest = { context, scope, users: 0 }
        yield* closeUnused(before)
      })),
    use: (f) =>
      Effect.acquireUseRelease(
        Effect.suspend(() => {
          if (newest === undefined) return Effect.die(new Error("no client yet"))
          newest.users++
          return Effect.succeed(newest)
        }),
        ({ context }) => f(context),
        (it) =>
          Effect.suspend(() => {
            it.users--
            return closeUnused(it)
          })
      )
  }
})
