/**
 * Which proxy a request goes through, from the variables of the environment, by the rules Go programs follow:
 * suffixes, addresses, CIDR blocks and ports in `NO_PROXY`; this machine itself is never reached through a proxy.
 */
import { isLoopback, parseAddress, sharesPrefix } from "./address.ts"

/** The values of the variables; the upper-case names win where both are set, as in Go. */
export interface ProxyEnv {
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  readonly noProxy?: string | undefined
}

export interface Proxy {
  readonly secure: boolean
  readonly hostname: string
  readonly port: number
  /** Value of `Proxy-Authorization`; a secret. */
  readonly authorization?: string
}

/** `"invalid"`: the variable holds nothing usable; its value may hold a password and is not told. */
export type ProxyChoice = Proxy | "direct" | "invalid"

/** The proxy for a URL of scheme http or https. */
export const proxyFor = (env: ProxyEnv, url: URL): ProxyChoice => {
  const value = url.protocol === "https:" ? env.httpsProxy : env.httpProxy
  if (value === undefined || value.trim() === "" || isBypassed(env.noProxy ?? "", url)) return "direct"
  return parseProxy(value.trim()) ?? "invalid"
}

/** A proxy's URL; without a scheme it is http. */
const parseProxy = (value: string): Proxy | undefined => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`)
  if (url === null || url.hostname === "" || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined
  const secure = url.protocol === "https:"
  const login = loginOf(url)
  return {
    secure,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    ...(login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` })
  }
}

const loginOf = (url: URL): string | undefined => {
  if (url.username === "" && url.password === "") return undefined
  try {
    return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  } catch {
    // A percent sign that escapes nothing is meant as it stands.
    return `${url.username}:${url.password}`
  }
}

const isBypassed = (noProxy: string, url: URL): boolean => {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase()
  if (host === "localhost" || isLoopback(host)) return true
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port
  return noProxy.split(",").some((entry) => matches(entry.trim().toLowerCase(), host, port))
}

const matches = (entry: string, host: string, port: string): boolean => {
  if (entry === "") return false
  if (entry === "*") return true
  const address = parseAddress(host)
  const block = /^(.+)\/(\d+)$/.exec(entry)
  if (block?.[1] !== undefined) {
    const network = parseAddress(block[1])
    return network !== undefined && address !== undefined && sharesPrefix(address, network, Number(block[2]))
  }
  const [name, onPort] = splitPort(entry)
  if (name === "" || (onPort !== undefined && onPort !== port)) return false
  const listed = parseAddress(name)
  if (listed !== undefined) return address !== undefined && sharesPrefix(address, listed, 128)
  const suffix = name.startsWith("*.") ? name.slice(1) : name
  return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`)
}

/** `name:port`, `[v6]:port`, or either alone. */
const splitPort = (entry: string): readonly [string, string | undefined] => {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry)
  return parts?.[1] === undefined ? [entry, undefined] : [parts[1], parts[2]]
}
