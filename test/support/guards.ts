/** Small servers that ask who is there: token registries, mTLS, proxies. Each on a free port of this machine. */
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from "node:http"
import { createServer as createTlsServer, type ServerOptions } from "node:https"
import { type AddressInfo, connect, type Socket } from "node:net"

export interface Guard {
  /** host:port */
  readonly host: string
  /** What was asked so far, in order. */
  readonly seen: Array<string>
  readonly stop: () => Promise<void>
}

const listening = (server: Server, seen: Array<string>): Promise<Guard> =>
  new Promise((resolve, reject) => {
    const sockets = new Set<Socket>()
    server.on("connection", (socket: Socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.once("close", () => sockets.delete(socket))
    })
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () =>
      resolve({
        host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
        seen,
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            for (const socket of sockets) socket.destroy()
          })
      }))
  })

const textOf = async (message: IncomingMessage): Promise<string> => {
  const parts: Array<Buffer> = []
  for await (const part of message) parts.push(part)
  return Buffer.concat(parts).toString()
}

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

const tags: RequestListener = (incoming, response) => {
  response.setHeader("Content-Type", "application/json")
  response.end(incoming.url?.includes("/tags/list") ? `{"name":"app","tags":["v1"]}` : "{}")
}

/** Lists one tag for whoever sends one of these `Authorization` headers; another repository's login is refused. */
export const basicRegistry = (allowed: (repository: string) => ReadonlyArray<string>): Promise<Guard> => {
  const seen: Array<string> = []
  return listening(
    createServer((incoming, response) => {
      const sent = incoming.headers.authorization ?? ""
      const repository = /^\/v2\/(.+)\/tags\/list/.exec(incoming.url ?? "")?.[1] ?? ""
      const isIn = allowed(repository).includes(sent)
      seen.push(`${repository} ${sent === "" ? "nobody" : isIn ? "in" : "out"}`)
      if (isIn) return tags(incoming, response)
      response.writeHead(401, { "WWW-Authenticate": `Basic realm="test"` }).end()
    }),
    seen
  )
}

export interface TokenSettings {
  readonly login: string
  readonly identity: string
  readonly token: string
}

/** A registry with a token endpoint: GET with Basic, or POST with a refresh token, gives the token. */
export const tokenRegistry = ({ identity, login, token }: TokenSettings): Promise<Guard> => {
  const seen: Array<string> = []
  const server = createServer(async (incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://x")
    const form = new URLSearchParams(await textOf(incoming))
    if (pathname === "/token") {
      const isIn = incoming.method === "POST"
        ? form.get("grant_type") === "refresh_token" && form.get("refresh_token") === identity
        : incoming.headers.authorization === login
      const scope = form.get("scope") ?? searchParams.get("scope")
      seen.push(`${incoming.method} /token ${scope} ${isIn ? "in" : "out"}`)
      response.writeHead(isIn ? 200 : 401, { "Content-Type": "application/json" })
      response.end(isIn ? JSON.stringify({ access_token: token, token, expires_in: 300 }) : `{"details":"no"}`)
      return
    }
    const isIn = incoming.headers.authorization === `Bearer ${token}`
    seen.push(`${incoming.method} ${pathname} ${isIn ? "in" : "out"}`)
    if (isIn) return tags(incoming, response)
    const realm = `http://${incoming.headers.host}/token`
    response.writeHead(401, {
      "WWW-Authenticate": `Bearer realm="${realm}",service="test",scope="repository:app:pull"`
    })
      .end()
  })
  return listening(server, seen)
}

/** Lists one tag over TLS; with `requestCert` only for clients whose certificate the authority signed. */
export const tlsRegistry = (options: ServerOptions): Promise<Guard> => {
  const seen: Array<string> = []
  const server = createTlsServer(options, (incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    tags(incoming, response)
  })
  server.on("tlsClientError", () => seen.push("refused"))
  return listening(server, seen)
}

/** A proxy that leads every name to one address, for those with the login. */
export const proxyTo = (target: () => string, login: string): Promise<Guard> => {
  const seen: Array<string> = []
  const server = createServer((incoming, response) => {
    const isIn = incoming.headers["proxy-authorization"] === login
    const leaked = incoming.headers.authorization === login ? " with the proxy's login" : ""
    seen.push(`${incoming.method} ${incoming.url} ${isIn ? "in" : "out"}${leaked}`)
    if (!isIn) return response.writeHead(407, { "Proxy-Authenticate": "Basic" }).end()
    const { pathname, search } = new URL(incoming.url ?? "")
    const { "proxy-authorization": _, ...headers } = incoming.headers
    const onward = request(`http://${target()}${pathname}${search}`, { method: incoming.method, headers })
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on("error", () => response.destroy())
    incoming.pipe(onward)
    return undefined
  })
  server.on("connect", (incoming: IncomingMessage, socket: Socket) => {
    const isIn = incoming.headers["proxy-authorization"] === login
    seen.push(`CONNECT ${incoming.url} ${isIn ? "in" : "out"}`)
    if (!isIn) return socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    const [hostname, port] = target().split(":")
    const onward = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
      socket.pipe(onward).pipe(socket)
    })
    onward.on("error", () => socket.destroy())
    return undefined
  })
  return listening(server, seen)
}
