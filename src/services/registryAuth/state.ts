/** What is known of the login at one origin, and which of its tokens serves a request. */
import { Redacted, Semaphore } from "effect"
import type { Host } from "../../schemas/Host.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { Reach } from "../Transport.ts"
import { covers, deleteFallbacks, mergeScopes, scopeKey, type Scopes } from "./scopes.ts"
import type { Token } from "./token.ts"

/** What is known of the login at one origin, or with `repoAuth` of one repository there. */
export interface State {
  isKnown: boolean
  scheme: "basic" | "bearer" | undefined
  basic: string | undefined
  realm: URL | undefined
  service: string | undefined
  /** The entry of the realm's host, where it has one. */
  realmHost: Host | undefined
  /** The nearest address its token service may have. */
  reach: Reach | undefined
  refreshToken: Redacted.Redacted<string> | undefined
  isPostRefused: boolean
  /** Which spelling of a delete scope the service takes. */
  deleteForm: number
  readonly rejected: Set<string>
  readonly tokens: Map<string, Token>
  /** By scopes asked for: what the challenge wanted besides. */
  readonly learned: Map<string, Scopes>
  /** Resources that were pushed to. */
  readonly pushed: Set<string>
  readonly flights: Map<string, Flight>
}

export interface Flight {
  readonly lock: Semaphore.Semaphore
  turn: number
  failure: StoreError | undefined
}

export const newState = (): State => ({
  isKnown: false,
  scheme: undefined,
  basic: undefined,
  realm: undefined,
  service: undefined,
  realmHost: undefined,
  reach: undefined,
  refreshToken: undefined,
  isPostRefused: false,
  deleteForm: 0,
  rejected: new Set(),
  tokens: new Map(),
  learned: new Map(),
  pushed: new Set(),
  flights: new Map()
})

export const flightOf = (state: State, key: string): Flight => {
  const flight = state.flights.get(key) ?? { lock: Semaphore.makeUnsafe(1), turn: 0, failure: undefined }
  state.flights.set(key, flight)
  return flight
}

/** A repository once pushed to is asked for with `push` again, so that its reads and writes share a token. */
export const neededScopes = (state: State, scopes: Scopes): Scopes => {
  for (const [resource, actions] of scopes) if (actions.has("push")) state.pushed.add(resource)
  const pushed = [...scopes].filter(([resource, actions]) => actions.has("pull") && state.pushed.has(resource))
  const wide = mergeScopes(scopes, new Map(pushed.map(([resource]) => [resource, new Set(["push"])])))
  return mergeScopes(state.learned.get(scopeKey(scopes)) ?? new Map(), wide)
}

export const findToken = (state: State, needed: Scopes, now: number): Token | undefined => {
  const exact = state.tokens.get(scopeKey(needed))
  if (exact !== undefined && exact.renewAt > now) return exact
  for (const token of state.tokens.values()) if (token.renewAt > now && covers(token.scopes, needed)) return token
  return undefined
}

/** Tokens kept before those that ended are swept. */
const manyTokens = 256

export const keepToken = (state: State, needed: Scopes, token: Token, now: number): Token => {
  if (token.refreshToken !== undefined) state.refreshToken = token.refreshToken
  if (state.tokens.size >= manyTokens) {
    for (const [key, { renewAt }] of state.tokens) if (renewAt <= now) state.tokens.delete(key)
    state.flights.clear()
  }
  state.tokens.set(scopeKey(needed), token)
  return token
}

export const reject = (state: State, scopes: Scopes, sent: string | undefined): void => {
  if (sent === undefined) return
  if (state.rejected.size >= manyTokens) state.rejected.clear()
  forget(state, sent)
  state.rejected.add(sent)
  if (sent.startsWith("Bearer ") && deleteFallbacks(scopes).length > 0) state.deleteForm++
}

/** Neither kept nor held against its service. */
export const forget = (state: State, header: string): void => {
  state.rejected.delete(header)
  for (const [key, { value }] of state.tokens)
    if (`Bearer ${Redacted.value(value)}` === header) state.tokens.delete(key)
}
