import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer, type IncomingMessage } from "node:http"
import { type AddressInfo, connect } from "node:net"
import type { TlsSettings } from "../../../src/services/Transport.ts"
import { certificates, fetchText, get, httpServer, httpsServer, speakers, transport } from "./servers.ts"

const made = certificates("DNS:registry.example")
const tls: TlsSettings = { mode: "enabled", certificates: [made.ca] }

/** A proxy that takes every target to one port of this machine and notes what it was asked. */
const proxyTo = (port: number, refuse = false) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly asked: Array<string>; readonly close: () => void }>((resume) => {
      const asked: Array<string> = []
      const note = ({ headers, method, url }: IncomingMessage) =>
        void asked.push(`${method} ${url} ${headers.host} ${headers["proxy-authorization"]}`)
      const server = createServer((request, response) => {
        note(request)
        response.end("by proxy")
      })
      const sockets = new Set<{ destroy: () => unknown }>()
      server.on("connect", (request, socket) => {
        note(request)
        if (refuse) {
          socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
          return
        }
        const target = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 Connection established\r\n\r\n"))
        sockets.add(target)
        for (const [one, two] of [[target, socket], [socket, target]] as const) {
          one.pipe(two)
          one.on("error", () => two.destroy())
        }
      })
      server.on("connection", (socket) => sockets.add(socket))
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({
          port: (server.address() as AddressInfo).port,
          asked,
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
        })))
    }),
    ({ close }) => Effect.sync(close)
  )

describe.each(speakers)("%s", (speaker) => {
  describe("a proxy of the environment", () => {
    it.live("gets the whole URL of http requests, and its login, which the URL in messages does not show", () =>
      Effect.gen(function*() {
        const proxy = yield* proxyTo(0)
        const env = { HTTP_PROXY: `http://me:pw@127.0.0.1:${proxy.port}` }
        const body = yield* fetchText(get("http://registry.example/v2/?n=1")).pipe(
          Effect.provide(transport(speaker, env))
        )
        assert.strictEqual(body, "200 by proxy")
        assert.deepStrictEqual(proxy.asked, ["GET http://registry.example/v2/?n=1 registry.example Basic bWU6cHc="])
      }).pipe(Effect.scoped))

    it.live("is tunnelled through for https, and its login ends there", () =>
      Effect.gen(function*() {
        let seen: unknown
        const target = yield* httpsServer({ ...made }, (request, response) => {
          seen = request.headers
          response.end("hello")
        })
        const proxy = yield* proxyTo(target.port)
        yield* Effect.gen(function*() {
          const url = "https://registry.example/v2/"
          assert.strictEqual(yield* fetchText(get(url, { tls, reach: "public" })), "200 hello")
          assert.strictEqual(yield* fetchText(get(url, { tls, reach: "public" })), "200 hello")
          assert.deepStrictEqual(proxy.asked, ["CONNECT registry.example:443 registry.example:443 Basic bWU6cHc="])
          assert.deepStrictEqual(seen, {
            "host": "registry.example",
            "connection": "keep-alive",
            "accept-encoding": "identity"
          })
        }).pipe(Effect.provide(transport(speaker, { https_proxy: `http://me:pw@127.0.0.1:${proxy.port}` })))
      }).pipe(Effect.scoped))

    it.live("that refuses the tunnel fails the request with both names and no secret", () =>
      Effect.gen(function*() {
        const proxy = yield* proxyTo(0, true)
        const error = yield* Effect.flip(fetchText(get("https://registry.example/v2/", { tls }))).pipe(
          Effect.provide(transport(speaker, { HTTPS_PROXY: `http://me:pw@127.0.0.1:${proxy.port}` }))
        )
        assert.strictEqual(error._tag, "StoreError")
        assert.strictEqual(
          error.message,
          `Get "https://registry.example/v2/": proxy 127.0.0.1:${proxy.port}: no tunnel [http 407] for registry.example:443`
        )
      }).pipe(Effect.scoped))

    it.live("that is not there is named", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(fetchText(get("https://registry.example/v2/", { tls })))
        assert.strictEqual(error.reason._tag, "ConnectFailed")
        assert.strictEqual(
          error.message,
          `Get "https://registry.example/v2/": dial tcp 127.0.0.1:1: connect: connection refused`
        )
      }).pipe(Effect.provide(transport(speaker, { HTTPS_PROXY: "http://127.0.0.1:1" }))))

    it.live("is left out for this machine, and by NO_PROXY", () =>
      Effect.gen(function*() {
        const proxy = yield* proxyTo(0)
        const target = yield* httpServer((_request, response) => response.end("directly"))
        const env = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}`, no_proxy: "10.0.0.0/8,.invalid" }
        yield* Effect.gen(function*() {
          assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${target.port}/`)), "200 directly")
          const error = yield* Effect.flip(fetchText(get("http://registry.invalid/")))
          assert.strictEqual(error.reason._tag, "DnsFailed")
        }).pipe(Effect.provide(transport(speaker, env)))
        assert.deepStrictEqual(proxy.asked, [])
      }).pipe(Effect.scoped))

    it.live("is not used for a literal address nearer than allowed", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(fetchText(get("http://169.254.169.254/latest", { reach: "public" })))
        assert.strictEqual(error.reason._tag, "RedirectRefused")
      }).pipe(Effect.provide(transport(speaker, { HTTP_PROXY: "http://127.0.0.1:1" }))))

    it.live("is upper case first, and lower case alone in a CGI program", () =>
      Effect.gen(function*() {
        const [upper, lower] = [yield* proxyTo(0), yield* proxyTo(0)]
        const env = { HTTP_PROXY: `http://127.0.0.1:${upper.port}`, http_proxy: `http://127.0.0.1:${lower.port}` }
        yield* fetchText(get("http://registry.example/a")).pipe(Effect.provide(transport(speaker, env)))
        yield* fetchText(get("http://registry.example/b")).pipe(
          Effect.provide(transport(speaker, { ...env, REQUEST_METHOD: "GET" }))
        )
        assert.deepStrictEqual([upper.asked.length, lower.asked.length], [1, 1])
      }).pipe(Effect.scoped))

    it.live("that is no URL fails requests without being told", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(fetchText(get("http://registry.example/")))
        assert.strictEqual(
          error.message,
          `Get "http://registry.example/": the environment names a proxy that is no http or https URL`
        )
      }).pipe(Effect.provide(transport(speaker, { HTTP_PROXY: "socks5://me:pw@127.0.0.1:1" }))))
  })
})
