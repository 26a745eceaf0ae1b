/**
 * `Transport` over connections of our own making, whatever speaks HTTP on them: each is dialled to a checked address,
 * kept for reuse by host, TLS setting and proxy, and closed when the request that holds it is interrupted or leaves its
 * body unread.
 */
import { Config, Effect, Layer, Option } from "effect"
import type { Scope } from "effect"
import { type Proxy, type ProxyEnv, proxyFor } from "../../lib/proxyEnv.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { type TlsSettings, Transport, type TransportRequest, type TransportResponse } from "../Transport.ts"
import { type Call, callOf, endOf } from "./call.ts"
import { addressOf, dial, type Route } from "./dial.ts"
import { operationOf, timedOut } from "./failures.ts"
import { IdleConnections, type Lease } from "./idle.ts"
import { prepareTrust, type Trust, trustKey } from "./secure.ts"
import type { Reader } from "./wire/reader.ts"

/** A request on its way over a lease. */
export interface Running {
  readonly run: Effect.Effect<TransportResponse, StoreError>
  /** Nothing of a response came yet. */
  readonly isUnanswered: boolean
}

/** What speaks HTTP on the connections. */
export interface Speaker {
  /** Throws what is wrong with method, target or headers. */
  readonly begin: (lease: Lease, call: Call) => Running
  /** For each new connection, where its bytes go; absent: they come as the socket's events. */
  readonly reader?: () => Reader
}

interface State {
  readonly speaker: Speaker
  readonly proxies: ProxyEnv
  readonly idle: IdleConnections
  readonly trusts: Map<string, Effect.Effect<Trust>>
}

/** Proxies come from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read once. */
export const transportOf = (speakerOf: () => Speaker): Layer.Layer<Transport, Config.ConfigError> =>
  Layer.effect(
    Transport,
    Effect.gen(function*() {
      const state: State = {
        speaker: speakerOf(),
        proxies: yield* proxyEnv,
        idle: yield* Effect.acquireRelease(
          Effect.sync(() => new IdleConnections()),
          (idle) => Effect.sync(() => idle.close())
        ),
        trusts: new Map()
      }
      return Transport.of({ send: (request) => send(state, request) })
    })
  )

/** Upper case wins as in Go; a server that runs as a CGI program gets `HTTP_PROXY` from its client's `Proxy` header. */
const proxyEnv = Effect.gen(function*() {
  const read = (...names: ReadonlyArray<string>) =>
    Effect.map(
      Effect.forEach(names, (name) => Config.option(Config.String(name))),
      (values) => values.map(Option.getOrUndefined).find((value) => value !== undefined && value !== "")
    )
  const isCgi = (yield* read("REQUEST_METHOD")) !== undefined
  return {
    httpProxy: yield* isCgi ? read("http_proxy") : read("HTTP_PROXY", "http_proxy"),
    httpsProxy: yield* read("HTTPS_PROXY", "https_proxy"),
    noProxy: yield* read("NO_PROXY", "no_proxy")
  }
})

const send = (state: State, request: TransportRequest): Effect.Effect<TransportResponse, StoreError, Scope.Scope> =>
  Effect.suspend(() => {
    const choice = proxyFor(state.proxies, request.url)
    if (choice === "invalid") {
      const problem = "the environment names a proxy that is no http or https URL"
      return Effect.fail(storeError(operationOf(request.method, request.url), "ConnectFailed", problem))
    }
    const proxy = choice === "direct" ? undefined : choice
    const call = callOf(request, proxy)
    const lease = lend(state, request, proxy)
    return Effect.flatMap(lease(true), (first) => exchange(state.speaker, call, first, lease))
  })

/** A connection for the request's scope: the idle one used last, if it may be one, or a new one. */
const lend = (state: State, request: TransportRequest, proxy: Proxy | undefined) => {
  const key = keyOf(request, proxy)
  return (mayReuse: boolean): Effect.Effect<Lease, StoreError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const reused = mayReuse ? state.idle.take(key) : undefined
        return reused === undefined
          ? Effect.map(dialled(state, request, proxy), (connection) => state.idle.adopt(key, connection))
          : Effect.succeed(reused)
      }),
      (lease) => Effect.sync(lease.end),
      { interruptible: true }
    )
}

const dialled = Effect.fnUntraced(function*(state: State, request: TransportRequest, proxy: Proxy | undefined) {
  const route = yield* routeOf(state, request, proxy)
  const { timeouts: { connect } } = request
  return yield* connect <= 0 ? dial(route) : Effect.timeoutOrElse(dial(route), {
    duration: connect,
    orElse: () => Effect.fail(timedOut(route.operation, `no connection to ${addressOf(route)}`, connect))
  })
})

/** Sends, and once more on a fresh connection where the server closed an idle one meanwhile (quirks 1.10). */
const exchange = (
  speaker: Speaker,
  call: Call,
  lease: Lease,
  another: (mayReuse: boolean) => Effect.Effect<Lease, StoreError, Scope.Scope>
): Effect.Effect<TransportResponse, StoreError, Scope.Scope> => {
  let running: Running
  try {
    running = speaker.begin(lease, call)
  } catch (error) {
    return Effect.fail(storeError(call.operation, "ProtocolError", `invalid request: ${messageOf(error)}`))
  }
  const { method } = call.request
  if (!lease.isReused || (method !== "GET" && method !== "HEAD")) return running.run
  return Effect.catch(running.run, (error) =>
    error.reason._tag === "ConnectionLost" && running.isUnanswered
      ? Effect.flatMap(another(false), (fresh) => exchange(speaker, call, fresh, another))
      : Effect.fail(error))
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

const routeOf = Effect.fnUntraced(
  function*(state: State, { method, reach, tls, url }: TransportRequest, proxy: Proxy | undefined) {
    const isSecure = url.protocol === "https:"
    const route: Route = {
      operation: operationOf(method, url),
      url,
      ...endOf(url),
      ...(proxy === undefined ? {} : { proxy }),
      ...(isSecure ? { trust: yield* trustOf(state, tls, url.host) } : {}),
      ...(proxy?.secure === true ? { proxyTrust: yield* trustOf(state, plainTrust, proxy.hostname) } : {}),
      ...(reach === undefined ? {} : { reach }),
      ...(state.speaker.reader === undefined ? {} : { reader: state.speaker.reader })
    }
    return route
  }
)

const plainTrust: TlsSettings = { mode: "enabled", certificates: [] }

/** One for each setting, so that its warnings come once. */
const trustOf = (state: State, settings: TlsSettings, host: string): Effect.Effect<Trust> =>
  Effect.gen(function*() {
    const key = trustKey(settings)
    const known = state.trusts.get(key)
    if (known !== undefined) return yield* known
    const prepared = yield* Effect.cached(Effect.uninterruptible(prepareTrust(settings, host)))
    state.trusts.set(key, prepared)
    return yield* prepared
  })

const keyOf = ({ reach, tls, url }: TransportRequest, proxy: Proxy | undefined): string =>
  [
    url.protocol,
    url.host,
    reach ?? "",
    url.protocol === "https:" ? trustKey(tls) : "",
    proxy === undefined ? "" : `${proxy.secure}${proxy.hostname}:${proxy.port}`
  ].join("\0")
