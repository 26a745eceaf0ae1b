import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { ask, digestOf, pushBlob, pushImage, raw, serving } from "./serving.ts"

describe("names and references (R02)", () => {
  const hex = "0".repeat(64)
  const paths: ReadonlyArray<readonly [string, number]> = [
    ["/v2/../etc/tags/list", 400],
    ["/v2/a/../../b/tags/list", 400],
    ["/v2/a%2f..%2fb/tags/list", 400],
    ["/v2/%2e%2e/tags/list", 400],
    ["/v2/a//b/tags/list", 400],
    ["/v2/a\\b/tags/list", 400],
    ["/v2/a%00/tags/list", 400],
    ["/v2/Upper/tags/list", 400],
    ["/v2/.uploads/tags/list", 400],
    ["/v2/a/blobs/tags/list", 400],
    ["/v2/a/oci-layout/tags/list", 400],
    ["/v2/a/index.json/b/tags/list", 400],
    [`/v2/${"a".repeat(256)}/tags/list`, 400],
    [`/v2/${"a/".repeat(30_000)}a/tags/list`, 400],
    ["/v2/a/manifests/..%2fx", 400],
    ["/v2/a/manifests/%2e%2e", 400],
    [`/v2/a/manifests/${"t".repeat(129)}`, 400],
    [`/v2/a/blobs/sha256:..%2f${hex}`, 400],
    [`/v2/a/blobs/SHA256:${hex}`, 400],
    [`/v2/a/blobs/sha256:${"A".repeat(64)}`, 400],
    ["/v2/a/blobs/uploads/../../x", 404],
    ["/v2/a", 404],
    ["/v2/a/manifests/", 404],
    ["/", 404],
    ["/etc/passwd", 404],
    ["/v3/", 404]
  ]
  it.live.each(paths)("%s is refused", ([path, status]) =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const answer = yield* raw(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(answer, /"code":"(NAME_INVALID|TAG_INVALID|DIGEST_INVALID|UNSUPPORTED)"/)
    }).pipe(Effect.scoped))

  it.live("are taken by the last word of the path, and a digest with its colon encoded", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const name = "x/manifests/tags/list/referrers"
      const image = yield* pushImage(url, name, "v1")
      assert.strictEqual((yield* ask(`${url}/v2/${name}/manifests/v1`)).text, image)
      const encoded = digestOf(image).replace(":", "%3A")
      assert.strictEqual((yield* ask(`${url}/v2/${name}/manifests/${encoded}`)).text, image)
      assert.strictEqual((yield* ask(`${url}/v2/${name}/tags/list`)).status, 200)
    }).pipe(Effect.scoped))
})

describe("a request", () => {
  it.live("learns the version of the API, and of methods that are not there", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const base = yield* ask(`${url}/v2/`)
      assert.deepStrictEqual([base.status, base.text], [200, "{}"])
      assert.strictEqual(base.headers.get("docker-distribution-api-version"), "registry/2.0")
      const odd = yield* ask(`${url}/v2/a/tags/list`, { method: "DELETE" })
      assert.deepStrictEqual([odd.status, odd.codes, odd.headers.get("allow")], [405, ["UNSUPPORTED"], "GET, HEAD"])
    }).pipe(Effect.scoped))

  const malformed: ReadonlyArray<readonly [string, string]> = [
    ["two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"],
    ["a length and chunks", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a length that is no number", "Content-Length: x\r\n\r\n"]
  ]
  it.live.each(malformed)("with %s is refused and the connection closed (R17)", ([, rest]) =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const answer = yield* raw(url, `PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\n${rest}`)
      assert.match(answer, /^HTTP\/1.1 400 /)
      assert.include(answer, "Connection: close")
    }).pipe(Effect.scoped))

  it.live("with a bad chunk stores nothing (R17)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const head = "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      yield* raw(url, `${head}zz\r\nabc\r\n0\r\n\r\n`)
      assert.strictEqual((yield* ask(`${url}/v2/a/manifests/v1`)).status, 404)
    }).pipe(Effect.scoped))

  it.live("is recorded with what matters of its query, before its answer arrives", () =>
    Effect.gen(function*() {
      const { requests, url } = yield* serving()
      yield* ask(`${url}/v2/a/tags/list?n=5&secret=token`)
      yield* ask(`${url}/v2/`, { method: "HEAD" })
      assert.deepStrictEqual(requests, [
        { method: "GET", path: "/v2/a/tags/list", query: "?n=5", status: 404 },
        { method: "HEAD", path: "/v2/", query: "", status: 200 }
      ])
    }).pipe(Effect.scoped))

  it.live("can be answered by a fault instead", () =>
    Effect.gen(function*() {
      let left = 1
      const { requests, url } = yield* serving({
        fault: ({ method }) =>
          Effect.sync(() =>
            method === "POST" && left-- > 0
              ? Option.some(HttpServerResponse.empty({ status: 429, headers: { "retry-after": "1" } }))
              : Option.none()
          )
      })
      const first = yield* pushBlob(url, "a", "x")
      assert.deepStrictEqual([first.status, first.headers.get("retry-after")], [429, "1"])
      assert.strictEqual((yield* pushBlob(url, "a", "x")).status, 201)
      assert.deepStrictEqual(requests.map(({ status }) => status), [429, 201])
    }).pipe(Effect.scoped))
})

describe("a read-only registry", () => {
  it.live("reads, and refuses what writes or deletes (R14)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({ isReadOnly: true })
      const digest = digestOf("x")
      const writes = [
        ["PUT", "manifests/v1"],
        ["DELETE", "manifests/v1"],
        ["DELETE", `manifests/${digest}`],
        ["DELETE", `blobs/${digest}`],
        ["POST", "blobs/uploads/"],
        ["PATCH", "blobs/uploads/x"]
      ] as const
      for (const [method, path] of writes) {
        const answer = yield* ask(`${url}/v2/a/${path}`, { method })
        assert.deepStrictEqual([answer.status, answer.codes], [405, ["UNSUPPORTED"]])
      }
      assert.strictEqual((yield* ask(`${url}/v2/_catalog`)).status, 200)
    }).pipe(Effect.scoped))
})

describe("a login", () => {
  const bcrypt = "$2y$05$QnaKBjGD2fjwoQS1o/qHHO0ikIknaFA9pfaehenxZB6weFw4nVaX2" // "secret"
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })

  const withFile = (content: string) =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const file = yield* fs.makeTempFileScoped()
      yield* fs.writeFileString(file, content)
      return { file, fs }
    }).pipe(Effect.provide(NodeFileSystem.layer))

  it.live("is asked for, judged, and refused alike for what is wrong or malformed (R15)", () =>
    Effect.gen(function*() {
      const { file } = yield* withFile(`bob:${bcrypt}\n`)
      const { url } = yield* serving({ htpasswd: file })
      const at = (headers: Record<string, string>) => ask(`${url}/v2/`, { headers })
      const missing = yield* at({})
      assert.deepStrictEqual([missing.status, missing.codes], [401, ["UNAUTHORIZED"]])
      assert.strictEqual(missing.headers.get("www-authenticate"), "Basic realm=\"regctl serve\", charset=\"UTF-8\"")
      assert.strictEqual((yield* at(basic("bob:secret"))).status, 200)
      for (const headers of [basic("bob:wrong"), basic("eve:secret"), basic("bob"), { authorization: "Bearer x" }]) {
        assert.strictEqual((yield* at(headers)).status, 401)
      }
      assert.strictEqual((yield* ask(`${url}/v2/a/blobs/${digestOf("x")}`)).status, 401)
    }).pipe(Effect.scoped))

  it.live("is refused without a look after ten wrong ones, except one known to be right (R15)", () =>
    Effect.gen(function*() {
      const { file } = yield* withFile(`bob:${bcrypt}\namy:${bcrypt}\n`)
      const { url } = yield* serving({ htpasswd: file })
      const status = (text: string) => Effect.map(ask(`${url}/v2/`, { headers: basic(text) }), (it) => it.status)
      assert.strictEqual(yield* status("bob:secret"), 200)
      for (let n = 0; n < 10; n++) assert.strictEqual(yield* status(`bob:wrong${n}`), 401)
      const blocked = yield* ask(`${url}/v2/`, { headers: basic("amy:secret") })
      assert.deepStrictEqual([blocked.status, blocked.codes], [429, ["TOOMANYREQUESTS"]])
      assert.isAtLeast(Number(blocked.headers.get("retry-after")), 1)
      assert.strictEqual(yield* status("bob:secret"), 200)
    }).pipe(Effect.scoped))

  it.live("follows the file as it changes", () =>
    Effect.gen(function*() {
      const { file, fs } = yield* withFile(`bob:${bcrypt}\n`)
      const { url } = yield* serving({ htpasswd: file })
      const status = (text: string) => Effect.map(ask(`${url}/v2/`, { headers: basic(text) }), (it) => it.status)
      assert.strictEqual(yield* status("bob:secret"), 200)
      yield* fs.writeFileString(file, `# nobody but amy\namy:${bcrypt}\n`)
      assert.deepStrictEqual([yield* status("bob:secret"), yield* status("amy:secret")], [401, 200])
      yield* fs.writeFileString(file, "a line of another form\n")
      assert.strictEqual(yield* status("amy:secret"), 200)
    }).pipe(Effect.scoped))
})
