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
  /** A repository tells between logins for parts of a registry, of which the longest that fits counts. */
  readonly get: (host: Host, repository?: string) => Found
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

      const get = Effect.fnUntraced(function*(host: Host, repository?: string) {
        const { credsStore, entries, hostDefault, lastResort } = yield* merged
        const start = host.name === "docker.io" ? {} : hostDefault
        return yield* firstOf([
          fromEntry(host, entries.get(host.name) ?? { entry: start, source: "hostDefault" }),
          credsStore === undefined ? Effect.succeedNone : helperOf(host, credsStore),
          ...namesOf(host, repository).map((name) => fromEntry(host, lastResort.get(name)))
        ])
      })
      return Credentials.of({ get })
    })
  )
}

/** `host/a/b`, `host/a`, `host`. */
const namesOf = (host: Host, repository = ""): ReadonlyArray<string> => {
  const parts = repository === "" ? [] : repository.split("/")
  return [...parts.map((_, at) => [host.name, ...parts.slice(0, parts.length - at)].join("/")), host.name]
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
