/**
 * A registry in memory that does what the distribution-spec asks, unless a quirk answers in its place: with another
 * status, a cut body, silence, or no answer at all. It stores what a client sends without a question and notes every tag
 * that was put on something incomplete, since not making one is the client's duty.
 */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTlsServer } from "node:https"

export interface Asked {
  readonly method: string
  readonly url: URL
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
  /** How many requests with this method and path came before. */
  readonly nth: number
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: Buffer | string
  /** Bytes of the body after which the connection ends: reset, or left open and silent. */
  readonly cut?: { readonly after: number; readonly how: "reset" | "silence" | "end" }
  /** Milliseconds. */
  readonly delay?: number
  /** In place of everything: what goes over the wire. */
  readonly raw?: string
}

/** `drop` resets the connection without an answer, `silence` never answers. */
export type Reply = Answer | "drop" | "silence" | undefined

/** Answers in place of the registry; `proper` is what the registry would say, and asking makes it happen. */
export type Quirk = (asked: Asked, proper: () => Answer) => Reply

export interface Repository {
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>
  readonly tags: Map<string, string>
}

export const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

export const json = (status: number, value: unknown, headers: Answer["headers"] = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value)
})

export const problem = (status: number, code: string, headers: Answer["headers"] = {}): Answer =>
  json(status, { errors: [{ code, message: code.toLowerCase().replaceAll("_", " ") }] }, headers)

export const emptyRepository = (): Repository => ({ blobs: new Map(), manifests: new Map(), tags: new Map() })

/** The digests a manifest names that a repository lacks, all the way down. */
export const lacking = ({ blobs, manifests }: Repository, digest: string): ReadonlyArray<string> => {
  const found = manifests.get(digest)
  if (found === undefined) return [digest]
  const { config, layers = [], manifests: children = [] } = JSON.parse(found.bytes.toString())
  const content: ReadonlyArray<{ readonly digest: string; readonly urls?: ReadonlyArray<string> }> = [
    ...(config === undefined ? [] : [config]),
    ...layers
  ]
  return [
    ...content.filter((it) => it.urls === undefined && !blobs.has(it.digest)).map((it) => it.digest),
    ...children.flatMap((it: { readonly digest: string }) => lacking({ blobs, manifests, tags: new Map() }, it.digest))
  ]
}

/** What the registry holds, and the rules by which it answers. */
export class Quirky {
  readonly repositories = new Map<string, Repository>()
  readonly asked: Array<Asked> = []
  /** Tags that were put on something incomplete. */
  readonly incomplete: Array<string> = []
  quirk: Quirk = () => undefined
  /** Answers in place of quirk and registry, in its own time: what stands before a server that is somewhere else. */
  ahead: ((asked: Asked) => Promise<Reply>) | undefined
  /** How much of a request's body to read before the connection is reset. */
  cutBody: (method: string, path: string, nth: number) => number | undefined = () => undefined
  hasReferrers = true
  host = ""
  readonly #sessions = new Map<string, Buffer>()
  #count = 0

  repository(name: string): Repository {
    const found = this.repositories.get(name) ?? emptyRepository()
    this.repositories.set(name, found)
    return found
  }

  /** Forgets requests, content stays. */
  forget(): void {
    this.asked.length = 0
  }

  lines(): ReadonlyArray<string> {
    return this.asked.map(({ method, target }) => `${method} ${target}`)
  }

  answer(asked: Asked): Answer {
    const { method, url } = asked
    if (url.pathname === "/v2/" || url.pathname === "/v2") return json(200, {})
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/(.*)$/.exec(url.pathname)
    if (upload !== null) return this.#upload(asked, upload[1] ?? "", upload[2] ?? "")
    const parts = /^\/v2\/(.+)\/(blobs|manifests|referrers|tags)\/([^/]+)$/.exec(url.pathname)
    const [, name = "", kind, reference = ""] = parts ?? []
    const repository = this.repository(name)
    switch (kind) {
      case "blobs":
        return method === "DELETE"
          ? { status: repository.blobs.delete(reference) ? 202 : 404 }
          : this.#blob(asked, repository, reference)
      case "manifests":
        return this.#manifest(asked, name, repository, reference)
      case "tags":
        return json(200, { name, tags: [...repository.tags.keys()].sort() })
      case "referrers":
        return this.hasReferrers ? this.#referrers(repository, reference) : { status: 404, body: "404 page not found" }
      default:
        return problem(404, "NAME_UNKNOWN")
    }
  }

  #blob({ headers, method }: Asked, { blobs }: Repository, digest: string): Answer {
    const content = blobs.get(digest)
    if (content === undefined) return problem(404, "BLOB_UNKNOWN")
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "")
    const common = { "content-type": "application/octet-stream", "docker-content-digest": digest }
    if (range === null || method === "HEAD") {
      return { status: 200, headers: { ...common, "content-length": String(content.length) }, body: content }
    }
    const from = Number(range[1])
    const part = content.subarray(from, range[2] === "" ? undefined : Number(range[2]) + 1)
    if (part.length === 0) return { status: 416 }
    const shown = `bytes ${from}-${from + part.length - 1}/${content.length}`
    return { status: 206, headers: { ...common, "content-range": shown }, body: part }
  }

  #manifest({ body, headers, method }: Asked, name: string, repository: Repository, reference: string): Answer {
    const { manifests, tags } = repository
    if (method === "PUT") {
      const digest = digestOf(body)
      manifests.set(digest, { type: headers["content-type"] ?? "", bytes: body })
      if (!reference.includes(":")) {
        tags.set(reference, digest)
        const missing = lacking(repository, digest)
        if (missing.length > 0) this.incomplete.push(`${name}:${reference} lacks ${missing.join(", ")}`)
      }
      const subject: unknown = JSON.parse(body.toString()).subject?.digest
      return {
        status: 201,
        headers: {
          location: `/v2/${name}/manifests/${digest}`,
          "docker-content-digest": digest,
          ...(typeof subject === "string" && this.hasReferrers ? { "oci-subject": subject } : {})
        }
      }
    }
    const digest = tags.get(reference) ?? reference
    const found = manifests.get(digest)
    if (found === undefined) return problem(404, "MANIFEST_UNKNOWN")
    if (method === "DELETE") {
      if (!reference.includes(":")) tags.delete(reference)
      else {
        manifests.delete(digest)
        for (const [tag, it] of tags) if (it === digest) tags.delete(tag)
      }
      return { status: 202 }
    }
    return {
      status: 200,
      headers: {
        "content-type": found.type,
        "docker-content-digest": digest,
        "content-length": String(found.bytes.length)
      },
      body: found.bytes
    }
  }

  #referrers({ manifests }: Repository, subject: string): Answer {
    const entries = [...manifests].flatMap(([digest, { bytes, type }]) => {
      const { artifactType, subject: own } = JSON.parse(bytes.toString())
      return own?.digest === subject ? [{ mediaType: type, digest, size: bytes.length, artifactType }] : []
    })
    const mediaType = "application/vnd.oci.image.index.v1+json"
    return json(200, { schemaVersion: 2, mediaType, manifests: entries }, { "content-type": mediaType })
  }

  #upload({ body, headers, method, url }: Asked, name: string, id: string): Answer {
    const { blobs } = this.repository(name)
    const at = (id: string) => ({ location: `/v2/${name}/blobs/uploads/${id}` })
    if (method === "POST") {
      const mount = url.searchParams.get("mount")
      const from = url.searchParams.get("from")
      const content = mount === null || from === null ? undefined : this.repository(from).blobs.get(mount)
      if (mount !== null && content !== undefined) {
        blobs.set(mount, content)
        return { status: 201, headers: { location: `/v2/${name}/blobs/${mount}` } }
      }
      const session = `session-${++this.#count}`
      this.#sessions.set(session, Buffer.alloc(0))
      return { status: 202, headers: at(session) }
    }
    const have = this.#sessions.get(id)
    if (have === undefined) return problem(404, "BLOB_UPLOAD_UNKNOWN")
    const told = (content: Buffer) => ({ ...at(id), range: `0-${Math.max(content.length - 1, 0)}` })
    if (method === "GET") return { status: 204, headers: told(have) }
    if (method === "DELETE") return { status: this.#sessions.delete(id) ? 204 : 404 }
    const range = /^(\d+)-/.exec(headers["content-range"] ?? "")
    if (range !== null && Number(range[1]) !== have.length) return { status: 416, headers: told(have) }
    const content = Buffer.concat([have, body])
    this.#sessions.set(id, content)
    if (method === "PATCH") return { status: 202, headers: told(content) }
    this.#sessions.delete(id)
    const digest = url.searchParams.get("digest") ?? ""
    if (digestOf(content) !== digest) return problem(400, "DIGEST_INVALID")
    blobs.set(digest, content)
    return { status: 201, headers: { location: `/v2/${name}/blobs/${digest}` } }
  }
}

export interface Started extends Quirky {
  readonly stop: () => Promise<void>
}

/** Listens on a free port of this machine, with a certificate for https. */
export const quirky = async (tls?: { readonly cert: string; readonly key: string }): Promise<Started> => {
  const registry = new Quirky()
  const counts = new Map<string, number>()
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const { headers, method = "", url = "" } = request
    const key = `${method} ${url.split("?")[0]}`
    const nth = counts.get(key) ?? 0
    counts.set(key, nth + 1)
    const limit = registry.cutBody(method, url, nth)
    const parts: Array<Buffer> = []
    let size = 0
    request.on("data", (part: Buffer) => {
      parts.push(part)
      size += part.length
      if (limit !== undefined && size >= limit) request.socket.resetAndDestroy()
    })
    // A client that went away is what some tests are about.
    request.on("error", () => {})
    const asked = (): Asked => ({
      method,
      url: new URL(url, `http://${headers.host}`),
      target: url,
      headers,
      body: Buffer.concat(parts),
      nth
    })
    request.on("close", () => {
      if (!request.complete) registry.asked.push(asked())
    })
    request.on("end", () => {
      const it = asked()
      registry.asked.push(it)
      const reply = (given: Reply) => {
        if (given === "silence") return
        if (given === "drop") return void request.socket.resetAndDestroy()
        const answer = given ?? registry.answer(it)
        if (answer.delay === undefined) send(method, response, answer)
        else setTimeout(() => send(method, response, answer), answer.delay)
      }
      if (registry.ahead === undefined) reply(registry.quirk(it, () => registry.answer(it)))
      else registry.ahead(it).then(reply, () => reply("drop"))
    })
  }
  const settings = { keepAliveTimeout: 60_000, maxHeaderSize: 128 * 1024 }
  const server: Server = tls === undefined
    ? createServer(settings, handle)
    : createTlsServer({ ...settings, ...tls }, handle)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  registry.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  return Object.assign(registry, {
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  })
}

const send = (
  method: string,
  response: ServerResponse,
  { body = "", cut, headers = {}, raw, status }: Answer
): void => {
  if (response.destroyed) return
  if (raw !== undefined) {
    response.socket?.end(raw)
    return
  }
  const bytes = Buffer.from(body)
  response.statusCode = status
  for (const [name, value] of Object.entries(headers))
    response.setHeader(name, typeof value === "string" ? value : [...value])
  if (!response.hasHeader("content-length") && status !== 204) response.setHeader("content-length", bytes.length)
  if (method === "HEAD") return void response.end()
  if (cut === undefined) return void response.end(bytes)
  response.flushHeaders()
  response.write(bytes.subarray(0, cut.after), () => {
    if (cut.how === "reset") setImmediate(() => response.socket?.resetAndDestroy())
    if (cut.how === "end") response.socket?.end()
  })
}
