/** Who we are at a host. Explicit settings, then docker's, then helpers, then nobody. */
import { Context, Effect, Layer, Option, Redacted } from "effect"
import type { Host } from "../schemas/Host.ts"
import { CredentialHelpers } from "./CredentialHelpers.ts"
import { HostEntries, type SourcedEntry } from "./HostEntries.ts"

export interface Credential {
  /** Empty when only an identity token is known. */
  readonly username: string
  readonly password: Redacted.Redacted<string>
  /** An identity (refresh) token in place of a password. */
  readonly identityToken?: Redacted.Redacted<string>
  /** Where it was found, for messages: a file, a helper's name. */
  readonly source: string
}

type Found = Effect.Effect<Option.Option<Credential>>

export class Credentials extends Context.Service<Credentials, {
  readonly get: (host: Host) => Found
}>()("regclient/services/Credentials") {
  static readonly layer = Layer.effect(
    Credentials,
    Effect.gen(function*() {
      const { merged } = yield* HostEntries
      const helpers = yield* CredentialHelpers

      /** A helper's answer before the login stored beside it. */
      const fromEntry = (host: Host, sourced: SourcedEntry | undefined): Found => {
        const program = sourced?.entry.credHelper
        const stored = Effect.sync(() => sourced === undefined ? Option.none() : loginOf(sourced))
        return program === undefined ? stored : firstOf([helperOf(host, program), stored])
      }
      const helperOf = (host: Host, program: string): Found =>
        Effect.suspend(() => helpers.get({ program, server: host.credHost, expire: host.credExpire }))

      const get = Effect.fnUntraced(function*(host: Host) {
        const { credsStore, entries, hostDefault, lastResort } = yield* merged
        const start = host.name === "docker.io" ? {} : hostDefault
        return yield* firstOf([
          fromEntry(host, entries.get(host.name) ?? { entry: start, source: "hostDefault" }),
          credsStore === undefined ? Effect.succeedNone : helperOf(host, credsStore),
          fromEntry(host, lastResort.get(host.name))
        ])
      })
      return Credentials.of({ get })
    })
  )
}

const firstOf = (sources: ReadonlyArray<Found>): Found =>
  sources.reduce<Found>(
    (found, source) => Effect.flatMap(found, Option.match({ onNone: () => source, onSome: Effect.succeedSome })),
    Effect.succeedNone
  )

const loginOf = ({ entry, source }: SourcedEntry): Option.Option<Credential> => {
  const { pass, token, user = "" } = entry
  if (token !== undefined) {
    return Option.some({ username: user, password: pass ?? Redacted.make(""), identityToken: token, source })
  }
  return user === "" || pass === undefined ? Option.none() : Option.some({ username: user, password: pass, source })
}

/** No header or form can carry a line break or a NUL (faults A08): who uses a login asks first. */
export const isUsable = ({ identityToken, password, username }: Omit<Credential, "source">): boolean =>
  [username, Redacted.value(password), identityToken === undefined ? "" : Redacted.value(identityToken)]
    .every((text) => !["\r", "\n", "\0"].some((it) => text.includes(it)))
