/** The embedded registry's sockets on Node. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { Socket } from "node:net"
import { Listener, type ListenOptions, ServeError } from "../programs/serve/Listener.ts"

const settings = {
  // An upload may take any time as long as it moves, which the program watches.
  requestTimeout: 0,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 64 * 1024
}

const connections = 1000

const busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

/** Reads on so that the end is seen: Node's HTTP server leaves sockets half open. */
const refuse = (socket: Socket): void => {
  socket.on("end", () => socket.destroy())
  socket.setTimeout(5_000, () => socket.destroy())
  socket.resume()
  socket.end(busy)
}

/** Node can only drop connections without a word; a client is better served by an answer. */
const limited = (server: Server, plain: boolean): Server => {
  const [accept] = server.listeners("connection")
  const open = new Set<Socket>()
  server.removeAllListeners("connection")
  server.on("connection", (socket: Socket) => {
    if (open.size >= connections) {
      // The client may be gone already; there is nobody to tell.
      socket.on("error", () => {})
      if (plain) refuse(socket)
      else socket.destroy()
      return
    }
    open.add(socket)
    socket.once("close", () => open.delete(socket))
    accept?.call(server, socket)
  })
  // A client that stopped reading; longer than anything here takes between two packets.
  server.timeout = 600_000
  // Closing ends the connections idle at that moment; those at work become idle later.
  const watch = (_: IncomingMessage, response: ServerResponse) => {
    response.once("close", () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  }
  server.on("request", watch)
  // In place of the other event, where the client waits for leave to send its body.
  server.on("checkContinue", watch)
  return server
}

const make = ({ tls }: ListenOptions): Server =>
  tls === undefined ? limited(createServer(settings), true) : limited(createTlsServer({ ...settings, ...tls }), false)

const serveError = (cause: unknown) =>
  new ServeError({ message: cause instanceof Error ? cause.message : String(cause) })

export const layer: Layer.Layer<Listener> = Layer.succeed(
  Listener,
  Listener.of({
    listen: (options) =>
      Effect.gen(function*() {
        const server = yield* Effect.try({ try: () => make(options), catch: serveError })
        const bound = yield* Effect.mapError(
          NodeHttpServer.make(() => server, {
            host: options.host,
            port: options.port,
            gracefulShutdownTimeout: "30 seconds"
          }),
          ({ cause }) => serveError(cause)
        )
        // Runs after the time for grace and before the server waits for its last connection.
        yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
        return bound
      })
  })
)
