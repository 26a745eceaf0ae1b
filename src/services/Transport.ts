/**
 * The seam below everything that speaks HTTP: one request to one origin, a body each way in large views.
 *
 * No redirect, login or retry happens here. Whoever implements it sends the bytes of a body once, never from a piped
 * stream that a second attempt would find empty.
 */
import { Context } from "effect"
import type { Effect, Scope } from "effect"
import type { Timeouts, Tls } from "../schemas/Host.ts"
import type { Headers } from "../schemas/Manifest.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Pump } from "./Bytes.ts"

/** How near to this machine an address is; a server may send us only to addresses no nearer than its own. */
export type Reach = "public" | "private" | "local"

export interface TlsSettings {
  readonly mode: Tls
  /** PEM, trusted besides the system's. */
  readonly certificates: ReadonlyArray<string>
  readonly clientCert?: string
  readonly clientKey?: string
}

/** Bytes in memory, or a pump with its size; a size nobody knows is sent with chunked coding. */
export type Body = Uint8Array | { readonly pump: Pump; readonly size: number | undefined }

export interface TransportRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: Body
  readonly tls: TlsSettings
  readonly timeouts: Timeouts
  /** The nearest class of address that may be dialled; refused with `RedirectRefused` before connecting. Absent: any. */
  readonly reach?: Reach
}

export interface TransportResponse {
  readonly status: number
  readonly headers: Headers
  /** The class of the address that answered; absent behind a proxy. */
  readonly reach?: Reach
  /**
   * The body, to be taken once. Ends with `ConnectionLost` or `SizeMismatch` when it breaks off, `Timeout` when it
   * stalls. Not taking it at all is fine: the scope's end gives the connection up.
   */
  readonly body: Pump
}

export class Transport extends Context.Service<Transport, {
  /**
   * Fails with ConnectFailed, DnsFailed, TlsFailed, ConnectionLost, Timeout, ProtocolError or RedirectRefused. The
   * operation of the error is `Get "https://host/path"`, with the method capitalised and the query of foreign hosts
   * left out where it may hold a signature.
   */
  readonly send: (request: TransportRequest) => Effect.Effect<TransportResponse, StoreError, Scope.Scope>
}>()("regclient/services/Transport") {}
