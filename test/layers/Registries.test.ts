import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { transport } from "../../src/layers/Registries.ts"
import { answering, fetchText, get } from "../services/transport/servers.ts"

const by = (env: Readonly<Record<string, string>>) =>
  Layer.provide(transport, ConfigProvider.layer(ConfigProvider.fromUnknown(env)))

/** node:http passes over an empty line before an answer; our own refuses it. */
const read = (env: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const { port } = yield* answering("\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "end")
    const answer = fetchText(get(`http://127.0.0.1:${port}/`))
    return yield* answer.pipe(Effect.catchTag("StoreError", ({ reason }) => Effect.succeed(reason._tag)))
  }).pipe(Effect.scoped, Effect.provide(by(env)))

describe("REGCLIENT_TRANSPORT", () => {
  it.live("chooses who speaks HTTP: our own unless it says node", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        [
          yield* read({}),
          yield* read({ REGCLIENT_TRANSPORT: "own" }),
          yield* read({ REGCLIENT_TRANSPORT: "" }),
          yield* read({ REGCLIENT_TRANSPORT: "node" })
        ],
        ["ProtocolError", "ProtocolError", "ProtocolError", "200 hi"]
      )
    }))

  it.effect("is refused with another value, which may not forge a line", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read({ REGCLIENT_TRANSPORT: "undici\u001b[2J\n" }))
      assert.deepStrictEqual([error._tag, error.message], [
        "UsageError",
        "unknown transport \"undici\\x1b[2J\\n\": set REGCLIENT_TRANSPORT to \"own\" or \"node\", or unset it"
      ])
    }))
})
