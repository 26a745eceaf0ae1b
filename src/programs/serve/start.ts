/** Starts an embedded registry in this process, for as long as a scope is open. */
import { Clock, Effect, Layer, Option, Path, Stream } from "effect"
import type { FileSystem, Scope } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { StoreError } from "../../schemas/StoreError.ts"
import { type LoginError, Logins } from "../../services/Logins.ts"
import type { Repositories } from "../../services/Repositories.ts"
import { ServeStore } from "../../services/ServeStore.ts"
import { temporaryDirectory } from "../../services/temporaryDirectory.ts"
import { Uploads } from "../../services/Uploads.ts"
import { refusal, toResponse } from "./failures.ts"
import { Listener, type ListenOptions, ServeError } from "./Listener.ts"
import { router } from "./router.ts"

/** One request, as soon as its answer is known. */
export interface ServedRequest {
  readonly method: string
  readonly path: string
  /** Parameters of the protocol only; a stranger's may be secrets. */
  readonly query: string
  readonly status: number
}

/** Answers in place of the registry, to show its clients faults. */
export type Fault = (
  request: HttpServerRequest.HttpServerRequest
) => Effect.Effect<Option.Option<HttpServerResponse.HttpServerResponse>>

export interface ServeOptions extends Partial<ListenOptions> {
  /** Where the layouts are; without it a temporary directory that goes with the scope. */
  readonly dir?: string
  readonly isReadOnly?: boolean
  /** Take images whose blobs are missing. */
  readonly isSparse?: boolean
  /** Bytes one upload may have; 100 GiB without it. */
  readonly uploadLimit?: number
  /** Path of a password file; without it everybody may do everything. */
  readonly htpasswd?: string
  readonly fault?: Fault
  readonly onRequest?: (request: ServedRequest) => void
}

export type ServeNeeds = Listener | Repositories | FileSystem.FileSystem | Path.Path | Scope.Scope

/** Listens on loopback and a free port unless told otherwise; gives the address, `http://127.0.0.1:5000`. */
export const serve = (
  options: ServeOptions = {}
): Effect.Effect<string, ServeError | LoginError | StoreError, ServeNeeds> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const listener = yield* Listener
    const temporary = Effect.mapError(temporaryDirectory(), ({ message }) => new ServeError({ message }))
    const root = options.dir ?? (yield* temporary)
    // A directory that is only read may be one that cannot be written.
    const uploads = options.isReadOnly === true ? yield* temporary : path.join(root, ".uploads")
    const context = yield* Layer.build(Layer.mergeAll(
      ServeStore.layer(root),
      Uploads.layer({
        directory: uploads,
        ...(options.uploadLimit === undefined ? {} : { limit: options.uploadLimit })
      }),
      options.htpasswd === undefined ? Logins.layerOpen : Logins.layer(options.htpasswd)
    ))
    const host = options.host ?? "127.0.0.1"
    const server = yield* listener.listen({
      host,
      port: options.port ?? 0,
      ...(options.tls === undefined ? {} : { tls: options.tls })
    })
    const answer = router({ isReadOnly: options.isReadOnly ?? false, isSparse: options.isSparse ?? false })
    yield* server.serve(Effect.provideContext(observed(answer, options), context))
    const port = "port" in server.address ? server.address.port : options.port
    return `${options.tls === undefined ? "http" : "https"}://${urlHost(host)}:${port}`
  })

const urlHost = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/** Runs the fault or the registry, tells who watches, and logs one line once the answer was sent. */
const observed = <E, R>(
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  { fault, onRequest }: ServeOptions
) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const started = yield* Clock.currentTimeMillis
    const faulty = fault === undefined ? Option.none() : yield* fault(request)
    const response = Option.isSome(faulty) ? faulty.value : yield* answer.pipe(
      Effect.catchDefect((defect) =>
        Effect.as(
          Effect.logError("internal error", defect),
          toResponse(refusal(500, "UNKNOWN", "internal error"))
        )
      )
    )
    const served = { method: request.method, ...publicTarget(request.url), status: response.status }
    onRequest?.(served)
    const sent = { bytes: 0 }
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Clock.currentTimeMillis, (ended) =>
        Effect.logInfo(`${served.method} ${served.path}${served.query}`).pipe(
          Effect.annotateLogs({
            status: served.status,
            bytes: sent.bytes,
            milliseconds: ended - started,
            client: addressOf(request)
          })
        ))
    )
    return counted(response, request, sent)
  }).pipe(Effect.interruptible)

/** The peer itself, whatever forwarding headers say (faults R16); an IPv4 address as such on a socket of both kinds. */
const addressOf = (request: HttpServerRequest.HttpServerRequest): string =>
  Option.getOrElse(request.remoteAddress, () => "unknown").replace(/^::ffff:/, "")

const counted = (
  response: HttpServerResponse.HttpServerResponse,
  request: HttpServerRequest.HttpServerRequest,
  sent: { bytes: number }
): HttpServerResponse.HttpServerResponse => {
  const { body } = response
  if (request.method === "HEAD") return response
  if (body._tag === "Uint8Array") sent.bytes = body.contentLength
  if (body._tag !== "Stream") return response
  const stream = Stream.mapArray(body.stream, (views) => {
    for (const view of views) sent.bytes += view.length
    return views
  })
  const headers = response.headers
  const length = body.contentLength === undefined ? {} : { contentLength: Number(body.contentLength) }
  return HttpServerResponse.stream(stream, {
    status: response.status,
    headers,
    contentType: body.contentType,
    ...length
  })
}

const shown = new Set(["n", "last", "digest", "mount", "from", "artifactType", "tag", "digest-algorithm"])

const publicTarget = (url: string): { readonly path: string; readonly query: string } => {
  const [path = "", query = ""] = url.split("?", 2)
  const parameters = [...new URLSearchParams(query)].filter(([name]) => shown.has(name))
  const text = new URLSearchParams(parameters).toString().replaceAll("%3A", ":").replaceAll("%2F", "/")
  return { path, query: text === "" ? "" : `?${text}` }
}
