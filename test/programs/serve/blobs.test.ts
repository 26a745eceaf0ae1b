import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { connect } from "node:net"
import { fromBytes, verified } from "../../../src/services/Bytes.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"
import { ask, digestOf, layoutsLayer, pushBlob, pushImage, raw, serving } from "./serving.ts"

const octets = { "content-type": "application/octet-stream" }

const start = (url: string, name: string) =>
  Effect.map(ask(`${url}/v2/${name}/blobs/uploads/`, { method: "POST" }), ({ headers, status }) => {
    assert.strictEqual(status, 202)
    const location = headers.get("location") ?? ""
    assert.match(location, new RegExp(`^/v2/${name}/blobs/uploads/[0-9a-f]{32}$`))
    return `${url}${location}`
  })

const patch = (location: string, body: string, range?: string) =>
  ask(location, {
    method: "PATCH",
    body,
    headers: range === undefined ? octets : { ...octets, "content-range": range }
  })

const finish = (location: string, digest: string, body?: string, range?: string) =>
  ask(`${location}?digest=${digest}`, {
    method: "PUT",
    ...(body === undefined ? {} : { body }),
    headers: range === undefined ? octets : { ...octets, "content-range": range }
  })

/** Sends a POST of so many bytes, part by part, for as long as the connection is open. */
const sending = (url: string, size: number, part: string) =>
  new Promise<{ readonly answer: string; readonly sent: number }>((resolve) => {
    const { hostname, port } = new URL(url)
    let [answer, sent] = ["", 0]
    const socket = connect(Number(port), hostname)
    const send = () => {
      do sent += part.length
      while (socket.write(part) && sent < size)
    }
    socket.on("drain", send)
    socket.on("data", (it) => (answer += it.toString()))
    socket.on("error", () => {})
    socket.on("close", () => resolve({ answer, sent }))
    const digest = digestOf("none")
    socket.write(`POST /v2/a/blobs/uploads/?digest=${digest} HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`)
    send()
  })

describe("pushing a blob", () => {
  for (const algorithm of ["sha256", "sha384", "sha512"]) {
    it.live(`takes it at once, named by ${algorithm}`, () =>
      Effect.gen(function*() {
        const { url } = yield* serving()
        const digest = digestOf("hello", algorithm)
        const post = yield* ask(`${url}/v2/a/b/blobs/uploads/?digest=${digest}`, { method: "POST", body: "hello" })
        assert.strictEqual(post.status, 201)
        assert.strictEqual(post.headers.get("location"), `/v2/a/b/blobs/${digest}`)
        assert.strictEqual(post.headers.get("docker-content-digest"), digest)
        assert.strictEqual((yield* ask(`${url}/v2/a/b/blobs/${digest}`)).text, "hello")
      }).pipe(Effect.scoped))
  }

  it.live("takes it in order, in parts, with the last part in the PUT", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const location = yield* start(url, "a")
      const first = yield* patch(location, "hel", "0-2")
      assert.deepStrictEqual([first.status, first.headers.get("range")], [202, "0-2"])
      const second = yield* patch(location, "lo", undefined)
      assert.deepStrictEqual([second.status, second.headers.get("range")], [202, "0-4"])
      const state = yield* ask(location)
      assert.deepStrictEqual([state.status, state.headers.get("range")], [204, "0-4"])
      assert.strictEqual((yield* finish(location, digestOf("hello!!"), "!!", "5-6")).status, 201)
      assert.strictEqual((yield* ask(`${url}/v2/a/blobs/${digestOf("hello!!")}`)).text, "hello!!")
      assert.strictEqual((yield* ask(location)).status, 404)
    }).pipe(Effect.scoped))

  it.live("takes a body of unknown length, in a PATCH or with the POST", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const body = () => new Blob(["stream"]).stream()
      const location = yield* start(url, "a")
      const sent = yield* ask(location, { method: "PATCH", body: body(), duplex: "half", headers: octets })
      assert.deepStrictEqual([sent.status, sent.headers.get("range")], [202, "0-5"])
      assert.strictEqual((yield* finish(location, digestOf("stream"))).status, 201)
      const post = yield* ask(`${url}/v2/b/blobs/uploads/?digest=${digestOf("stream")}`, {
        method: "POST",
        body: body(),
        duplex: "half"
      })
      assert.strictEqual(post.status, 201)
      const wrong = yield* ask(`${url}/v2/c/blobs/uploads/?digest=${digestOf("other")}`, {
        method: "POST",
        body: body(),
        duplex: "half"
      })
      assert.deepStrictEqual([wrong.status, wrong.codes], [400, ["DIGEST_INVALID"]])
    }).pipe(Effect.scoped))

  const wrongRanges: ReadonlyArray<readonly [string, string]> = [
    ["leaves a gap", "5-7"],
    ["overlaps", "1-3"],
    ["starts again", "0-2"],
    ["is longer than the body", "3-9"],
    ["is shorter than the body", "3-4"],
    ["is inverted", "5-3"],
    ["is no range", "abc"]
  ]
  it.live.each(wrongRanges)(
    "answers 416 and where it stands when the range %s (R05)",
    ([, range]) =>
      Effect.gen(function*() {
        const { url } = yield* serving()
        const location = yield* start(url, "a")
        yield* patch(location, "abc", "0-2")
        const wrong = yield* patch(location, "def", range)
        assert.deepStrictEqual([wrong.status, wrong.headers.get("range"), wrong.codes], [416, "0-2", ["RANGE_INVALID"]])
        assert.strictEqual((yield* patch(location, "def", "3-5")).status, 202)
        assert.strictEqual((yield* finish(location, digestOf("abcdef"))).status, 201)
      }).pipe(Effect.scoped)
  )

  it.live("goes on where a body broke off (R05)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const location = yield* start(url, "a")
      const { hostname, pathname, port } = new URL(location)
      yield* Effect.promise(async () => {
        const { connect } = await import("node:net")
        const socket = connect(Number(port), hostname)
        socket.write(`PATCH ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n12345`)
        for (;;) {
          const state = await fetch(location)
          if (state.headers.get("range") === "0-4") break
        }
        socket.destroy()
      })
      assert.strictEqual((yield* patch(location, "678", "5-7")).status, 202)
      assert.strictEqual((yield* finish(location, digestOf("12345678"))).status, 201)
    }).pipe(Effect.scoped))

  it.live("leaves no trace of a wrong digest, whichever way it came (R04)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const other = digestOf("other")
      const post = yield* ask(`${url}/v2/a/blobs/uploads/?digest=${other}`, { method: "POST", body: "hello" })
      assert.deepStrictEqual([post.status, post.codes], [400, ["DIGEST_INVALID"]])
      for (const digest of [other, "sha256:bad", ""]) {
        const location = yield* start(url, "a")
        const put = yield* finish(location, digest, "hello")
        assert.deepStrictEqual([put.status, put.codes], [400, ["DIGEST_INVALID"]])
        assert.strictEqual((yield* ask(location)).status, 404)
      }
      assert.strictEqual((yield* ask(`${url}/v2/a/blobs/${other}`)).status, 404)
      assert.strictEqual((yield* ask(`${url}/v2/_catalog`)).text, "{\"repositories\":[]}")
    }).pipe(Effect.scoped))

  it.live("refuses what is above the limit, announced or not, and forgets its session (R03)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({ uploadLimit: 10 })
      const digest = digestOf("12345678901")
      for (const method of ["POST", "PUT", "PATCH"]) {
        for (const body of ["12345678901", new Blob(["12345678901"]).stream()]) {
          const session = method === "POST" ? `${url}/v2/a/blobs/uploads/` : yield* start(url, "a")
          const location = method === "PATCH" ? session : `${session}?digest=${digest}`
          const answer = yield* ask(location, { method, body, duplex: "half" })
          assert.deepStrictEqual([answer.status, answer.codes], [413, ["SIZE_INVALID"]])
          if (method !== "POST") assert.strictEqual((yield* ask(location)).status, 404)
        }
      }
      const location = yield* start(url, "a")
      assert.strictEqual((yield* patch(location, "1234567890")).status, 202)
      assert.strictEqual((yield* patch(location, "1")).status, 413)
      assert.strictEqual((yield* pushBlob(url, "a", "1234567890")).status, 201)
    }).pipe(Effect.scoped))

  it.live("does not read to its end what is too large (R03)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({ uploadLimit: 10 })
      const endless = 1024 ** 3
      const { answer, sent } = yield* Effect.promise(() => sending(url, endless, "x".repeat(65_536)))
      assert.match(answer, /^HTTP\/1.1 413 /)
      // The kernel's buffers of both sides come to what the server reads itself, which is 1 MiB.
      assert.isBelow(sent, 64 * 1024 * 1024)
    }).pipe(Effect.scoped))

  it.live("can be cancelled, and is known to its own repository only", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const location = yield* start(url, "a")
      const foreign = yield* ask(location.replace("/v2/a/", "/v2/b/"))
      assert.deepStrictEqual([foreign.status, foreign.codes], [404, ["BLOB_UPLOAD_UNKNOWN"]])
      assert.strictEqual((yield* ask(location, { method: "DELETE" })).status, 204)
      assert.strictEqual((yield* ask(location, { method: "DELETE" })).status, 404)
      assert.strictEqual((yield* patch(location, "x")).status, 404)
    }).pipe(Effect.scoped))

  it.live("mounts from a repository named, or from whichever has it, and begins an upload where there is none (R13)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "from/here", "content")
      const digest = digestOf("content")
      const mount = (query: string) => ask(`${url}/v2/to/blobs/uploads/?mount=${query}`, { method: "POST" })
      for (const from of ["&from=never/seen", "&from=../..", `&from=to`]) {
        assert.strictEqual((yield* mount(`${digest}${from}`)).status, 202)
      }
      const mounted = yield* mount(`${digest}&from=from/here`)
      assert.deepStrictEqual([mounted.status, mounted.headers.get("location")], [201, `/v2/to/blobs/${digest}`])
      assert.strictEqual((yield* ask(`${url}/v2/to/blobs/${digest}`)).text, "content")
      assert.strictEqual((yield* mount(digestOf("absent"))).status, 202)
      const anonymous = yield* ask(`${url}/v2/third/blobs/uploads/?mount=${digest}`, { method: "POST" })
      assert.strictEqual(anonymous.status, 201)
    }).pipe(Effect.scoped))

  it.live("stores one blob that fifty clients push at once (R08)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const content = "x".repeat(100_000)
      const pushed = yield* Effect.forEach(Array.from({ length: 50 }), () => pushBlob(url, "a", content), {
        concurrency: 50
      })
      assert.deepStrictEqual(new Set(pushed.map(({ status }) => status)), new Set([201]))
      assert.strictEqual((yield* ask(`${url}/v2/a/blobs/${digestOf(content)}`)).text, content)
    }).pipe(Effect.scoped))
})

describe("pulling a blob", () => {
  const content = Array.from({ length: 2000 }, (_, n) => String.fromCharCode(97 + n % 26)).join("")
  const ranges: ReadonlyArray<readonly [string, number, string | null, string]> = [
    ["bytes=500-1499", 206, "bytes 500-1499/2000", content.slice(500, 1500)],
    ["bytes=500-", 206, "bytes 500-1999/2000", content.slice(500)],
    ["bytes=-500", 206, "bytes 1500-1999/2000", content.slice(1500)],
    ["bytes=-5000", 206, "bytes 0-1999/2000", content],
    ["bytes=1990-9999", 206, "bytes 1990-1999/2000", content.slice(1990)],
    ["bytes=1,3-4", 200, null, content],
    ["bytes=0-1,3-4", 200, null, content],
    ["lines=0-1", 200, null, content]
  ]
  it.live.each(ranges)("serves %s (R12)", ([range, status, contentRange, text]) =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", content)
      const got = yield* ask(`${url}/v2/a/blobs/${digestOf(content)}`, { headers: { range } })
      assert.deepStrictEqual([got.status, got.headers.get("content-range"), got.text], [status, contentRange, text])
      assert.strictEqual(got.headers.get("content-length"), String(text.length))
    }).pipe(Effect.scoped))

  it.live.each(["bytes=500-0", "bytes=2000-", "bytes=9999-", "bytes=-0"])(
    "answers 416 to %s (R12)",
    (range) =>
      Effect.gen(function*() {
        const { url } = yield* serving()
        yield* pushBlob(url, "a", content)
        const got = yield* ask(`${url}/v2/a/blobs/${digestOf(content)}`, { headers: { range } })
        assert.deepStrictEqual([got.status, got.headers.get("content-range")], [416, "bytes */2000"])
      }).pipe(Effect.scoped)
  )

  it.live("gives the whole to a client whose part is of something else", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", content)
      const at = `${url}/v2/a/blobs/${digestOf(content)}`
      const stale = yield* ask(at, { headers: { range: "bytes=0-9", "if-range": "\"old\"" } })
      assert.strictEqual(stale.status, 200)
      const fits = yield* ask(at, { headers: { range: "bytes=0-9", "if-range": `"${digestOf(content)}"` } })
      assert.strictEqual(fits.status, 206)
    }).pipe(Effect.scoped))

  it.live("has the headers of GET on HEAD, never a type that browsers run (R21), and an empty body for an empty blob", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", "")
      yield* pushBlob(url, "a", "<html>")
      for (const [text, method] of [["", "GET"], ["", "HEAD"], ["<html>", "GET"], ["<html>", "HEAD"]] as const) {
        const got = yield* ask(`${url}/v2/a/blobs/${digestOf(text)}`, { method })
        assert.strictEqual(got.status, 200)
        assert.strictEqual(got.text, method === "HEAD" ? "" : text)
        assert.strictEqual(got.headers.get("content-length"), String(text.length))
        assert.strictEqual(got.headers.get("content-type"), "application/octet-stream")
        assert.strictEqual(got.headers.get("docker-content-digest"), digestOf(text))
        assert.strictEqual(got.headers.get("x-content-type-options"), "nosniff")
        assert.isNull(got.headers.get("access-control-allow-origin"))
      }
    }).pipe(Effect.scoped))

  it.live("moves a large one both ways", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const large = new Uint8Array(64 * 1024 * 1024).map((_, n) => n * 31)
      assert.strictEqual((yield* pushBlob(url, "a", large)).status, 201)
      const location = yield* start(url, "b")
      assert.strictEqual((yield* ask(location, { method: "PATCH", body: large, headers: octets })).status, 202)
      assert.strictEqual((yield* finish(location, digestOf(large))).status, 201)
      assert.isTrue((yield* ask(`${url}/v2/b/blobs/${digestOf(large)}`)).bytes.equals(large))
    }).pipe(Effect.scoped))

  it.live("comes whole to many readers at once, some of whom pause", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({}, layoutsLayer)
      const contents = [1, 2, 3, 4].map((seed) =>
        new Uint8Array(9_000_000).map((_, n) => (n * 2654435761 * seed) >>> 24)
      )
      for (const content of contents) yield* pushBlob(url, "a", content)
      const digests = contents.flatMap((content) => [digestOf(content), digestOf(content)])
      const read = (digest: string, at: number) =>
        Effect.promise(async () => {
          const hash = createHash("sha256")
          const { body } = await fetch(`${url}/v2/a/blobs/${digest}`)
          for await (const part of body ?? []) {
            hash.update(part)
            if (at % 2 === 1) await new Promise((resolve) => setTimeout(resolve, 1))
          }
          return `sha256:${hash.digest("hex")}`
        })
      assert.deepStrictEqual(yield* Effect.forEach(digests, read, { concurrency: 8 }), digests)
    }).pipe(Effect.scoped))

  it.live("is 404 after its deletion, and what was never there too", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", "x")
      const at = `${url}/v2/a/blobs/${digestOf("x")}`
      assert.strictEqual((yield* ask(at, { method: "DELETE" })).status, 202)
      const gone = yield* ask(at)
      assert.deepStrictEqual([gone.status, gone.codes], [404, ["BLOB_UNKNOWN"]])
      assert.strictEqual((yield* ask(at, { method: "DELETE" })).status, 404)
      const nowhere = yield* ask(`${url}/v2/never/blobs/${digestOf("x")}`)
      assert.deepStrictEqual([nowhere.status, nowhere.codes], [404, ["NAME_UNKNOWN"]])
    }).pipe(Effect.scoped))
})

describe("lists", () => {
  it.live("are sorted and paged, and do not name what does not exist", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const image = yield* pushImage(url, "a", "t1")
      const put = (tag: string) => ask(`${url}/v2/a/manifests/${tag}`, { method: "PUT", body: image })
      for (const tag of ["t3", "B", "t2"]) yield* put(tag)
      const list = (query: string) =>
        Effect.map(ask(`${url}/v2/a/tags/list${query}`), ({ headers, text }) => [text, headers.get("link")])
      assert.deepStrictEqual(yield* list(""), [`{"name":"a","tags":["B","t1","t2","t3"]}`, null])
      const next = "</v2/a/tags/list?n=2&last=t1>; rel=\"next\""
      assert.deepStrictEqual(yield* list("?n=2"), [`{"name":"a","tags":["B","t1"]}`, next])
      assert.deepStrictEqual(yield* list("?n=2&last=t1"), [`{"name":"a","tags":["t2","t3"]}`, null])
      assert.deepStrictEqual(yield* list("?n=0"), [`{"name":"a","tags":[]}`, null])
      assert.deepStrictEqual(yield* list("?n=1000000000"), [`{"name":"a","tags":["B","t1","t2","t3"]}`, null])
      assert.deepStrictEqual(yield* list("?last=%00zzz"), [`{"name":"a","tags":["B","t1","t2","t3"]}`, null])
      assert.strictEqual((yield* ask(`${url}/v2/never/tags/list`)).status, 404)
    }).pipe(Effect.scoped))

  it.live.each(["-1", "x", "1.5", "", "9999999999999999999"])("refuse n=%s (R11)", (n) =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushImage(url, "a", "v1")
      const list = yield* ask(`${url}/v2/a/tags/list?n=${n}`)
      assert.deepStrictEqual([list.status, list.codes], [400, ["PAGINATION_NUMBER_INVALID"]])
    }).pipe(Effect.scoped))

  it.live("cap a page at a thousand names (R11)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const image = yield* pushImage(url, "a", "v1")
      const tags = Array.from({ length: 1001 }, (_, n) => `t${n}`)
      for (let at = 0; at < tags.length; at += 200) {
        const query = tags.slice(at, at + 200).map((tag) => `tag=${tag}`).join("&")
        yield* ask(`${url}/v2/a/manifests/${digestOf(image)}?${query}`, { method: "PUT", body: image })
      }
      const list = yield* ask(`${url}/v2/a/tags/list?n=100000`)
      assert.strictEqual(JSON.parse(list.text).tags.length, 1000)
      assert.isNotNull(list.headers.get("link"))
    }).pipe(Effect.scoped))

  it.live("of repositories name those with content, page by page", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      for (const name of ["b", "a/x", "c"]) yield* pushBlob(url, name, "x")
      yield* start(url, "only/started")
      yield* ask(`${url}/v2/only/read/tags/list`)
      const first = yield* ask(`${url}/v2/_catalog?n=2`)
      assert.strictEqual(first.text, "{\"repositories\":[\"a/x\",\"b\"]}")
      assert.strictEqual(first.headers.get("link"), "</v2/_catalog?n=2&last=b>; rel=\"next\"")
      assert.strictEqual((yield* ask(`${url}/v2/_catalog?n=2&last=b`)).text, "{\"repositories\":[\"c\"]}")
    }).pipe(Effect.scoped))
})

describe("a damaged blob", () => {
  it.live("is cut before its end (R18)", () =>
    Effect.gen(function*() {
      const store = memoryStore()
      const damaged = Layer.succeed(
        Repositories,
        Repositories.of({
          open: (location) => {
            const repository = store.open(location)
            const blob: Repository["blob"] = (it) => verified(fromBytes(Buffer.from("xxxxx")), it)
            return Effect.succeed({ ...repository, blob })
          }
        })
      )
      const { url } = yield* serving({}, damaged)
      yield* pushBlob(url, "a", "hello")
      const text = yield* raw(url, `GET /v2/a/blobs/${digestOf("hello")} HTTP/1.1\r\nHost: x\r\n\r\n`)
      assert.notInclude(text, "xxxxx")
      assert.strictEqual((yield* ask(`${url}/v2/`)).status, 200)
    }).pipe(Effect.scoped))
})
