/** One token from a token service: OAuth2 `POST` with a refresh token, else `GET` with or without a login. */
import { Clock, Effect, Redacted, Schema } from "effect"
import { parseTime, retryAfter } from "../../lib/httpTime.ts"
import type { Host } from "../../schemas/Host.ts"
import { header } from "../../schemas/Manifest.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { collect, fromPump } from "../Bytes.ts"
import type { Credential } from "../Credentials.ts"
import { attemptsPerHost, backoff, isTransient, LongestRetryAfter } from "../registryHttp/backoff.ts"
import { readText, statusFailure, tooLate } from "../registryHttp/failures.ts"
import { originOf, tlsFor } from "../registryHttp/urls.ts"
import { Secrets } from "../Secrets.ts"
import type { Reach, Transport, TransportRequest } from "../Transport.ts"
import { type Scopes, scopeTexts } from "./scopes.ts"

export interface Token {
  readonly value: Redacted.Redacted<string>
  readonly scopes: Scopes
  /** Milliseconds of the clock after which a new one is wanted. */
  readonly renewAt: number
  readonly refreshToken?: Redacted.Redacted<string>
}

export interface TokenRequest {
  /** Whose settings of TLS and time hold: the realm's, where it has an entry of its own, else the registry's. */
  readonly host: Host
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: Scopes
  readonly credential: Credential | undefined
  readonly refreshToken: Redacted.Redacted<string> | undefined
  readonly userAgent: string
  /** No address nearer than this is asked. */
  readonly reach: Reach | undefined
}

const Answer = Schema.fromJsonString(Schema.Struct({
  token: Schema.optional(Schema.Unknown),
  access_token: Schema.optional(Schema.Unknown),
  refresh_token: Schema.optional(Schema.Unknown),
  expires_in: Schema.optional(Schema.Unknown),
  issued_at: Schema.optional(Schema.Unknown)
}))
const decodeAnswer = Schema.decodeUnknownOption(Answer)

/** Bytes of an answer. */
const limit = 1024 * 1024

/** Seconds a token lives at least and at most, whatever its service says (faults N20). */
const [shortest, longest] = [60, 24 * 60 * 60]

/** Fails with `Unauthorized` naming the realm, or `RedirectRefused`: a token request is never redirected. */
export const fetchToken = Effect.fnUntraced(
  function*(transport: Transport["Service"], request: TokenRequest, method: "GET" | "POST") {
    const message = method === "GET" ? getRequest(request) : postRequest(request)
    const secrets = yield* Secrets
    const login = basicHeader(request.credential)
    if (login !== undefined) secrets.learnHeader(login)
    if (request.refreshToken !== undefined) secrets.learn(Redacted.value(request.refreshToken))
    const text = yield* attempts(transport, message)
    const now = yield* Clock.currentTimeMillis
    const token = readToken(text, request.scopes, now)
    for (const it of [token?.value, token?.refreshToken]) if (it !== undefined) secrets.learn(Redacted.value(it))
    return token ?? (yield* storeError("", "Unauthorized", "unauthorized: no token in the answer"))
  },
  (effect, _transport, request, method) =>
    Effect.mapError(effect, (error) => {
      const { origin, pathname } = request.realm
      const source = request.credential === undefined ? "" : ` (credentials from ${request.credential.source})`
      return asUnauthorized(
        within(`failed to request auth token (${method.toLowerCase()}) from ${origin}${pathname}${source}`)(error)
      )
    })
)

const asUnauthorized = (error: StoreError): StoreError =>
  ["RedirectRefused", "RateLimited", "TlsFailed"].includes(error.reason._tag)
    ? error
    : storeError(error.operation, "Unauthorized", error.reason.detail, {
      cause: error,
      ofLogin: true,
      ...(error.reason.status === undefined ? {} : { status: error.reason.status })
    })

const getRequest = ({ credential, realm, scopes, service, userAgent, ...rest }: TokenRequest): TransportRequest => {
  const url = new URL(realm)
  url.searchParams.set("client_id", userAgent)
  if (service !== undefined) url.searchParams.set("service", service)
  for (const scope of scopeTexts(scopes)) url.searchParams.append("scope", scope)
  const login = basicHeader(credential)
  if (login !== undefined && credential !== undefined) url.searchParams.set("account", credential.username)
  return message(rest, "GET", url, userAgent, login === undefined ? {} : { authorization: login })
}

const postRequest = ({ realm, refreshToken, scopes, service, userAgent, ...rest }: TokenRequest): TransportRequest => {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: refreshToken === undefined ? "" : Redacted.value(refreshToken),
    scope: scopeTexts(scopes).join(" "),
    client_id: userAgent
  })
  if (service !== undefined) form.set("service", service)
  const headers = { "content-type": "application/x-www-form-urlencoded" }
  return { ...message(rest, "POST", realm, userAgent, headers), body: new TextEncoder().encode(form.toString()) }
}

const message = (
  { host, reach }: Pick<TokenRequest, "host" | "reach">,
  method: string,
  url: URL,
  userAgent: string,
  headers: Readonly<Record<string, string>>
): TransportRequest => ({
  method,
  url,
  headers: { "user-agent": userAgent, accept: "application/json", "accept-encoding": "identity", ...headers },
  tls: tlsFor(host, url, originOf(host) === url.origin),
  timeouts: host.timeouts,
  ...(reach === undefined ? {} : { reach })
})

/** `Basic …` of a user and password; none when there is no password. */
export const basicHeader = (credential: Credential | undefined): string | undefined => {
  const password = credential === undefined ? "" : Redacted.value(credential.password)
  return credential === undefined || password === ""
    ? undefined
    : `Basic ${Buffer.from(`${credential.username}:${password}`, "utf8").toString("base64")}`
}

/** The body of a 200; statuses that may pass are tried again (faults N19). */
const attempts = Effect.fnUntraced(function*(transport: Transport["Service"], request: TransportRequest) {
  for (let failures = 1;; failures++) {
    const result = yield* Effect.result(Effect.scoped(attempt(transport, request)))
    if (result._tag === "Success") return result.success
    const error = result.failure
    if (!isTransient(error, failures) || failures >= attemptsPerHost) return yield* error
    const asked = error.reason.retryAfter
    if (asked !== undefined && asked > (yield* LongestRetryAfter)) return yield* tooLate(error, asked)
    yield* Effect.sleep(asked ?? (yield* backoff(failures)))
  }
})

const attempt = Effect.fnUntraced(function*(transport: Transport["Service"], request: TransportRequest) {
  const response = yield* transport.send(request)
  const { headers, status } = response
  if (status === 200) {
    const bytes = yield* collect(fromPump(response.body), limit)
    return new TextDecoder().decode(bytes)
  }
  if (status >= 300 && status < 400) {
    return yield* storeError("", "RedirectRefused", "redirect of a token request not allowed", { status })
  }
  const body = yield* readText(response)
  const now = yield* Clock.currentTimeMillis
  return yield* statusFailure({ status, body, retryAfter: retryAfter(header(headers, "retry-after"), now) })
})

/** Reads an answer; none when it is no JSON or has no token that could be a header. */
const readToken = (text: string, scopes: Scopes, now: number): Token | undefined => {
  const answer = decodeAnswer(text)
  if (answer._tag === "None") return undefined
  const { access_token, expires_in, issued_at, refresh_token, token } = answer.value
  const value = [access_token, token].find((it) => typeof it === "string" && it !== "")
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) return undefined
  return {
    value: Redacted.make(value),
    scopes,
    renewAt: renewal(expires_in, issued_at, now),
    ...(typeof refresh_token === "string" && refresh_token !== "" ? { refreshToken: Redacted.make(refresh_token) } : {})
  }
}

/** After 80 % of a token's life, 5 s before its end at the latest; a clock that is not ours moves it only towards now. */
const renewal = (expires: unknown, issued: unknown, now: number): number => {
  const seconds = Number(expires ?? shortest)
  const life = Math.min(Math.max(Number.isFinite(seconds) ? seconds : shortest, shortest), longest) * 1000
  const margin = Math.min(life * 0.8, life - 5_000)
  const start = typeof issued === "string" ? parseTime(issued) : undefined
  return (start !== undefined && start <= now && start + margin > now ? start : now) + margin
}
