/** The embedded registry, killed while clients write: what it acknowledged is there after its restart, whole. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { digestOf, judge, ociManifest } from "../support/layouts.ts"
import { tool } from "../support/programs.ts"
import type { Random } from "./campaign.ts"
import { bytesFor } from "./witnesses.ts"

interface Server {
  readonly url: string
  readonly child: ChildProcess
  readonly gone: Promise<unknown>
}

const serve = (dir: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool("regctl"), "serve", "--addr", "127.0.0.1:0", "--dir", dir], {
      stdio: ["ignore", "ignore", "pipe"]
    })
    let log = ""
    const gone = new Promise((resolve) => child.once("exit", resolve))
    child.stderr.on("data", (it: Buffer) => {
      log += it.toString()
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(log) ?? []
      if (url !== undefined) resolve({ url, child, gone })
    })
    child.once("exit", () => reject(new Error(`regctl serve ended: ${log}`)))
  })

/** What the registry said that it did, by paths below `/v2/`. */
interface Acknowledged {
  readonly blobs: Set<string>
  readonly manifests: Set<string>
  /** Digests a tag may have: the last acknowledged, and one that was on its way; `undefined` is none. */
  readonly tags: Map<string, Array<string | undefined>>
}

interface Client {
  readonly random: Random
  readonly name: string
  readonly repositories: ReadonlyArray<string>
  readonly server: Server
  /** Runs at each answer. */
  readonly told: () => void
}

const digestIn = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** Pushes images one after the other, moves and deletes tags, until a request fails. */
const push = async ({ name, random, repositories, server, told }: Client, done: Acknowledged): Promise<void> => {
  const send = async (method: string, path: string, body?: string | Buffer<ArrayBuffer>, type?: string) => {
    // Another server may have its port by now.
    if (server.child.killed) throw new Error("fetch failed: killed")
    const answer = await fetch(new URL(path, server.url), {
      method,
      ...(body === undefined ? {} : { body }),
      headers: { "content-type": type ?? "application/octet-stream" }
    })
    const said = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`)
    told()
    return { status: answer.status, location: answer.headers.get("location") ?? "" }
  }
  const blob = async (repository: string, content: Buffer<ArrayBuffer>) => {
    const digest = digestOf(content)
    const base = `/v2/${repository}/blobs/uploads/`
    const way = random.below(4)
    if (way === 0) await send("POST", `${base}?digest=${digest}`, content)
    else {
      // Where the blob is in no repository, a mount begins a session.
      const begun = await send("POST", way === 1 ? `${base}?mount=${digest}` : base)
      let at = begun.location
      if (way === 2) at = (await send("PATCH", at, content)).location
      const address = `${at}${at.includes("?") ? "&" : "?"}digest=${digest}`
      if (begun.status === 202) await send("PUT", address, way === 2 ? undefined : content)
    }
    done.blobs.add(`${repository}/blobs/${digest}`)
    return { mediaType: "application/octet-stream", digest, size: content.length }
  }
  for (let image = 0; image < 40; image++) {
    const repository = random.pick(repositories)
    const config = await blob(repository, Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", image })))
    const layers = [
      await blob(repository, Buffer.from(bytesFor(`shared ${image}`, 30_000))),
      await blob(repository, Buffer.from(bytesFor(`${name} ${image}`, 1 + random.below(200_000))))
    ]
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config, layers })
    const digest = digestOf(manifest)
    const tag = `${repository}/manifests/${name}-${random.below(3)}`
    const before = done.tags.get(tag)?.at(-1)
    done.tags.set(tag, [before, digest])
    await send("PUT", `/v2/${tag}`, manifest, ociManifest)
    done.tags.set(tag, [digest])
    done.manifests.add(`${repository}/manifests/${digest}`)
    if (!random.chance(0.2)) continue
    done.tags.set(tag, [digest, undefined])
    await send("DELETE", `/v2/${tag}`)
    done.tags.set(tag, [undefined])
  }
}

const readBack = async (url: string, { blobs, manifests, tags }: Acknowledged): Promise<ReadonlyArray<string>> => {
  const said: Array<string> = []
  const read = async (path: string) => {
    const answer = await fetch(`${url}/v2/${path}`, { headers: { accept: ociManifest } })
    const bytes = Buffer.from(await answer.arrayBuffer())
    return answer.status === 200 ? digestOf(bytes) : `status ${answer.status}`
  }
  for (const [tag, may] of tags) {
    const is = await read(tag)
    if (!may.map((it) => it ?? "status 404").includes(is)) said.push(`${tag} is ${is}, not ${may.join(" or ")}`)
  }
  for (const path of [...manifests, ...blobs]) {
    const is = await read(path)
    if (is !== digestIn(path)) said.push(`${path}: ${is}`)
  }
  return said
}

/** Layouts below a directory. */
const layoutsIn = (dir: string): ReadonlyArray<string> =>
  existsSync(dir)
    ? readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((it) => it.endsWith("oci-layout")).map((it) =>
      join(dir, it, "..")
    )
    : []

/** One to three servers, one after the other, on one directory; all but the last are killed. */
export const killedServer = async (
  random: Random,
  dir: string,
  count: (name: string) => void
): Promise<ReadonlyArray<string>> => {
  const done: Acknowledged = { blobs: new Set(), manifests: new Set(), tags: new Map() }
  const said: Array<string> = []
  const data = join(dir, "data")
  const repositories = ["a/b", "a/c", "d"].slice(0, 1 + random.below(3))
  const clients = Array.from({ length: random.pick([2, 3, 8, 20]) }, (_, at) => `c${at}`)
  for (let round = 1 + random.below(3), at = 0; round > 0; round--, at++) {
    const server = await serve(data)
    let left = random.below(random.chance(0.5) ? 10 : 30 * clients.length)
    const kill = () => server.child.kill("SIGKILL")
    const timer = random.chance(0.5) ? setTimeout(kill, random.below(300)) : undefined
    const told = () => void (left-- === 0 && timer === undefined && kill())
    const ends = await Promise.allSettled(
      clients.map((it) => push({ random, name: `${it}-${at}`, repositories, server, told }, done))
    )
    for (const end of ends) {
      if (end.status === "rejected" && !/fetch failed|terminated/.test(String(end.reason)))
        said.push(String(end.reason))
    }
    kill()
    await server.gone
    clearTimeout(timer)
    count("serve: killed")
    for (const layout of layoutsIn(data)) {
      try {
        said.push(...judge(layout).problems)
      } catch (error) {
        said.push(`unreadable after the kill: ${String(error)}`)
      }
    }
  }
  const server = await serve(data)
  try {
    said.push(...await readBack(server.url, done))
    count("serve: acknowledged and read back")
    await push({ random, name: "last", repositories, server, told: () => {} }, done)
    said.push(...await readBack(server.url, done))
    const homes = readdirSync(join(data, ".uploads"))
    if (homes.length !== 1) said.push(`sessions of killed servers are left: ${homes.join()}`)
  } finally {
    server.child.kill("SIGTERM")
    await server.gone
  }
  said.push(...layoutsIn(data).flatMap((it) => judge(it).problems))
  return said.map((it) => `serve: ${it}`)
}
