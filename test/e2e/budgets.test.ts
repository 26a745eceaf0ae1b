/** What copies may ask of registries, counted in the registries' own logs: not one request more. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync } from "node:fs"
import { createServer, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { layoutOf } from "../../bench/content.ts"
import { must, root, tool } from "../support/programs.ts"
import { dockerRegistry, type Request, type Running, temporary } from "../support/registries.ts"

const dir = temporary("budgets")
let [a, b]: [Running, Running] = [{} as Running, {} as Running] // set before the first test

const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
const plain = (...hosts: ReadonlyArray<string>) => hosts.flatMap((host) => ["--host", `reg=${host},tls=disabled`])
const regctl = (args: ReadonlyArray<string>, input = "") =>
  must(process.execPath, [tool("regctl"), ...plain(a.host, b.host), ...args], { env, cwd: dir.path, input })

const layers = 3
const [small, large] = [1000, 2 * 1024 * 1024]

/** An image of three layers in the source registry. */
const image = async (name: string, size: number, tag = "v1"): Promise<string> => {
  const layout = join(dir.path, `${name}-${tag}`)
  mkdirSync(layout)
  layoutOf(layout, tag, layers, size)
  await regctl(["image", "copy", `ocidir://${name}-${tag}:${tag}`, `${a.host}/${name}:${tag}`])
  return (await regctl(["image", "digest", `${a.host}/${name}:${tag}`])).trim()
}

/** Both registries' requests of what is run, sorted into kinds. */
const counted = async (run: () => Promise<unknown>) => {
  await Promise.all([a.requests(), b.requests()])
  await run()
  return { source: kinds(await a.requests()), target: kinds(await b.requests()) }
}

const kinds = (requests: ReadonlyArray<Request>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { method, path } of requests) {
    const kind = `${method} ${/\/(manifests|blobs|tags)\//.exec(path)?.[1] ?? path}`
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

const copied = (name: string) =>
  counted(() => regctl(["image", "copy", `${a.host}/${name}:v1`, `${b.host}/${name}:v1`]))

const current = { source: { "HEAD manifests": 1 }, target: { "HEAD manifests": 1 } }

beforeAll(async () => {
  ;[a, b] = await Promise.all([dockerRegistry(), dockerRegistry()])
})
afterAll(async () => {
  await Promise.all([a.stop(), b.stop()])
  dir.remove()
})

describe("an image", () => {
  it("of small blobs costs three requests a blob and three for its manifest, then two", async () => {
    await image("small", small)
    assert.deepStrictEqual(await copied("small"), {
      source: { "GET manifests": 1, "GET blobs": 4 },
      target: { "HEAD manifests": 1, "POST blobs": 4, "PUT blobs": 4, "PUT manifests": 1 }
    })
    assert.deepStrictEqual(await copied("small"), current)
  })

  it("of large layers costs one question more for each of them, then two requests in all", async () => {
    await image("large", large)
    assert.deepStrictEqual(await copied("large"), {
      source: { "GET manifests": 1, "GET blobs": 4 },
      target: { "HEAD manifests": 1, "HEAD blobs": 3, "POST blobs": 4, "PUT blobs": 4, "PUT manifests": 1 }
    })
    assert.deepStrictEqual(await copied("large"), current)
  })
})

describe("an index of three images", () => {
  it("costs three requests and those of its images, then two", async () => {
    const manifests: Array<object> = []
    for (const architecture of ["amd64", "arm64", "s390x"]) {
      const digest = await image("index", small, architecture)
      const body = await regctl(["manifest", "get", "--format", "body", `${a.host}/index@${digest}`])
      const { mediaType } = JSON.parse(body) as { readonly mediaType: string }
      manifests.push({ mediaType, digest, size: body.length, platform: { os: "linux", architecture } })
    }
    const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests }
    await regctl(["manifest", "put", `${a.host}/index:v1`], JSON.stringify(index))
    assert.deepStrictEqual(await copied("index"), {
      source: { "GET manifests": 4, "GET blobs": 12 },
      target: { "HEAD manifests": 4, "POST blobs": 12, "PUT blobs": 12, "PUT manifests": 4 }
    })
    assert.deepStrictEqual(await copied("index"), current)
  })
})

describe("the tags of a repository that are current", () => {
  const tags = ["v1", "v2", "v3", "v4", "v5"]
  const options = { env: { ...env, REGCTL_CONFIG: join(dir.path, "plain.json") }, cwd: dir.path }
  const check = (target: string) =>
    counted(() => must(process.execPath, [join(root, "bench/checkTags.ts"), `${a.host}/checked`, target], options))

  beforeAll(async () => {
    for (const { host } of [a, b])
      await must(process.execPath, [tool("regctl"), "registry", "set", "--tls", "disabled", host], options)
    await image("checked", small)
    for (const tag of tags) {
      await regctl(["image", "copy", `${a.host}/checked:v1`, `${a.host}/checked:${tag}`])
      await regctl(["image", "copy", `${a.host}/checked:v1`, `${b.host}/checked:${tag}`])
      await regctl(["image", "copy", `${a.host}/checked:v1`, `ocidir://mirror:${tag}`])
    }
  })

  it("cost a HEAD at each side, and one list", async () => {
    assert.deepStrictEqual(await check(`${b.host}/checked`), {
      source: { "GET tags": 1, "HEAD manifests": 5 },
      target: { "HEAD manifests": 5 }
    })
  })

  it("cost a HEAD of the source where the target is a directory", async () => {
    assert.deepStrictEqual(await check("ocidir://mirror"), {
      source: { "GET tags": 1, "HEAD manifests": 5 },
      target: {}
    })
  })
})

interface Guard {
  readonly host: string
  readonly server: Server
  readonly refused: Array<string>
  readonly scopes: Array<string>
}

/** A registry that wants tokens, in front of one that does not; a token is good for what it was asked for. */
const guarded = async (upstream: string): Promise<Guard> => {
  const [refused, scopes]: [Array<string>, Array<string>] = [[], []]
  const server = createServer((asked, answer) => {
    const host = asked.headers.host ?? ""
    const url = new URL(asked.url ?? "", `http://${host}`)
    if (url.pathname === "/token") {
      const scope = url.searchParams.getAll("scope").join(" ")
      scopes.push(scope)
      answer.setHeader("content-type", "application/json")
      answer.end(JSON.stringify({ token: Buffer.from(scope).toString("hex"), expires_in: 300 }))
      return
    }
    const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1] ?? ""
    const needed = asked.method === "GET" || asked.method === "HEAD" ? "pull" : "pull,push"
    const given = Buffer.from((asked.headers.authorization ?? "").replace("Bearer ", ""), "hex").toString()
    if (!given.startsWith(`repository:${repository}:`) || !given.includes(needed)) {
      refused.push(`${asked.method} ${url.pathname}`)
      const challenge = `Bearer realm="http://${host}/token",service="test",scope="repository:${repository}:${needed}"`
      asked.resume()
      answer.writeHead(401, { "www-authenticate": challenge }).end()
      return
    }
    const [hostname, port] = upstream.split(":")
    const { authorization: _, ...headers } = asked.headers
    const onward = request({ hostname, port, method: asked.method, path: asked.url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(answer)
    })
    asked.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address() as AddressInfo // listens on TCP
  return { host: `127.0.0.1:${address.port}`, server, refused, scopes }
}

describe("registries that want tokens", () => {
  it("refuse one request each, and are asked for one token: to read the source, to read and write the target", async () => {
    await image("tokens", large)
    const [source, target] = await Promise.all([guarded(a.host), guarded(b.host)])
    const copy = [
      "image",
      "copy",
      ...plain(source.host, target.host),
      `${source.host}/tokens:v1`,
      `${target.host}/tokens:v1`
    ]
    try {
      await regctl(copy)
      assert.deepStrictEqual([source.refused.length, target.refused.length], [1, 1])
      assert.deepStrictEqual(source.scopes, ["repository:tokens:pull"])
      assert.deepStrictEqual(target.scopes, ["repository:tokens:pull,push"])
    } finally {
      source.server.closeAllConnections()
      target.server.closeAllConnections()
      source.server.close()
      target.server.close()
    }
  })
})
