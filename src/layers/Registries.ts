/** Registries over HTTP: settings and logins, limits, transport. */
import { Effect, Layer } from "effect"
import { visible } from "../lib/visibleText.ts"
import { UsageError } from "../schemas/UsageError.ts"
import { ConfigFile } from "../services/ConfigFile.ts"
import { CredentialHelpers } from "../services/CredentialHelpers.ts"
import { Credentials } from "../services/Credentials.ts"
import { variable } from "../services/Environment.ts"
import { HostEntries } from "../services/HostEntries.ts"
import { Hosts } from "../services/Hosts.ts"
import { RateLimiter } from "../services/RateLimiter.ts"
import { Registry } from "../services/Registry.ts"
import { RegistryAuth } from "../services/RegistryAuth.ts"
import { RegistryHttp } from "../services/RegistryHttp.ts"
import * as wire from "../services/transport/wire.ts"
import { Warnings } from "../services/Warnings.ts"

/** Who speaks HTTP: our own, or node:http where REGCLIENT_TRANSPORT asks for it, loaded then. */
export const transport = Layer.unwrap(Effect.gen(function*() {
  const asked = yield* variable("REGCLIENT_TRANSPORT")
  if (asked !== "" && asked !== "own" && asked !== "node") {
    return yield* new UsageError({
      message: `unknown transport "${visible(asked)}": set REGCLIENT_TRANSPORT to "own" or "node", or unset it`
    })
  }
  const { layer } = asked === "node" ? yield* Effect.promise(() => import("../services/transport/nodeHttp.ts")) : wire
  // An unreadable proxy variable cannot be: they are texts.
  return Layer.orDie(layer)
}))

/** By what one configuration says of hosts and of who we are there. */
export const registriesBy = <E, R>(configFile: Layer.Layer<ConfigFile, E, R>) =>
  Registry.layer.pipe(
    Layer.provide(RegistryHttp.layer),
    Layer.provide(RegistryAuth.layer),
    Layer.provide(Layer.mergeAll(transport, Warnings.layer)),
    Layer.provideMerge(RateLimiter.layer),
    Layer.provideMerge(
      Layer.mergeAll(Hosts.layer, Credentials.layer).pipe(
        Layer.provide(HostEntries.layer),
        Layer.provideMerge(Layer.mergeAll(configFile, CredentialHelpers.layer))
      )
    )
  )

export const registries = registriesBy(ConfigFile.layer)
