/** Repositories of registries over HTTP. */
import { Context, Effect, Layer } from "effect"
import type { Scope, Stream } from "effect"
import type { Host } from "../schemas/Host.ts"
import { Location } from "../schemas/Ref.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { Hosts } from "./Hosts.ts"
import { KeptSessions } from "./KeptSessions.ts"
import { blobs } from "./registry/blobs.ts"
import { catalog, ping } from "./registry/catalog.ts"
import type { At, Http } from "./registry/exchange.ts"
import { manifests } from "./registry/manifests.ts"
import { referrerKeeper, type ReferrerMemory, referrerMemory, referrers } from "./registry/referrers.ts"
import { tags } from "./registry/tags.ts"
import { abandon, type Uploads, uploads } from "./registry/upload.ts"
import { RegistryHttp } from "./RegistryHttp.ts"
import { originOf } from "./registryHttp/urls.ts"
import type { Page, PageRequest, Repository } from "./Repository.ts"

/** Whether what is opened will be written, so that the first token of a repository is good for all that follows. */
export const WillWrite = Context.Reference<boolean>("regclient/services/Registry/WillWrite", {
  defaultValue: () => false
})

export class Registry extends Context.Service<Registry, {
  readonly open: (
    at: { readonly registry: string; readonly repository: string }
  ) => Effect.Effect<Repository, StoreError, Scope.Scope>
  /** The catalog, one page for each pull of the stream. */
  readonly list: (registry: string, page?: PageRequest) => Stream.Stream<Page, StoreError>
  /** Asks for `/v2/` with the login configured. */
  readonly ping: (registry: string) => Effect.Effect<void, StoreError>
}>()("regclient/services/Registry") {
  static readonly layer = Layer.effect(
    Registry,
    Effect.gen(function*() {
      const http = yield* RegistryHttp
      const hosts = yield* Hosts
      const memory = referrerMemory()
      const sessions = yield* KeptSessions
      return Registry.of({
        open: ({ registry, repository }) =>
          Effect.gen(function*() {
            const at = { registry, repository }
            const left: Uploads = { sessions: new Map(), claimed: new Set(), isStreamed: false }
            const own = (yield* WillWrite) ? writing(http, repository) : http
            yield* Effect.addFinalizer(() => abandon(at, own, left))
            return repositoryAt(at, own, yield* hosts.get(registry), memory, left, sessions)
          }),
        list: (registry, page) => catalog(http, registry, page),
        ping: (registry) => ping(http, registry)
      })
    })
  )
}

/** The same requests, each with a token to pull and push. */
const writing = (http: Http, repository: string): Http => ({
  request: (request) => http.request({ ...request, scopes: { [repository]: "pull,push", ...request.scopes } })
})

const repositoryAt = (
  at: At,
  http: Http,
  host: Host,
  memory: ReferrerMemory,
  left: Uploads,
  sessions: (typeof KeptSessions)["Service"]
): Repository => {
  const content = { ...blobs(at, http), ...uploads(at, http, host, left, { sessions, origin: originOf(host) }) }
  const keeper = referrerKeeper(at, http, memory, (tag) => named.deleteTag(tag))
  const documents = manifests(at, http, keeper)
  const named = tags(at, http, { ...content, ...documents })
  return { location: Location.Registry(at), ...content, ...documents, ...named, ...referrers(at, http, memory) }
}
