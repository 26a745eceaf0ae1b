/** The status server's requests: the page, its data, probes and metrics to read; the start of a run to ask for. */
import { Clock, Effect, Result, Stream } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { isSameSecret } from "../../lib/sameSecret.ts"
import type { BuildInformation } from "../../services/BuildInfo.ts"
import { isOwnHost } from "./address.ts"
import { guarded, json, problem, text } from "./answers.ts"
import { changes } from "./events.ts"
import { metrics } from "./metrics.ts"
import type { Model } from "./model.ts"
import { contentSecurityPolicy, page } from "./page.ts"
import { jobView, stateView } from "./view.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** What becomes of a wish to start a job now. */
export type Started = "started" | "running"

export interface RouterOptions {
  readonly tool: string
  readonly build: BuildInformation
  /** Empty when nobody may start anything. */
  readonly token: string
  /** Only clients that call it by a name of this machine are answered. */
  readonly isLocal: boolean
  readonly runNow: (job: string) => Effect.Effect<Started>
  readonly model: () => Model
  /** Ends streams when the server is to end. */
  readonly closing: Effect.Effect<void>
}

/** Readers of the event stream at once. */
const mostReaders = 100

/** Answers the request of the context. */
export const router = (options: RouterOptions) => {
  const routes = routesOf(options)
  return Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const answer = options.isLocal && !isOwnHost(request.headers["host"])
      ? problem(421, "this server answers to localhost only")
      : yield* routed(routes, request)
    // A body is of no use here; it goes with its connection.
    const hasBody = request.headers["transfer-encoding"] !== undefined ||
      (request.headers["content-length"] ?? "0") !== "0"
    return guarded(hasBody ? HttpServerResponse.setHeader(answer, "connection", "close") : answer)
  }).pipe(
    Effect.catchDefect((defect) =>
      Effect.as(Effect.logError("internal error", defect), guarded(problem(500, "internal error")))
    )
  )
}

interface Route {
  readonly method: "GET" | "POST"
  readonly path: RegExp
  /** `name` is the part of the path that names a job. */
  readonly answer: (request: Request, name: string) => Effect.Effect<Response>
}

const routed = (routes: ReadonlyArray<Route>, request: Request): Effect.Effect<Response> => {
  const [path = ""] = request.url.split("?", 1)
  const here = routes.filter((route) => route.path.test(path))
  const [first] = here
  if (first === undefined) return Effect.succeed(problem(404, "not found"))
  const method = request.method === "HEAD" ? "GET" : request.method
  const route = here.find((it) => it.method === method)
  if (route === undefined) {
    const allow = here.map((it) => it.method === "GET" ? "GET, HEAD" : it.method).join(", ")
    return Effect.succeed(problem(405, "method not allowed", { allow }))
  }
  const name = Result.try(() => decodeURIComponent(route.path.exec(path)?.[1] ?? ""))
  return Result.isFailure(name)
    ? Effect.succeed(problem(404, "not found"))
    : route.answer(request, name.success)
}

const routesOf = ({ build, closing, model, runNow, token, tool }: RouterOptions): ReadonlyArray<Route> => {
  const surroundings = { tool, version: build.tag || build.commit, canRun: token !== "" }
  const readers = { count: 0 }
  const get = (path: RegExp, answer: Route["answer"]): Route => ({ method: "GET", path, answer })
  return [
    get(/^\/$/, () =>
      Effect.succeed(
        HttpServerResponse.setHeader(
          text(200, page, "text/html; charset=utf-8"),
          "content-security-policy",
          contentSecurityPolicy
        )
      )),
    get(/^\/healthz$/, () => Effect.succeed(text(200, "ok\n"))),
    get(
      /^\/readyz$/,
      () => Effect.sync(() => model().isReady ? text(200, "ready\n") : text(503, "the first pass has not ended\n"))
    ),
    get(
      /^\/metrics$/,
      () => Effect.sync(() => text(200, metrics(tool, build, model()), "text/plain; version=0.0.4; charset=utf-8"))
    ),
    get(
      /^\/api\/v1\/jobs$/,
      () => Effect.map(Clock.currentTimeMillis, (now) => json(200, stateView(surroundings, model(), now)))
    ),
    get(/^\/api\/v1\/jobs\/([^/]+)$/, (_, name) =>
      Effect.sync(() => {
        const job = model().jobs.get(name)
        return job === undefined ? problem(404, "no such entry") : json(200, jobView(job, Infinity))
      })),
    get(/^\/api\/v1\/events$/, () => Effect.sync(() => eventStream(readers, changes(surroundings, model), closing))),
    {
      method: "POST",
      path: /^\/api\/v1\/jobs\/([^/]+)\/run$/,
      answer: (request, name) => startRun(request, name, token, tool, model, runNow)
    }
  ]
}

const eventStream = (
  readers: { count: number },
  events: Stream.Stream<Uint8Array>,
  closing: Effect.Effect<void>
): Response => {
  if (readers.count >= mostReaders) return problem(503, "too many readers", { "retry-after": "10" })
  const counted = Effect.as(
    Effect.acquireRelease(Effect.sync(() => readers.count++), () => Effect.sync(() => readers.count--)),
    Stream.interruptWhen(events, closing)
  )
  return HttpServerResponse.stream(Stream.unwrap(counted), {
    contentType: "text/event-stream",
    // A proxy that gathers answers would show changes late.
    headers: { "x-accel-buffering": "no" }
  })
}

const startRun = Effect.fnUntraced(function*(
  request: Request,
  name: string,
  token: string,
  tool: string,
  model: () => Model,
  runNow: (job: string) => Effect.Effect<Started>
) {
  if (token === "") return problem(403, "runs cannot be asked for: no token is configured")
  const given = /^bearer +(\S+) *$/i.exec(request.headers["authorization"] ?? "")?.[1]
  if (given === undefined || !isSameSecret(given, token)) {
    if (given !== undefined) yield* Effect.logWarning("Run asked for with a wrong token")
    return problem(401, "a valid token is needed", { "www-authenticate": `Bearer realm="${tool}"` })
  }
  if (!model().jobs.has(name)) return problem(404, "no such entry")
  if ((yield* runNow(name)) === "running") return problem(409, "the entry is at work already")
  yield* Effect.annotateLogs(Effect.logInfo("Run asked for"), { job: name })
  return json(202, { job: name, started: true })
})
