/** Registries and layouts as others see them: the fixtures pushed by plain requests, and what is there read again. */
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../support/programs.ts"
import type { Backend, Document, Reader } from "./case.ts"

export const repositories = join(root, "test/fixtures/repositories")
const refName = "org.opencontainers.image.ref.name"
const accepted = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json"
]

/** ada, lovelace; asked for by one registry, no matter to the others. */
const authorization = `Basic ${Buffer.from("ada:lovelace").toString("base64")}`

interface Entry {
  readonly mediaType: string
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

export const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
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
export const push = async (host: string, name: string, fixture: string, backend: Backend) => {
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

export const registryReader = (host: string, prefix: string): Reader => {
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

export const layoutReader = (place: string): Reader => {
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
