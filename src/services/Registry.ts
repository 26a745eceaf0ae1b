/** Repositories of registries over HTTP. */
import { Context } from "effect"
import type { Effect, Scope, Stream } from "effect"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Page, PageRequest, Repository } from "./Repository.ts"

export class Registry extends Context.Service<Registry, {
  readonly open: (
    at: { readonly registry: string; readonly repository: string }
  ) => Effect.Effect<Repository, StoreError, Scope.Scope>
  /** The catalog, one page for each pull of the stream. */
  readonly list: (registry: string, page?: PageRequest) => Stream.Stream<Page, StoreError>
  /** Asks for `/v2/` with the login configured. */
  readonly ping: (registry: string) => Effect.Effect<void, StoreError>
}>()("regclient/services/Registry") {}
