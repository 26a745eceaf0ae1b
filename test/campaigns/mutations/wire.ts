/** Answers as bytes of a connection, changed anywhere, through either transport: heads, chunks, lengths, codings. */
import { Clock, Effect, Exit, Layer, Option, Scope } from "effect"
import { type AddressInfo, createServer, type Server } from "node:net"
import { defaultHost } from "../../../src/schemas/Host.ts"
import { Credentials } from "../../../src/services/Credentials.ts"
import { Hosts } from "../../../src/services/Hosts.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { RegistryAuth } from "../../../src/services/RegistryAuth.ts"
import { RegistryHttp } from "../../../src/services/RegistryHttp.ts"
import { Warnings } from "../../../src/services/Warnings.ts"
import { type Speaker, speakers, transport } from "../../services/transport/servers.ts"
import type { Family } from "./family.ts"
import { type Exchange, exchanges, hurried, taken } from "./http.ts"

/** Answers each request with the next of some texts, the last again and again, and closes. */
let answers: ReadonlyArray<Buffer> = []
let asked = 0
let server: Promise<Server> | undefined

const listening = (): Promise<Server> =>
  server ??= new Promise((resolve) => {
    const made = createServer({ allowHalfOpen: true }, (socket) => {
      let head = ""
      socket.on("error", () => {})
      socket.on("data", (part: Buffer) => {
        if (head.includes("\r\n\r\n")) return
        head += part.toString("latin1")
        if (!head.includes("\r\n\r\n")) return
        const answer = answers[Math.min(asked++, answers.length - 1)] ?? Buffer.alloc(0)
        socket.end(answer)
      })
      socket.on("end", () => socket.end())
    })
    made.listen(0, "127.0.0.1", () => resolve(made))
  })

const layerAt = (name: string, speaker: Speaker) => {
  const host = { ...defaultHost(name), tls: "disabled" as const, isConfigured: true }
  const hosts = Layer.succeed(
    Hosts,
    Hosts.of({
      get: (other) => Effect.succeed(other === name ? host : defaultHost(other)),
      readOrder: () => Effect.succeed([host])
    })
  )
  const credentials = Layer.succeed(Credentials, Credentials.of({ get: () => Effect.succeed(Option.none()) }))
  return Registry.layer.pipe(
    Layer.provide(RegistryHttp.layer),
    Layer.provide(Layer.mergeAll(RateLimiter.layer, RegistryAuth.layer, Warnings.layer)),
    Layer.provide(Layer.mergeAll(hosts, credentials)),
    Layer.provide(kept[speaker])
  )
}

/** One transport of each kind for all of them, as a command has one. */
const scope = Scope.makeUnsafe()
const keep = (speaker: Speaker) =>
  Layer.effectContext(Effect.cached(Layer.buildWithScope(transport(speaker), scope)).pipe(Effect.runSync))
const kept = { "node:http": keep("node:http"), "its own": keep("its own") }

const separator = "\u0002\n"

/** As it comes over the wire. */
const written = ({ plays }: Exchange, isChunked: boolean): string =>
  plays.map(({ body = "", headers = {}, status = 200 }) => {
    const text = String(body)
    const fields = Object.entries(headers).filter(([name]) => name !== "content-length")
    const framing = isChunked
      ? `Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)};x=y\r\n${text}\r\n0\r\nX-Trailer: 1\r\n\r\n`
      : `Content-Length: ${text.length}\r\n\r\n${text}`
    return [`HTTP/1.1 ${status} Reason`, ...fields.map(([name, value]) => `${name}: ${String(value)}`), framing].join(
      "\r\n"
    )
  }).join(separator)

/** Answers whose addresses lead to servers that are not there are left out. */
const local = exchanges.filter(({ name }) => !["token", "redirect", "head"].includes(name))

const family = (exchange: Exchange, speaker: Speaker): Family => ({
  name: `wire: ${exchange.name} over ${speaker}`,
  form: "text",
  weight: 1,
  seeds: [written(exchange, false), written(exchange, true)],
  take: (input) =>
    Effect.gen(function*() {
      const { port } = (yield* Effect.promise(listening)).address() as AddressInfo
      const name = `127.0.0.1:${port}`
      answers = input.toString("latin1").split(separator).map((it) => Buffer.from(it, "latin1"))
      asked = 0
      const exit = yield* Effect.exit(
        Effect.flatMap(Registry, (registry) => taken(registry, name, exchange.take)).pipe(
          Effect.scoped,
          Effect.provide(layerAt(name, speaker)),
          Effect.provideService(Clock.Clock, hurried())
        )
      )
      return asked > 200 ? [`${asked} requests`] : yield* exit
    }),
  stop: async () => {
    const running = await server
    server = undefined
    await Effect.runPromise(Scope.close(scope, Exit.void))
    running?.close()
  }
})

export const wires: ReadonlyArray<Family> = local.flatMap((exchange) =>
  speakers.map((speaker) => family(exchange, speaker))
)
