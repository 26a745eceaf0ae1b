/** Who we are at a host. Explicit settings, then docker's, then helpers, then nobody. */
import { Context } from "effect"
import type { Effect, Option, Redacted } from "effect"
import type { Host } from "../schemas/Host.ts"

export interface Credential {
  readonly username: string
  readonly password: Redacted.Redacted<string>
  /** An identity (refresh) token in place of a password. */
  readonly identityToken?: Redacted.Redacted<string>
  /** Where it was found, for messages: a file, a helper's name. */
  readonly source: string
}

export class Credentials extends Context.Service<Credentials, {
  readonly get: (host: Host) => Effect.Effect<Option.Option<Credential>>
}>()("regclient/services/Credentials") {}
