/**
 * Admits requests to hosts: so many at once, so many a second, small ones first.
 *
 * A blob copy holds a place at both of its hosts. It takes the two in one step,
 * so two copies in opposite directions never wait for each other.
 */
import { Context } from "effect"
import type { Effect, Option, Scope } from "effect"

export interface Demand {
  readonly kind: "head" | "manifest" | "query" | "blob"
  /** Bytes, 0 when unknown. */
  readonly size: number
}

/** What a host says of its pull limit (Docker Hub's headers). */
export interface Quota {
  readonly limit: number
  readonly remaining: number
  /** Seconds until the window begins anew, 0 when unknown. */
  readonly reset: number
  /** Whether a remaining count came. */
  readonly isSet: boolean
  readonly policies: ReadonlyArray<string>
}

export class RateLimiter extends Context.Service<RateLimiter, {
  /** Holds places at the named hosts for all of an effect. Requests inside it ask for no second one. */
  readonly admit: (
    hosts: ReadonlyArray<string>,
    demand: Demand
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Holds a place until the scope ends: as long as a body is being read. */
  readonly enter: (host: string, demand: Demand) => Effect.Effect<void, never, Scope.Scope>
  readonly observe: (host: string, quota: Quota) => Effect.Effect<void>
  readonly quota: (host: string) => Effect.Effect<Option.Option<Quota>>
}>()("regclient/services/RateLimiter") {}
