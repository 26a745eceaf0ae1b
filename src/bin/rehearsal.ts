/**
 * Runs of a tool while its executable is made, so that what they are compiled to is kept with it. Their environment is
 * empty and nobody hears of them: nothing of the machine they run on may stay in the executable.
 */
import { ConfigProvider, Console, Effect, Layer, Stdio } from "effect"
import { createServer } from "node:net"
import { local } from "../layers/Local.ts"
import * as Logging from "../layers/Logging.ts"
import type { Tool } from "../programs/cli/command.ts"
import { main } from "../programs/cli/main.ts"

const deaf = Layer.provideMerge(Stdio.layerTest({}), local)

const silent = new Proxy(globalThis.console, { get: () => () => {} })

/** A registry of one answer to everything, which is a list of tags. */
const withRegistry = async (run: (host: string) => Promise<void>): Promise<void> => {
  const body = JSON.stringify({ name: "a", tags: ["v1"] })
  const server = createServer((socket) => {
    socket.on("error", () => {})
    socket.on("data", () => {
      socket.end(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  await run(typeof address === "object" ? `127.0.0.1:${address?.port}` : "")
  await new Promise((resolve) => server.close(resolve))
}

/** Each line once, `HOST` the address of a registry; how it ends does not matter. */
export const rehearse = (tool: Tool, lines: ReadonlyArray<ReadonlyArray<string>>): Promise<void> =>
  withRegistry((host) =>
    Effect.runPromise(
      Effect.forEach(lines.map((line) => line.map((word) => word.replace("HOST", host))), (line) =>
        main(tool, {
          logging: Logging.layer,
          local: () => Promise.resolve(deaf),
          everything: () => import("../layers/Live.ts").then(({ live }) => live),
          stop: Effect.never
        })(line), { discard: true }).pipe(
          Effect.provideService(
            ConfigProvider.ConfigProvider,
            ConfigProvider.fromEnv({ env: { HOME: "/nonexistent" } })
          ),
          Effect.provideService(Console.Console, silent)
        )
    )
  )
