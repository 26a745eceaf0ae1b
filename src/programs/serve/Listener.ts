/** The socket side of the embedded registry, so that the programs name no platform. */
import { Context, Data } from "effect"
import type { Effect, Scope } from "effect"
import type { HttpServer } from "effect/http"

export class ServeError extends Data.TaggedError("ServeError")<{ readonly message: string }> {}

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export class Listener extends Context.Service<Listener, {
  /**
   * A bound server. Closing the scope stops accepting, and gives the requests at work up to 30 seconds. Headers have
   * to come within 10 seconds, bodies may take any time; of more than 1,000 connections the last are refused.
   */
  readonly listen: (
    options: ListenOptions
  ) => Effect.Effect<HttpServer.HttpServer["Service"], ServeError, Scope.Scope>
}>()("regclient/programs/serve/Listener") {}
