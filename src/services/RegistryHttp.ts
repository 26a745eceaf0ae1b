/** One registry request: order of hosts, login, admission, retries and redirects are dealt with here, and nowhere else. */
import { Clock, Context, Effect, Exit, Layer, Result, Scope } from "effect"
import type { Host } from "../schemas/Host.ts"
import { type StoreError, storeError, within } from "../schemas/StoreError.ts"
import { type Pump, watched } from "./Bytes.ts"
import { Hosts } from "./Hosts.ts"
import { type Demand, RateLimiter } from "./RateLimiter.ts"
import { RegistryAuth } from "./RegistryAuth.ts"
import {
  attemptsInAll,
  attemptsPerHost,
  backoff,
  Health,
  isTransient,
  LongestRetryAfter
} from "./registryHttp/backoff.ts"
import { exchange, type Parts } from "./registryHttp/exchange.ts"
import { tooLate } from "./registryHttp/failures.ts"
import { noRange, type Opened, positionOf } from "./registryHttp/opened.ts"
import { type Ranged, slowLink, slowLoopback } from "./registryHttp/ranges.ts"
import { resuming } from "./registryHttp/resume.ts"
import { type Body, Transport, type TransportResponse } from "./Transport.ts"
import { Warnings } from "./Warnings.ts"

export interface RegistryRequest {
  /** The name in references. */
  readonly registry: string
  /** Without: the path is below `/v2/` (ping, catalog). */
  readonly repository?: string
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below `/v2/<prefix>/<repository>/`, such as `manifests/v1`. */
  readonly path: string
  /** In place of the path: an upload's location, the next page, a layer's own URL. Taken as it is, rules of origins applied. */
  readonly url?: URL
  readonly query?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: Body
  readonly demand: Demand
  /** Reads may go to mirrors. */
  readonly mirrors?: boolean
  /** Statuses besides 2xx that are answers to the caller, not failures. */
  readonly accept?: ReadonlyArray<number>
  /** More repositories the token must be good for: `{ "library/app": "pull" }` for a mount. */
  readonly scopes?: Readonly<Record<string, string>>
  /** A failure is expected and says nothing about the host's health: one attempt, no backoff recorded. */
  readonly isProbe?: boolean
  /** A whole blob or part of one: a body that breaks off continues by `Range`, up to this size in bytes. */
  readonly resume?: { readonly from: number; readonly size: number }
}

export interface RegistryResponse extends TransportResponse {
  /** Where the answer came from, after redirects: base for relative locations. */
  readonly url: URL
  /** Continues after a break when the request said `resume`. */
  readonly body: Pump
  /** For who finds that a mirror sent something else than was asked for: the other hosts are asked before it for a while. */
  readonly reject?: Effect.Effect<void>
}

export class RegistryHttp extends Context.Service<RegistryHttp, {
  readonly request: (request: RegistryRequest) => Effect.Effect<RegistryResponse, StoreError, Scope.Scope>
}>()("regclient/services/RegistryHttp") {
  static readonly layer = Layer.effect(
    RegistryHttp,
    Effect.gen(function*() {
      const parts: Parts = {
        hosts: yield* Hosts,
        auth: yield* RegistryAuth,
        limiter: yield* RateLimiter,
        transport: yield* Transport,
        warnings: yield* Warnings,
        reaches: new Map(),
        contacts: new Map()
      }
      const health = new Health()
      return RegistryHttp.of({
        request: (request) =>
          request.resume === undefined
            ? Effect.map(open(parts, health, request), ({ response }) => response)
            : openResuming(parts, health, request, request.resume)
      })
    })
  )
}

interface Opening extends Opened {
  readonly response: RegistryResponse
  readonly host: Host
}

/** What of a request's course its attempts share. */
interface Course {
  candidates: ReadonlyArray<Host>
  readonly upstream: Host
  readonly hasMirrors: boolean
  readonly failures: Map<string, number>
  attempts: number
  /** The upstream's word counts before a mirror's. */
  error: StoreError | undefined
}

/** Attempts at the hosts in their order, until one answers or none is left. */
const open = Effect.fnUntraced(function*(parts: Parts, health: Health, given: RegistryRequest) {
  const scope = yield* Effect.scope
  const course = yield* courseOf(parts, given)
  let bodyFailure: StoreError | undefined
  const body = given.body === undefined || given.body instanceof Uint8Array
    ? given.body
    : { ...given.body, pump: watched(given.body.pump, (error) => bodyFailure = error) }
  const request = body === undefined ? given : { ...given, body }
  while (true) {
    const now = yield* Clock.currentTimeMillis
    const host = health.order(course.candidates, now)[0]
    if (host === undefined) return yield* course.error ?? storeError("request failed", "NotFound", "no host to ask")
    if (request.isProbe !== true) yield* health.wait(host.name)
    const attempt = Scope.forkUnsafe(scope)
    const result = yield* exchange(parts, request, host, course.upstream).pipe(
      Effect.provideService(Scope.Scope, attempt),
      Effect.flatMap((response) => rangeChecked(request, response)),
      Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(attempt, exit) : Effect.void),
      Effect.result
    )
    if (Result.isSuccess(result)) {
      const isMirror = host.name !== course.upstream.name
      const response = isMirror ? { ...result.success, reject: health.reject(host.name) } : result.success
      const opening: Opening = { ...response, response, host, close: Scope.close(attempt, Exit.void) }
      return opening
    }
    // What the sender of a body could not read is not this host's fault, and would fail again.
    if (bodyFailure !== undefined) return yield* bodyFailure
    yield* afterFailure(health, request, course, host, result.failure)
  }
})

const courseOf = Effect.fnUntraced(function*({ hosts }: Parts, request: RegistryRequest) {
  const upstream = yield* hosts.get(request.registry)
  const readers = request.mirrors === true && request.url === undefined ? yield* hosts.readOrder(request.registry) : []
  const candidates = readers.length === 0 ? [upstream] : readers
  const hasMirrors = candidates.length > 1
  const course: Course = { candidates, upstream, hasMirrors, failures: new Map(), attempts: 0, error: undefined }
  return course
})

/** A part that is not the one asked for is a failed attempt. */
const rangeChecked = ({ resume }: RegistryRequest, response: RegistryResponse) =>
  resume !== undefined && response.status === 206 && positionOf(response, resume.from, undefined) === undefined
    ? Effect.fail(noRange)
    : Effect.succeed(response)

/** Decides whether a host is asked again, and after which wait (faults, section 1, retries; N12–N14, N40). */
const afterFailure = Effect.fnUntraced(function*(
  health: Health,
  request: RegistryRequest,
  course: Course,
  host: Host,
  error: StoreError
) {
  const failures = (course.failures.get(host.name) ?? 0) + 1
  course.failures.set(host.name, failures)
  course.attempts++
  const asked = error.reason.retryAfter
  const isLate = asked !== undefined && asked > (yield* LongestRetryAfter)
  const told = isLate ? tooLate(error, asked) : error
  if (host.name === course.upstream.name || course.error === undefined) course.error = told
  const isTransientHere = request.isProbe !== true && isTransient(error, failures) && !isLate
  const isRepeated = isTransientHere && failures < attemptsPerHost
  if (isTransientHere && (isRepeated || course.hasMirrors)) {
    const now = yield* Clock.currentTimeMillis
    health.postpone(host.name, now + (asked ?? (yield* backoff(failures))))
  }
  if (!isRepeated) course.candidates = course.candidates.filter(({ name }) => name !== host.name)
  if (isRepeated && course.hasMirrors && course.attempts >= attemptsInAll) {
    return yield* within("retry limit exceeded")(told)
  }
})

/** A request whose body goes on after it broke off: the rest is a request like the first, to whichever host is best. */
const openResuming = Effect.fnUntraced(function*(
  parts: Parts,
  health: Health,
  request: RegistryRequest,
  wanted: { readonly from: number; readonly size: number }
) {
  const scope = yield* Effect.scope
  const first = yield* open(parts, health, request)
  const isPart = wanted.from > 0 || request.headers?.["range"] !== undefined
  const { resume: _, ...rest } = request
  const { range: __, ...headers } = request.headers ?? {}
  const reopen = (from: number) =>
    Effect.provideService(
      open(parts, health, {
        ...rest,
        headers: from === 0 ? headers : { ...headers, range: `bytes=${from}-${wanted.size - 1}` }
      }),
      Scope.Scope,
      scope
    )
  const body = resuming(first, { ...wanted, isPart }, reopen, rangedBy(parts, health, { ...rest, headers }, first))
  const response: RegistryResponse = { ...first.response, body }
  return response
})

/** Parts of it as requests of their own. Not where requests are counted: there are many more of them. */
const rangedBy = (
  parts: Parts,
  health: Health,
  request: RegistryRequest,
  { host, response }: Opening
): Ranged | undefined =>
  request.method !== "GET" || host.reqPerSec > 0 ? undefined : {
    open: (from, size, isProbe) =>
      Effect.map(
        openResuming(parts, health, {
          ...request,
          isProbe,
          headers: { ...request.headers, range: `bytes=${from}-${size - 1}` }
        }, { from, size }),
        (it) => ({ ...it, close: Effect.void })
      ),
    spare: parts.limiter.spare(host.name, request.demand),
    slow: response.reach === "local" ? slowLoopback : slowLink
  }
