import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, References } from "effect"
import type { TLSSocket } from "node:tls"
import type { TlsSettings } from "../../../src/services/Transport.ts"
import {
  answering,
  type Certificates,
  certificates,
  fetchText,
  get,
  httpServer,
  httpsServer,
  speakers,
  transport
} from "./servers.ts"

const made = certificates("IP:127.0.0.1,DNS:localhost")
const other = certificates("DNS:other.example")

const trusting = ({ ca }: Certificates, more: Partial<TlsSettings> = {}): TlsSettings => ({
  mode: "enabled",
  certificates: [ca],
  ...more
})

const hello = (options: { readonly cert: string; readonly key: string }) =>
  httpsServer({ ...options, keepAliveTimeout: 60_000 }, (_request, response) => response.end("hello"))

const failed = (url: string, tls: TlsSettings) =>
  Effect.map(Effect.flip(fetchText(get(url, { tls }))), (error) => [error.reason._tag, error.message] as const)

/** Warnings as `text host error`, collected in place of being printed. */
const collecting = (warnings: Array<unknown>) =>
  Logger.layer([
    Logger.make(({ fiber, message }) => {
      warnings.push([...[message].flat(), fiber.getRef(References.CurrentLogAnnotations)])
    })
  ])

describe.each(speakers)("%s", (speaker) => {
  describe("https", () => {
    it.live("trusts a given authority, by name and by address, and reuses the connection", () =>
      Effect.gen(function*() {
        const { connections, port } = yield* hello(made)
        const tls = trusting(made)
        assert.strictEqual(yield* fetchText(get(`https://127.0.0.1:${port}/`, { tls })), "200 hello")
        assert.strictEqual(yield* fetchText(get(`https://127.0.0.1:${port}/`, { tls })), "200 hello")
        assert.strictEqual(connections(), 1)
        assert.strictEqual(yield* fetchText(get(`https://localhost:${port}/`, { tls })), "200 hello")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("refuses an unknown authority, and takes it when told not to look", () =>
      Effect.gen(function*() {
        const { port } = yield* hello(made)
        const url = `https://127.0.0.1:${port}/v2/`
        const [tag, message] = yield* failed(url, { mode: "enabled", certificates: [] })
        assert.strictEqual(tag, "TlsFailed")
        assert.strictEqual(
          message,
          `Get "${url}": tls: failed to verify certificate: x509: certificate signed by unknown authority (self-signed certificate in certificate chain)`
        )
        assert.strictEqual((yield* failed(url, trusting(other)))[0], "TlsFailed")
        assert.strictEqual(yield* fetchText(get(url, { tls: { mode: "insecure", certificates: [] } })), "200 hello")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("refuses a certificate for another name", () =>
      Effect.gen(function*() {
        const { port } = yield* hello(other)
        const [tag, message] = yield* failed(`https://localhost:${port}/`, trusting(other))
        assert.strictEqual(tag, "TlsFailed")
        assert.include(message, "tls: failed to verify certificate: ")
        assert.include(message, "other.example")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("refuses an expired certificate", () =>
      Effect.gen(function*() {
        const expired = certificates("IP:127.0.0.1", -1)
        const { port } = yield* hello(expired)
        const [tag, message] = yield* failed(`https://127.0.0.1:${port}/`, trusting(expired))
        assert.strictEqual(tag, "TlsFailed")
        assert.include(message, "certificate has expired")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("refuses TLS 1.1", () =>
      Effect.gen(function*() {
        const { port } = yield* httpsServer(
          { ...made, maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" },
          (_request, response) => response.end()
        )
        assert.strictEqual((yield* failed(`https://127.0.0.1:${port}/`, trusting(made)))[0], "TlsFailed")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("says that the server speaks http", () =>
      Effect.gen(function*() {
        const { port } = yield* httpServer((_request, response) => response.end())
        const [tag, message] = yield* failed(`https://127.0.0.1:${port}/v2/`, trusting(made))
        assert.strictEqual(tag, "TlsFailed")
        assert.strictEqual(
          message,
          `Get "https://127.0.0.1:${port}/v2/": http: server gave HTTP response to HTTPS client`
        )
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("is a lost connection when it breaks in the handshake", () =>
      Effect.gen(function*() {
        const { port } = yield* answering("", "end")
        assert.strictEqual((yield* failed(`https://127.0.0.1:${port}/`, trusting(made)))[0], "ConnectionLost")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("shows a client certificate", () =>
      Effect.gen(function*() {
        const client = certificates("DNS:client")
        const { port } = yield* httpsServer(
          { ...made, ca: client.ca, requestCert: true, rejectUnauthorized: true },
          // The server made the socket, so it is a TLS one.
          (request, response) => response.end(String((request.socket as TLSSocket).authorized))
        )
        const url = `https://127.0.0.1:${port}/`
        const tls = trusting(made, { clientCert: client.cert, clientKey: client.key })
        assert.strictEqual(yield* fetchText(get(url, { tls })), "200 true")
        assert.strictEqual((yield* failed(url, trusting(made)))[0], "TlsFailed")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("warns once of certificates and pairs that are none, and goes on without them", () => {
      const warnings: Array<unknown> = []
      return Effect.gen(function*() {
        const { port } = yield* hello(made)
        const url = `https://127.0.0.1:${port}/`
        const broken: TlsSettings = {
          mode: "insecure",
          certificates: [made.ca, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
          clientCert: made.cert,
          clientKey: other.key
        }
        assert.strictEqual(yield* fetchText(get(url, { tls: broken })), "200 hello")
        assert.strictEqual(yield* fetchText(get(url, { tls: broken })), "200 hello")
        assert.deepStrictEqual(warnings, [
          ["failed to setup CA pool", { host: `127.0.0.1:${port}`, error: "invalid certificate" }],
          ["failed to configure client certificate", {
            host: `127.0.0.1:${port}`,
            error: "certificate and key are no valid pair"
          }]
        ])
      }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(transport(speaker), collecting(warnings))))
    })
  })
})
