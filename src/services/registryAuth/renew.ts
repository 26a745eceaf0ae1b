/** A new token by the ways a token service may know: refresh, login, other spellings of a scope. */
import { Effect, Result } from "effect"
import type { Context } from "effect"
import type { Host } from "../../schemas/Host.ts"
import { storeError } from "../../schemas/StoreError.ts"
import type { Credential } from "../Credentials.ts"
import type { Transport } from "../Transport.ts"
import { userAgent } from "../UserAgent.ts"
import { deleteFallbacks, type Scopes } from "./scopes.ts"
import type { State } from "./state.ts"
import { fetchToken } from "./token.ts"

/** Asks by `POST` while the service takes it, else by `GET`; notes in the state what it did not take (quirks, 2.2 and 2.6). */
export const newToken = Effect.fnUntraced(function*(
  transport: Context.Service.Shape<typeof Transport>,
  state: State,
  registry: Host,
  credential: Credential | undefined,
  scopes: Scopes
) {
  const { realm, reach, realmHost, service } = state
  if (realm === undefined) return yield* storeError("", "Unauthorized", "unauthorized: no realm")
  const refreshToken = state.refreshToken ?? credential?.identityToken
  const host = realmHost ?? registry
  const from = { host, realm, service, credential, refreshToken, userAgent: yield* userAgent, reach }
  if (refreshToken !== undefined && !state.isPostRefused) {
    const posted = yield* Effect.result(fetchToken(transport, { ...from, scopes }, "POST"))
    if (Result.isSuccess(posted)) return posted.success
    if (posted.failure.reason.status === undefined) return yield* posted.failure
    yield* Effect.logDebug(posted.failure.message)
    state.isPostRefused = true
  }
  const forms = [scopes, ...deleteFallbacks(scopes)]
  const first = state.deleteForm % forms.length
  return yield* Effect.catchTag(
    fetchToken(transport, { ...from, scopes: forms[first] ?? scopes }, "GET"),
    "StoreError",
    (error) => {
      const next = forms[first + 1]
      if (next === undefined || ![400, 401].includes(error.reason.status ?? 0)) return Effect.fail(error)
      state.deleteForm = first + 1
      return fetchToken(transport, { ...from, scopes: next }, "GET")
    }
  )
})
