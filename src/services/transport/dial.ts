/**
 * From a URL to a connection that can carry a request: the name is resolved once, the addresses are checked, and
 * exactly a checked one is dialled; then the proxy's tunnel and TLS. Touches the platform: node:net, node:dns.
 */
import { Effect } from "effect"
import { lookup } from "node:dns"
import type { ClientRequest } from "node:http"
import { connect, type LookupFunction, type OnReadOpts, Socket, type TcpNetConnectOpts } from "node:net"
import { classOf, isNearer } from "../../lib/address.ts"
import type { Proxy } from "../../lib/proxyEnv.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Reach } from "../Transport.ts"
import { connectFailed, dnsFailed, exchangeFailed, shownUrl } from "./failures.ts"
import { nodeHttp } from "./loaded.ts"
import { holdWriteErrors } from "./patience.ts"
import { handshake, type Trust, widenTrust } from "./secure.ts"
import type { Reader } from "./wire/reader.ts"

export interface Route {
  readonly operation: string
  readonly url: URL
  readonly hostname: string
  readonly port: number
  readonly proxy?: Proxy
  /** For https targets. */
  readonly trust?: Trust
  /** For https proxies. */
  readonly proxyTrust?: Trust
  readonly reach?: Reach
  /** Makes what the connection's bytes go to; absent: they come as the socket's events. */
  readonly reader?: () => Reader
}

export interface Connection {
  readonly socket: Socket
  readonly reader?: Reader
  /** The class of the address; absent behind a proxy, whose own is no matter. */
  readonly reach?: Reach
}

interface Address {
  readonly address: string
  readonly family: number
}

/** host:port, with brackets around IPv6. */
export const held = (hostname: string, port: number): string =>
  hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`

/** host:port of what is asked, a proxy aside. */
export const addressOf = ({ hostname, port }: Pick<Route, "hostname" | "port">): string => held(hostname, port)

/** Connects. Interruption closes what was opened; a certificate of the system's store costs a second try, once. */
export const dial = (route: Route): Effect.Effect<Connection, StoreError> =>
  Effect.catch(open(route), (error) =>
    Effect.gen(function*() {
      for (const trust of [route.trust, route.proxyTrust]) {
        if (trust !== undefined && (yield* widenTrust(trust, error))) return yield* dial(route)
      }
      return yield* error
    }))

const open = (route: Route): Effect.Effect<Connection, StoreError> =>
  Effect.suspend(() => {
    const opened: Array<Socket> = []
    return Effect.onExit(
      carry(route, opened),
      (exit) => Effect.sync(() => exit._tag === "Success" || opened.forEach((socket) => socket.destroy()))
    )
  })

const carry = Effect.fnUntraced(function*(route: Route, opened: Array<Socket>) {
  const { hostname, operation, port, proxy, proxyTrust, reach, trust } = route
  if (reach !== undefined && isNearer(classOf(hostname) ?? "public", reach)) return yield* refused(route)
  const to = proxy ?? { hostname, port }
  const found = yield* resolve(operation, to.hostname)
  const allowed = proxy !== undefined || reach === undefined ?
    found :
    found.filter(({ address }) => !isNearer(classOf(address) ?? "local", reach))
  if (allowed.length === 0) return yield* refused(route)
  const reader = route.reader?.()
  const isPlain = trust === undefined && proxyTrust === undefined
  const options = connectOptions(to.hostname, to.port, allowed, isPlain ? reader?.onread ?? emitted() : undefined)
  if (trust !== undefined && proxy === undefined && reader !== undefined) {
    const secured = yield* handshake(
      { ...options, onread: reader.onread },
      hostname,
      held(hostname, port),
      trust,
      operation,
      opened
    )
    return connection(secured, reader, { gathers: true, isOwnRead: true }, classOf(secured.remoteAddress ?? ""))
  }
  let socket = yield* reachOut(operation, held(to.hostname, to.port), options, opened)
  const remote = proxy === undefined ? classOf(socket.remoteAddress ?? "") : undefined
  if (proxy !== undefined && proxyTrust !== undefined) {
    socket = yield* handshake(
      { socket },
      proxy.hostname,
      held(proxy.hostname, proxy.port),
      proxyTrust,
      operation,
      opened
    )
  }
  if (trust !== undefined) {
    if (proxy !== undefined) yield* tunnel(route, proxy, socket)
    socket = yield* handshake({ socket }, hostname, held(hostname, port), trust, operation, opened)
  }
  return connection(socket, reader, { gathers: false, isOwnRead: isPlain }, remote)
})

const connection = (
  socket: Socket,
  reader: Reader | undefined,
  how: Parameters<Reader["attach"]>[1],
  reach: Reach | undefined
): Connection => {
  holdWriteErrors(socket)
  reader?.attach(socket, how)
  return { socket, ...(reader === undefined ? {} : { reader }), ...(reach === undefined ? {} : { reach }) }
}

const refused = ({ operation, url }: Route): StoreError =>
  storeError(operation, "RedirectRefused", `redirect to a local domain is not allowed (${shownUrl(url)})`)

const resolve = (operation: string, hostname: string): Effect.Effect<ReadonlyArray<Address>, StoreError> => {
  if (classOf(hostname) !== undefined) {
    return Effect.succeed([{ address: hostname, family: hostname.includes(":") ? 6 : 4 }])
  }
  return Effect.callback((resume) =>
    lookup(hostname, { all: true, order: "verbatim" }, (error, addresses) =>
      resume(
        error === null && addresses.length > 0
          ? Effect.succeed(addresses)
          : Effect.fail(dnsFailed(operation, hostname, error))
      ))
  )
}

/** Bytes of one read. Node's parser copies what is body out of it, so the next read may use it again. */
const readSize = 256 * 1024

/** Read into one buffer, and emitted as the socket's own reading would be. */
const emitted = (): OnReadOpts => ({ buffer: Buffer.allocUnsafeSlow(readSize), callback: handOver })

function handOver(this: unknown, length: number, buffer: Uint8Array): boolean {
  if (this instanceof Socket) this.emit("data", buffer.subarray(0, length))
  return true
}

/** Addresses are tried in order; a silent one holds up the next for a second at most. */
const connectOptions = (
  hostname: string,
  port: number,
  addresses: ReadonlyArray<Address>,
  onread: OnReadOpts | undefined
): TcpNetConnectOpts => {
  const lookup: LookupFunction = (_name, options, answer) => {
    const [first] = addresses
    if (options.all === true || first === undefined) answer(null, [...addresses])
    else answer(null, first.address, first.family)
  }
  return {
    ...(onread === undefined ? {} : { onread }),
    host: hostname,
    port,
    lookup,
    autoSelectFamily: addresses.length > 1,
    autoSelectFamilyAttemptTimeout: 1000,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000
  }
}

/** A TCP connection. */
const reachOut = (
  operation: string,
  address: string,
  options: TcpNetConnectOpts,
  opened: Array<Socket>
): Effect.Effect<Socket, StoreError> =>
  Effect.callback((resume) => {
    const socket = connect(options)
    opened.push(socket)
    socket.once("connect", () => resume(Effect.succeed(socket)))
    // Stays for the socket's life: errors of idle sockets have no other listener.
    socket.on("error", (error) => resume(Effect.fail(connectFailed(operation, address, error))))
  })

/** Asks a proxy for a tunnel. Its login goes here and nowhere else. */
const tunnel = (
  { hostname, operation, port }: Route,
  proxy: Proxy,
  socket: Socket
): Effect.Effect<void, StoreError> =>
  Effect.callback<void, StoreError>((resume) => {
    const target = held(hostname, port)
    const at = held(proxy.hostname, proxy.port)
    const fail = (why: string) =>
      resume(Effect.fail(storeError(operation, "ConnectFailed", `proxy ${at}: ${why} for ${target}`)))
    const asked: ClientRequest = nodeHttp().request({
      method: "CONNECT",
      path: target,
      setHost: false,
      headers: {
        Host: target,
        ...(proxy.authorization === undefined ? {} : { "Proxy-Authorization": proxy.authorization })
      },
      createConnection: () => socket,
      maxHeaderSize: 65_536
    })
    asked.once("connect", ({ statusCode = 0 }, _socket, rest) => {
      if (statusCode < 200 || statusCode > 299) fail(`no tunnel [http ${statusCode}]`)
      else if (rest.length > 0) fail("bytes before the tunnel was used")
      else resume(Effect.void)
    })
    asked.once("error", (error) => resume(Effect.fail(exchangeFailed(operation, `proxy ${at}`, error))))
    asked.end()
  })
