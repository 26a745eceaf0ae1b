/** Content made to break the tools: each limit ends it with its name, soon, and in bounded memory. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { run, tool } from "../support/programs.ts"
import { type Answer, digestOf, json, type Quirk, quirky, type Started } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("limits")
let registry: Started

beforeAll(async () => {
  registry = await quirky()
  mkdirSync(join(dir.path, "home"))
})
afterEach(() => {
  registry.quirk = () => undefined
})
afterAll(async () => {
  await registry.stop()
  dir.remove()
})

/** Written by the process at its end: the most memory it had, in KiB. */
const memory = join(dir.path, "memory")
const telling = `--import=data:text/javascript,${
  encodeURIComponent(
    `import{writeFileSync}from"node:fs";process.on("exit",()=>` +
      `writeFileSync(${JSON.stringify(memory)},String(process.resourceUsage().maxRSS)))`
  )
}`

/** Runs a tool; its memory in MiB comes with what it said. */
const measured = async (name: "regctl" | "regsync", args: ReadonlyArray<string>, input: string | Uint8Array) => {
  const host = name === "regctl" ? ["--host", `reg=${registry.host},tls=disabled`] : []
  const ran = await run(process.execPath, [tool(name), "--logopt", "json", ...host, ...args], {
    cwd: dir.path,
    input,
    env: { HOME: join(dir.path, "home"), DOCKER_CONFIG: dir.path, NODE_OPTIONS: telling }
  })
  return { ...ran, mebibytes: Number(readFileSync(memory, "utf8")) / 1024 }
}

const types = {
  image: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip"
}

/** A manifest that the registry gives for every tag. */
const manifest = (mediaType: string, text: string): Quirk => (asked) =>
  asked.url.pathname.endsWith("/manifests/v1")
    ? { status: 200, headers: { "content-type": mediaType, "docker-content-digest": digestOf(text) }, body: text }
    : undefined

const described = (mediaType: string, content: string | Buffer, size = content.length) => ({
  mediaType,
  digest: digestOf(content),
  size
})

const image = (config: object, layers: ReadonlyArray<object> = []): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: types.image, config, layers })

/** An image and the blobs it names. */
const withBlobs = (text: string, ...blobs: ReadonlyArray<string | Buffer>): Quirk => (asked, proper) => {
  const found = blobs.find((it) => asked.url.pathname.endsWith(digestOf(it)))
  return found === undefined ? manifest(types.image, text)(asked, proper) : {
    status: 200,
    headers: { "content-type": "application/octet-stream", "docker-content-digest": digestOf(found) },
    body: Buffer.from(found)
  }
}

/** Thirty-three MiB that are announced to be much more. */
const endless = (status: number, type: string): Answer => ({
  status,
  headers: { "content-type": type, "content-length": String(2 ** 40) },
  body: Buffer.alloc(33 * 1024 ** 2 + 1, " "),
  cut: { after: 33 * 1024 ** 2 + 1, how: "silence" }
})

/** `count` names that differ, with a link to more. */
const names = (page: number, count: number): Answer =>
  json(200, { name: "app", tags: Array.from({ length: count }, (_, at) => `t${page}-${at}`) }, {
    link: `</v2/app/tags/list?last=${page}>; rel="next"`
  })

const indexOf = (count: number): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: types.index,
    manifests: Array.from({ length: count }, (_, at) => described(types.image, `${at}`, 500))
  })

const config = JSON.stringify({ architecture: "amd64", os: "linux" })
const large = JSON.stringify({ architecture: "amd64", os: "linux", author: "x".repeat(9 * 1024 ** 2) })
const bomb = gzipSync(Buffer.alloc(256 * 1024 ** 2))

const laughs = [
  `a: &a [${Array.from({ length: 10 }, () => "x").join(", ")}]`,
  ...["b", "c", "d", "e", "f", "g", "h", "i"].map((name, at) => {
    const before = "abcdefgh"[at]
    return `${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`
  })
]

interface Row {
  readonly tool?: "regsync"
  readonly args: (host: string) => ReadonlyArray<string>
  readonly quirk?: Quirk
  readonly input?: () => string | Uint8Array
  readonly reason: string
  readonly text: RegExp
  /** MiB; what a limit lets through is held more than once. */
  readonly most?: number
}

const get = (host: string) => ["manifest", "get", `${host}/app:v1`]
const copy = (host: string) => ["image", "copy", `${host}/app:v1`, "ocidir://copied:v1"]
const list = (host: string) => ["tag", "ls", `${host}/app`]

const rows: Readonly<Record<string, Row>> = {
  "a manifest above 8 MiB": {
    args: get,
    quirk: manifest(types.image, `${image(described(types.config, config))}${" ".repeat(8 * 1024 ** 2)}`),
    reason: "SizeLimit",
    text: /manifest too large|size limit exceeded/
  },
  "a manifest that does not end": {
    args: get,
    quirk: ({ url }) => url.pathname.includes("/manifests/") ? endless(200, types.image) : undefined,
    reason: "SizeLimit",
    text: /manifest too large|size limit exceeded/
  },
  "an index of 100,000 entries": {
    args: copy,
    quirk: manifest(types.index, indexOf(100_000)),
    reason: "SizeLimit",
    text: /manifest too large|size limit exceeded/
  },
  "an index of 20,000 entries that the source lacks (C12)": {
    args: copy,
    quirk: manifest(types.index, indexOf(20_000)),
    reason: "NotFound",
    text: /the source lacks more than 1000 parts: sha256:/
  },
  "an index of 20,000 entries to change (C12)": {
    args: (host) => ["image", "mod", `${host}/app:v1`, "--create", "v2", "--annotation", "a=b"],
    quirk: manifest(types.index, indexOf(20_000)),
    reason: "SizeLimit",
    text: /more than 10000 manifests in one image/
  },
  "a page 1,000,000 deep": {
    args: list,
    quirk: ({ url }) =>
      url.pathname.endsWith("/tags/list")
        ? { ...json(200, {}), body: `{"tags":["v1"],"x":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}` }
        : undefined,
    reason: "DepthLimit",
    text: /nested deeper than 100 levels/
  },
  "a manifest to push above 4 MiB": {
    args: (host) => ["manifest", "put", `${host}/app:v1`],
    input: () => `${image(described(types.config, config))}${" ".repeat(5 * 1024 ** 2)}`,
    reason: "SizeLimit",
    text: /manifest too large|size limit exceeded/
  },
  "a manifest 101 deep (C12)": {
    args: get,
    quirk: manifest(types.image, `{"schemaVersion":2,"a":${"[".repeat(100)}${"]".repeat(100)}}`),
    reason: "DepthLimit",
    text: /deep/
  },
  "a manifest 1,000,000 deep (C12)": {
    args: get,
    quirk: manifest(types.image, `{"schemaVersion":2,"a":${"[".repeat(1_000_000)}`),
    reason: "DepthLimit",
    text: /deep/
  },
  "a configuration of an image above 8 MiB": {
    args: (host) => ["image", "inspect", `${host}/app:v1`],
    quirk: withBlobs(image(described(types.config, large)), large),
    reason: "SizeLimit",
    text: /size limit exceeded|too large/
  },
  "a size that nobody has": {
    args: (host) => ["image", "inspect", `${host}/app:v1`],
    quirk: withBlobs(image(described(types.config, config, Number.MAX_SAFE_INTEGER)), config),
    reason: "SizeMismatch",
    text: /unexpected content-length/
  },
  "a layer of a size that nobody has, which ends": {
    args: copy,
    quirk: withBlobs(
      image(described(types.config, config), [described(types.layer, bomb, Number.MAX_SAFE_INTEGER)]),
      config,
      bomb
    ),
    reason: "SizeMismatch",
    text: /unexpected content-length|short read|size/
  },
  "an answer of a token service that does not end": {
    args: list,
    quirk: ({ url }) =>
      url.pathname === "/token"
        ? endless(200, "application/json")
        : { status: 401, headers: { "www-authenticate": `Bearer realm="http://${registry.host}/token",service="x"` } },
    reason: "Unauthorized",
    text: /size limit exceeded: more than 1048576 bytes/
  },
  "a body of an error that does not end": {
    args: list,
    quirk: ({ url }) => url.pathname.endsWith("/tags/list") ? endless(403, "text/plain") : undefined,
    reason: "Forbidden",
    text: /unauthorized \[http 403\]/
  },
  "a page above 32 MiB": {
    args: list,
    quirk: ({ url }) => url.pathname.endsWith("/tags/list") ? endless(200, "application/json") : undefined,
    reason: "SizeLimit",
    text: /size limit exceeded/,
    most: 400
  },
  "a list of more than a million names": {
    args: list,
    quirk: ({ url }) =>
      url.pathname.endsWith("/tags/list") ? names(Number(url.searchParams.get("last") ?? 0) + 1, 100_000) : undefined,
    reason: "SizeLimit",
    text: /size limit exceeded: more than 1000000 names/,
    most: 700
  },
  "headers above 64 KiB (N35)": {
    args: list,
    quirk: ({ url }) =>
      url.pathname.endsWith("/tags/list")
        ? json(200, { name: "app", tags: ["v1"] }, { "x-long": "x".repeat(70_000) })
        : undefined,
    reason: "ProtocolError",
    text: /header/i
  },
  "more than ten redirects (N21)": {
    args: list,
    quirk: ({ url }) => ({ status: 307, headers: { location: `${url.pathname}?n=${url.search.length + 1}` } }),
    reason: "TooManyRedirects",
    text: /stopped after 10 redirects/
  },
  "a layer that grows a thousandfold (C19)": {
    args: (host) => ["blob", "get-file", `${host}/app`, digestOf(bomb), "etc/passwd"],
    quirk: withBlobs("", bomb),
    reason: "DecompressLimit",
    text: /grows beyond every measure/
  },
  "a file of 10,000,000,000 values in ten lines (K07)": {
    tool: "regsync",
    args: () => ["once", "-c", "-"],
    input: () => `${laughs.join("\n")}\nversion: 1\n`,
    reason: "YamlLimit",
    text: /aliases stand for more than 100000 values/
  },
  "a file 10,000 deep (K07)": {
    tool: "regsync",
    args: () => ["once", "-c", "-"],
    input: () => `x-a: ${"[".repeat(10_000)}${"]".repeat(10_000)}\n`,
    reason: "YamlLimit",
    text: /nested more than 64 levels deep/
  },
  "a file of 100,001 values (K07)": {
    tool: "regsync",
    args: () => ["once", "-c", "-"],
    input: () => `x-a:\n${"- x\n".repeat(100_001)}`,
    reason: "YamlLimit",
    text: /more than 100000 values/
  },
  "a file above 4 MiB (K07)": {
    tool: "regsync",
    args: () => ["once", "-c", "-"],
    input: () => `x-a: "${"a".repeat(4 * 1024 ** 2)}"\n`,
    reason: "YamlLimit",
    text: /more than 4194304 bytes/
  }
}

describe("a limit", () => {
  it.each(Object.entries(rows))("ends %s", async (_, row) => {
    registry.quirk = row.quirk ?? (() => undefined)
    const { code, err, mebibytes, out } = await measured(
      row.tool ?? "regctl",
      row.args(registry.host),
      row.input?.() ?? ""
    )
    assert.strictEqual(code, 1, err.slice(0, 1_000))
    assert.strictEqual(out, "")
    const record = err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it)).at(-1)
    assert.deepStrictEqual([record.level, record.reason], ["ERROR", row.reason], err.slice(0, 1_000))
    assert.match(record.msg, row.text)
    assert.isAtMost(record.msg.length, 8_100)
    assert.isBelow(mebibytes, row.most ?? 300)
  })
})
