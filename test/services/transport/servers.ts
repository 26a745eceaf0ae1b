/** Real servers on free ports of this machine, each closed with the scope, and a transport to reach them. */
import { ConfigProvider, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer as createHttp, type RequestListener, type Server as HttpServer } from "node:http"
import { createServer as createHttps, type ServerOptions } from "node:https"
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Timeouts } from "../../../src/schemas/Host.ts"
import type { StoreError } from "../../../src/schemas/StoreError.ts"
import { collect, fromPump } from "../../../src/services/Bytes.ts"
import type { TlsSettings, TransportRequest, TransportResponse } from "../../../src/services/Transport.ts"
import { Transport } from "../../../src/services/Transport.ts"
import * as nodeHttp from "../../../src/services/transport/nodeHttp.ts"
import * as wire from "../../../src/services/transport/wire.ts"

export interface Running {
  readonly port: number
  /** Connections accepted so far. */
  readonly connections: () => number
  /** Connections open now. */
  readonly open: () => number
  /** Waits until all are closed. */
  readonly allClosed: Effect.Effect<void>
}

const run = (server: Server | HttpServer): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Running & { readonly sockets: ReadonlySet<Socket> }>((resume) => {
      const sockets = new Set<Socket>()
      let waiting: Array<() => void> = []
      let count = 0
      server.on("connection", (socket: Socket) => {
        count += 1
        sockets.add(socket)
        socket.on("error", () => {})
        socket.once("close", () => {
          sockets.delete(socket)
          if (sockets.size > 0) return
          for (const wake of waiting) wake()
          waiting = []
        })
      })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({
          port: (server.address() as AddressInfo).port,
          connections: () => count,
          open: () => sockets.size,
          allClosed: Effect.callback<void>((done) => {
            if (sockets.size === 0) done(Effect.void)
            else waiting.push(() => done(Effect.void))
          }),
          sockets
        })))
    }),
    ({ sockets }) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )

export const httpServer = (listener: RequestListener) => run(createHttp({ keepAliveTimeout: 60_000 }, listener))
export const httpsServer = (options: ServerOptions, listener: RequestListener) =>
  Effect.suspend(() => {
    const server = createHttps(options, listener)
    server.on("tlsClientError", () => {})
    return run(server)
  })

/** Plays bytes: the callback gets each new connection and the request's bytes so far. */
export const rawServer = (play: (socket: Socket, connection: number) => void) =>
  Effect.suspend(() => {
    let count = 0
    return run(createTcp((socket) => play(socket, ++count)))
  })

/** Answers a request's head with exactly these bytes, then ends, resets or leaves the connection open. */
export const answering = (bytes: string | Uint8Array, then: "end" | "reset" | "stay") =>
  rawServer((socket) => {
    socket.once("data", () => {
      const after = () => {
        if (then === "end") socket.end()
        // A reset throws away what was not delivered, so the bytes get a turn of the event loop first.
        if (then === "reset") setTimeout(() => socket.resetAndDestroy(), 20)
      }
      if (bytes.length === 0) after()
      else socket.write(bytes, after)
    })
  })

/** Both speak by the same rules: each test runs over either (`describe.each`). */
export const speakers = ["node:http", "its own"] as const

export type Speaker = (typeof speakers)[number]

export const transport = (speaker: Speaker, env: Readonly<Record<string, string>> = {}) =>
  Layer.provide(
    (speaker === "its own" ? wire : nodeHttp).layer,
    Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
  )

export const timeouts: Timeouts = { connect: 5000, headers: 5000, commit: 5000, stall: 5000 }
export const verify: TlsSettings = { mode: "enabled", certificates: [] }

export const get = (url: string, more: Partial<TransportRequest> = {}): TransportRequest => ({
  method: "GET",
  url: new URL(url),
  headers: {},
  tls: verify,
  timeouts,
  ...more
})

export const send = (request: TransportRequest) => Effect.flatMap(Transport, (it) => it.send(request))

export const text = (response: TransportResponse): Effect.Effect<string, StoreError> =>
  Effect.map(collect(fromPump(response.body), 1024 * 1024), (bytes) => Buffer.from(bytes).toString())

/** Status and body. */
export const fetchText = (request: TransportRequest) =>
  Effect.scoped(
    Effect.flatMap(send(request), (response) => Effect.map(text(response), (body) => `${response.status} ${body}`))
  )

export interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** A CA and a certificate it signed for a name, made by openssl. */
export const certificates = (name: string, days = 2): Certificates => {
  const dir = mkdtempSync(join(tmpdir(), "transport-"))
  try {
    const at = (file: string) => join(dir, file)
    const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", [...args], { stdio: "pipe" })
    const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(
      "req",
      "-x509",
      ...fresh,
      "-subj",
      "/CN=test authority",
      "-days",
      "2",
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.crt")
    )
    openssl("req", ...fresh, "-subj", "/CN=test", "-keyout", at("it.key"), "-out", at("it.csr"))
    writeFileSync(at("ext"), `subjectAltName=${name}\n`)
    openssl(
      "x509",
      "-req",
      "-in",
      at("it.csr"),
      "-CA",
      at("ca.crt"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-days",
      String(days),
      "-extfile",
      at("ext"),
      "-out",
      at("it.crt")
    )
    const read = (file: string) => readFileSync(at(file), "utf8")
    return { ca: read("ca.crt"), cert: read("it.crt"), key: read("it.key") }
  } finally {
    rmSync(dir, { recursive: true })
  }
}
