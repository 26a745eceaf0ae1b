/**
 * Measures the transport: 1 GiB (or the size in MiB given) downloaded and verified, uploaded, and copied from server
 * to server in one pump, each in a process of its own. Prints CPU seconds per GiB, wall seconds and peak RSS.
 */
import { Effect } from "effect"
import { fork } from "node:child_process"
import { createHash, randomFillSync } from "node:crypto"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { defaultTimeouts } from "../src/schemas/Host.ts"
import { fromPump, pumpOf, verified } from "../src/services/Bytes.ts"
import type { Pump } from "../src/services/Bytes.ts"
import { Transport } from "../src/services/Transport.ts"
import * as nodeHttp from "../src/services/transport/nodeHttp.ts"
import * as wire from "../src/services/transport/wire.ts"

const [role = "all", sizeMiB = "1024", port = "0", digest = ""] = process.argv.slice(2)
const size = Number(sizeMiB) * 1024 * 1024
const block = Buffer.alloc(1024 * 1024)

const serve = () => {
  randomFillSync(block)
  const sum = createHash("sha256")
  for (let at = 0; at < size; at += block.length) sum.update(block)
  const server = createServer((asked, response) => {
    if (asked.method === "PUT") {
      asked.resume()
      asked.once("end", () => response.writeHead(201).end())
      return
    }
    response.setHeader("Content-Length", size)
    let left = size / block.length
    const more = () => {
      for (let isRoom = true; left > 0 && isRoom; left -= 1) isRoom = response.write(block)
      if (left > 0) response.once("drain", more)
      else response.end()
    }
    more()
  })
  server.listen(
    0,
    "127.0.0.1",
    () => process.send?.({ port: (server.address() as AddressInfo).port, digest: sum.digest("hex") })
  )
  process.once("disconnect", () => process.exit())
}

const layer = process.env["REGCLIENT_TRANSPORT"] === "node" ? nodeHttp.layer : wire.layer
const url = new URL(`http://127.0.0.1:${port}/blob`)
const common = { url, headers: {}, tls: { mode: "disabled", certificates: [] }, timeouts: defaultTimeouts } as const
const descriptor = { mediaType: "application/octet-stream", digest: `sha256:${digest}`, size }

const download = Effect.gen(function*() {
  const response = yield* (yield* Transport).send({ ...common, method: "GET" })
  return verified(fromPump(response.body), descriptor as Parameters<typeof verified>[1])
})

const fromMemory: Pump = (sink) =>
  Effect.callback((resume) => {
    let [out, left] = [0, size / block.length]
    const more = () => {
      while (out < 2 && left > 0) {
        out += 1
        left -= 1
        sink(block, () => {
          out -= 1
          more()
        })
      }
      if (left === 0) resume(Effect.void)
    }
    more()
  })

const upload = (pump: Pump) =>
  Effect.flatMap(Transport, (transport) => transport.send({ ...common, method: "PUT", body: { pump, size } }))

const programs: Readonly<Record<string, Effect.Effect<unknown, unknown, never>>> = Object.fromEntries(
  Object.entries({
    download: Effect.flatMap(download, (bytes) => pumpOf(bytes)((_view, release) => release())),
    upload: upload(fromMemory),
    copy: Effect.flatMap(download, (bytes) => upload(pumpOf(bytes)))
  }).map(([name, program]) => [name, program.pipe(Effect.scoped, Effect.provide(layer))])
)

/** The floor for this server: the same download with node:http alone. */
const bare = Effect.callback<void>((resume) => {
  const sum = createHash("sha256")
  request(url, (response) => {
    response.on("data", (view: Buffer) => sum.update(view))
    response.on("end", () => resume(sum.digest("hex") === digest ? Effect.void : Effect.die("wrong bytes")))
  }).end()
})

const measure = async (name: string) => {
  const start = performance.now()
  await Effect.runPromise(programs[name] ?? bare)
  const wall = (performance.now() - start) / 1000
  const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage()
  const cpu = (userCPUTime + systemCPUTime) / 1e6 / (size / 2 ** 30)
  console.log(`${name.padEnd(10)} ${cpu.toFixed(2)} CPU s/GiB  ${wall.toFixed(2)} s  ${Math.round(maxRSS / 1024)} MiB`)
}

const all = () => {
  const server = fork(import.meta.filename, ["serve", sizeMiB])
  server.once("message", async (told: { readonly port: number; readonly digest: string }) => {
    for (const name of ["bare", "download", "upload", "copy"]) {
      const run = fork(import.meta.filename, [name, sizeMiB, String(told.port), told.digest])
      await new Promise((resolve) => run.once("exit", resolve))
    }
    server.disconnect()
  })
}

if (role === "serve") serve()
else if (role === "all") all()
else await measure(role)
