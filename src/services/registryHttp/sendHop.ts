/** One hop of a request on its way: with the login it goes by, told in the log, its answer noted for the host's limit. */
import { Clock, Effect, Exit, Scope } from "effect"
import type { Context, Semaphore } from "effect"
import type { Host } from "../../schemas/Host.ts"
import type { Hosts } from "../Hosts.ts"
import type { RateLimiter } from "../RateLimiter.ts"
import type { RegistryAuth } from "../RegistryAuth.ts"
import { Secrets } from "../Secrets.ts"
import type { Body, Reach, Transport, TransportRequest, TransportResponse } from "../Transport.ts"
import type { Warnings } from "../Warnings.ts"
import type { Hop } from "./redirects.ts"
import { shownHeaders, trace } from "./trace.ts"
import { shownUrl, tlsFor } from "./urls.ts"

export interface Parts {
  readonly hosts: Context.Service.Shape<typeof Hosts>
  readonly auth: Context.Service.Shape<typeof RegistryAuth>
  readonly limiter: Context.Service.Shape<typeof RateLimiter>
  readonly transport: Context.Service.Shape<typeof Transport>
  readonly warnings: Context.Service.Shape<typeof Warnings>
  /** How local each host was found to be. */
  readonly reaches: Map<string, Reach>
  /** Held by the first request to a host, until it is known how to log in there. */
  readonly contacts: Map<string, Semaphore.Semaphore>
}

/** Where a hop goes and as whom. */
export interface Target {
  readonly host: Host
  /** Of the host that was asked first: its login is offered beforehand, its limits and warnings are read. */
  readonly isOwn: boolean
  readonly isAnonymous: boolean
  /** A 401 is for good: nothing else is tried there. */
  readonly isFinal: boolean
  readonly reach: Reach | undefined
}

export interface Answer {
  readonly response: TransportResponse
  readonly discard: Effect.Effect<void>
}

/** Bytes that are sent as they come, once. */
export const isPump = (body: Body | undefined): boolean => body !== undefined && !(body instanceof Uint8Array)

/** Sends one hop in a scope of its own, which ends with the attempt's or when its answer is discarded. */
export const send = Effect.fnUntraced(
  function*(parts: Parts, target: Target, hop: Hop, authorization: string | undefined) {
    const scope = Scope.forkUnsafe(yield* Effect.scope)
    const message: TransportRequest = {
      method: hop.method,
      url: hop.url,
      headers: authorization === undefined ? hop.headers : { ...hop.headers, authorization },
      tls: tlsFor(target.host, hop.url, !target.isAnonymous),
      timeouts: target.host.timeouts,
      ...(hop.body === undefined ? {} : { body: hop.body }),
      ...(target.reach === undefined ? {} : { reach: target.reach })
    }
    const secrets = yield* Secrets
    if (authorization !== undefined) secrets.learnHeader(authorization)
    const shown = () => shownUrl(hop.url, target.isOwn)
    yield* trace("HTTP request", () => ({ method: hop.method, url: shown(), headers: shownHeaders(message.headers) }))
    const began = yield* Clock.currentTimeMillis
    const response = yield* Effect.provideService(parts.transport.send(message), Scope.Scope, scope).pipe(
      Effect.tapError(({ reason }) =>
        Effect.sync(() => {
          if (target.isOwn && reason._tag === "ConnectionLost") parts.limiter.note(target.host.name, undefined)
        })
      )
    )
    // How long a stream takes says nothing of the host.
    if (target.isOwn && !isPump(hop.body)) {
      const isTooMuch = response.status === 429 || response.status === 503
      const took = (yield* Clock.currentTimeMillis) - began
      parts.limiter.note(target.host.name, isTooMuch ? undefined : took)
    }
    yield* trace(
      "HTTP response",
      () => ({ url: shown(), status: response.status, headers: shownHeaders(response.headers, secrets) })
    )
    if (target.isOwn && response.reach !== undefined) parts.reaches.set(target.host.name, response.reach)
    const answer: Answer = { response, discard: Scope.close(scope, Exit.void) }
    return answer
  }
)
