/** Our own transport alone: answers that come in pieces of any size, to who takes them slowly and gives them back late. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import type { Socket } from "node:net"
import { randomOf } from "../../campaigns/campaign.ts"
import { fetchText, get, rawServer, send, transport } from "./servers.ts"

const size = 3_000_000
const content = randomBytes(size)
const sum = createHash("sha256").update(content).digest("hex")

const inChunks = (below: (limit: number) => number): Buffer => {
  const parts: Array<Buffer> = []
  for (let at = 0; at < size;) {
    const length = Math.min(size - at, 1 + below(200_000))
    parts.push(Buffer.from(`${length.toString(16)}\r\n`), content.subarray(at, at + length), Buffer.from("\r\n"))
    at += length
  }
  return Buffer.concat([...parts, Buffer.from("0\r\nX-Trailer: a\r\n\r\n")])
}

/** Writes in pieces of drawn sizes, some of them a few bytes, with a turn of the event loop after each. */
const inPieces = (socket: Socket, bytes: Buffer, below: (limit: number) => number): void => {
  let at = 0
  const next = () => {
    if (at >= bytes.length) return
    const to = Math.min(bytes.length, at + 1 + below(below(3) === 0 ? 20 : 300_000))
    socket.write(bytes.subarray(at, at = to), () => setImmediate(next))
  }
  next()
}

describe("a body", () => {
  for (let seed = 1; seed <= 12; seed++) {
    it.live(`is the same in any pieces, taken slowly, given back late and out of order (seed ${seed})`, () =>
      Effect.gen(function*() {
        const { below, chance } = randomOf(seed, 0)
        const isChunked = seed % 2 === 0
        const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${size}`
        const body = isChunked ? inChunks(below) : content
        const answer = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`), body])
        let connections = 0
        const { port } = yield* rawServer((socket) => {
          connections++
          socket.setNoDelay(true)
          socket.on("data", () => inPieces(socket, answer, below))
        })
        for (let round = 0; round < 3; round++) {
          const hash = createHash("sha256")
          const held: Array<() => void> = []
          let [seen, out, most] = [0, 0, 0]
          yield* Effect.scoped(Effect.gen(function*() {
            const response = yield* send(get(`http://127.0.0.1:${port}/`))
            if (chance(0.5)) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
            yield* response.body((view, release) => {
              // Read when it is given back: the memory must still be what it was.
              const copy = Buffer.from(view)
              hash.update(view)
              seen += view.length
              most = Math.max(most, out += view.length)
              held.push(() => {
                assert.isTrue(copy.equals(view))
                out -= view.length
                release()
              })
              if (chance(0.7)) setImmediate(() => held.splice(below(held.length), 1).forEach((it) => it()))
              else setTimeout(() => held.splice(0).forEach((it) => it()), below(3))
            })
          }))
          for (const it of held.splice(0)) it()
          assert.deepStrictEqual([seen, hash.digest("hex")], [size, sum])
          // One read more may come before reading stops.
          assert.isAtMost(most, 3 * 1024 * 1024)
        }
        assert.strictEqual(connections, 1)
      }).pipe(Effect.scoped, Effect.provide(transport("its own"))))
  }
})

describe("an idle connection", () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"

  it.live("is closed by bytes nobody asked for, which are no answer to the next request", () =>
    Effect.gen(function*() {
      const server = yield* rawServer((socket, connection) => {
        socket.setNoDelay(true)
        socket.once("data", () => {
          if (connection > 1) return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
          return socket.write(answer, () =>
            setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), 20))
        })
      })
      assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${server.port}/`)), "200 first")
      yield* server.allClosed
      assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${server.port}/`)), "200 second")
    }).pipe(Effect.scoped, Effect.provide(transport("its own"))))

  it.live("is closed a second before its server says it would, and not used again", () =>
    Effect.gen(function*() {
      const server = yield* rawServer((socket, connection) => {
        socket.on("data", () =>
          socket.write(
            `HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2, max=100\r\nContent-Length: 1\r\n\r\n${connection}`
          ))
      })
      const next = fetchText(get(`http://127.0.0.1:${server.port}/`))
      assert.deepStrictEqual([yield* next, yield* next], ["200 1", "200 1"])
      const start = Date.now()
      yield* server.allClosed
      // Looked for each second: 1 to 2 of them, and what a busy machine adds.
      assert.isAtLeast(Date.now() - start, 900)
      assert.strictEqual(yield* next, "200 2")
    }).pipe(Effect.scoped, Effect.provide(transport("its own"))))

  it.live("does not come to be when more than the answer came with it", () =>
    Effect.gen(function*() {
      const server = yield* rawServer((socket) => void socket.once("data", () => socket.write(`${answer}\r\n`)))
      assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${server.port}/`)), "200 first")
      yield* server.allClosed
    }).pipe(Effect.scoped, Effect.provide(transport("its own"))))
})

describe("a request", () => {
  it.each([
    ["a blank in its method", { method: "GE T" }],
    ["a line break in its method", { method: "GET / HTTP/1.1\r\nA" }],
    ["a line break in a header", { headers: { A: "b\r\nC: d" } }],
    ["a bare LF in a header", { headers: { A: "b\nC: d" } }],
    ["NUL in a header", { headers: { A: "b\0" } }],
    ["a character beyond Latin-1 in a header", { headers: { A: "\u{1f600}" } }],
    ["a colon in a name", { headers: { "A:B": "c" } }],
    ["a line break in a name", { headers: { "A\r\nB": "c" } }]
  ])("is refused for %s, and nothing is sent", (_, more) =>
    Effect.runPromise(
      Effect.gen(function*() {
        let seen = 0
        const { port } = yield* rawServer((socket) => void socket.on("data", (part) => void (seen += part.length)))
        const error = yield* Effect.flip(fetchText(get(`http://127.0.0.1:${port}/`, {
          headers: "headers" in more ? more.headers : {},
          method: "method" in more ? more.method : "GET"
        })))
        assert.strictEqual(error.reason._tag, "ProtocolError")
        assert.strictEqual(seen, 0)
      }).pipe(Effect.scoped, Effect.provide(transport("its own")))
    ))
})
