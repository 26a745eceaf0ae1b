import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { setTimeout } from "node:timers/promises"
import { tool } from "../../support/programs.ts"

describe("regctl serve at its end (R20)", () => {
  it.live("lets an upload at work end, longer than other commands have, and says 0", () =>
    Effect.promise(async () => {
      const server = spawn(process.execPath, [tool("regctl"), "serve", "--addr", "127.0.0.1:0"])
      try {
        const [line]: Array<unknown> = await once(server.stderr, "data")
        const url = /http:\S+/.exec(String(line))?.[0] ?? ""
        const opened = await fetch(`${url}/v2/a/blobs/uploads/`, { method: "POST" })
        const socket = connect(Number(new URL(url).port), "127.0.0.1")
        socket.write(
          `PATCH ${
            opened.headers.get("location")
          } HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`
        )
        await once(socket, "data")
        const ended = once(server, "exit")
        server.kill("SIGTERM")
        // The other commands have five seconds.
        await setTimeout(6_000)
        socket.write("hello")
        const [answer]: Array<unknown> = await once(socket, "data")
        assert.match(String(answer), /^HTTP\/1.1 202 /)
        assert.deepStrictEqual(await ended, [0, null])
      } finally {
        server.kill("SIGKILL")
      }
    }), 25_000)
})
