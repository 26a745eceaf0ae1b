import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer } from "node:http"
import type { Socket } from "node:net"
import { live } from "../../src/layers/Live.ts"
import { Clients } from "../../src/services/Clients.ts"
import { Registry } from "../../src/services/Registry.ts"

describe("a client of a configuration", () => {
  it.live("gives its connections up with its scope, while others stay", () =>
    Effect.gen(function*() {
      const sockets: Array<Socket> = []
      const server = createServer((_, response) => void response.end("{}"))
      server.on("connection", (socket) => void sockets.push(socket))
      yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
      const address = server.address()
      const host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
      const { open } = yield* Clients
      const settings = {
        source: "test.yml",
        hosts: new Map([[host, { tls: "disabled" as const }]]),
        skipDocker: true,
        blobLimit: 0,
        userAgent: ""
      }
      const ask = Effect.flatMap(Registry, ({ ping }) => ping(host))
      const other = yield* open(settings)
      yield* Effect.provideContext(ask, other)
      yield* Effect.scoped(Effect.flatMap(open(settings), (client) => Effect.provideContext(ask, client)))
      const [first, second] = sockets
      assert.lengthOf(sockets, 2)
      yield* Effect.promise(() =>
        new Promise<void>((resolve) => second?.destroyed === true ? resolve() : second?.once("close", () => resolve()))
      )
      assert.isFalse(first?.destroyed)
      server.closeAllConnections()
      server.close()
    }).pipe(Effect.scoped, Effect.provide(live)))
})
