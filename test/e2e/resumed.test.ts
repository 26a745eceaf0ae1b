/** Copies of large blobs that were killed in the middle: the next run moves only the rest. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { join } from "node:path"
import { addImage, blobPath, judge, makeLayout, type Named, tagAll } from "../support/layouts.ts"
import { must, tool } from "../support/programs.ts"
import { temporary } from "../support/registries.ts"

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
