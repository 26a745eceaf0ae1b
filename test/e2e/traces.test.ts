/** Traces as a collector receives them from the built tool. */
import { assert, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { run, tool } from "../support/programs.ts"

interface Received {
  readonly path: string
  readonly type: string
  readonly body: string
}

/** Whatever is sent while something runs, by the address it is sent to. */
const collecting = async (work: (url: string) => Promise<void>): Promise<ReadonlyArray<Received>> => {
  const received: Array<Received> = []
  const server = createServer((request, response) => {
    const parts: Array<Buffer> = []
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("end", () => {
      const type = request.headers["content-type"] ?? ""
      received.push({ path: request.url ?? "", type, body: Buffer.concat(parts).toString() })
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return received
}

const regctl = (env: Readonly<Record<string, string>>) =>
  run(tool("regctl"), ["tag", "ls", "ocidir:///nonexistent/layout"], { env })

describe("traces", () => {
  it("go to the collector that the variables name", async () => {
    const received = await collecting(async (url) => {
      const ran = await regctl({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" })
      assert.deepStrictEqual([ran.code, ran.out], [1, ""])
    })
    assert.deepStrictEqual(received.map(({ path, type }) => [path, type]), [["/v1/traces", "application/json"]])
    const [{ resource, scopeSpans }] = JSON.parse(received[0]?.body ?? "").resourceSpans
    const attribute = (name: string) =>
      resource.attributes.find((it: { readonly key: string }) => it.key === name)?.value.stringValue
    assert.strictEqual(attribute("service.name"), "regctl")
    assert.match(attribute("service.version"), /^v\d+\.\d+\.\d+$/)
    const names = scopeSpans.flatMap(({ spans }: { readonly spans: ReadonlyArray<{ readonly name: string }> }) =>
      spans.map(({ name }) => name)
    )
    assert.include(names, "tag ls")
  })

  it("are of the binary form and the name that are asked for", async () => {
    const received = await collecting(async (url) => {
      await regctl({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/own`, OTEL_SERVICE_NAME: "mirror-7" })
    })
    assert.deepStrictEqual(received.map(({ path, type }) => [path, type]), [["/own", "application/x-protobuf"]])
    assert.include(received[0]?.body, "mirror-7")
  })

  const off: ReadonlyArray<Readonly<Record<string, string>>> = [
    { OTEL_SDK_DISABLED: "true" },
    { OTEL_TRACES_EXPORTER: "none" }
  ]
  it.each(off)("are not sent with %o", async (env) => {
    const received = await collecting(async (url) => {
      const ran = await regctl({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env })
      assert.strictEqual(ran.code, 1)
    })
    assert.deepStrictEqual(received, [])
  })

  const odd: ReadonlyArray<readonly [Readonly<Record<string, string>>, RegExp]> = [
    [
      { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      /level=WARN msg="no traces are sent: the protocol is to be http\/protobuf/
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "no address" }, /level=WARN msg="no traces are sent: an OTEL_ variable cannot/],
    // Nobody listens there.
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" }, /^(?!.*level=)/s]
  ]
  it.each(odd)("that cannot be sent change nothing but the log, as with %o", async (env, expected) => {
    const ran = await run(tool("regctl"), ["version", "--format", "{{.VCSState}}"], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", ...env }
    })
    assert.deepStrictEqual([ran.code, /^(clean|dirty|unknown)$/.test(ran.out)], [0, true])
    assert.match(ran.err, expected)
  })
})
