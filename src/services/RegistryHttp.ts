/** One registry request: order of hosts, login, admission, retries and redirects are dealt with here, and nowhere else. */
import { Context } from "effect"
import type { Effect, Scope } from "effect"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Pump } from "./Bytes.ts"
import type { Demand } from "./RateLimiter.ts"
import type { Body, TransportResponse } from "./Transport.ts"

export interface RegistryRequest {
  /** The name in references. */
  readonly registry: string
  /** Without: the path is below `/v2/` (ping, catalog). */
  readonly repository?: string
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below `/v2/<prefix>/<repository>/`, such as `manifests/v1`. */
  readonly path: string
  /** In place of the path: an upload's location, the next page, a layer's own URL. Taken as it is, rules of origins applied. */
  readonly url?: URL
  readonly query?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: Body
  readonly demand: Demand
  /** Reads may go to mirrors. */
  readonly mirrors?: boolean
  /** Statuses besides 2xx that are answers to the caller, not failures. */
  readonly accept?: ReadonlyArray<number>
  /** More repositories the token must be good for: `{ "library/app": "pull" }` for a mount. */
  readonly scopes?: Readonly<Record<string, string>>
  /** A failure is expected and says nothing about the host's health: one attempt, no backoff recorded. */
  readonly isProbe?: boolean
  /** A whole blob or part of one: a body that breaks off continues by `Range`, up to this size in bytes. */
  readonly resume?: { readonly from: number; readonly size: number }
}

export interface RegistryResponse extends TransportResponse {
  /** Where the answer came from, after redirects: base for relative locations. */
  readonly url: URL
  /** Continues after a break when the request said `resume`. */
  readonly body: Pump
}

export class RegistryHttp extends Context.Service<RegistryHttp, {
  readonly request: (request: RegistryRequest) => Effect.Effect<RegistryResponse, StoreError, Scope.Scope>
}>()("regclient/services/RegistryHttp") {}
