/** `regctl serve` among clients that mean it no good: it answers each, loses nothing it acknowledged, and stays small. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { Agent, request } from "node:http"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { until } from "../support/daemons.ts"
import { installed } from "../support/programs.ts"
import { ownRegistry, temporary } from "../support/registries.ts"

const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

const dir = temporary("abuse")
const outer = join(dir.path, "outer")
const store = join(outer, "root")
let server: Awaited<ReturnType<typeof ownRegistry>>
let locked: Awaited<ReturnType<typeof ownRegistry>>

beforeAll(async () => {
  const users = execFileSync(installed("htpasswd", "apache2-utils"), ["-nbB", "-C", "4", "ada", "l0velace"]).toString()
  writeFileSync(join(dir.path, "users"), users)
  server = await ownRegistry(["--dir", store])
  locked = await ownRegistry(["--dir", join(dir.path, "locked"), "--htpasswd", join(dir.path, "users")])
})
afterAll(async () => {
  await Promise.all([server.stop(), locked.stop()])
  dir.remove()
})

/** MiB of memory of the process that listens at a port of this machine, as its own `/proc` has it. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

const pidOf = (): number => {
  const found = readdirSync("/proc").filter((it) => /^\d+$/.test(it)).find((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      return words.includes("serve") && words.includes(store)
    } catch {
      // It ended meanwhile.
      return false
    }
  })
  return Number(found)
}

/** Clients that begin a request before everything else and never end its headers. */
let slow: ReadonlyArray<Socket> = []
beforeAll(async () => {
  const [host, port] = server.host.split(":")
  slow = await Promise.all(Array.from({ length: 300 }, () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(Number(port), host, () => {
        socket.write("GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        resolve(socket)
      })
      socket.on("error", () => {})
      socket.resume()
    })))
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 600 })
afterAll(() => agent.destroy())

const ask = (
  method: string,
  path: string,
  body: string | Uint8Array = "",
  headers: Readonly<Record<string, string>> = {},
  host = server.host
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const length = { "content-length": String(Buffer.byteLength(body)) }
    const asked = request(
      `http://${host}${path}`,
      { method, agent, headers: { ...length, ...headers } },
      (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("error", reject)
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(parts).toString()
          }))
      }
    )
    asked.on("error", reject)
    asked.end(body)
  })

/** Sends bytes as they stand and gives what comes back until the server closes, or until a text appears. */
const raw = (text: string, ends: (received: string) => boolean = () => false): Promise<string> =>
  new Promise((resolve) => {
    const [host, port] = server.host.split(":")
    let received = ""
    const socket = connect(Number(port), host, () => socket.write(text, "latin1"))
    socket.on("data", (part: Buffer) => {
      received += part.toString("latin1")
      if (ends(received)) socket.destroy()
    })
    socket.on("error", () => {})
    socket.on("close", () => resolve(received))
  })

const statuses = (received: string): ReadonlyArray<number> =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

const types = { manifest: "application/vnd.oci.image.manifest.v1+json", octets: "application/octet-stream" }

const pushBlob = (name: string, content: string | Uint8Array, digest = digestOf(content)) =>
  ask("POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, content, { "content-type": types.octets })

const imageOf = (config: string, note: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: config.length
    },
    layers: [],
    annotations: { note }
  })

const pushManifest = (name: string, reference: string, text: string) =>
  ask("PUT", `/v2/${name}/manifests/${reference}`, text, { "content-type": types.manifest })

/** Files of uploads that are not done. */
const unfinished = (): ReadonlyArray<string> =>
  readdirSync(join(store, ".uploads"), { recursive: true, withFileTypes: true, encoding: "utf8" })
    .filter((it) => it.isFile()).map(({ name }) => name)

const isAlive = async (): Promise<void> => assert.strictEqual((await ask("GET", "/v2/")).status, 200)

describe("five hundred clients at once (R08)", () => {
  it("push one blob, one tag, and a tag each: what is acknowledged is there", async () => {
    const clients = Array.from({ length: 500 }, (_, at) => at)
    await pushBlob("many", "{}")
    const content = "one blob for all ".repeat(4_000)
    const images = clients.map((client) => imageOf("{}", String(client)))
    const pushed = await Promise.all(clients.map(async (client) => {
      const own = `blob of ${client} `.repeat(500)
      const text = images[client] ?? ""
      const answers = [
        await pushBlob("many", client % 2 === 0 ? content : own),
        await pushManifest("many", client % 4 === 0 ? "one" : `t${client}`, text)
      ]
      return { own, statuses: answers.map(({ status }) => status) }
    }))
    assert.deepStrictEqual([...new Set(pushed.flatMap((it) => it.statuses))], [201])
    const found = await Promise.all(clients.map(async (client) => {
      const { own = "" } = pushed[client] ?? {}
      const isShared = client % 2 === 0
      const [blob, manifest] = [
        await ask("GET", `/v2/many/blobs/${digestOf(isShared ? content : own)}`),
        await ask("GET", `/v2/many/manifests/${client % 4 === 0 ? digestOf(images[client] ?? "") : `t${client}`}`)
      ]
      return blob.text === (isShared ? content : own) && manifest.text === images[client]
    }))
    assert.notInclude(found, false)
    assert.include(images, (await ask("GET", "/v2/many/manifests/one")).text)
    assert.strictEqual((await ask("GET", `/v2/many/blobs/${digestOf(content)}`)).text, content)
    assert.deepStrictEqual(unfinished(), [])
    assert.isBelow(memoryOf(pidOf()), 512)
  })
})

describe("names, digests and references that lead elsewhere (R02)", () => {
  const paths: ReadonlyArray<string> = [
    "/v2/../../beside/blobs/uploads/",
    "/v2/%2e%2e/%2e%2e/beside/blobs/uploads/",
    "/v2/..%2f..%2fbeside/blobs/uploads/",
    "/v2/a/../../beside/blobs/uploads/",
    "/v2/a%5c..%5cbeside/blobs/uploads/",
    "/v2/a%00/blobs/uploads/",
    "/v2//etc/blobs/uploads/",
    "/v2/A/blobs/uploads/",
    `/v2/${"a".repeat(300)}/blobs/uploads/`,
    "/v2/.uploads/blobs/uploads/",
    "/v2/a/blobs/uploads/?digest=sha256:../../../beside",
    `/v2/a/blobs/uploads/?digest=sha256:${"A".repeat(64)}`,
    "/v2/a/blobs/uploads/?digest=md5:d41d8cd98f00b204e9800998ecf8427e",
    "/v2/a/blobs/uploads/../../../../beside"
  ]
  it.each(paths)("are refused: %s", async (path) => {
    const answer = await raw(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx`
    )
    const [status = 0] = statuses(answer)
    assert.include([400, 404, 405], status, answer)
    assert.deepStrictEqual(readdirSync(outer), ["root"])
    assert.isFalse(existsSync(join(store, "a")))
  })
})

describe("a message that two servers could read in two ways (R17)", () => {
  const put = "PUT /v2/smuggle/manifests/v1 HTTP/1.1\r\nHost: x\r\n"
  const second = "GET /v2/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
  const forms: ReadonlyArray<readonly [string, string]> = [
    ["a length and chunks", `${put}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`],
    ["chunks and a length", `${put}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${second}`],
    ["two lengths", `${put}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${second}`],
    ["the same length twice", `${put}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${second}`],
    ["a list of lengths", `${put}Content-Length: 0, 44\r\n\r\n${second}`],
    ["a length with a sign", `${put}Content-Length: +2\r\n\r\n{}${second}`],
    ["a negative length", `${put}Content-Length: -1\r\n\r\n${second}`],
    ["a length beyond numbers", `${put}Content-Length: 99999999999999999999\r\n\r\n${second}`],
    ["a coding that is unknown", `${put}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${second}`],
    ["chunks not last", `${put}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${second}`],
    ["chunks twice", `${put}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${second}`],
    ["a space before the colon", `${put}Content-Length : 44\r\n\r\n${second}`],
    ["a folded header", `${put}X: a\r\n Content-Length: 44\r\nTransfer-Encoding:\r\n chunked\r\n\r\n${second}`],
    ["a bare line feed", `${put}X: a\nContent-Length: 44\r\n\r\n${second}`],
    ["a bare carriage return", `${put}X: a\rContent-Length: 44\r\n\r\n${second}`],
    ["a NUL in a header", `${put}X: a\0b\r\n\r\n${second}`],
    ["a chunk without a size", `${put}Transfer-Encoding: chunked\r\n\r\n\r\n${second}`],
    ["a chunk of a size in other digits", `${put}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${second}`],
    ["a chunk longer than it says", `${put}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n${second}`],
    ["a chunk size beyond numbers", `${put}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n${second}`],
    ["no host", "GET /v2/ HTTP/1.1\r\n\r\n"],
    ["no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
  ]
  it.each(forms)("is refused, and what follows is not read: %s", async (_, text) => {
    const answer = await raw(text)
    const [first, ...rest] = statuses(answer)
    assert.isTrue(first === undefined || first === 400, answer)
    assert.deepStrictEqual(rest, [])
    assert.notInclude(answer, "smuggled")
    assert.strictEqual((await ask("GET", "/v2/smuggle/manifests/v1")).status, 404)
  })

  it("but a hundred requests in one packet are answered in their order", async () => {
    const asked = Array.from({ length: 100 }, (_, at) => at % 2 === 0 ? "/v2/" : "/v2/none/tags/list")
    const text = asked.map((path, at) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\n${at === 99 ? "Connection: close\r\n" : ""}\r\n`
    )
    assert.deepStrictEqual(statuses(await raw(text.join(""))), asked.map((path) => path === "/v2/" ? 200 : 404))
  })

  it("is told that its headers are too large", async () => {
    const many = await raw(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(100_000)}\r\n\r\n`)
    assert.deepStrictEqual(statuses(many), [431])
    const long = await raw(`GET /v2/${"a/".repeat(50_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    assert.include([414, 431], statuses(long)[0])
    await isAlive()
  })
})

describe("content that is not what it says (R04, R05)", () => {
  it("is refused by whichever way it comes, and leaves no trace", async () => {
    const wrong = digestOf("other")
    assert.strictEqual((await pushBlob("wrong", "content", wrong)).status, 400)
    const opened = await ask("POST", "/v2/wrong/blobs/uploads/")
    const location = String(opened.headers["location"])
    assert.strictEqual((await ask("PATCH", location, "content")).status, 202)
    const put = await ask("PUT", `${location}?digest=${wrong}`)
    assert.deepStrictEqual([put.status, JSON.parse(put.text).errors[0].code], [400, "DIGEST_INVALID"])
    assert.strictEqual((await ask("GET", `/v2/wrong/blobs/${wrong}`)).status, 404)
    assert.strictEqual((await pushManifest("wrong", wrong, imageOf("{}", ""))).status, 400)
    assert.deepStrictEqual(unfinished(), [])
  })

  it("is kept as far as it came when a client hangs up, and gone when the upload is cancelled (R09)", async () => {
    const opened = await ask("POST", "/v2/half/blobs/uploads/")
    const location = String(opened.headers["location"])
    const [host, port] = server.host.split(":")
    const isKept = async () => (await ask("GET", location)).headers["range"] === "0-4"
    const socket = connect(Number(port), host, () => {
      socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello`)
    })
    const closed = new Promise<void>((resolve) => void socket.on("close", () => resolve()))
    socket.on("error", () => {})
    socket.resume()
    await until("what came", isKept)
    socket.end()
    await closed
    assert.isTrue(await isKept())
    assert.strictEqual(unfinished().length, 1)
    assert.strictEqual((await ask("DELETE", location)).status, 204)
    assert.deepStrictEqual(unfinished(), [])
    assert.strictEqual((await ask("GET", location)).status, 404)
  })

  it("is gone when a push in one request is aborted", async () => {
    const [host, port] = server.host.split(":")
    const digest = digestOf("x".repeat(2_000_000))
    for (let turn = 0; turn < 20; turn++) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), host, () => {
          socket.write(`POST /v2/aborted/blobs/uploads/?digest=${digest} HTTP/1.1\r\nHost: x\r\n`)
          socket.write(`Content-Length: 2000000\r\n\r\n${"x".repeat(300_000)}`, () => socket.resetAndDestroy())
        })
        socket.on("error", () => {})
        socket.on("close", () => resolve())
      })
    }
    await until("no file of what was aborted", () => unfinished().length === 0)
    assert.strictEqual((await ask("GET", `/v2/aborted/blobs/${digest}`)).status, 404)
  })

  it("does not end, and is cut at the limit of a manifest without being kept (R03)", async () => {
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`
    const [host, port] = server.host.split(":")
    const { received, sent } = await new Promise<{ readonly received: string; readonly sent: number }>((resolve) => {
      let [received, sent] = ["", 0]
      const socket = connect(Number(port), host, () => {
        socket.write("PUT /v2/endless/manifests/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        pour()
      })
      const pour = () => {
        while (!socket.destroyed && socket.writable && sent < 256 * 1024 * 1024) {
          sent += 0x10000
          if (!socket.write(chunk)) return void socket.once("drain", pour)
        }
      }
      socket.on("data", (part: Buffer) => void (received += part.toString("latin1")))
      socket.on("error", () => {})
      socket.on("close", () => resolve({ received, sent }))
    })
    assert.isTrue(received === "" || statuses(received)[0] === 413, received)
    assert.isBelow(sent, 64 * 1024 * 1024)
    assert.strictEqual((await ask("GET", "/v2/endless/manifests/v1")).status, 404)
    assert.isBelow(memoryOf(pidOf()), 512)
  })

  it("is too deep, is no JSON, or is two things at once (R07)", async () => {
    const image = JSON.parse(imageOf("{}", ""))
    const texts = [
      "",
      "null",
      "[]",
      "<html>",
      `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
      JSON.stringify({ ...image, manifests: [] }),
      JSON.stringify({ ...image, layers: [{ ...image.config, size: -1 }] }),
      JSON.stringify({ ...image, layers: [{ ...image.config, digest: "sha256:../../etc/passwd" }] })
    ]
    for (const text of texts) {
      const { status, text: answer } = await pushManifest("odd", "v1", text)
      assert.strictEqual(status, 400, text.slice(0, 100))
      assert.include(["MANIFEST_INVALID", "DIGEST_INVALID"], JSON.parse(answer).errors[0].code, text.slice(0, 100))
    }
  })
})

describe("clients that hold on (R09, R10)", () => {
  it("with slow headers are cut off, while others are served", async () => {
    await isAlive()
    await until("all of them to be cut off", () => slow.every((socket) => socket.closed))
    await isAlive()
  })

  it("with more than a thousand uploads are told to wait, and the uploads of others go on", async () => {
    const answers = await Promise.all(
      Array.from({ length: 1_100 }, () => ask("POST", "/v2/greedy/blobs/uploads/"))
    )
    const opened = answers.filter(({ status }) => status === 202)
    assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))].toSorted(), [202, 429])
    assert.strictEqual(opened.length, 1_000)
    const first = String(opened[0]?.headers["location"])
    assert.strictEqual((await ask("PUT", `${first}?digest=${digestOf("hello")}`, "hello")).status, 201)
    await Promise.all(opened.slice(1).map(({ headers }) => ask("DELETE", String(headers["location"]))))
    assert.strictEqual((await pushBlob("greedy", "again")).status, 201)
    assert.isBelow(memoryOf(pidOf()), 512)
  })
})

describe("a registry with logins (R15)", () => {
  const writes: ReadonlyArray<readonly [string, string]> = [
    ["POST", "/v2/a/blobs/uploads/"],
    ["POST", `/v2/a/blobs/uploads/?digest=${digestOf("x")}`],
    ["POST", `/v2/a/blobs/uploads/?mount=${digestOf("x")}&from=b`],
    ["PATCH", "/v2/a/blobs/uploads/x"],
    ["PUT", `/v2/a/blobs/uploads/x?digest=${digestOf("x")}`],
    ["PUT", "/v2/a/manifests/v1"],
    ["DELETE", "/v2/a/manifests/v1"],
    ["DELETE", `/v2/a/blobs/${digestOf("x")}`],
    ["GET", "/v2/_catalog"],
    ["GET", "/v2/a/tags/list"]
  ]
  it.each(writes)("says nothing and does nothing without one: %s %s", async (method, path) => {
    const { headers, status } = await ask(method, path, method === "GET" ? "" : "x", {}, locked.host)
    assert.strictEqual(status, 401)
    assert.match(String(headers["www-authenticate"]), /^Basic /)
    assert.isFalse(existsSync(join(dir.path, "locked/a")))
  })
})

it("after all this it has what it acknowledged, and ends properly (R20)", async () => {
  await isAlive()
  assert.strictEqual((await ask("GET", "/v2/many/manifests/t499")).text, imageOf("{}", "499"))
  assert.notMatch(server.log(), /internal error|TypeError|at file:/)
  assert.deepStrictEqual(unfinished(), [])
  await server.stop()
  server = await ownRegistry(["--dir", store])
  assert.strictEqual((await ask("GET", "/v2/many/manifests/t499")).text, imageOf("{}", "499"))
})
