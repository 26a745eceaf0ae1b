/** The slow link of the benchmarks: late and bounded, and otherwise as faithful as a wire. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { buffer } from "node:stream/consumers"
import { type LinkOptions, slowLink } from "../../bench/slowLink.ts"

const open = new Set<Server>()
afterEach(() => {
  for (const server of open) server.close()
  open.clear()
})

const portOf = (server: Server): number => {
  open.add(server)
  return (server.address() as AddressInfo).port
}

/** A server of `each` connection behind a link; returns the port of the link. */
const behind = async (options: Partial<LinkOptions>, each: (socket: Socket) => void): Promise<number> => {
  const server = createServer({ allowHalfOpen: true }, each).listen(0, "127.0.0.1")
  await once(server, "listening")
  const port = portOf(server)
  return portOf(await slowLink({ host: "127.0.0.1", port, rtt: 0, rate: 0, window: 256 * 1024, ...options }))
}

/** Sends all, ends its side, and returns what comes back until the other side ends too. */
const exchange = async (port: number, bytes: Buffer): Promise<Buffer> => {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  socket.end(bytes)
  return buffer(socket)
}

const echo = (socket: Socket) => socket.pipe(socket)

describe("a slow link", () => {
  it("brings every byte back in order, over forty connections that are closed one side at a time", async () => {
    const port = await behind({ rtt: 6 }, echo)
    const sent = Array.from({ length: 40 }, (_, at) => randomBytes(1 + at * 25_000))
    const found = await Promise.all(sent.map((it) => exchange(port, it)))
    assert.deepStrictEqual(found.map((it, at) => it.equals(sent[at] ?? Buffer.of())), sent.map(() => true))
  })

  it("brings what was sent before the other side ended, however late it arrives", async () => {
    const port = await behind({ rtt: 40 }, (socket) => socket.resume().end("the last word"))
    assert.strictEqual((await exchange(port, Buffer.from("a word"))).toString(), "the last word")
  })

  it("loses nothing to a reader that waits, though its window is small", async () => {
    const bytes = randomBytes(8 * 1024 * 1024)
    const accepted = Promise.withResolvers<Socket>()
    const port = await behind({ window: 64 * 1024 }, (socket) => accepted.resolve(socket.pause()))
    const socket = connect({ port, host: "127.0.0.1" })
    socket.end(bytes)
    await once(socket, "connect")
    const far = await accepted.promise
    assert.isTrue((await buffer(far)).equals(bytes))
    far.end()
  })

  it("takes the handshake's round trip and the request's, and as long as the rate says", async () => {
    const port = await behind({ rtt: 30, rate: 1_000_000 }, echo)
    const start = performance.now()
    await exchange(port, randomBytes(50_000))
    assert.isAtLeast(performance.now() - start, 30 + 30 + 50)
  })

  it("breaks one side when the other breaks", async () => {
    const port = await behind({ rtt: 2 }, (socket) => socket.once("data", () => socket.resetAndDestroy()))
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => {})
    socket.write("a word")
    await once(socket.resume(), "close")
    assert.isTrue(socket.destroyed)
  })

  it("closes a connection whose server is not there", async () => {
    const gone = createServer().listen(0, "127.0.0.1")
    await once(gone, "listening")
    const { port } = gone.address() as AddressInfo
    gone.close()
    const link = portOf(await slowLink({ host: "127.0.0.1", port, rtt: 0, rate: 0, window: 1024 }))
    const socket = connect(link, "127.0.0.1")
    socket.on("error", () => {})
    await once(socket.resume(), "close")
    assert.isTrue(socket.destroyed)
  })
})
