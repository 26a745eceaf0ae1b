/**
 * `Transport` on node:http with connections of our own making: each is dialled to a checked address, kept for reuse by
 * host, TLS setting and proxy, and closed when the request that holds it is interrupted or leaves its body unread.
 * Touches the platform: node:http, loaded with the first request.
 */
import { Config, Effect, Layer, Option } from "effect"
import type { Scope } from "effect"
import { type Proxy, type ProxyEnv, proxyFor } from "../../lib/proxyEnv.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { TlsSettings, TransportRequest, TransportResponse } from "../Transport.ts"
import { Transport } from "../Transport.ts"
import { dial, held, type Route } from "./dial.ts"
import { type Call, Exchange } from "./exchange.ts"
import { operationOf, timedOut } from "./failures.ts"
import { IdleConnections, type Lease } from "./idle.ts"
import { prepareTrust, type Trust, trustKey } from "./secure.ts"

interface State {
  readonly proxies: ProxyEnv
  readonly idle: IdleConnections
  readonly trusts: Map<string, Effect.Effect<Trust>>
}

/** Proxies come from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read once. */
export const layer: Layer.Layer<Transport, Config.ConfigError> = Layer.effect(
  Transport,
  Effect.gen(function*() {
    const state: State = {
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
  Effect.gen(function*() {
    const operation = operationOf(request.method, request.url)
    const choice = proxyFor(state.proxies, request.url)
    if (choice === "invalid") {
      return yield* storeError(operation, "ConnectFailed", "the environment names a proxy that is no http or https URL")
    }
    const proxy = choice === "direct" ? undefined : choice
    const route = yield* routeOf(state, request, operation, proxy)
    const call = callOf(request, route)
    const key = keyOf(request, proxy)
    const lease = yield* lend(state, key, route, request, true)
    return yield* exchange(call, lease, () => lend(state, key, route, request, false))
  })

/** A connection for the request's scope: the idle one used last, or a new one. */
const lend = (
  { idle }: State,
  key: string,
  route: Route,
  { timeouts }: TransportRequest,
  mayReuse: boolean
): Effect.Effect<Lease, StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const reused = mayReuse ? idle.take(key) : undefined
      if (reused !== undefined) return Effect.succeed(reused)
      const dialled = timeouts.connect <= 0 ? dial(route) : Effect.timeoutOrElse(dial(route), {
        duration: timeouts.connect,
        orElse: () => Effect.fail(timedOut(route.operation, `no connection to ${addressOf(route)}`, timeouts.connect))
      })
      return Effect.map(dialled, (connection) => idle.adopt(key, connection))
    }),
    (lease) => Effect.sync(lease.end),
    { interruptible: true }
  )

/** Sends, and once more on a fresh connection where the server closed an idle one meanwhile (quirks 1.10). */
const exchange = (
  call: Call,
  lease: Lease,
  fresh: () => Effect.Effect<Lease, StoreError, Scope.Scope>
): Effect.Effect<TransportResponse, StoreError, Scope.Scope> =>
  Effect.gen(function*() {
    const running = yield* Effect.try({
      try: () => new Exchange(lease, call),
      catch: (error) => storeError(call.operation, "ProtocolError", `invalid request: ${messageOf(error)}`)
    })
    const { method } = call.request
    return yield* Effect.catch(running.run, (error) =>
      lease.isReused && (method === "GET" || method === "HEAD") && error.reason._tag === "ConnectionLost" &&
        running.isUnanswered
        ? Effect.flatMap(fresh(), (another) =>
          exchange(call, another, fresh))
        : Effect.fail(error))
  })

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

const routeOf = Effect.fnUntraced(
  function*(state: State, { reach, tls, url }: TransportRequest, operation: string, proxy: Proxy | undefined) {
    const isSecure = url.protocol === "https:"
    const route: Route = {
      operation,
      url,
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
      ...(proxy === undefined ? {} : { proxy }),
      ...(isSecure ? { trust: yield* trustOf(state, tls, url.host) } : {}),
      ...(proxy?.secure === true ? { proxyTrust: yield* trustOf(state, plainTrust, proxy.hostname) } : {}),
      ...(reach === undefined ? {} : { reach })
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

/** Headers that belong to the connection, not to the request. */
const ours: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const callOf = (request: TransportRequest, route: Route): Call => {
  const { body, method, url } = request
  const { proxy } = route
  const isForwarded = proxy !== undefined && route.trust === undefined
  const path = `${url.pathname}${url.search}`
  const given = Object.entries(request.headers).filter(([name]) => !ours.has(name.toLowerCase()))
  const headers: Record<string, string | Array<string>> = { Host: url.host, Connection: "keep-alive" }
  if (!given.some(([name]) => name.toLowerCase() === "accept-encoding")) headers["Accept-Encoding"] = "identity"
  for (const [name, value] of given) headers[name] = typeof value === "string" ? value : [...value]
  const size = body instanceof Uint8Array ? body.length : body?.size
  if (size !== undefined) headers["Content-Length"] = String(size)
  else if (body !== undefined) headers["Transfer-Encoding"] = "chunked"
  else if (method === "POST" || method === "PUT" || method === "PATCH") headers["Content-Length"] = "0"
  if (isForwarded && proxy.authorization !== undefined) headers["Proxy-Authorization"] = proxy.authorization
  return {
    operation: route.operation,
    address: addressOf(route),
    request,
    target: isForwarded ? `${url.protocol}//${url.host}${path}` : path,
    headers
  }
}

const addressOf = ({ hostname, port }: Route): string => held(hostname, port)
