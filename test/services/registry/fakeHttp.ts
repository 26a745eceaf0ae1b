/** A RegistryHttp that plays a script: each request is recorded, and answered by the next line or by a function. */
import { Effect, Layer } from "effect"
import { defaultHost, type Host } from "../../../src/schemas/Host.ts"
import type { Headers } from "../../../src/schemas/Manifest.ts"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import { collect, fromBytes, fromPump, type Pump, pumpOf } from "../../../src/services/Bytes.ts"
import { Hosts } from "../../../src/services/Hosts.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { RegistryHttp, type RegistryRequest } from "../../../src/services/RegistryHttp.ts"

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Pump
  /** Where a redirect led, when it is another place than was asked. */
  readonly url?: string
}

/** What was asked: `METHOD path?query` and the rest of the request with its body read. */
export interface Asked {
  readonly line: string
  readonly request: RegistryRequest
  readonly body: Uint8Array | undefined
}

export type Replying = (asked: Asked) => Answer | StoreError | Effect.Effect<Answer, StoreError>
export type Reply = Answer | StoreError | Replying

const base = "https://r.example/v2/"

const addressOf = ({ path, query, repository, url }: RegistryRequest): URL => {
  if (url !== undefined) return url
  const address = new URL(repository === undefined ? `${base}${path}` : `${base}${repository}/${path}`)
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const it of typeof value === "string" ? [value] : value) address.searchParams.append(key, it)
  }
  return address
}

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  405: "Method Not Allowed",
  413: "Request Entity Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable"
}

/** How the service tells a status it does not accept. */
export const refusal = (status: number, body = ""): StoreError => {
  const told = {
    401: ["Unauthorized", "unauthorized [http 401]"],
    403: ["Forbidden", "unauthorized [http 403]"],
    404: ["NotFound", "not found [http 404]"],
    429: ["RateLimited", "rate limit exceeded [http 429]"]
  } as const
  const [tag, text] = told[status as keyof typeof told] ??
    ["HttpStatus", `unexpected http status code: ${phrases[status] ?? ""} [http ${status}]`]
  return storeError("request failed", tag, `${text}: ${body}`, { status })
}

/** No answer came, whether or not the request was seen. */
export const reset = storeError("", "ConnectionLost", "read ECONNRESET")

/** What can be resumed begins where it was asked to, whatever the server sends. */
const pieceOf = ({ headers, resume }: RegistryRequest, status: number, body: string | Uint8Array | Pump) => {
  if (resume === undefined || status === 206 || typeof body === "function") return body
  const isPart = resume.from > 0 || headers?.["range"] !== undefined
  return bytesOf(body).subarray(resume.from, isPart ? resume.size : undefined)
}

const bytesOf = (body: string | Uint8Array): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : body

export const fakeHttp = (replies: ReadonlyArray<Reply> | Replying) => {
  const asked: Array<Asked> = []
  let next = 0
  const request = Effect.fnUntraced(function*(request: RegistryRequest) {
    const url = addressOf(request)
    const line = `${request.method} ${url.pathname.replace(/^\/v2\//, "")}${url.search}`
    const entry: { -readonly [Key in keyof Asked]: Asked[Key] } = { line, request, body: undefined }
    asked.push(entry)
    if (request.body !== undefined) {
      entry.body = request.body instanceof Uint8Array
        ? request.body
        : yield* collect(fromPump(request.body.pump), 1 << 30)
    }
    const reply = typeof replies === "function" ? replies : replies[next++]
    const given = typeof reply === "function" ? reply(entry) : reply ?? refusal(500, `unexpected: ${line}`)
    const answer = Effect.isEffect(given) && !("_tag" in given) ? yield* given : given as Answer | StoreError
    if ("_tag" in answer) return yield* Effect.fail(answer)
    const headers: Headers = Object.fromEntries(
      Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), [value]])
    )
    if (answer.status >= 300 && !(request.accept ?? []).includes(answer.status)) {
      return yield* Effect.fail(refusal(answer.status, typeof answer.body === "string" ? answer.body : ""))
    }
    const body = answer.body === undefined ? "" : pieceOf(request, answer.status, answer.body)
    const pump: Pump = typeof body === "function"
      ? body
      : pumpOf(fromBytes(bytesOf(body)))
    return { status: answer.status, headers, body: pump, url: answer.url === undefined ? url : new URL(answer.url) }
  })
  return { asked, request, lines: () => asked.map(({ line }) => line) }
}

/** The registry's layer over a script. */
export const registryOver = (http: Pick<ReturnType<typeof fakeHttp>, "request">, host: Partial<Host> = {}) =>
  Registry.layer.pipe(
    Layer.provide(Layer.succeed(RegistryHttp, RegistryHttp.of({ request: http.request }))),
    Layer.provide(Layer.succeed(
      Hosts,
      Hosts.of({
        get: (name) => Effect.succeed({ ...defaultHost(name), ...host }),
        readOrder: (name) => Effect.succeed([{ ...defaultHost(name), ...host }])
      })
    ))
  )

/** Opens `r.example/app` for a test; the lines asked for are read from `http`. */
export const opened = (http: Pick<ReturnType<typeof fakeHttp>, "request">, host: Partial<Host> = {}) =>
  Effect.provide(
    Effect.flatMap(Registry, (registry) => registry.open({ registry: "r.example", repository: "app" })),
    registryOver(http, host)
  )
