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

/** What the registry said that it did. */
interface Acknowledged {
  readonly blobs: Map<string, number>
  readonly manifests: Set<string>
  /** Digests a tag may have: the last acknowledged, and one that was on its way; `undefined` is none. */
  readonly tags: Map<string, Array<string | undefined>>
}

const repository = "a/b"

/** Pushes images one after the other, moves and deletes tags, until a request fails. */
const client = async (
  random: Random,
  name: string,
  url: string,
  done: Acknowledged,
  told: () => void
): Promise<void> => {
  const send = async (method: string, path: string, body?: string | Buffer<ArrayBuffer>, type?: string) => {
    const answer = await fetch(new URL(path, url), {
      method,
      ...(body === undefined ? {} : { body }),
      headers: { "content-type": type ?? "application/octet-stream" }
    })
    const said = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`)
    told()
    return answer.headers.get("location") ?? ""
  }
  const blob = async (content: Buffer<ArrayBuffer>) => {
    const digest = digestOf(content)
    const base = `/v2/${repository}/blobs/uploads/`
    if (random.chance(0.3)) await send("POST", `${base}?digest=${digest}`, content)
    else {
      let at = await send("POST", base)
      const isChunked = random.chance(0.5)
      if (isChunked) at = await send("PATCH", at, content)
      await send("PUT", `${at}${at.includes("?") ? "&" : "?"}digest=${digest}`, isChunked ? undefined : content)
    }
    done.blobs.set(digest, content.length)
    return { mediaType: "application/octet-stream", digest, size: content.length }
  }
  for (let image = 0; image < 40; image++) {
    const config = await blob(Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", name, image })))
    const layers = [
      await blob(Buffer.from(bytesFor(`shared ${image}`, 30_000))),
      await blob(Buffer.from(bytesFor(`${name} ${image}`, 1 + random.below(200_000))))
    ]
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config, layers })
    const digest = digestOf(manifest)
    const tag = `${name}-${random.below(3)}`
    const path = `/v2/${repository}/manifests/${tag}`
    const before = done.tags.get(tag)?.at(-1)
    done.tags.set(tag, [before, digest])
    await send("PUT", path, manifest, ociManifest)
    done.tags.set(tag, [digest])
    done.manifests.add(digest)
    if (!random.chance(0.2)) continue
    done.tags.set(tag, [digest, undefined])
    await send("DELETE", path)
    done.tags.set(tag, [undefined])
  }
}

const readBack = async (url: string, { blobs, manifests, tags }: Acknowledged): Promise<ReadonlyArray<string>> => {
  const said: Array<string> = []
  const read = async (path: string) => {
    const answer = await fetch(`${url}/v2/${repository}/${path}`, { headers: { accept: ociManifest } })
    const bytes = Buffer.from(await answer.arrayBuffer())
    return answer.status === 200 ? digestOf(bytes) : `status ${answer.status}`
  }
  for (const [tag, may] of tags) {
    const is = await read(`manifests/${tag}`)
    if (!may.map((it) => it ?? "status 404").includes(is)) said.push(`tag ${tag} is ${is}, not ${may.join(" or ")}`)
  }
  for (const digest of manifests) {
    const is = await read(`manifests/${digest}`)
    // What a tag left behind may be swept; damaged it may not be.
    if (is !== digest) said.push(`manifest ${digest}: ${is}`)
  }
  for (const digest of blobs.keys()) {
    const is = await read(`blobs/${digest}`)
    if (is !== digest) said.push(`blob ${digest}: ${is}`)
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
  const done: Acknowledged = { blobs: new Map(), manifests: new Set(), tags: new Map() }
  const said: Array<string> = []
  const data = join(dir, "data")
  for (let round = 1 + random.below(3), at = 0; round > 0; round--, at++) {
    const server = await serve(data)
    let left = random.below(90)
    const kill = () => server.child.kill("SIGKILL")
    const timer = random.chance(0.5) ? setTimeout(kill, random.below(300)) : undefined
    const told = () => void (left-- === 0 && timer === undefined && kill())
    const ends = await Promise.allSettled(
      ["x", "y", "z"].map((it) => client(random, `${it}${at}`, server.url, done, told))
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
    await client(random, "last", server.url, done, () => {})
    said.push(...await readBack(server.url, done))
  } finally {
    server.child.kill("SIGTERM")
    await server.gone
  }
  said.push(...layoutsIn(data).flatMap((it) => judge(it).problems))
  return said.map((it) => `serve: ${it}`)
}
