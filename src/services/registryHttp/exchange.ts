/** One attempt of a request at one host: logged in, redirected, its answer told from a failure. */
import { Clock, Effect, Exit, Scope, Semaphore } from "effect"
import type { Context } from "effect"
import { retryAfter } from "../../lib/httpTime.ts"
import type { Host } from "../../schemas/Host.ts"
import { header } from "../../schemas/Manifest.ts"
import { quotaOf } from "../../schemas/Quota.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { fromBytes, pumpOf } from "../Bytes.ts"
import type { Hosts } from "../Hosts.ts"
import type { RateLimiter } from "../RateLimiter.ts"
import type { AuthRequest, RegistryAuth } from "../RegistryAuth.ts"
import { requestScopes } from "../registryAuth/scopes.ts"
import type { RegistryRequest, RegistryResponse } from "../RegistryHttp.ts"
import { Secrets } from "../Secrets.ts"
import type { Body, Reach, Transport, TransportRequest, TransportResponse } from "../Transport.ts"
import { userAgent } from "../UserAgent.ts"
import type { Warnings } from "../Warnings.ts"
import { readText, statusFailure } from "./failures.ts"
import { addressProblem, departure, follow, type Hop, isRedirect, maxRedirects } from "./redirects.ts"
import { shownHeaders, trace } from "./trace.ts"
import { originOf, requestUrl, rootOf, shownUrl, tlsFor, wireRepository, withEncryption } from "./urls.ts"

export interface Parts {
  readonly hosts: Context.Service.Shape<typeof Hosts>
  readonly auth: Context.Service.Shape<typeof RegistryAuth>
  readonly limiter: Context.Service.Shape<typeof RateLimiter>
  readonly transport: Context.Service.Shape<typeof Transport>
  readonly warnings: Context.Service.Shape<typeof Warnings>
  /** How local each host was found to be. */
  readonly reaches: Map<string, Reach>
  /** Held by the first request to a host, until it is known how to log in there. */
  readonly contacts: Map<string, Semaphore.Semaphore>
}

/** Where a hop goes and as whom. */
interface Target {
  readonly host: Host
  /** Of the host that was asked first: its login is offered beforehand, its limits and warnings are read. */
  readonly isOwn: boolean
  readonly isAnonymous: boolean
  /** A 401 is for good: nothing else is tried there. */
  readonly isFinal: boolean
  readonly reach: Reach | undefined
}

interface Answer {
  readonly response: TransportResponse
  readonly discard: Effect.Effect<void>
}

/** Rounds of authentication of one attempt (faults N16). */
const maxRounds = 2

/** Makes one attempt at one host. Its place there is held until the scope ends. */
export const exchange = Effect.fnUntraced(
  function*(parts: Parts, request: RegistryRequest, host: Host, upstream: Host) {
    if (request.method === "HEAD" && isTrue(host.apiOpts["disableHead"])) {
      return yield* storeError("", "Unsupported", `head requests disabled for host "${host.name}": unsupported API`)
    }
    yield* parts.limiter.enter(host.name, request.demand)
    const first = yield* firstHop(request, host, upstream)
    let hop = first
    let target = yield* targetOf(parts, request, host, first, parts.reaches.get(host.name))
    const rounds = { left: maxRounds }
    let [redirects, isAskedAgain] = [0, false]
    while (true) {
      const auth = authRequest(request, target, hop)
      const { discard, response } = yield* loggedIn(parts, target, hop, auth, rounds)
      const { status } = response
      if (target.isOwn) yield* observe(parts, host, response)
      if (isRedirect(status) && request.accept?.includes(status) !== true) {
        if (++redirects > maxRedirects) {
          return yield* storeError("request failed", "TooManyRedirects", `stopped after ${maxRedirects} redirects`)
        }
        yield* Effect.andThen(readText(response), discard)
        const location = header(response.headers, "location")
        const next: Hop = yield* Effect.fromResult(
          follow(hop, { status, location, isUpload: request.demand.kind === "blob" })
        )
        yield* Effect.annotateLogs(Effect.logDebug("Redirect"), { url: shownUrl(next.url, false) })
        hop = next
        target = yield* targetOf(parts, request, host, next, response.reach)
        continue
      }
      // The signature of a redirect's target may have expired: the registry gives a new one, once (faults N25).
      if (
        redirects > 0 && !target.isOwn && !isAskedAgain && hop.body === undefined && [400, 401, 403].includes(status)
      ) {
        yield* Effect.andThen(readText(response), discard)
        ;[hop, redirects, isAskedAgain] = [first, 0, true]
        target = yield* targetOf(parts, request, host, first, parts.reaches.get(host.name))
        continue
      }
      return yield* accepted(parts, request, auth, response)
    }
  }
)

const isTrue = (text: string | undefined): boolean => /^(?:1|t|true)$/i.test(text ?? "")

const firstHop = (request: RegistryRequest, host: Host, upstream: Host): Effect.Effect<Hop, StoreError> => {
  const root = rootOf(host)
  if (root === undefined) {
    const problem = `invalid reference, not the address of a registry: "${host.hostname}"`
    return Effect.fail(storeError("", "ReferenceInvalid", problem))
  }
  const url = request.url === undefined ? requestUrl(host, request, upstream) : withEncryption(request.url, host)
  const problem = addressProblem(root, url) ?? departure(request.method, root, url)
  if (problem !== undefined) return Effect.fail(storeError("request failed", "RedirectRefused", problem))
  const { body, headers, method } = request
  return Effect.map(userAgent, (agent) => ({
    method,
    url,
    headers: { "user-agent": agent, "accept-encoding": "identity", ...headers, ...rangeOf(request) },
    body
  }))
}

const rangeOf = ({ headers, resume }: RegistryRequest): Readonly<Record<string, string>> =>
  resume === undefined || resume.from === 0 || headers?.["range"] !== undefined
    ? {}
    : { range: `bytes=${resume.from}-${resume.size - 1}` }

/** Credentials belong to one origin; another is asked anonymously unless it has a configuration of its own. */
const targetOf = (
  parts: Parts,
  request: RegistryRequest,
  host: Host,
  hop: Hop,
  reach: Reach | undefined
): Effect.Effect<Target> =>
  hop.url.origin === originOf(host)
    ? Effect.succeed({ host, isOwn: true, isFinal: false, isAnonymous: false, reach: undefined })
    : elsewhere(parts, request, host, hop, reach)

const elsewhere = Effect.fnUntraced(
  function*(parts: Parts, request: RegistryRequest, host: Host, { method, url }: Hop, reach: Reach | undefined) {
    const [isOwn, isFinal] = [false, !isRead(request, method)]
    const other = yield* parts.hosts.get(url.host)
    if (other.isConfigured && originOf(other) === url.origin) {
      return { host: other, isOwn, isFinal, isAnonymous: !isContent(request, method), reach: undefined }
    }
    const isSameHost = url.hostname === rootOf(host)?.hostname
    return { host, isOwn, isFinal, isAnonymous: true, reach: reach ?? (isSameHost ? undefined : "public" as const) }
  }
)

/** Neither a write nor an upload's location, whose signature is all there is to say (faults N27). */
const isRead = ({ demand, url }: RegistryRequest, method: string): boolean =>
  (method === "GET" || method === "HEAD") && !(url !== undefined && demand.kind === "query")

/**
 * What a registry sends elsewhere is done there with that host's login only where it reads content by digest: else one
 * registry could write to or delete from another in our name, or have us bring it what it cannot name.
 */
const isContent = (request: RegistryRequest, method: string): boolean =>
  isRead(request, method) && /^(?:blobs|manifests)\/[^/:]+:/.test(request.path)

const authRequest = (request: RegistryRequest, { host, isAnonymous }: Target, { method, url }: Hop): AuthRequest => {
  const repository = wireRepository(host, request.repository)
  const { path, scopes } = request
  return {
    host,
    url,
    repository,
    isAnonymous,
    // Asked for by who needs a token only.
    get scopes() {
      return requestScopes({ method, repository, path, scopes })
    }
  }
}

/** Sends a hop, and again with what its refusal taught. Who comes first to a host goes alone until that is settled. */
const loggedIn = (parts: Parts, target: Target, hop: Hop, auth: AuthRequest, rounds: { left: number }) => {
  const sent = rounded(parts, target, hop, auth, rounds)
  if (!target.isOwn || parts.auth.isKnown(auth) || isPump(hop.body)) return sent
  const key = `${target.host.name} ${target.host.repoAuth ? auth.repository ?? "" : ""}`
  const contact = parts.contacts.get(key) ?? Semaphore.makeUnsafe(1)
  parts.contacts.set(key, contact)
  const alone = Effect.tapError(sent, () => Effect.sync(() => parts.auth.accepted(auth)))
  const turn = Effect.suspend(() => parts.auth.isKnown(auth) ? Effect.succeed(undefined) : alone)
  return Effect.flatMap(contact.withPermit(turn), (answer) => answer === undefined ? sent : Effect.succeed(answer))
}

const isPump = (body: Body | undefined): boolean => body !== undefined && !(body instanceof Uint8Array)

const rounded = Effect.fnUntraced(function*(
  parts: Parts,
  target: Target,
  hop: Hop,
  auth: AuthRequest,
  rounds: { left: number }
) {
  let offers = target.isOwn
  while (true) {
    const authorization = offers ? yield* parts.auth.authorize(auth) : undefined
    const answer = yield* send(parts, target, hop, authorization)
    const challenges = answer.response.headers["www-authenticate"] ?? []
    if (!isRefusal(answer.response, challenges)) {
      if (answer.response.status < 500 && answer.response.status !== 429) parts.auth.accepted(auth)
      return answer
    }
    // An upload's signed location says 401 for good (faults N27); others may ask for a login of their own.
    if (target.isFinal || (!target.isOwn && challenges.length === 0)) return answer
    if (rounds.left === 0) return answer
    rounds.left--
    const text = yield* readText(answer.response)
    yield* answer.discard
    const { reach } = answer.response
    const learned = parts.auth.refused(auth, { sent: authorization, challenges, reach })
    if (!target.isOwn) {
      const failure = yield* Effect.match(learned, { onFailure: (it) => it, onSuccess: () => undefined })
      if (failure !== undefined) return { ...answer, response: withText(answer.response, text) }
    } else yield* learned
    offers = true
  }
})

const withText = (response: TransportResponse, text: string): TransportResponse => ({
  ...response,
  body: pumpOf(fromBytes(new TextEncoder().encode(text)))
})

const isRefusal = ({ status }: TransportResponse, challenges: ReadonlyArray<string>): boolean =>
  status === 401 || (status === 403 && challenges.some((it) => it.includes("insufficient_scope")))

/** Sends one hop in a scope of its own, which ends with the attempt's or when its answer is discarded. */
const send = Effect.fnUntraced(function*(parts: Parts, target: Target, hop: Hop, authorization: string | undefined) {
  const scope = Scope.forkUnsafe(yield* Effect.scope)
  const message: TransportRequest = {
    method: hop.method,
    url: hop.url,
    headers: authorization === undefined ? hop.headers : { ...hop.headers, authorization },
    tls: tlsFor(target.host, hop.url, !target.isAnonymous),
    timeouts: target.host.timeouts,
    ...(hop.body === undefined ? {} : { body: hop.body }),
    ...(target.reach === undefined ? {} : { reach: target.reach })
  }
  const secrets = yield* Secrets
  if (authorization !== undefined) secrets.learnHeader(authorization)
  const shown = () => shownUrl(hop.url, target.isOwn)
  yield* trace("HTTP request", () => ({ method: hop.method, url: shown(), headers: shownHeaders(message.headers) }))
  const response = yield* Effect.provideService(parts.transport.send(message), Scope.Scope, scope)
  yield* trace(
    "HTTP response",
    () => ({ url: shown(), status: response.status, headers: shownHeaders(response.headers, secrets) })
  )
  if (target.isOwn && response.reach !== undefined) parts.reaches.set(target.host.name, response.reach)
  const answer: Answer = { response, discard: Scope.close(scope, Exit.void) }
  return answer
})

const observe = (parts: Parts, host: Host, { headers }: TransportResponse): Effect.Effect<void> => {
  const quota = quotaOf(headers)
  const warnings = headers["warning"]
  if (quota === undefined && warnings === undefined) return Effect.void
  return Effect.andThen(
    quota === undefined ? Effect.void : parts.limiter.observe(host.name, quota),
    warnings === undefined ? Effect.void : parts.warnings.observe(warnings)
  )
}

const accepted = (
  parts: Parts,
  request: RegistryRequest,
  auth: AuthRequest,
  response: TransportResponse
): Effect.Effect<RegistryResponse, StoreError> => {
  const { headers, status } = response
  const isSuccess = status >= 200 && status < 300
  if (!isSuccess && request.accept?.includes(status) !== true) return failure(parts, auth, response)
  const encodings = headers["content-encoding"]?.join(", ") ?? ""
  if (isSuccess && request.method === "GET" && !/^(?:identity)?$/i.test(encodings.trim())) {
    const problem = `answer with content encoding ${JSON.stringify(encodings)}`
    return Effect.fail(storeError("request failed", "ProtocolError", problem))
  }
  return Effect.succeed({ ...response, url: auth.url })
}

const failure = Effect.fnUntraced(function*({ auth }: Parts, request: AuthRequest, response: TransportResponse) {
  const { headers, status } = response
  const body = yield* readText(response)
  const now = yield* Clock.currentTimeMillis
  const asked = status === 429 || status === 503 ? retryAfter(header(headers, "retry-after"), now) : undefined
  const source = status === 401 ? yield* auth.source(request) : undefined
  const isTokenRefused = status === 401 &&
    (headers["www-authenticate"] ?? []).some((it) => it.includes("invalid_token"))
  return yield* statusFailure({ status, body, retryAfter: asked, source, isTokenRefused })
})
