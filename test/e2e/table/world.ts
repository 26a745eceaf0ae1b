/** Where the cases of the table run: registries and layouts with the fixtures, and the tool as a process. */
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { type Ran, root, run, tool } from "../../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../../support/registries.ts"
import type { After, Asked, Backend, Case, Document, Reader } from "./case.ts"

const repositories = join(root, "test/fixtures/repositories")
const refName = "org.opencontainers.image.ref.name"
const accepted = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json"
]

/** The registry with a login: ada, lovelace. */
export const login = `ada:$2y$04$sX6HYHbjzmfFpkkSvejtvuFW3fz4IcpzMOnv0N.g/E1zT5FR5fati\n`
const authorization = `Basic ${Buffer.from("ada:lovelace").toString("base64")}`

interface Entry {
  readonly mediaType: string
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
const documentOf = (bytes: Buffer, mediaType: string): Document => ({
  digest: sha256(bytes),
  mediaType,
  text: bytes.toString(),
  json: JSON.parse(bytes.toString())
})
const entriesOf = (layout: string): ReadonlyArray<Entry> =>
  JSON.parse(readFileSync(join(layout, "index.json"), "utf8")).manifests
const fileOf = (layout: string, digest: string) => join(layout, "blobs", digest.replace(":", "/"))

const ask = (host: string, method: string, path: string, body?: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(new URL(path, `http://${host}`), {
    method,
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body })
  } as RequestInit)

const wants = async (status: number, response: Response) => {
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
  return response
}

/** Pushes one of the fixtures by plain requests: blobs, then manifests from the leaves up, then tags. */
const push = async (host: string, name: string, fixture: string, backend: Backend) => {
  const layout = join(repositories, fixture)
  const done = new Set<string>()
  const blob = async (digest: string) => {
    if (done.has(digest)) return
    done.add(digest)
    const post = await wants(202, await ask(host, "POST", `/v2/${name}/blobs/uploads/`))
    const place = new URL(post.headers.get("location") ?? "", `http://${host}`)
    place.searchParams.set("digest", digest)
    const headers = { "content-type": "application/octet-stream" }
    await wants(201, await ask(host, "PUT", place.href, readFileSync(fileOf(layout, digest)), headers))
  }
  const manifest = async ({ digest, mediaType }: Entry, reference = digest): Promise<void> => {
    const bytes = readFileSync(fileOf(layout, digest))
    if (!done.has(digest)) {
      done.add(digest)
      const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString())
      for (const it of [...(config === undefined ? [] : [config]), ...layers]) await blob(it.digest)
      for (const it of manifests) await manifest(it)
    } else if (reference === digest) return
    // An address of its own keeps a list of referrers out of a registry that has an API for them.
    if (backend !== "docker-registry" && /^sha256-[0-9a-f]{64}$/.test(reference)) return
    const path = `/v2/${name}/manifests/${reference}`
    await wants(201, await ask(host, "PUT", path, bytes, { "content-type": mediaType }))
  }
  for (const it of entriesOf(layout)) {
    // Layers that are kept elsewhere are refused by a registry that allows no addresses.
    if (backend === "docker-registry" && it.annotations?.[refName] === "foreign") continue
    await manifest(it, it.annotations?.[refName])
  }
}

const registryReader = (host: string, prefix: string): Reader => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    ask(host, "GET", `/v2/${prefix}${path}`, undefined, headers)
  const manifest = async (repository: string, reference: string) => {
    const response = await get(`${repository}/manifests/${reference}`, { accept: accepted.join(", ") })
    if (response.status === 404) return undefined
    const type = response.headers.get("content-type") ?? ""
    return documentOf(Buffer.from(await (await wants(200, response)).arrayBuffer()), type)
  }
  return {
    tags: async (repository) => {
      const response = await get(`${repository}/tags/list`)
      if (response.status === 404) return []
      const body = (await response.json()) as { readonly tags: ReadonlyArray<string> | null } // the protocol's shape
      return (body.tags ?? []).toSorted()
    },
    manifest,
    blob: async (repository, digest) => {
      const response = await get(`${repository}/blobs/${digest}`)
      return response.status === 404 ? undefined : Buffer.from(await (await wants(200, response)).arrayBuffer())
    },
    referrers: async (repository, digest) => {
      const response = await get(`${repository}/referrers/${digest}`)
      if (response.status === 404) {
        return listedIn(await manifest(repository, digest.replace(":", "-")))
      }
      return listedIn(documentOf(Buffer.from(await response.arrayBuffer()), ""))
    }
  }
}

const listedIn = (index: Document | undefined) =>
  ((index?.json["manifests"] ?? []) as unknown as ReadonlyArray<Entry>).map(({ digest }) => digest).toSorted()

const layoutReader = (place: string): Reader => {
  const dir = (repository: string) => join(place, repository)
  const entries = (repository: string) =>
    existsSync(join(dir(repository), "index.json")) ? entriesOf(dir(repository)) : []
  const tags = async (repository: string) =>
    [...new Set(entries(repository).flatMap(({ annotations }) => annotations?.[refName] ?? []))].toSorted()
  const manifest = async (repository: string, reference: string) => {
    const entry = entries(repository).find(({ annotations, digest }) =>
      annotations?.[refName] === reference || digest === reference
    )
    const digest = entry?.digest ?? reference
    const file = fileOf(dir(repository), digest)
    if (!digest.includes(":") || !existsSync(file)) return undefined
    const found = documentOf(readFileSync(file), "")
    return { ...found, digest, mediaType: entry?.mediaType ?? String(found.json["mediaType"]) }
  }
  return {
    tags,
    manifest,
    blob: async (repository, digest) => {
      const file = fileOf(dir(repository), digest)
      return existsSync(file) ? readFileSync(file) : undefined
    },
    referrers: async (repository, digest) => listedIn(await manifest(repository, digest.replace(":", "-")))
  }
}

/** A registry with one image under every name, that tells what it was asked. */
const spyRegistry = async () => {
  const asked: Array<Asked> = []
  const server = createServer((request, response) => {
    const { headers, method = "", url = "" } = request
    asked.push({ method, path: url, headers })
    request.resume()
    response.setHeader("content-length", spied.length)
    response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json")
    if (url.endsWith("/tags/list")) {
      response.setHeader("content-length", gcr.length)
      return void response.writeHead(200, { "content-type": "application/json" }).end(gcr)
    }
    if (!url.includes("/manifests/")) return void response.writeHead(200, { "content-length": 0 }).end()
    if (!url.includes("nodigest")) response.setHeader("docker-content-digest", sha256(spied))
    if (!url.includes("nolimit")) {
      response.setHeader("ratelimit-limit", "100;w=21600")
      response.setHeader("ratelimit-remaining", "76;w=21600")
    }
    response.writeHead(200).end(method === "HEAD" ? undefined : spied)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    host: `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    asked,
    requests: () => Promise.resolve([]),
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}

/** What the spy gives for every manifest. */
const spied = Buffer.from(
  `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":` +
    `"application/vnd.oci.empty.v1+json","digest":"${sha256(Buffer.from("{}"))}","size":2},"layers":[]}`
)

/** A list of tags as Google's registries write it. */
const gcr = `{"name":"gcr","tags":["v1"],"child":["sub"],"manifest":{"${sha256(spied)}":{"imageSizeBytes":"1234",` +
  `"mediaType":"application/vnd.oci.image.manifest.v1+json","timeCreatedMs":"1704164645000",` +
  `"timeUploadedMs":"1704168245000","tag":["v1"]}}}`

const splitArgs = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll(/'([^']*)'/g, "$1"))

/** What the table is run with: the built tool, or the program the environment names for comparison. */
export const other = process.env["REGCTL_TABLE"]

const limited = (count: number) => {
  const waiting: Array<() => void> = []
  let left = count
  return async <A>(work: () => Promise<A>): Promise<A> => {
    if (left > 0) left--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) left++
      else next()
    }
  }
}

export interface World {
  /** Runs a case against one place; its output with `$OWN` and the others for what they stand for. */
  readonly runCase: (it: Case, backend: Backend) => Promise<After>
  /** Runs the tool with nothing prepared. */
  readonly runTool: (args: ReadonlyArray<string>) => Promise<Ran>
  readonly stop: () => Promise<void>
}

export const makeWorld = async (): Promise<World> => {
  const { path: dir, remove } = temporary("table")
  writeFileSync(join(dir, "users"), login)
  const [serve, docker, guarded, spy] = await Promise.all([
    ownRegistry(),
    dockerRegistry(),
    ownRegistry(["--htpasswd", join(dir, "users")]),
    spyRegistry()
  ])
  const stored: Readonly<Record<string, Running>> = { serve, "docker-registry": docker, login: guarded }
  const running: Readonly<Record<string, Running>> = { ...stored, spy }
  const known = Object.fromEntries(Object.values(running).map(({ host }) => [host, { tls: "disabled" }]))
  const shared = join(dir, "shared")
  cpSync(repositories, shared, { recursive: true })
  const fixtures = readdirSync(repositories)
  await Promise.all(
    Object.entries(stored).map(async ([backend, { host }]) => {
      for (const it of fixtures) await push(host, it, it, backend as Backend) // a key of the record above
    })
  )
  const slots = limited(4)
  let count = 0
  const start = async (args: ReadonlyArray<string>, cwd: string, more: Partial<Case> = {}): Promise<Ran> => {
    const env = {
      HOME: cwd,
      REGCTL_CONFIG: join(cwd, "config.json"),
      DOCKER_CONFIG: join(cwd, "docker"),
      DOCKER_AUTH_CONFIG: undefined,
      REGISTRY_AUTH_FILE: undefined,
      XDG_RUNTIME_DIR: undefined,
      XDG_CONFIG_HOME: undefined,
      ...more.env
    }
    const options = { cwd, env, ...(more.stdin === undefined ? {} : { input: more.stdin }) }
    return other === undefined
      ? run(process.execPath, [tool("regctl"), ...args], options)
      : run(other, args, options)
  }
  const runCase = (it: Case, backend: Backend): Promise<After> =>
    slots(async () => {
      const name = `c${count++}`
      const cwd = join(dir, name)
      mkdirSync(cwd)
      const host = running[backend]?.host
      const own = host === undefined ? `ocidir://${cwd}/own` : `${host}/${name}`
      const place = host ?? `ocidir://${shared}`
      const fill = (text: string) =>
        text.replaceAll("$OWN", own).replaceAll("$R", place).replaceAll("$HOST", host ?? "").replaceAll("$DIR", cwd)
      const hide = (text: string) =>
        text.replaceAll(own, "$OWN").replaceAll(place, "$R").replaceAll(cwd, "$DIR").replaceAll(shared, "$SHARED")
      for (const fixture of (it.own ?? "").split(" ").filter((word) => word !== "")) {
        if (host === undefined) cpSync(join(repositories, fixture), join(cwd, "own", fixture), { recursive: true })
        else await push(host, `${name}/${fixture}`, fixture, backend)
      }
      for (const [file, content] of Object.entries(it.files ?? {})) {
        mkdirSync(join(cwd, file, ".."), { recursive: true })
        writeFileSync(join(cwd, file), typeof content === "string" ? fill(content) : content)
      }
      const config = it.config === undefined ? { hosts: known } : it.config
      if (config !== null) writeFileSync(join(cwd, "config.json"), fill(JSON.stringify(config)), { mode: 0o600 })
      const more = { ...it, env: Object.fromEntries(Object.entries(it.env ?? {}).map(([key, v]) => [key, fill(v)])) }
      for (const line of it.before ?? []) {
        const { code, err } = await start(splitArgs(line).map(fill), cwd, it.env === undefined ? {} : { env: more.env })
        if (code !== 0) throw new Error(`${line}: ${err}`)
      }
      const ran = await start(splitArgs(it.args).map(fill), cwd, {
        ...more,
        ...(it.stdin === undefined ? {} : { stdin: fill(it.stdin) })
      })
      const reader = (at: string) =>
        host === undefined ? layoutReader(at === "" ? shared : join(cwd, "own")) : registryReader(host, at)
      return {
        ran: { code: ran.code, out: hide(ran.out), err: hide(ran.err) },
        own: reader(`${name}/`),
        shared: reader(""),
        dir: cwd,
        asked: spy.asked.filter(({ path }) => path.startsWith(`/v2/${name}/`)),
        backend,
        fill
      }
    })
  return {
    runCase,
    runTool: (args) => slots(() => start(args, dir)),
    stop: async () => {
      await Promise.all(Object.values(running).map((it) => it.stop()))
      remove()
    }
  }
}
