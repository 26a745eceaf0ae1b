/** Where a request goes: its URL at a host, and whether a URL is that host's own. */
import { isQueryHarmless } from "../../lib/harmlessQuery.ts"
import type { Host } from "../../schemas/Host.ts"
import type { RegistryRequest } from "../RegistryHttp.ts"
import type { TlsSettings } from "../Transport.ts"

interface Origin {
  readonly text: string
  readonly url: URL | undefined
}

/** A host's are asked for with every request: parsed once. */
const origins = new WeakMap<Host, Origin>()

const parsedOrigin = (host: Host): Origin => {
  const known = origins.get(host)
  if (known !== undefined) return known
  const text = `${host.tls === "disabled" ? "http" : "https"}://${host.hostname}`
  const url = URL.parse(text) ?? undefined
  const origin = { text: url?.origin ?? text, url }
  origins.set(host, origin)
  return origin
}

export const originOf = (host: Host): string => parsedOrigin(host).text

/** The root of a host; nothing where its configured name is no address. Not to be changed. */
export const rootOf = (host: Host): URL | undefined => parsedOrigin(host).url

/** The name of the repository on the wire. */
export const wireRepository = ({ pathPrefix }: Host, repository: string | undefined): string | undefined =>
  repository === undefined || pathPrefix === "" ? repository : `${pathPrefix}/${repository}`

/**
 * `http(s)://<hostname>/v2[/<prefix>][/<repository>]/<path>?<query>`, the query sorted by key, with `ns` for a mirror of
 * another hostname (library description, section 8.1).
 */
export const requestUrl = (
  host: Host,
  request: Pick<RegistryRequest, "repository" | "path" | "query">,
  upstream: Host
): URL => {
  const repository = wireRepository(host, request.repository)
  const url = new URL(`${originOf(host)}/v2/${repository === undefined ? "" : `${repository}/`}${request.path}`)
  if (request.query === undefined && host === upstream) return url
  const query = new Map(Object.entries(request.query ?? {}))
  if (host.name !== upstream.name && host.hostname !== upstream.hostname) query.set("ns", upstream.hostname)
  for (const key of [...query.keys()].sort()) {
    for (const value of [query.get(key) ?? []].flat()) url.searchParams.append(key, value)
  }
  return url
}

/** A location of the same host that lost its encryption behind a proxy gets it back (quirks, section 1.4). */
export const withEncryption = (url: URL, host: Host): URL => {
  const own = rootOf(host)
  if (own?.protocol !== "https:" || url.protocol !== "http:" || url.hostname !== own.hostname) return url
  const secure = new URL(url)
  secure.protocol = "https:"
  return secure
}

/**
 * For messages: without user information, and with a query only where it is the host's own and holds nothing but
 * parameters of the protocol, since any other may be a signature.
 */
export const shownUrl = (url: URL, isOwn: boolean): string => {
  const isShown = url.search === "" || (isOwn && isQueryHarmless(url))
  return `${url.origin === "null" ? url.protocol : url.origin}${url.pathname}${isShown ? url.search : "?[censored]"}`
}

/** TLS for a URL by a host's settings. Another origin may share its private authority, never its client certificate. */
export const tlsFor = ({ certificates, clientCert, clientKey, tls }: Host, url: URL, isOwn: boolean): TlsSettings => ({
  mode: url.protocol === "http:" ? "disabled" : tls === "insecure" ? "insecure" : "enabled",
  certificates,
  ...(isOwn && clientCert !== undefined && clientKey !== undefined ? { clientCert, clientKey } : {})
})
