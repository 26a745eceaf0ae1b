/**
 * Registries for many runs at once, each run with repositories, a login and faults of its own: two in memory, one that
 * stands before `regctl serve`, and a foreign host, to which no login may go.
 */
import {
  type Answer,
  type Asked,
  emptyRepository,
  lacking,
  problem,
  type Quirky,
  quirky,
  type Reply,
  type Repository,
  type Started
} from "../support/quirky.ts"
import { ownRegistry } from "../support/registries.ts"
import { asked as served, type Schedule, scheduleOf } from "./faultLayer.ts"

export const login = { user: "ada", pass: "l0velace" }
const tokenPrefix = "t0ken-"
/** What no output may hold. */
export const secrets = [login.pass, Buffer.from(`${login.user}:${login.pass}`).toString("base64"), tokenPrefix]

/** How one repository of a run is served. */
export interface Manner {
  readonly scheme: "none" | "basic" | "bearer"
  /** Refuses manifests whose blobs are not there. */
  readonly isStrict: boolean
  readonly hasReferrers: boolean
  readonly deletesTags: boolean
}

interface Served extends Manner {
  readonly schedule: () => Schedule | undefined
  readonly tokens: Set<string>
}

export interface BrokenRegistries {
  readonly source: Started
  readonly target: Started
  /** Before `regctl serve`, whose host is `real`. */
  readonly front: Started
  readonly real: string
  /** Repositories of a run, such as `r7/from`, are served in a manner; faults are met while there are odds. */
  readonly serve: (name: string, manner: Manner) => void
  readonly breaks: (name: string, seed: string, odds: number, met: (kind: string) => void) => void
  readonly heal: (name: string) => void
  /** What was asked of a repository since it is served, and logins that went to foreign hosts. */
  readonly linesOf: (name: string) => ReadonlyArray<string>
  readonly leaksOf: (name: string) => ReadonlyArray<string>
  /** Every request with its answer and the fault it met. */
  readonly storyOf: (name: string) => ReadonlyArray<string>
  readonly forget: (name: string) => void
  readonly stop: () => Promise<void>
}

/** The repository of a run that a request is about, in its path or in the scope of a token. */
const nameOf = ({ body, target }: Pick<Asked, "body" | "target">): string | undefined =>
  /\/v2\/(r\d+\/[a-z]+)\//.exec(target)?.[1] ??
    /repository(?::|%3A)(r\d+(?:\/|%2F)[a-z]+)/i.exec(target + body.toString("latin1", 0, 2_000))?.[1]?.replace(
      /%2F/i,
      "/"
    )

export const brokenRegistries = async (): Promise<BrokenRegistries> => {
  const [source, target, front, store, real] = await Promise.all([
    quirky(),
    quirky(),
    quirky(),
    quirky(),
    ownRegistry()
  ])
  const manners = new Map<string, Served>()
  const schedules = new Map<string, Schedule>()
  const lines = new Map<string, Array<string>>()
  const leaks = new Map<string, Array<string>>()
  const stories = new Map<string, Array<string>>()
  const noted = (notes: Map<string, Array<string>>, name: string, line: string) =>
    void notes.set(name, [...notes.get(name) ?? [], line])

  /** The request as the server hears it, behind its login and with its manner. */
  const behind = (
    manner: Served | undefined,
    host: string,
    asked: Asked,
    answer: (asked: Asked) => Answer | Promise<Answer>
  ): Answer | Promise<Answer> => {
    if (asked.url.pathname === "/token") return token(manner, asked)
    const refused = manner === undefined ? undefined : refusal(manner, host, asked)
    return refused ?? answer(asked)
  }

  /** Faults first; what they leave of the request goes on. */
  const met = (asked: Asked, proper: (asked: Asked) => Answer | Promise<Answer>): Reply | Promise<Reply> => {
    const name = nameOf(asked)
    if (name !== undefined) noted(lines, name, `${asked.method} ${asked.target}`)
    const fault = name === undefined ? undefined : schedules.get(name)?.faultOf(asked)
    const told = (reply: Reply): Reply => {
      const end = typeof reply === "string" ? reply : reply?.status
      if (name !== undefined) noted(stories, name, `${asked.method} ${asked.target}: ${end} ${fault?.kind ?? ""}`)
      return reply
    }
    const heard = fault === undefined ? asked : fault.heard?.(asked)
    if (heard === undefined) return told(fault?.reply({ status: 500 }, asked))
    const answer = proper(heard)
    const replied = (answer: Answer) => told(fault === undefined ? answer : fault.reply(answer, asked))
    return answer instanceof Promise ? answer.then(replied) : replied(answer)
  }
  const mannerOf = (asked: Asked) => manners.get(nameOf(asked) ?? "")

  for (const registry of [source, target]) {
    registry.ahead = async (asked) =>
      met(asked, (it) => behind(mannerOf(it), registry.host, it, (it) => inManner(mannerOf(it), registry, it)))
  }
  front.ahead = async (asked) => met(asked, (it) => behind(mannerOf(it), front.host, it, (it) => served(real.host, it)))
  store.ahead = async (asked) => {
    const name = nameOf(asked) ?? "r0/none"
    const { authorization, cookie } = asked.headers
    if (authorization !== undefined || cookie !== undefined) noted(leaks, name, `${asked.method} ${asked.target}`)
    const home = [source, target].find((it) => it.repositories.has(name))
    return met(asked, (it) => home === undefined ? served(real.host, it) : home.answer(it))
  }
  const cut = (method: string, path: string) =>
    schedules.get(nameOf({ target: path, body: Buffer.alloc(0) }) ?? "")?.cutOf(method, path)
  for (const registry of [target, front]) registry.cutBody = cut

  return {
    source,
    target,
    front,
    real: real.host,
    serve: (name, manner) =>
      void manners.set(name, { ...manner, tokens: new Set(), schedule: () => schedules.get(name) }),
    breaks: (name, seed, odds, met) => {
      const revoke = (authorization: string) =>
        void manners.get(name)?.tokens.delete(authorization.replace(/^Bearer /, ""))
      schedules.set(
        name,
        scheduleOf(`${seed} ${name.replace(/^.*\//, "")}`, odds, { foreign: store.host, revoke }, met)
      )
    },
    heal: (name) => void schedules.delete(name),
    linesOf: (name) => lines.get(name) ?? [],
    leaksOf: (name) => leaks.get(name) ?? [],
    storyOf: (name) => stories.get(name) ?? [],
    forget: (name) => {
      for (const it of [manners, schedules, lines, leaks, stories]) it.delete(name)
      for (const it of [source, target, front, store]) {
        it.repositories.delete(name)
        it.forget()
      }
    },
    stop: async () => {
      await Promise.all([source, target, front, store, real].map((it) => it.stop()))
    }
  }
}

let count = 0

/** A token for a login, that works until it is taken back. */
const token = (manner: Served | undefined, { body, headers, method }: Asked): Answer => {
  const isKnown = headers.authorization === `Basic ${secrets[1]}` ||
    (method === "POST" && new URLSearchParams(body.toString()).get("password") === login.pass)
  if (!isKnown || manner === undefined) return problem(401, "UNAUTHORIZED")
  const value = `${tokenPrefix}${++count}`
  manner.tokens.add(value)
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: value, access_token: value, expires_in: 300 })
  }
}

const refusal = ({ scheme, tokens }: Served, host: string, { headers, url }: Asked): Answer | undefined => {
  const given = headers.authorization ?? ""
  if (scheme === "none") return undefined
  if (scheme === "basic") {
    return given === `Basic ${secrets[1]}`
      ? undefined
      : problem(401, "UNAUTHORIZED", { "www-authenticate": "Basic realm=\"r\"" })
  }
  if (tokens.has(given.replace(/^Bearer /, ""))) return undefined
  const name = /^\/v2\/(.+?)\/(?:blobs|manifests|referrers|tags)\//.exec(url.pathname)?.[1] ?? ""
  const error = given === "" ? "" : ",error=\"invalid_token\""
  return problem(401, "UNAUTHORIZED", {
    "www-authenticate": `Bearer realm="http://${host}/token",service="r",scope="repository:${name}:pull,push"${error}`
  })
}

const inManner = (manner: Served | undefined, registry: Quirky, asked: Asked): Answer => {
  const { body, method, url } = asked
  if (manner === undefined) return registry.answer(asked)
  const name = nameOf(asked) ?? ""
  if (!manner.hasReferrers && url.pathname.includes("/referrers/")) return { status: 404, body: "404 page not found" }
  const isManifest = url.pathname.includes("/manifests/")
  if (isManifest && method === "DELETE" && !manner.deletesTags && !url.pathname.includes(":"))
    return problem(405, "UNSUPPORTED")
  if (isManifest && method === "PUT" && manner.isStrict) {
    const missing = missingBlobs(registry.repository(name), body)
    if (missing.length > 0) {
      const errors = missing.map((digest) => ({
        code: "MANIFEST_BLOB_UNKNOWN",
        message: "blob unknown",
        detail: { digest }
      }))
      return { status: 404, headers: { "content-type": "application/json" }, body: JSON.stringify({ errors }) }
    }
  }
  const answer = registry.answer(asked)
  if (manner.hasReferrers || !isManifest || method !== "PUT") return answer
  const { "oci-subject": _, ...headers } = answer.headers ?? {}
  return { ...answer, headers }
}

const missingBlobs = ({ blobs }: Repository, body: Buffer): ReadonlyArray<string> => {
  const { config, layers = [] } = JSON.parse(body.toString())
  const named: ReadonlyArray<{ readonly digest: string }> = [...(config === undefined ? [] : [config]), ...layers]
  return named.flatMap(({ digest }) => blobs.has(digest) ? [] : [digest])
}

/** What a server holds in a repository: what its tags reach, read by plain requests. */
export const fetched = async (host: string, name: string): Promise<Repository> => {
  const found = emptyRepository()
  const get = (path: string) => fetch(`http://${host}/v2/${name}/${path}`, { headers: { accept: "*/*" } })
  const listed = await get("tags/list")
  const { tags }: { readonly tags?: ReadonlyArray<string> | null } = listed.ok ? JSON.parse(await listed.text()) : {}
  const visit = async (reference: string): Promise<string | undefined> => {
    if (found.manifests.has(reference)) return reference
    const answer = await get(`manifests/${reference}`)
    if (!answer.ok) return undefined
    const bytes = Buffer.from(await answer.arrayBuffer())
    const digest = answer.headers.get("docker-content-digest") ?? reference
    found.manifests.set(digest, { type: answer.headers.get("content-type") ?? "", bytes })
    const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString())
    for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
      const content = await get(`blobs/${blob.digest}`)
      if (content.ok) found.blobs.set(blob.digest, Buffer.from(await content.arrayBuffer()))
    }
    for (const child of manifests) await visit(child.digest)
    const referrers = await get(`referrers/${digest}`)
    for (const child of referrers.ok ? JSON.parse(await referrers.text()).manifests : []) await visit(child.digest)
    return digest
  }
  for (const tag of tags ?? []) {
    const digest = await visit(tag)
    if (digest !== undefined) found.tags.set(tag, digest)
  }
  return found
}

/** The digests below a tag that are not there, and content that is not what its digest says. */
export const flawsOf = (repository: Repository, digestOf: (bytes: Buffer) => string): ReadonlyArray<string> => [
  ...[...repository.tags].flatMap(([tag, digest]) =>
    lacking(repository, digest).map((missing) => `the tag ${tag} is on ${digest}, which lacks ${missing} (D1)`)
  ),
  ...[...repository.blobs].flatMap(([digest, bytes]) =>
    digestOf(bytes) === digest ? [] : [`blob ${digest} is other bytes (D3)`]
  ),
  ...[...repository.manifests].flatMap(([digest, { bytes }]) =>
    digestOf(bytes) === digest ? [] : [`manifest ${digest} is other bytes (D3)`]
  )
]
