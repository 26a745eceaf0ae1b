import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { connect, type Socket } from "node:net"
import { Pace } from "../../../src/programs/serve/body.ts"
import {
  ask,
  digestOf,
  imageOf,
  layoutsLayer,
  memoryLayer,
  pushBlob,
  pushImage,
  pushManifest,
  raw,
  serving
} from "./serving.ts"

/** A registry over layouts in a directory of its own, which lies beside another. */
const onDisk = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const outer = yield* fs.makeTempDirectoryScoped()
  const dir = `${outer}/root`
  return { outer, dir, ...(yield* serving({ dir }, layoutsLayer)) }
})

const fifty = Array.from({ length: 50 }, (_, at) => at)
const together = { concurrency: 50 }

describe("fifty clients of a registry on disk (R08)", () => {
  const statuses = (answers: ReadonlyArray<{ readonly status: number }>) => [...new Set(answers.map((it) => it.status))]

  it.live("push one blob, whole and in parts, and all succeed", () =>
    Effect.gen(function*() {
      const { dir, url } = yield* onDisk
      const fs = yield* FileSystem.FileSystem
      const content = "x".repeat(100_000)
      const digest = digestOf(content)
      const answers = yield* Effect.forEach(fifty, (it) =>
        Effect.gen(function*() {
          if (it % 2 === 0) return yield* pushBlob(url, "a/b", content)
          const opened = yield* ask(`${url}/v2/a/b/blobs/uploads/`, { method: "POST" })
          const location = `${url}${opened.headers.get("location")}`
          yield* ask(location, { method: "PATCH", body: content.slice(0, 60_000) })
          return yield* ask(`${location}?digest=${digest}`, { method: "PUT", body: content.slice(60_000) })
        }), together)
      assert.deepStrictEqual(statuses(answers), [201])
      assert.strictEqual((yield* ask(`${url}/v2/a/b/blobs/${digest}`)).text, content)
      assert.deepStrictEqual(yield* fs.readDirectory(`${dir}/a/b/blobs/sha256`), [digest.slice("sha256:".length)])
      const [server = ""] = yield* fs.readDirectory(`${dir}/.uploads`)
      assert.deepStrictEqual(yield* fs.readDirectory(`${dir}/.uploads/${server}`), [])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("push one tag, and one of the manifests is there whole", () =>
    Effect.gen(function*() {
      const { url } = yield* onDisk
      yield* pushImage(url, "a", "first")
      const images = fifty.map((it) => imageOf("{}", ["layer"], { annotations: { it: String(it) } }))
      const answers = yield* Effect.forEach(images, (image) => pushManifest(url, "a", "one", image), together)
      assert.deepStrictEqual(statuses(answers), [201])
      const found = yield* ask(`${url}/v2/a/manifests/one`)
      assert.include(images, found.text)
      assert.strictEqual(found.headers.get("docker-content-digest"), digestOf(found.text))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("push a tag each, and a server started later has them all", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* fs.makeTempDirectoryScoped()
      const image = yield* Effect.scoped(Effect.gen(function*() {
        const { url } = yield* serving({ dir }, layoutsLayer)
        const image = yield* pushImage(url, "a", "t0")
        const answers = yield* Effect.forEach(fifty, (it) => pushManifest(url, "a", `t${it}`, image), together)
        assert.deepStrictEqual(statuses(answers), [201])
        return image
      }))
      const { url } = yield* serving({ dir }, layoutsLayer)
      const listed: { readonly tags: ReadonlyArray<string> } = JSON.parse((yield* ask(`${url}/v2/a/tags/list`)).text)
      assert.deepStrictEqual([...listed.tags].sort(), fifty.map((it) => `t${it}`).sort())
      assert.strictEqual((yield* ask(`${url}/v2/a/manifests/t49`)).text, image)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})

/** Always the same numbers, from 0 to `below`. */
const dice = (seed: number) => (below: number): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor(seed / 65_536) % below
}

describe("two thousand hostile paths (R02)", () => {
  const pieces = [
    "..",
    "%2e%2e",
    "%2E%2e",
    ".",
    "%2f",
    "%5c",
    "\\",
    "//",
    "/",
    "/",
    "/",
    "a",
    "A",
    "%00",
    "%",
    "%zz",
    "_",
    "-",
    "..%2f..%2f",
    "v2",
    "/v2/",
    "manifests",
    "blobs",
    "uploads",
    "tags/list",
    "_catalog",
    "referrers",
    "sha256:",
    "sha256:../../beside",
    "a".repeat(300),
    "beside",
    "oci-layout",
    "index.json",
    ".uploads",
    "blobs/sha256",
    "%ff",
    "%c0%ae%c0%ae",
    "?",
    "#",
    ";",
    "@",
    "://",
    "~",
    "*",
    "?digest=..",
    "&from=../beside",
    "?mount=sha256:a&from=../a"
  ]
  it.live("touch nothing outside the root, and none is an error of the server", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { dir, outer, url } = yield* onDisk
      yield* fs.makeDirectory(`${outer}/beside`)
      yield* fs.writeFileString(`${outer}/beside/oci-layout`, "{\"imageLayoutVersion\":\"1.0.0\"}")
      yield* fs.writeFileString(`${outer}/beside/index.json`, "{\"schemaVersion\":2,\"manifests\":[]}")
      const roll = dice(7)
      const pick = () => pieces[roll(pieces.length)] ?? ""
      const paths = Array.from({ length: 2000 }, () => `/v2/${Array.from({ length: 1 + roll(8) }, pick).join("")}`)
      const methods = ["GET", "HEAD", "PUT", "DELETE", "PATCH", "POST"]
      const odd: Array<string> = []
      yield* Effect.forEach(paths, (path, at) =>
        Effect.map(
          raw(url, `${methods[at % 6]} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`),
          (answer) => {
            const status = Number(answer.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length))
            const isHarmless = /^\/v2\/?(_catalog)?(\?|$)/.test(path)
            if (status !== 202 && (status < 400 || status >= 500) && !(isHarmless && status === 200)) {
              odd.push(`${methods[at % 6]} ${path} -> ${answer.slice(0, 40)}`)
            }
          }
        ), { concurrency: 16 })
      assert.deepStrictEqual(odd, [])
      assert.deepStrictEqual((yield* fs.readDirectory(outer)).sort(), ["beside", "root"])
      assert.deepStrictEqual((yield* fs.readDirectory(`${outer}/beside`)).sort(), ["index.json", "oci-layout"])
      assert.deepStrictEqual(yield* fs.readDirectory(dir), [".uploads"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 60_000)
})

describe("HEAD", () => {
  it.live("says what GET says, without the body", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({}, memoryLayer)
      const image = yield* pushImage(url, "a", "v1")
      const opened = yield* ask(`${url}/v2/a/blobs/uploads/`, { method: "POST" })
      const paths = [
        "/v2/",
        "/v2/_catalog",
        "/v2/a/tags/list",
        "/v2/a/manifests/v1",
        `/v2/a/manifests/${digestOf(image)}`,
        "/v2/a/manifests/none",
        `/v2/a/blobs/${digestOf("layer")}`,
        `/v2/a/blobs/${digestOf("none")}`,
        `/v2/a/referrers/${digestOf(image)}`,
        "/v2/none/tags/list",
        "/v2/A/tags/list",
        "/elsewhere",
        opened.headers.get("location") ?? ""
      ]
      const of = (path: string, method: string) =>
        Effect.map(ask(`${url}${path}`, { method }), ({ headers, status, text }) => {
          const told = [...headers].filter(([name]) => !["connection", "date", "keep-alive"].includes(name))
          return { path, status, told, text: method === "HEAD" ? text : "" }
        })
      for (const path of paths) assert.deepStrictEqual(yield* of(path, "HEAD"), yield* of(path, "GET"))
    }).pipe(Effect.scoped))
})

describe("a body that stalls (R09)", () => {
  it.live("is given up, and the session goes on where it stood", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({}, memoryLayer)
      const opened = yield* ask(`${url}/v2/a/blobs/uploads/`, { method: "POST" })
      const location = opened.headers.get("location") ?? ""
      const answer = yield* raw(url, `PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello`, "}]}")
      assert.match(answer, /^HTTP\/1.1 408 /)
      assert.strictEqual((yield* ask(`${url}${location}`)).headers.get("range"), "0-4")
      const put = yield* ask(`${url}${location}?digest=${digestOf("hello")}`, { method: "PUT" })
      assert.strictEqual(put.status, 201)
    }).pipe(Effect.provideService(Pace, { bytes: 10_240, milliseconds: 100 }), Effect.scoped))
})

describe("what is not found", () => {
  it.live("is not told with its place on the disk", () =>
    Effect.gen(function*() {
      const { dir, url } = yield* onDisk
      yield* pushImage(url, "a", "v1")
      for (const path of ["manifests/v2", `manifests/${digestOf("x")}`, `blobs/${digestOf("x")}`, "blobs/uploads/x"]) {
        const answer = yield* ask(`${url}/v2/a/${path}`)
        assert.strictEqual(answer.status, 404)
        assert.notInclude(answer.text, dir)
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})

describe("a thousand connections (R10)", () => {
  it.live("are served, and one more is told to come again", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({}, memoryLayer)
      const { hostname, port } = new URL(url)
      const idle = yield* Effect.forEach(Array.from({ length: 1000 }), () =>
        Effect.acquireRelease(
          Effect.callback<Socket>((resume) => {
            const socket = connect(Number(port), hostname, () => resume(Effect.succeed(socket)))
            socket.on("error", () => {})
          }),
          (socket) => Effect.sync(() => socket.destroy())
        ), { concurrency: 50 })
      assert.match(yield* raw(url, "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"), /^HTTP\/1.1 503 .*\r\nRetry-After: 10\r\n/)
      idle[0]?.write("GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
      const answer = yield* Effect.callback<Buffer>((resume) => {
        idle[0]?.once("data", (part) => resume(Effect.succeed(Buffer.from(part))))
      })
      assert.match(answer.toString(), /^HTTP\/1.1 200 /)
    }).pipe(Effect.scoped))
})
