/**
 * Logs in at registries: from challenge to `Authorization` header, Basic or Bearer.
 *
 * A host is asked for its challenge once; later requests, also of other repositories, are authorised beforehand.
 */
import { Clock, Context, Effect, Layer, Option, Redacted, Result } from "effect"
import { type Challenge, parseChallenges } from "../lib/challenge.ts"
import { visible } from "../lib/visibleText.ts"
import type { Host } from "../schemas/Host.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import { type Credential, Credentials, isUsable } from "./Credentials.ts"
import { Hosts } from "./Hosts.ts"
import { isTrusted, realmUrl } from "./registryAuth/realm.ts"
import { newToken } from "./registryAuth/renew.ts"
import { covers, parseScopes, scopeKey, type Scopes } from "./registryAuth/scopes.ts"
import {
  findToken,
  flightOf,
  forget,
  keepToken,
  neededScopes,
  newState,
  reject,
  type State
} from "./registryAuth/state.ts"
import { basicHeader, type Token } from "./registryAuth/token.ts"
import { originOf } from "./registryHttp/urls.ts"
import { type Reach, Transport } from "./Transport.ts"

export interface AuthRequest {
  /** Whose login and settings are used. */
  readonly host: Host
  readonly url: URL
  readonly repository?: string | undefined
  readonly scopes: Scopes
  /** The URL is not of the host itself: nobody's login is offered there. */
  readonly isAnonymous: boolean
}

/** A 401, or a 403 for a scope that was too small. */
export interface Refusal {
  /** The header that was refused. */
  readonly sent: string | undefined
  /** `WWW-Authenticate`. */
  readonly challenges: ReadonlyArray<string>
  /** Of the address that answered. */
  readonly reach: Reach | undefined
}

/** Origins, and repositories with logins of their own, whose login is remembered. */
const manyStates = 10_000

export class RegistryAuth extends Context.Service<RegistryAuth, {
  /** Whether the host's challenge is known, or it was found to have none. */
  readonly isKnown: (request: AuthRequest) => boolean
  /** The `Authorization` header; none where nobody asked for one. Fails with `Unauthorized` or `RedirectRefused`. */
  readonly authorize: (request: AuthRequest) => Effect.Effect<string | undefined, StoreError>
  /** Notes an answer that was no refusal. */
  readonly accepted: (request: AuthRequest) => void
  /** Learns from a refusal; fails when another attempt would change nothing. */
  readonly refused: (request: AuthRequest, refusal: Refusal) => Effect.Effect<void, StoreError>
  /** Where the login in use was found, for messages. */
  readonly source: (request: AuthRequest) => Effect.Effect<string | undefined>
}>()("regclient/services/RegistryAuth") {
  static readonly layer = Layer.effect(
    RegistryAuth,
    Effect.gen(function*() {
      const credentials = yield* Credentials
      const hosts = yield* Hosts
      const transport = yield* Transport
      const states = new Map<string, State>()

      const stateOf = (request: AuthRequest): State => {
        const key = stateKey(request)
        const state = states.get(key) ?? newState()
        // Redirects lead to many origins in time; those forgotten are asked for their challenge again.
        if (states.size >= manyStates) states.clear()
        states.set(key, state)
        return state
      }
      const loginOf = (request: AuthRequest): Effect.Effect<Credential | undefined, StoreError> =>
        request.isAnonymous
          ? Effect.succeed(undefined)
          : Effect.flatMap(credentials.get(request.host, request.repository), checked)

      const fetch = (request: AuthRequest, state: State, scopes: Scopes): Effect.Effect<Token, StoreError> =>
        Effect.flatMap(loginOf(request), (login) => newToken(transport, state, request.host, login, scopes))

      /** The token for all that is needed; who needs the same at the same time waits for one answer. */
      const tokenFor = Effect.fnUntraced(function*(request: AuthRequest, state: State) {
        const needed = neededScopes(state, request.scopes)
        const found = findToken(state, needed, yield* Clock.currentTimeMillis)
        if (found !== undefined) return found
        const flight = flightOf(state, scopeKey(needed))
        const turn = flight.turn
        return yield* flight.lock.withPermit(Effect.gen(function*() {
          const found = findToken(state, needed, yield* Clock.currentTimeMillis)
          if (found !== undefined) return found
          if (flight.turn !== turn && flight.failure !== undefined) return yield* flight.failure
          const fetched = yield* Effect.result(fetch(request, state, needed))
          flight.turn++
          flight.failure = Result.isFailure(fetched) ? fetched.failure : undefined
          const token = yield* Effect.fromResult(fetched)
          return keepToken(state, needed, token, yield* Clock.currentTimeMillis)
        }))
      })

      const authorize = (request: AuthRequest): Effect.Effect<string | undefined, StoreError> => {
        const state = stateOf(request)
        if (state.scheme === "basic") return Effect.succeed(state.basic)
        if (state.scheme === undefined) return Effect.succeed(undefined)
        return Effect.flatMap(tokenFor(request, state), ({ value }) => {
          const header = `Bearer ${Redacted.value(value)}`
          if (!state.rejected.has(header)) return Effect.succeed(header)
          // The request ends here; the next one may try this token again, as a server that lagged may know it by then.
          forget(state, header)
          return Effect.fail(reissued)
        })
      }

      const refused = Effect.fnUntraced(function*(request: AuthRequest, refusal: Refusal) {
        const state = stateOf(request)
        const challenges = Result.getOrElse(parseChallenges(refusal.challenges), (problem) => problem)
        if (typeof challenges === "string")
          return yield* storeError("", "Unauthorized", `${visible(challenges)}: unauthorized [http 401]`)
        yield* Effect.annotateLogs(Effect.logDebug("Auth challenge"), {
          host: request.url.host,
          schemes: challenges.map(({ scheme }) => scheme).join(", ")
        })
        reject(state, request.scopes, refusal.sent)
        const credential = yield* loginOf(request)
        const basic = basicHeader(credential)
        for (const challenge of challenges.length === 0 ? [anyBasic] : challenges) {
          if (challenge.scheme === "bearer") return yield* learnBearer(hosts, state, request, refusal, challenge)
          if (challenge.scheme === "basic" && basic !== undefined && !state.rejected.has(basic)) {
            state.scheme = "basic"
            state.basic = basic
            return
          }
        }
        if (challenges.length > 0 && challenges.every(({ scheme }) => scheme !== "basic")) {
          const type = visible(challenges.map(({ scheme }) => scheme).join(", "))
          yield* Effect.annotateLogs(Effect.logWarning("Unsupported auth type"), { type })
        }
        return yield* noLogin(credential)
      })

      return RegistryAuth.of({
        isKnown: (request) => stateOf(request).isKnown,
        authorize,
        accepted: (request) => void (stateOf(request).isKnown = true),
        refused: (request, refusal) =>
          Effect.ensuring(refused(request, refusal), Effect.sync(() => void (stateOf(request).isKnown = true))),
        source: (request) =>
          request.isAnonymous
            ? Effect.succeed(undefined)
            : Effect.map(credentials.get(request.host, request.repository), (it) => Option.getOrUndefined(it)?.source)
      })
    })
  )
}

const reissued = storeError(
  "request failed",
  "Unauthorized",
  "unauthorized [http 401]: a refused token was issued again"
)

/** What a 401 without any challenge is taken for, once (quirks, section 2.12). */
const anyBasic: Challenge = { scheme: "basic", parameters: {} }

const noLogin = (credential: Credential | undefined): StoreError =>
  storeError(
    "",
    "Unauthorized",
    credential === undefined
      ? "no credentials available: unauthorized [http 401]"
      : `unauthorized [http 401] (credentials from ${visible(credential.source)})`,
    { status: 401 }
  )

const stateKey = ({ host, isAnonymous, repository, url }: AuthRequest): string =>
  `${isAnonymous ? "" : host.name} ${url.origin} ${host.repoAuth && !isAnonymous ? repository ?? "" : ""}`

/** A login that could break out of its header is not used (faults A08). */
const checked = (found: Option.Option<Credential>): Effect.Effect<Credential | undefined, StoreError> => {
  const credential = Option.getOrUndefined(found)
  if (credential === undefined) return Effect.succeed(undefined)
  return isUsable(credential)
    ? Effect.succeed(credential)
    : Effect.fail(
      storeError("", "CredInvalid", `credentials from ${visible(credential.source)} contain a line break or NUL`)
    )
}

/** Takes the realm of a challenge, the first time or unchanged, and the scope it names. */
const learnBearer = Effect.fnUntraced(function*(
  hosts: Context.Service.Shape<typeof Hosts>,
  state: State,
  { host, scopes, url }: AuthRequest,
  { reach }: Refusal,
  { parameters }: Challenge
) {
  const realm = Result.getOrElse(realmUrl(parameters["realm"] ?? "", url, host.trustedRealms), (problem) => problem)
  if (typeof realm === "string") return yield* storeError("", "RedirectRefused", realm)
  const isChanged = state.realm !== undefined &&
    (state.realm.href !== realm.href || state.service !== parameters["service"])
  if (isChanged) {
    return yield* storeError(
      "",
      "RedirectRefused",
      "invalid challenge header: redirect to another realm or service not allowed"
    )
  }
  state.scheme = "bearer"
  state.realm = realm
  state.service = parameters["service"]
  const entry = yield* hosts.get(realm.host)
  state.realmHost = entry.isConfigured && originOf(entry) === realm.origin ? entry : undefined
  const isWanted = state.realmHost !== undefined || isTrusted(realm, host.trustedRealms)
  state.reach = isWanted ? undefined : reach ?? (realm.host === url.host ? undefined : "public")
  const asked = parseScopes([parameters["scope"] ?? ""])
  if (!covers(scopes, asked)) state.learned.set(scopeKey(scopes), asked)
})
