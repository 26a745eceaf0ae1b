/** What a long run is told from outside: to do something besides its work, and to end. */
import { Context, Effect, type Scope, type Stream } from "effect"

export type Signal = "SIGHUP" | "SIGUSR1"

export class Signals extends Context.Service<Signals, {
  /** Heard from now on, until the scope ends; those that come while one is being answered count as one. */
  readonly on: (signal: Signal) => Effect.Effect<Stream.Stream<void>, never, Scope.Scope>
}>()("regclient/services/Signals") {}

/** Succeeds when the run shall end. Only commands that end by themselves are told; others are interrupted. */
export const Stopping = Context.Reference<Effect.Effect<void>>("regclient/services/Stopping", {
  defaultValue: () => Effect.never
})
