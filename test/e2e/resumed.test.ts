/** Copies of large blobs that were killed in the middle: the next run moves only the rest. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { connect, createServer as createTcpServer } from "node:net"
import { join } from "node:path"
import { addImage, blobPath, judge, makeLayout, type Named, tagAll } from "../support/layouts.ts"
import { must, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"

const mebi = 1024 * 1024
const dir = temporary("resumed")
const at = (...names: ReadonlyArray<string>) => join(dir.path, ...names)
const env = { HOME: at("home"), XDG_CACHE_HOME: at("cache"), REGCTL_CONFIG: at("regctl.json") }
const layer = randomBytes(32 * mebi)
const layerDigest = `sha256:${createHash("sha256").update(layer).digest("hex")}`
let image: Named

const until = async (isSo: () => boolean, what: string): Promise<void> => {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 3000) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

interface Source {
  readonly host: string
  readonly server: Server
  /** Bytes of the layer sent, and the ranges asked for. */
  readonly sent: { bytes: number; ranges: Array<string | undefined> }
  /** The layer stops at this byte, and its connection stays open. */
  readonly stops: { at: number }
}

/** A registry that serves the image of a layout. */
const serving = async (layout: string): Promise<Source> => {
  const sent: Source["sent"] = { bytes: 0, ranges: [] }
  const stops = { at: Infinity }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const [, kind, name = ""] = /^\/v2\/app\/(manifests|blobs)\/(.+)$/.exec(request.url ?? "") ?? []
    const digest = name === "v1" ? image.digest : name
    if (kind === undefined) return void response.writeHead(404).end()
    const bytes = readFileSync(blobPath(layout, digest))
    const range = /bytes=(\d+)-/.exec(request.headers.range ?? "")
    const from = Number(range?.[1] ?? 0)
    const isLayer = digest === layerDigest && request.method === "GET"
    if (isLayer) sent.ranges.push(request.headers.range)
    response.writeHead(range === null ? 200 : 206, {
      "content-length": bytes.length - from,
      "docker-content-digest": digest,
      ...(kind === "manifests" ? { "content-type": image.mediaType } : { "accept-ranges": "bytes" }),
      ...(range === null ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
    })
    if (request.method === "HEAD") return void response.end()
    if (!isLayer) return void response.end(bytes)
    const part = bytes.subarray(from, Math.min(stops.at, bytes.length))
    sent.bytes += part.length
    if (stops.at < bytes.length) response.write(part)
    else response.end(part)
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return { host: `127.0.0.1:${typeof address === "object" ? address?.port : 0}`, server, sent, stops }
}

const regctl = (host: string, ...args: ReadonlyArray<string>): ReadonlyArray<string> => [
  tool("regctl"),
  "-v",
  "warn",
  "--host",
  `reg=${host},tls=disabled`,
  ...args
]

/** Starts a copy and kills it once `isFar` says so. */
const killed = async (args: ReadonlyArray<string>, isFar: () => boolean): Promise<void> => {
  const child = spawn(process.execPath, args, { cwd: dir.path, env: { ...process.env, ...env }, stdio: "ignore" })
  const ended = new Promise((resolve) => child.once("exit", resolve))
  await until(isFar, "a copy in its middle")
  assert.isNull(child.exitCode)
  child.kill("SIGKILL")
  await ended
}

const run = (args: ReadonlyArray<string>) => must(process.execPath, args, { cwd: dir.path, env })

beforeAll(() => {
  makeLayout(at("image"))
  image = addImage(at("image"), [layer])
  tagAll(at("image"), { v1: image })
})
afterAll(() => dir.remove())

describe("a copy into a layout that was killed", () => {
  it("goes on where it stopped, and leaves nothing behind", async () => {
    const source = await serving(at("image"))
    try {
      const copy = regctl(source.host, "image", "copy", `${source.host}/app:v1`, "ocidir://killed:v1")
      const folder = at("killed/blobs/sha256")
      source.stops.at = 24 * mebi
      await killed(copy, () => {
        try {
          return readdirSync(folder).some((it) => statSync(join(folder, it)).size > 22 * mebi)
        } catch {
          return false
        }
      })
      assert.deepStrictEqual(judge(at("killed")).tags, {})
      source.stops.at = Infinity
      source.sent.bytes = 0
      await run(copy)
      const [, range] = source.sent.ranges
      const from = Number(/^bytes=(\d+)-33554431$/.exec(range ?? "")?.[1])
      assert.isAtLeast(from, 18 * mebi)
      assert.deepStrictEqual([source.sent.bytes, source.sent.ranges.length], [32 * mebi - from, 2])
      assert.deepStrictEqual(judge(at("killed")), { tags: { v1: image.digest }, problems: [], extra: [] })
    } finally {
      source.server.closeAllConnections()
      source.server.close()
    }
  }, 60_000)
})

/** Passes connections on to a registry; of what comes from clients so many bytes, and the rest never arrives. */
const gate = async (target: string) => {
  const passed = { bytes: 0, most: Infinity }
  const [host, port] = target.split(":")
  const server = createTcpServer((client) => {
    const to = connect(Number(port), host)
    client.on("data", (view: Buffer) => {
      if (passed.bytes >= passed.most) return
      passed.bytes += view.length
      if (!to.write(view)) {
        client.pause()
        to.once("drain", () => client.resume())
      }
    })
    to.pipe(client)
    for (const [one, other] of [[client, to], [to, client]] as const) {
      one.on("error", () => other.destroy())
      one.on("close", () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return { host: `127.0.0.1:${typeof address === "object" ? address?.port : 0}`, passed, server }
}

describe("a copy to a registry that was killed", () => {
  let [own, docker]: [Running | undefined, Running | undefined] = [undefined, undefined]
  let big: Named
  const journal = at("cache/regclient/uploads")
  const kept = () => existsSync(journal) ? readdirSync(journal) : []
  beforeAll(async () => {
    ;[own, docker] = await Promise.all([ownRegistry(), dockerRegistry()])
    makeLayout(at("big"))
    big = addImage(at("big"), [randomBytes(80 * mebi)])
    tagAll(at("big"), { v1: big })
  }, 60_000)
  afterAll(async () => {
    await Promise.all([own?.stop(), docker?.stop()])
  })

  /** Kills a copy after 40 MiB; gives the copy and the gate it goes through. */
  const cut = async (registry: Running | undefined) => {
    const { passed, ...rest } = await gate(registry?.host ?? "")
    const copy = regctl(rest.host, "image", "copy", "ocidir://big:v1", `${rest.host}/app:v1`)
    passed.most = 40 * mebi
    await killed(copy, () => passed.bytes >= passed.most)
    assert.strictEqual(kept().length, 1)
    // What the registry got is written before it is asked.
    await registry?.requests()
    ;[passed.bytes, passed.most] = [0, Infinity]
    return { copy, passed, host: rest.host, end: () => rest.server.close() }
  }
  const digestAt = async (host: string) => (await run(regctl(host, "image", "digest", `${host}/app:v1`))).trim()

  it("sends only the rest, and keeps nothing then", async () => {
    const { copy, end, host, passed } = await cut(own)
    try {
      const [name = ""] = kept()
      assert.strictEqual(statSync(join(journal, name)).mode & 0o777, 0o600)
      assert.strictEqual(statSync(journal).mode & 0o777, 0o700)
      await run(copy)
      assert.isBelow(passed.bytes, 42 * mebi)
      assert.strictEqual(await digestAt(host), big.digest)
      assert.deepStrictEqual(kept(), [])
    } finally {
      end()
    }
  }, 60_000)

  it("sends everything to one that gave the upload up, and keeps nothing then", async () => {
    const { copy, end, host, passed } = await cut(docker)
    try {
      assert.strictEqual(await run(copy), `${host}/app:v1\n`)
      assert.isAbove(passed.bytes, 80 * mebi)
      assert.strictEqual(await digestAt(host), big.digest)
      assert.deepStrictEqual(kept(), [])
    } finally {
      end()
    }
  }, 60_000)
})
