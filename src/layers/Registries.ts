/** Registries over HTTP: settings and logins, limits, transport. */
import { Layer } from "effect"
import { ConfigFile } from "../services/ConfigFile.ts"
import { CredentialHelpers } from "../services/CredentialHelpers.ts"
import { Credentials } from "../services/Credentials.ts"
import { HostEntries } from "../services/HostEntries.ts"
import { Hosts } from "../services/Hosts.ts"
import { layer as keptSessions } from "../services/KeptSessions.ts"
import { RateLimiter } from "../services/RateLimiter.ts"
import { Registry } from "../services/Registry.ts"
import { RegistryAuth } from "../services/RegistryAuth.ts"
import { RegistryHttp } from "../services/RegistryHttp.ts"
import * as nodeHttp from "../services/transport/nodeHttp.ts"
import { Warnings } from "../services/Warnings.ts"

/** An unreadable proxy variable cannot be: they are texts. */
const transport = Layer.orDie(nodeHttp.layer)

/** By what one configuration says of hosts and of who we are there. */
export const registriesBy = <E, R>(configFile: Layer.Layer<ConfigFile, E, R>) =>
  Registry.layer.pipe(
    Layer.provide(RegistryHttp.layer),
    Layer.provide(RegistryAuth.layer),
    Layer.provide(Layer.mergeAll(transport, Warnings.layer, keptSessions)),
    Layer.provideMerge(RateLimiter.layer),
    Layer.provideMerge(
      Layer.mergeAll(Hosts.layer, Credentials.layer).pipe(
        Layer.provide(HostEntries.layer),
        Layer.provideMerge(Layer.mergeAll(configFile, CredentialHelpers.layer))
      )
    )
  )

export const registries = registriesBy(ConfigFile.layer)
