/** The repositories of a registry, by docker's `_catalog` (not part of the OCI specification), and its ping. */
import { Effect, Result, Schema, type Stream } from "effect"
import { isRepository } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { Page, PageRequest } from "../Repository.ts"
import { type Http, settled } from "./exchange.ts"
import { pages } from "./pages.ts"

const decodeCatalog = Schema.decodeUnknownResult(
  Schema.Struct({ repositories: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))) })
)

export const catalog = (http: Http, registry: string, page?: PageRequest): Stream.Stream<Page, StoreError> =>
  pages(http, {
    request: { registry, method: "GET", path: "_catalog", demand: { kind: "query", size: 0 } },
    namesOf: (json) => Result.map(decodeCatalog(json), (it) => it.repositories ?? []),
    isName: isRepository,
    operation: `failed to list repositories for ${registry}`
  }, page)

/** Asks for `/v2/`, whatever the prefix of the registry's repositories. */
export const ping = (http: Http, registry: string): Effect.Effect<void, StoreError> =>
  settled(http, { registry, method: "GET", path: "", demand: { kind: "query", size: 0 } }).pipe(
    Effect.filterOrFail(
      ({ status }) => status === 200,
      ({ status }) =>
        storeError("request failed", "HttpStatus", `unexpected http status code: [http ${status}]`, { status })
    ),
    Effect.mapError(within(`failed to ping registry ${registry}`)),
    Effect.asVoid
  )
