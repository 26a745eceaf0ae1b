/** A request as it goes out: its target, the headers that are ours to set, and what errors name. */
import type { TransportRequest } from "../Transport.ts"
import { addressOf, type Route } from "./dial.ts"

export interface Call {
  readonly operation: string
  /** host:port, for messages. */
  readonly address: string
  readonly request: TransportRequest
  /** The request target: a path, or the whole URL for a proxy. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | Array<string>>>
}

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

/** What goes on the wire for a request, by its route. */
export const callOf = (request: TransportRequest, route: Route): Call => {
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
    get operation() {
      return route.operation
    },
    get address() {
      return addressOf(route)
    },
    request,
    target: isForwarded ? `${url.protocol}//${url.host}${path}` : path,
    headers
  }
}
