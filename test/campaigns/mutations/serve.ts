/** Requests to the embedded registry as bytes of a connection, changed anywhere: it answers or closes, and keeps what it has. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Exit, Layer, References, Scope } from "effect"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { layer as listener } from "../../../src/layers/Server.ts"
import { serve } from "../../../src/programs/serve/start.ts"
import { imageOf, layoutsLayer, pushBlob, pushImage, types } from "../../programs/serve/serving.ts"
import { type Family, held, Problem } from "./family.ts"

const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

interface Running {
  readonly url: string
  readonly outer: string
  readonly root: string
  /** Of the image that no request names. */
  readonly kept: string
  asked: number
  readonly close: () => Promise<void>
}

const start = async (): Promise<Running> => {
  const outer = mkdtempSync(join(tmpdir(), "mutations-serve-"))
  const root = join(outer, "root")
  mkdirSync(root)
  const scope = await Effect.runPromise(Scope.make())
  const began = Effect.gen(function*() {
    const context = yield* Layer.build(Layer.mergeAll(listener, NodeServices.layer, layoutsLayer))
    const url = yield* Effect.provideContext(serve({ dir: root, uploadLimit: 1024 * 1024 }), context)
    const kept = yield* pushImage(url, "kept/app", "v1", "kept layer")
    // What the requests are about.
    yield* pushImage(url, "a/b", "v1", "layer")
    yield* pushImage(url, "a/b", "v2", "other")
    yield* pushBlob(url, "a/b", "stray")
    return { url, kept }
  }).pipe(Effect.provideService(References.MinimumLogLevel, "None"), Scope.provide(scope))
  const { kept, url } = await Effect.runPromise(began)
  const close = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    rmSync(outer, { recursive: true, force: true })
  }
  return { url, outer, root, kept, asked: 0, close }
}

let running: Promise<Running> | undefined

/** Inputs that one storage takes in before it is begun anew, so that it stays small. */
const mostAsked = 400

const fresh = async (): Promise<Running> => {
  const now = await (running ??= start())
  if (now.asked < mostAsked) return now
  await now.close()
  running = start()
  return running
}

/** Milliseconds without a byte after which what is left of a request does not come any more. */
const quiet = 40

/** Sends all of it, and gives what came until the server closed, or was silent once the client had said all. */
const sent = (url: string, bytes: Buffer): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const received: Array<Buffer> = []
    let timer: NodeJS.Timeout | undefined
    const wait = () => {
      clearTimeout(timer)
      // A request that is not whole is given up, as by a client that vanished (faults R09).
      timer = setTimeout(() => socket.destroy(), quiet)
    }
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes)
      wait()
    })
    socket.on("data", (part: Buffer) => {
      received.push(part)
      wait()
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      clearTimeout(timer)
      resolve(Buffer.concat(received).toString("latin1"))
    })
  })

interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** The answers in what came, one behind the other, and what is wrong with their form. */
const answersIn = (
  received: string,
  isHead: boolean
): { readonly answers: ReadonlyArray<Answer>; readonly problems: ReadonlyArray<string> } => {
  const answers: Array<Answer> = []
  for (let rest = received; rest !== "";) {
    const end = rest.indexOf("\r\n\r\n")
    const [first = "", ...lines] = rest.slice(0, Math.max(0, end)).split("\r\n")
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
    if (end < 0 || !(status >= 100 && status <= 599))
      return isHead
        ? { answers, problems: [] }
        : { answers, problems: [`no answer: ${JSON.stringify(rest.slice(0, 80))}`] }
    const headers = new Map<string, string>()
    for (const line of lines) {
      const parts = /^([A-Za-z0-9-]+): ([\x20-\x7e]*)$/.exec(line)
      if (parts?.[1] === undefined) return { answers, problems: [`a header ${JSON.stringify(line)}`] }
      headers.set(parts[1].toLowerCase(), parts[2] ?? "")
    }
    const after = rest.slice(end + 4)
    const isChunked = headers.get("transfer-encoding") === "chunked"
    const length = isChunked ? after.indexOf("0\r\n\r\n") + 5 : Number(headers.get("content-length") ?? 0)
    let body = after.slice(0, length)
    rest = after.slice(length)
    // The answer to a HEAD has a length, and no body: what follows is the next answer, or nothing.
    if (body.startsWith("HTTP/1.1 ") && isHead) {
      rest = body + rest
      body = ""
    }
    answers.push({ status, headers, body })
  }
  return { answers, problems: [] }
}

const errorProblem = (body: string): string | undefined => {
  try {
    const { errors } = JSON.parse(Buffer.from(body, "latin1").toString())
    const isOurs = Array.isArray(errors) && errors.length > 0 &&
      errors.every(({ code, message }) =>
        /^[A-Z_]+$/.test(code) && typeof message === "string" && message.length < 8_000
      )
    return isOurs && !/node:|\.ts:|undefined/.test(body) ? undefined : "an error of another form"
  } catch {
    return "an error that is no JSON"
  }
}

const flawsOf = ({ body, headers, status }: Answer, isHead: boolean): ReadonlyArray<string> => {
  // Of Node's own making: what is no HTTP, and what no program was asked about.
  const isForeign = !headers.has("docker-distribution-api-version")
  const location = headers.get("location")
  return [
    ...(status >= 500 && status !== 503 ? [`${status} ${body.slice(0, 300)}`] : []),
    ...(isForeign && ![100, 400, 408, 413, 417, 431, 503].includes(status) ? [`${status} of nobody`] : []),
    ...(!isForeign && headers.get("x-content-type-options") !== "nosniff" ? ["types may be guessed (R21)"] : []),
    ...(location !== undefined && !/^\/v2\/[a-z0-9._/-]+[0-9a-zA-Z:_-]+$/.test(location)
      ? [`location ${location} (R16)`]
      : []),
    ...(!isForeign && status >= 400 && !isHead ? [errorProblem(body)].filter((it) => it !== undefined) : [])
  ].map((it) => it.slice(0, 400))
}

interface Named {
  readonly mediaType: string
  readonly digest: string
  readonly urls?: ReadonlyArray<string>
}

const blobOf = (dir: string, digest: string): string => join(dir, "blobs", ...digest.split(":"))

/** What is wrong with a layout: files with other content than their names say, tags on nothing, images without parts. */
const storageFlaws = (root: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const file of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const [, algorithm, hex] = /\/blobs\/(sha\d+)\/([0-9a-f]+)$/.exec(file) ?? []
    if (algorithm === undefined || hex === undefined) continue
    const content = readFileSync(join(root, file))
    if (createHash(algorithm).update(content).digest("hex") !== hex) found.push(`${file} is other bytes (D3)`)
  }
  for (const file of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith("/index.json")) continue
    const dir = join(root, file, "..")
    const { manifests }: { readonly manifests: ReadonlyArray<Named> } = JSON.parse(
      readFileSync(join(root, file), "utf8")
    )
    for (const { digest } of manifests) {
      if (!existsSync(blobOf(dir, digest))) {
        found.push(`${file} names an absent ${digest} (D1)`)
        continue
      }
      const { config, layers, manifests: children } = JSON.parse(readFileSync(blobOf(dir, digest), "utf8"))
      const parts: ReadonlyArray<Named> = Array.isArray(children)
        ? []
        : [...config === undefined ? [] : [config], ...(layers ?? [])]
      for (const part of parts) {
        const isForeign = /foreign|nondistributable/.test(part.mediaType) || part.urls !== undefined
        if (!isForeign && !existsSync(blobOf(dir, part.digest))) found.push(`${digest} lacks ${part.digest} (D1)`)
      }
    }
  }
  return found
}

const judged = async (now: Running): Promise<ReadonlyArray<string>> => {
  const beside = readdirSync(now.outer).join()
  const answer = await fetch(`${now.url}/v2/kept/app/manifests/v1`).then((it) => it.text(), String)
  return [
    ...(answer === now.kept ? [] : [`it does not serve any more: ${answer.slice(0, 200)}`]),
    ...(beside === "root" && !existsSync("/tmp/escaped") ? [] : [`something came to be outside: ${beside}`]),
    ...(now.asked % 20 === 0 ? storageFlaws(now.root).map((it) => `within the last 20 requests: ${it}`) : [])
  ]
}

const request = (line: string, headers: Readonly<Record<string, string>> = {}, body = ""): string =>
  [
    `${line} HTTP/1.1`,
    "Host: localhost:5000",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === "" || "Transfer-Encoding" in headers ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    "Connection: close",
    "",
    body
  ].join("\r\n")

const layer = digestOf("layer")
const octets = { "Content-Type": "application/octet-stream" }
const image = imageOf("{}", ["layer"], { annotations: { note: "x" } })
const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: types.index,
  manifests: [{ mediaType: types.manifest, digest: digestOf(image), size: image.length }]
})

const seeds: ReadonlyArray<string> = [
  request("GET /v2/"),
  request("GET /v2/_catalog?n=2&last=a"),
  request("GET /v2/a/b/tags/list?n=1&last=v1", { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https" }),
  request("GET /v2/a/b/manifests/v1", { Accept: `${types.manifest}, ${types.index};q=0.5`, "If-None-Match": "\"x\"" }),
  request(`GET /v2/a/b/blobs/${layer}`, { Range: "bytes=1-3" }),
  request(`GET /v2/a/b/blobs/${layer}`, { Range: "bytes=-2, 0-1", "If-Range": `"${layer}"` }),
  request(`GET /v2/a/b/referrers/${layer}?artifactType=application/example`),
  request(`DELETE /v2/a/b/blobs/${digestOf("stray")}`),
  request("DELETE /v2/a/b/manifests/v2"),
  request("PUT /v2/a/b/manifests/v3", { "Content-Type": types.manifest }, image),
  request("PUT /v2/a/b/manifests/v4?tag=v5", { "Content-Type": types.index, Expect: "100-continue" }, index),
  request(`PUT /v2/a/b/manifests/${digestOf(image)}`, { "Content-Type": types.manifest }, image),
  request(`POST /v2/a/b/blobs/uploads/?digest=${layer}`, octets, "layer"),
  request(`POST /v2/a/c/blobs/uploads/?mount=${layer}&from=a/b`, { "Content-Length": "0" }),
  request("POST /v2/a/b/blobs/uploads/?digest-algorithm=sha512", { "Content-Length": "0" }),
  request(
    `POST /v2/a/b/blobs/uploads/?digest=${layer}`,
    { ...octets, "Transfer-Encoding": "chunked" },
    "3\r\nlay\r\n2;x=y\r\ner\r\n0\r\nX-Trailer: 1\r\n\r\n"
  ),
  request("PUT /v2/a/b/blobs/uploads/UPLOAD?digest=" + layer, octets, "layer"),
  request("PATCH /v2/a/b/blobs/uploads/UPLOAD", { ...octets, "Content-Range": "0-4" }, "layer"),
  request("GET /v2/a/b/blobs/uploads/UPLOAD"),
  request("DELETE /v2/a/b/blobs/uploads/UPLOAD", { Authorization: "Basic dTpw" })
]

/** Uploads are open where a request speaks of one. */
const withUpload = async (now: Running, input: Buffer): Promise<Buffer> => {
  const at = input.indexOf("UPLOAD")
  if (at < 0) return input
  const answer = await fetch(`${now.url}/v2/a/b/blobs/uploads/`, { method: "POST" })
  const id = answer.headers.get("location")?.split("/").at(-1) ?? ""
  return Buffer.concat([input.subarray(0, at), Buffer.from(id), input.subarray(at + 6)])
}

const taken = async (input: Buffer) => {
  const now = await fresh()
  now.asked += 1
  const received = await sent(now.url, await withUpload(now, input))
  const isHead = /HEAD/i.test(input.toString("latin1"))
  const { answers, problems } = answersIn(received, isHead)
  const violations = [...problems, ...answers.flatMap((it) => flawsOf(it, isHead)), ...await judged(now)]
  return { violations, refused: answers.find(({ status }) => status >= 400) }
}

/** A request is taken in where its first answer says so; all else is refused. */
const requests: Family = {
  name: "request to serve",
  form: "text",
  weight: 12,
  seeds,
  take: (input) =>
    Effect.flatMap(Effect.promise(() => taken(input)), ({ refused, violations }) =>
      violations.length > 0
        ? Effect.succeed(violations)
        : refused === undefined
        ? Effect.succeed(held)
        : Effect.fail(new Problem({ message: `status ${refused.status}` }))),
  stop: async () => {
    await (await running)?.close()
    running = undefined
  }
}

const document = (name: string, line: string, type: string, seed: string): Family => ({
  ...requests,
  name: `${name} to serve`,
  form: "json",
  weight: 3,
  seeds: [seed],
  take: (input) => {
    const headers = { "Content-Type": type, "Content-Length": String(input.length) }
    return requests.take(Buffer.concat([Buffer.from(request(line, headers)), input]))
  }
})

export const served: ReadonlyArray<Family> = [
  requests,
  document("image", "PUT /v2/a/b/manifests/v6", types.manifest, image),
  document("index", "PUT /v2/a/b/manifests/v7", types.index, index)
]
