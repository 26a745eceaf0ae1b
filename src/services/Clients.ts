/** Clients of registries by settings that a program found: one for each configuration of a mirror or a bot. */
import { Context } from "effect"
import type { Effect, Scope } from "effect"
import type { HostEntry } from "../schemas/HostEntry.ts"
import type { RateLimiter } from "./RateLimiter.ts"
import type { Registry } from "./Registry.ts"
import type { Repositories } from "./Repositories.ts"
import type { CacheSettings } from "./repository/cached.ts"

export interface ClientSettings {
  /** The file they come from, for messages. */
  readonly source: string
  /** By name; merged over what docker's configuration says. */
  readonly hosts: ReadonlyMap<string, HostEntry>
  /** Neither logins nor certificates of docker count. */
  readonly skipDocker: boolean
  /** Bytes up to which a registry may ask for larger chunks; 0 for the usual. */
  readonly blobLimit: number
  /** How we name ourselves; empty for the tool's own name. */
  readonly userAgent: string
  /** Manifests and lists of referrers are kept for a while; absent for not at all. */
  readonly cache?: CacheSettings
}

/** What a client gives. */
export type Client = Repositories | Registry | RateLimiter

export class Clients extends Context.Service<Clients, {
  /** Connections and limits are the client's own, until the scope ends. */
  readonly open: (settings: ClientSettings) => Effect.Effect<Context.Context<Client>, never, Scope.Scope>
}>()("regclient/services/Clients") {}
