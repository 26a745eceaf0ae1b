/** Answers of registries and token services, each with one header or its body changed, through all that asks. */
import { Clock, Duration, Effect, Layer, Redacted, Result, Stream } from "effect"
import { createHash } from "node:crypto"
import { Digest, isDigest } from "../../../src/schemas/Digest.ts"
import type { Host } from "../../../src/schemas/Host.ts"
import { decodeManifest } from "../../../src/schemas/Manifest.ts"
import { isRepository, isTag, Reference, Tag } from "../../../src/schemas/Ref.ts"
import { collect, fromBytes } from "../../../src/services/Bytes.ts"
import { Registry } from "../../../src/services/Registry.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { type Play, playback } from "../../services/registryHttp/playback.ts"
import { manifestSeeds } from "./documents.ts"
import { type Family, held, secret } from "./family.ts"

const sha256 = (content: string | Uint8Array): string => `sha256:${createHash("sha256").update(content).digest("hex")}`

/** Waits take none of our time, and the clock goes on as if they had. */
export const hurried = (): Clock.Clock => {
  let waited = 0
  const now = () => Date.now() + waited
  return {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: () => BigInt(now()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(now()) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
    sleep: (duration) =>
      Effect.callback((resume) => {
        waited += Duration.toMillis(duration)
        const timer = setImmediate(() => resume(Effect.void))
        return Effect.sync(() => clearImmediate(timer))
      })
  }
}

type Take = (repository: Repository) => Effect.Effect<ReadonlyArray<string>, unknown>

export interface Exchange {
  readonly name: string
  /** The answers in their order, of which one is changed; the last is given again and again. */
  readonly plays: ReadonlyArray<Play>
  readonly take: Take | "catalog"
  /** Settings of the registry. */
  readonly host?: Partial<Host>
}

const blob = "some content of a blob that is long enough to be cut somewhere"
const descriptor = { mediaType: "application/octet-stream", digest: Digest.make(sha256(blob)), size: blob.length }
const manifest = manifestSeeds[0] ?? ""
const index = manifestSeeds[1] ?? ""
const manifestHeaders = {
  "content-type": "application/vnd.oci.image.manifest.v1+json",
  "content-length": String(manifest.length),
  "docker-content-digest": sha256(manifest),
  "ratelimit-limit": "100;w=21600",
  "ratelimit-remaining": "76;w=21600",
  warning: "299 - \"deprecated\""
}
const challenge = {
  "www-authenticate":
    "Bearer realm=\"https://auth.r.example/token\",service=\"r.example\",scope=\"repository:a/b:pull\",Basic realm=\"x\""
}
const refusal = JSON.stringify({ errors: [{ code: "UNKNOWN", message: "no", detail: { a: 1 } }] })
const pushed = Result.getOrThrow(decodeManifest(Buffer.from(manifest), { name: "a/b" }))
const tag = Reference.ByTag({ tag: Tag.make("v1") })

const read: Take = (repository) =>
  Effect.map(
    repository.manifest(tag),
    ({ bytes, descriptor }) =>
      descriptor.digest === sha256(bytes) || !isDigest(descriptor.digest) ? held : ["its digest does not fit"]
  )

const list: Take = (repository) =>
  Effect.map(
    Stream.runCollect(repository.tags()),
    (pages) => pages.every(({ names }) => names.every(isTag)) ? held : ["a tag that is none"]
  )

const fetch: Take = (repository) =>
  Effect.map(
    collect(repository.blob(descriptor), 1_000),
    (bytes) => Buffer.from(bytes).toString() === blob ? held : ["other content"]
  )

const push: Take = (repository) => Effect.as(repository.putBlob(fromBytes(Buffer.from(blob)), descriptor), held)

export const exchanges: ReadonlyArray<Exchange> = [
  { name: "manifest", plays: [{ headers: manifestHeaders, body: manifest }], take: read },
  {
    name: "head",
    plays: [{ headers: manifestHeaders }],
    take: (it) =>
      Effect.map(
        it.resolve(tag),
        ({ descriptor: found }) =>
          isDigest(found.digest) && Number.isSafeInteger(found.size) && found.size >= 0 ? held : ["it cannot be so"]
      )
  },
  {
    name: "tags",
    plays: [
      {
        headers: { link: "</v2/a/b/tags/list?last=v2&n=2>; rel=\"next\"", "content-type": "application/json" },
        body: "{\"name\":\"a/b\",\"tags\":[\"v1\",\"v2\"]}"
      },
      { headers: {}, body: "{\"name\":\"a/b\",\"tags\":[\"v3\"]}" }
    ],
    take: list
  },
  { name: "catalog", plays: [{ body: "{\"repositories\":[\"a\",\"b/c\"]}" }], take: "catalog" },
  {
    name: "referrers",
    plays: [{
      headers: { "content-type": "application/vnd.oci.image.index.v1+json", "oci-filters-applied": "artifactType" },
      body: index
    }],
    take: (it) => Effect.as(it.referrers(descriptor, { artifactType: "application/example" }), held)
  },
  {
    name: "token",
    plays: [
      { status: 401, headers: challenge },
      {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          token: "tok-1",
          access_token: "tok-1",
          refresh_token: "ref-1",
          expires_in: 300,
          issued_at: "2026-01-02T03:04:05Z"
        })
      },
      { headers: manifestHeaders, body: manifest }
    ],
    take: read
  },
  {
    name: "redirect",
    plays: [{ status: 307, headers: { location: "https://cdn.example/x?sig=abc" } }, { body: blob }],
    take: fetch
  },
  {
    name: "resumed blob",
    plays: [
      { headers: { "content-length": String(blob.length) }, body: blob.slice(0, 20), breaks: "ConnectionLost" },
      {
        status: 206,
        headers: {
          "content-range": `bytes 20-${blob.length - 1}/${blob.length}`,
          "content-length": String(blob.length - 20)
        },
        body: blob.slice(20)
      }
    ],
    take: fetch
  },
  {
    name: "upload",
    plays: [
      { status: 404 },
      {
        status: 202,
        headers: { location: "/v2/a/b/blobs/uploads/1?_state=x", range: "0-0", "oci-chunk-min-length": "10" }
      },
      {
        status: 201,
        headers: { location: `/v2/a/b/blobs/${descriptor.digest}`, "docker-content-digest": descriptor.digest }
      }
    ],
    take: push
  },
  {
    name: "upload in chunks",
    plays: [
      { status: 404 },
      { status: 202, headers: { location: "/v2/a/b/blobs/uploads/1", range: "0-0", "oci-chunk-min-length": "20" } },
      { status: 202, headers: { location: "/v2/a/b/blobs/uploads/1?_state=y", range: "0-19" } },
      { status: 416, headers: { location: "/v2/a/b/blobs/uploads/1?_state=y", range: "0-9" } },
      { status: 204, headers: { location: "/v2/a/b/blobs/uploads/1?_state=z", range: "0-19" } },
      { status: 202, headers: { location: "/v2/a/b/blobs/uploads/1?_state=z", range: "0-39" } },
      { status: 202, headers: { location: "/v2/a/b/blobs/uploads/1?_state=z", range: `0-${blob.length - 1}` } },
      { status: 201, headers: { "docker-content-digest": descriptor.digest } }
    ],
    host: { blobChunk: 20, blobMax: 1 },
    take: push
  },
  {
    name: "manifest push",
    plays: [{
      status: 201,
      headers: {
        location: `/v2/a/b/manifests/${sha256(manifest)}`,
        "docker-content-digest": sha256(manifest),
        "oci-subject": `sha256:${"d".repeat(64)}`
      }
    }],
    take: (it) => Effect.as(it.putManifest(pushed, { tag: Tag.make("v1") }), held)
  },
  {
    name: "tag deletion",
    plays: [
      { status: 405, body: refusal },
      { headers: manifestHeaders, body: manifest },
      { status: 201, headers: { location: "/v2/a/b/blobs/x" } },
      { status: 201, headers: { location: "/v2/a/b/manifests/x" } },
      { status: 202 }
    ],
    take: (it) => Effect.as(it.deleteTag(Tag.make("v1")), held)
  },
  {
    name: "refusal",
    plays: [{ status: 429, headers: { "retry-after": "2" }, body: refusal }, { status: 500, body: refusal }],
    take: read
  }
]

/** What is changed is text: the status, headers and body of all answers, one below the other. */
const written = (plays: ReadonlyArray<Play>): string =>
  plays.map(({ body, headers = {}, status = 200 }) =>
    [
      `${status}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
      "",
      String(body ?? "")
    ].join(
      "\u0001\n"
    )
  ).join("\u0002\n")

const parsed = (input: Buffer, plays: ReadonlyArray<Play>): ReadonlyArray<Play> =>
  input.toString("latin1").split("\u0002\n").map((text, at) => {
    const [status = "", ...rest] = text.split("\u0001\n")
    const gap = rest.indexOf("")
    const lines = gap < 0 ? rest : rest.slice(0, gap)
    const headers = new Map<string, Array<string>>()
    for (const line of lines) {
      const colon = line.indexOf(":")
      // What cannot be in a header never comes through the transport.
      if (!/^[a-z-]+$/.test(line.slice(0, colon)) || /[\0\r\n]/.test(line)) continue
      headers.set(line.slice(0, colon), [...headers.get(line.slice(0, colon)) ?? [], line.slice(colon + 2)])
    }
    const code = Number(/^[1-9]\d\d/.exec(status)?.[0] ?? 200)
    const { breaks } = plays[at] ?? {}
    return {
      status: Math.max(200, code),
      headers: Object.fromEntries(headers),
      body: Buffer.from(gap < 0 ? "" : rest.slice(gap + 1).join("\u0001\n"), "latin1"),
      ...(breaks === undefined ? {} : { breaks })
    }
  })

/** Runs what an exchange is for. */
export const taken = (registry: Registry["Service"], name: string, take: Exchange["take"]) =>
  take === "catalog"
    ? Effect.map(
      Stream.runCollect(registry.list(name)),
      (pages) => pages.every(({ names }) => names.every(isRepository)) ? held : ["a repository that is none"]
    )
    : Effect.flatMap(registry.open({ registry: name, repository: "a/b" }), take)

const family = ({ host = {}, name, plays, take }: Exchange): Family => ({
  name: `answer: ${name}`,
  form: "text",
  weight: 3,
  seeds: [written(plays)],
  take: (input) => {
    const changed = parsed(input, plays)
    const { asked, layer } = playback(
      (_, at) => changed[Math.min(at, changed.length - 1)] ?? {},
      { hosts: { "r.example": host }, credentials: { "r.example": { username: "u", password: Redacted.make(secret) } } }
    )
    return Effect.gen(function*() {
      const registry = yield* Registry
      return yield* taken(registry, "r.example", take)
    }).pipe(
      Effect.scoped,
      Effect.provide(Registry.layer.pipe(Layer.provide(layer))),
      Effect.provideService(Clock.Clock, hurried()),
      Effect.exit,
      Effect.flatMap((exit) => {
        const strays = asked.filter(({ headers, url }) =>
          headers["authorization"] !== undefined && !/^https:\/\/(?:[^/]*\.)?r\.example\//.test(url) &&
          !isRealm(changed, url)
        )
        const open = asked.filter(({ url }) => !url.startsWith("https://"))
        if (strays.length > 0) return Effect.succeed([`a login goes to ${strays[0]?.url}`])
        if (open.length > 0) return Effect.succeed([`without encryption: ${open[0]?.url}`])
        if (asked.length > 100) return Effect.succeed([`${asked.length} requests`])
        return exit
      })
    )
  }
})

/** A registry may name its token service itself (faults N31). */
const isRealm = (plays: ReadonlyArray<Play>, url: string): boolean =>
  plays.some(({ headers = {} }) => String(headers["www-authenticate"] ?? "").includes(new URL(url).hostname)) ||
  /\/token\?|client_id=/.test(url)

export const answers: ReadonlyArray<Family> = exchanges.map(family)
