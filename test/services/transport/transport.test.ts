import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import type { Pump } from "../../../src/services/Bytes.ts"
import {
  answering,
  fetchText,
  get,
  httpServer,
  rawServer,
  send,
  speakers,
  text,
  timeouts,
  transport
} from "./servers.ts"

const failure = <A, R>(effect: Effect.Effect<A, StoreError, R>) =>
  Effect.map(Effect.flip(effect), (error) => [error.reason._tag, error.message] as const)

describe.each(speakers)("%s", (speaker) => {
  describe("a request", () => {
    it.live("sends method, path, query and headers, and nothing of its own but Host and Accept-Encoding", () =>
      Effect.gen(function*() {
        let seen: unknown
        const { port } = yield* httpServer((request, response) => {
          seen = [request.method, request.url, request.rawHeaders]
          response.end("hello")
        })
        const url = `http://me:secret@127.0.0.1:${port}/v2/a/tags/list?n=2&x=%2F`
        assert.strictEqual(
          yield* fetchText(get(url, { headers: { Accept: ["a/b", "c/d"], cookie: "x=1", Expect: "100-continue" } })),
          "200 hello"
        )
        assert.deepStrictEqual(seen, [
          "GET",
          "/v2/a/tags/list?n=2&x=%2F",
          [
            "Host",
            `127.0.0.1:${port}`,
            "Connection",
            "keep-alive",
            "Accept-Encoding",
            "identity",
            "Accept",
            "a/b",
            "Accept",
            "c/d"
          ]
        ])
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("gives headers by lower-case name with each value, and the class of the address", () =>
      Effect.gen(function*() {
        const { port } = yield* answering(
          "HTTP/1.1 404 Nope\r\nWarning: a\r\nContent-Length: 0\r\nwarning: b\r\n\r\n",
          "stay"
        )
        const response = yield* send(get(`http://127.0.0.1:${port}/`))
        assert.strictEqual(response.status, 404)
        assert.deepStrictEqual(response.headers, { warning: ["a", "b"], "content-length": ["0"] })
        assert.strictEqual(response.reach, "local")
        assert.strictEqual(yield* text(response), "")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("sends bytes in memory with their length, a pump of known size likewise, else in chunks", () =>
      Effect.gen(function*() {
        const { port } = yield* httpServer((request, response) => {
          const { "content-length": length, "transfer-encoding": coding } = request.headers
          const parts: Array<Buffer> = []
          request.on("data", (part: Buffer) => parts.push(part))
          request.on("end", () => response.end(`${length} ${coding} ${Buffer.concat(parts)}`))
        })
        const url = `http://127.0.0.1:${port}/`
        const pump: Pump = (sink) =>
          Effect.sync(() => {
            sink(Buffer.from("ab"), () => {})
            sink(Buffer.from("c"), () => {})
          })
        const put = (body?: Parameters<typeof get>[1]) => fetchText(get(url, { method: "PUT", ...body }))
        assert.strictEqual(yield* put({ body: Buffer.from("xyz") }), "200 3 undefined xyz")
        assert.strictEqual(yield* put({ body: { pump, size: 3 } }), "200 3 undefined abc")
        assert.strictEqual(yield* put({ body: { pump, size: undefined } }), "200 undefined chunked abc")
        assert.strictEqual(yield* put(), "200 0 undefined ")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("is refused before sending with line breaks or NUL in a header", () =>
      Effect.gen(function*() {
        const { port } = yield* httpServer((_request, response) => response.end())
        for (const value of ["a\r\nX: y", "a\nb", "a\0b"]) {
          const [tag, message] = yield* failure(
            fetchText(get(`http://127.0.0.1:${port}/v2/`, { headers: { authorization: value } }))
          )
          assert.strictEqual(tag, "ProtocolError")
          assert.strictEqual(
            message,
            `Get "http://127.0.0.1:${port}/v2/": invalid request: Invalid character in header content ["authorization"]`
          )
        }
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
  })

  describe("connections", () => {
    it.live("are reused after a body was read, and after a response without one", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((request, response) => {
          response.statusCode = request.url === "/204" ? 204 : 200
          // Node's client keeps no connection after a HEAD without length, which registries send.
          if (request.method === "HEAD") response.setHeader("Content-Length", 9)
          response.end(request.url === "/204" ? undefined : "some body")
        })
        const url = `http://127.0.0.1:${server.port}`
        for (let round = 0; round < 12; round++) {
          yield* fetchText(get(`${url}/a`))
          yield* Effect.scoped(send(get(`${url}/a`, { method: "HEAD" })))
          yield* Effect.scoped(send(get(`${url}/204`)))
          yield* fetchText(get(`${url}/a`, { method: "POST", body: Buffer.from("x") }))
        }
        assert.strictEqual(server.connections(), 1)
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("are given up when the body was not read", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((_request, response) => response.end(Buffer.alloc(10_000_000)))
        const response = yield* Effect.scoped(send(get(`http://127.0.0.1:${server.port}/`)))
        assert.strictEqual(response.status, 200)
        yield* server.allClosed
        yield* Effect.scoped(send(get(`http://127.0.0.1:${server.port}/`)))
        assert.strictEqual(server.connections(), 2)
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("end with the layer", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((_request, response) => response.end("x"))
        yield* fetchText(get(`http://127.0.0.1:${server.port}/`)).pipe(Effect.provide(transport(speaker)))
        yield* server.allClosed
        assert.strictEqual(server.connections(), 1)
      }).pipe(Effect.scoped))

    it.live("are not shared between limits of nearness", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((_request, response) => response.end("x"))
        const url = `http://127.0.0.1:${server.port}/`
        yield* fetchText(get(url))
        const error = yield* Effect.flip(fetchText(get(url, { reach: "public" })))
        assert.strictEqual(error.reason._tag, "RedirectRefused")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("are replaced once for a GET when the server closed an idle one meanwhile", () =>
      Effect.gen(function*() {
        const methods: Array<string> = []
        const server = yield* rawServer((socket, connection) => {
          let requests = 0
          socket.on("data", (head) => {
            methods.push(String(head).split(" ")[0] ?? "")
            requests += 1
            if (connection === 1 && requests === 2) socket.resetAndDestroy()
            else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
          })
        })
        const url = `http://127.0.0.1:${server.port}/`
        assert.strictEqual(yield* fetchText(get(url)), "200 ok")
        assert.strictEqual(yield* fetchText(get(url)), "200 ok")
        assert.strictEqual(server.connections(), 2)
        assert.deepStrictEqual(methods, ["GET", "GET", "GET"])
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("are not replaced for a POST, nor when they are fresh", () =>
      Effect.gen(function*() {
        const server = yield* rawServer((socket, connection) => {
          let requests = 0
          socket.on("data", () => {
            requests += 1
            if (connection > 1 || requests === 2) socket.resetAndDestroy()
            else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
          })
        })
        const url = `http://127.0.0.1:${server.port}/`
        assert.strictEqual(yield* fetchText(get(url)), "200 ok")
        const posted = yield* Effect.flip(fetchText(get(url, { method: "POST" })))
        assert.strictEqual(posted.reason._tag, "ConnectionLost")
        assert.strictEqual(server.connections(), 1)
        const fresh = yield* Effect.flip(fetchText(get(url)))
        assert.strictEqual(fresh.reason._tag, "ConnectionLost")
        assert.strictEqual(server.connections(), 2)
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("close at once on interruption, before and within the response", () =>
      Effect.gen(function*() {
        let arrived = () => {}
        const server = yield* httpServer((request, response) => {
          if (request.url === "/body") response.write("part")
          arrived()
        })
        for (const path of ["/silent", "/body"]) {
          const arrival = Effect.callback<void>((resume) => {
            arrived = () => resume(Effect.void)
          })
          const waiting = yield* Effect.forkChild(arrival)
          const fiber = yield* Effect.forkChild(fetchText(get(`http://127.0.0.1:${server.port}${path}`)))
          yield* Fiber.join(waiting)
          yield* Fiber.interrupt(fiber)
          yield* server.allClosed
        }
        assert.strictEqual(server.open(), 0)
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
  })

  describe("a large body", () => {
    it.live("comes no faster than its views are released", () =>
      Effect.gen(function*() {
        const size = 256 * 1024 * 1024
        const block = randomBytes(1024 * 1024)
        const sum = createHash("sha256")
        for (let at = 0; at < size; at += block.length) sum.update(block)
        const { port } = yield* httpServer((_request, response) => {
          response.setHeader("Content-Length", size)
          let left = size / block.length
          const more = () => {
            while (left > 0 && response.write(block)) left -= 1
            if (left > 0) {
              left -= 1
              response.once("drain", more)
            } else response.end()
          }
          more()
        })
        const response = yield* send(get(`http://127.0.0.1:${port}/`))
        const received = createHash("sha256")
        let most = 0
        let out = 0
        yield* response.body((view, release) => {
          received.update(view)
          out += view.length
          most = Math.max(most, out)
          setImmediate(() => {
            out -= view.length
            release()
          })
        })
        assert.strictEqual(received.digest("hex"), sum.digest("hex"))
        assert.isBelow(most, 2 * 1024 * 1024)
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("goes up as fast as the server takes it", () =>
      Effect.gen(function*() {
        const size = 64 * 1024 * 1024
        const view = randomBytes(1024 * 1024)
        let heldBack = true
        const { port } = yield* httpServer((request, response) => {
          let received = 0
          request.pause()
          setTimeout(() => {
            heldBack = false
            request.on("data", (part: Buffer) => received += part.length)
            request.on("end", () => response.end(String(received)))
            request.resume()
          }, 100)
        })
        let given = 0
        let givenWhileHeld = 0
        const pump: Pump = (sink) =>
          Effect.callback((resume) => {
            let out = 0
            const more = () => {
              while (out < 2 && given < size) {
                out += 1
                given += view.length
                if (heldBack) givenWhileHeld = given
                sink(view, () => {
                  out -= 1
                  more()
                })
              }
              if (given === size) resume(Effect.void)
            }
            more()
          })
        assert.strictEqual(
          yield* fetchText(get(`http://127.0.0.1:${port}/`, { method: "PUT", body: { pump, size } })),
          `200 ${size}`
        )
        assert.isBelow(givenWhileHeld, size / 2)
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("is abandoned when the answer comes early, and its connection with it", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((_request, response) => {
          response.statusCode = 413
          response.end("too large")
        })
        let isInterrupted = false
        const pump: Pump = (sink) =>
          Effect.sync(() => sink(Buffer.from("first"), () => {})).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => isInterrupted = true))
          )
        const request = get(`http://127.0.0.1:${server.port}/`, { method: "PUT", body: { pump, size: 1000 } })
        assert.strictEqual(yield* fetchText(request), "413 too large")
        assert.isTrue(isInterrupted)
        yield* server.allClosed
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("gives way to an answer that lies ready when the server closed while it was sent", () =>
      Effect.gen(function*() {
        const { port } = yield* rawServer((socket) => {
          socket.once("data", () => {
            socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone")
            setTimeout(() => socket.destroy(), 5)
          })
        })
        const view = randomBytes(1024 * 1024)
        const pump: Pump = (sink) =>
          Effect.callback((resume) => {
            let left = 64
            const more = () => {
              if (left-- > 0) sink(view, () => void setImmediate(more))
              else resume(Effect.void)
            }
            more()
          })
        const body = { pump, size: 64 * view.length }
        for (let round = 0; round < 20; round++) {
          assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${port}/`, { method: "PUT", body })), "404 gone")
        }
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("fails the request with its source's error, and when its size is not the announced one", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((request) => request.resume())
        const upload = (pump: Pump, size: number) =>
          Effect.flip(fetchText(get(`http://127.0.0.1:${server.port}/`, { method: "PUT", body: { pump, size } })))
        const broken = yield* upload(() => Effect.fail(storeError("reading", "DigestMismatch", "digest mismatch")), 5)
        assert.strictEqual(broken.message, "reading: digest mismatch")
        const short = yield* upload((sink) => Effect.sync(() => sink(Buffer.from("abc"), () => {})), 5)
        assert.include(short.message, "short read [expected 5, received 3]: EOF")
        const long = yield* upload(
          (sink) =>
            Effect.callback((resume) => {
              try {
                sink(Buffer.from("abcdef"), () => {})
              } catch (error) {
                resume(Effect.fail(error as StoreError))
              }
            }),
          5
        )
        assert.strictEqual(long.reason._tag, "SizeMismatch")
        yield* server.allClosed
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("ends with the error its sink throws", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((_request, response) => response.end(Buffer.alloc(5_000_000)))
        const response = yield* send(get(`http://127.0.0.1:${server.port}/`))
        const error = yield* Effect.flip(response.body(() => {
          throw storeError("", "FsNoSpace", "disk full")
        }))
        assert.strictEqual(error.reason._tag, "FsNoSpace")
        yield* server.allClosed
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
  })

  describe("a broken answer", () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    const cases: ReadonlyArray<readonly [string, string, "end" | "reset" | "stay", string, string]> = [
      ["nothing, reset", "", "reset", "ConnectionLost", "lost"],
      ["nothing, closed", "", "end", "ConnectionLost", "lost"],
      ["half a head", "HTTP/1.1 200 OK\r\nConte", "end", "ConnectionLost", "lost"],
      ["reset at byte 0", head, "reset", "ConnectionLost", "lost"],
      ["reset at byte 1", `${head}a`, "reset", "ConnectionLost", "lost"],
      ["reset at the last byte", `${head}123456789`, "reset", "ConnectionLost", "lost"],
      ["closed at byte 0", head, "end", "SizeMismatch", "short read [expected 10, received 0]: EOF"],
      [
        "closed at the last byte",
        `${head}123456789`,
        "end",
        "SizeMismatch",
        "short read [expected 10, received 9]: EOF"
      ],
      [
        "a chunked body that ends early",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "end",
        "SizeMismatch",
        "the body ended before its last chunk"
      ],
      [
        "a bad chunk",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
        "stay",
        "ProtocolError",
        "malformed HTTP response"
      ],
      [
        "two lengths",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "stay",
        "ProtocolError",
        "malformed HTTP response"
      ],
      [
        "a length and chunks",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "stay",
        "ProtocolError",
        "malformed HTTP response"
      ],
      [
        "an unknown coding",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "stay",
        "ProtocolError",
        "unknown transfer coding"
      ],
      ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "stay", "ProtocolError", "malformed"],
      ["status 999", "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", "stay", "ProtocolError", "status 999"],
      ["NUL in a header", "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "stay", "ProtocolError", "malformed"],
      ["a huge header", `HTTP/1.1 200 OK\r\nA: ${"x".repeat(70_000)}\r\n\r\n`, "stay", "ProtocolError", "malformed"],
      ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n", "stay", "ProtocolError", "malformed"],
      [
        "an upgrade",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "stay",
        "ProtocolError",
        "an upgrade nobody asked for"
      ]
    ]
    for (const [name, bytes, then, tag, words] of cases) {
      it.live(`is ${tag} for ${name}`, () =>
        Effect.gen(function*() {
          const server = yield* answering(Buffer.from(bytes, "latin1"), then)
          const [reason, message] = yield* failure(fetchText(get(`http://127.0.0.1:${server.port}/v2/`)))
          assert.strictEqual(reason, tag)
          assert.include(message, `Get "http://127.0.0.1:${server.port}/v2/": `)
          assert.include(message, words)
        }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
    }

    it.live("may be up to 60 KiB of headers, interim answers, and a body until the end of the connection", () =>
      Effect.gen(function*() {
        const { port } = yield* answering(
          `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nA: ${"x".repeat(60_000)}\r\n\r\nthe rest`,
          "end"
        )
        assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${port}/`)), "200 the rest")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
  })

  describe("time", () => {
    it.live("is up when a server says nothing to a TLS greeting, and when it never answers a commit", () =>
      Effect.gen(function*() {
        const { port } = yield* rawServer(() => {})
        const short = { ...timeouts, connect: 50 }
        const greeting = yield* Effect.flip(fetchText(get(`https://127.0.0.1:${port}/`, { timeouts: short })))
        assert.deepStrictEqual([greeting.reason._tag, greeting.message.includes("within 0.05 s")], ["Timeout", true])
        const commit = { method: "PUT", timeouts: { ...timeouts, headers: 50, commit: 150 } }
        const committed = yield* Effect.flip(fetchText(get(`http://127.0.0.1:${port}/`, commit)))
        assert.include(committed.message, "no response headers within 0.15 s")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("is up when no headers come", () =>
      Effect.gen(function*() {
        const server = yield* httpServer(() => {})
        const error = yield* Effect.flip(
          fetchText(get(`http://127.0.0.1:${server.port}/`, { timeouts: { ...timeouts, headers: 50 } }))
        )
        assert.strictEqual(error.reason._tag, "Timeout")
        assert.include(error.message, "no response headers within 0.05 s")
        yield* server.allClosed
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("is up when a body drips", () =>
      Effect.gen(function*() {
        const server = yield* httpServer((_request, response) => {
          const timer = setInterval(() => response.write("x".repeat(100)), 10)
          response.once("close", () => clearInterval(timer))
        })
        const error = yield* Effect.flip(
          fetchText(get(`http://127.0.0.1:${server.port}/`, { timeouts: { ...timeouts, stall: 120 } }))
        )
        assert.strictEqual(error.reason._tag, "Timeout")
        assert.include(error.message, "less than 10 KiB received within 0.12 s")
        yield* server.allClosed
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("is up when the server takes no more of a request", () =>
      Effect.gen(function*() {
        const server = yield* rawServer((socket) => socket.pause())
        const error = yield* Effect.flip(
          fetchText(get(`http://127.0.0.1:${server.port}/`, {
            method: "PATCH",
            body: Buffer.alloc(32 * 1024 * 1024),
            timeouts: { ...timeouts, stall: 120 }
          }))
        )
        assert.strictEqual(error.reason._tag, "Timeout")
        assert.include(error.message, "less than 10 KiB of the request sent within 0.12 s")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))

    it.live("does not pass for a body that we hold up, nor without a limit", () =>
      Effect.gen(function*() {
        const { port } = yield* httpServer((_request, response) => response.end(Buffer.alloc(8 * 1024 * 1024)))
        const response = yield* send(get(`http://127.0.0.1:${port}/`, { timeouts: { ...timeouts, stall: 60 } }))
        let received = 0
        yield* response.body((view, release) => {
          received += view.length
          if (received < 2 * 1024 * 1024) setTimeout(release, 300)
          else release()
        })
        assert.strictEqual(received, 8 * 1024 * 1024)
        const slow = yield* httpServer((_request, answer) => {
          answer.write("a")
          setTimeout(() => answer.end("b"), 150)
        })
        const never = { connect: 0, headers: 0, commit: 0, stall: 0 }
        assert.strictEqual(yield* fetchText(get(`http://127.0.0.1:${slow.port}/`, { timeouts: never })), "200 ab")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
  })

  describe("an address", () => {
    it.live("that refuses is named with its port", () =>
      Effect.gen(function*() {
        const [tag, message] = yield* failure(fetchText(get("http://127.0.0.1:1/v2/")))
        assert.strictEqual(tag, "ConnectFailed")
        assert.strictEqual(
          message,
          `Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`
        )
      }).pipe(Effect.provide(transport(speaker))))

    it.live("that does not resolve is named", () =>
      Effect.gen(function*() {
        const [tag, message] = yield* failure(fetchText(get("https://no-such-host.invalid/v2/")))
        assert.strictEqual(tag, "DnsFailed")
        assert.match(message, /^Get "https:\/\/no-such-host\.invalid\/v2\/": dial tcp: lookup no-such-host\.invalid: /)
      }).pipe(Effect.provide(transport(speaker))))

    const near: ReadonlyArray<readonly [string, "public" | "private"]> = [
      ["http://localhost:1/x?X-Amz-Signature=abc", "public"],
      ["http://127.0.0.1:1/x", "private"],
      ["http://2130706433:1/x", "private"],
      ["http://0177.1:1/x", "public"],
      ["http://[::ffff:127.0.0.1]:1/x", "public"],
      ["http://169.254.169.254/x", "private"],
      ["https://10.0.0.1/x", "public"]
    ]
    for (const [url, reach] of near) {
      it.live(`nearer than ${reach} is refused before connecting: ${url}`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(fetchText(get(url, { reach })))
          const shown = new URL(url)
          assert.strictEqual(error.reason._tag, "RedirectRefused")
          assert.strictEqual(
            error.reason.detail,
            `redirect to a local domain is not allowed (${shown.origin}${shown.pathname})`
          )
          assert.notInclude(error.message, "Signature")
        }).pipe(Effect.provide(transport(speaker))))
    }

    it.live("as near as allowed is dialled", () =>
      Effect.gen(function*() {
        const { port } = yield* httpServer((_request, response) => response.end("x"))
        assert.strictEqual(yield* fetchText(get(`http://localhost:${port}/`, { reach: "local" })), "200 x")
      }).pipe(Effect.scoped, Effect.provide(transport(speaker))))
  })
})
