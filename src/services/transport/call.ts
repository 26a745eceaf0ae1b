/** A request as it goes out: its target, the headers that are ours to set, and what errors name. */
import type { Proxy } from "../../lib/proxyEnv.ts"
import type { TransportRequest } from "../Transport.ts"
import { addressOf } from "./dial.ts"
import { operationOf } from "./failures.ts"

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

/** Host without brackets, and port, of a URL of scheme http or https. */
export const endOf = ({ hostname, port, protocol }: URL): { readonly hostname: string; readonly port: number } => ({
  hostname: hostname.replace(/^\[|\]$/g, ""),
  port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
})

/** What goes on the wire for a request, to its server or through a proxy. */
export const callOf = (request: TransportRequest, proxy: Proxy | undefined): Call => {
  const { body, method, url } = request
  const isForwarded = proxy !== undefined && url.protocol === "http:"
  const path = `${url.pathname}${url.search}`
  const headers: Record<string, string | Array<string>> = { Host: url.host, Connection: "keep-alive" }
  if (!namesEncoding(request.headers)) headers["Accept-Encoding"] = "identity"
  for (const name in request.headers) {
    if (ours.has(name.toLowerCase())) continue
    const value = request.headers[name] ?? ""
    headers[name] = typeof value === "string" ? value : [...value]
  }
  const size = body instanceof Uint8Array ? body.length : body?.size
  if (size !== undefined) headers["Content-Length"] = String(size)
  else if (body !== undefined) headers["Transfer-Encoding"] = "chunked"
  else if (method === "POST" || method === "PUT" || method === "PATCH") headers["Content-Length"] = "0"
  if (isForwarded && proxy.authorization !== undefined) headers["Proxy-Authorization"] = proxy.authorization
  return new Outgoing(request, isForwarded ? `${url.protocol}//${url.host}${path}` : path, headers)
}

const namesEncoding = (headers: TransportRequest["headers"]): boolean => {
  for (const name in headers) {
    if (name.toLowerCase() === "accept-encoding") return true
  }
  return false
}

/** What names it in errors, which are rare, is made when it is asked for. */
class Outgoing implements Call {
  readonly request: TransportRequest
  readonly target: string
  readonly headers: Call["headers"]

  constructor(request: TransportRequest, target: string, headers: Call["headers"]) {
    this.request = request
    this.target = target
    this.headers = headers
  }

  get operation(): string {
    return operationOf(this.request.method, this.request.url)
  }

  get address(): string {
    return addressOf(endOf(this.request.url))
  }
}
