/** Clients made while a program runs, each from layers of its own. */
import { Context, Effect, FileSystem, Layer, Path, Stdio } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { Archive } from "../services/Archive.ts"
import { Clients, type ClientSettings } from "../services/Clients.ts"
import { ConfigFile } from "../services/ConfigFile.ts"
import { OciLayout } from "../services/OciLayout.ts"
import { LongestRetryAfter } from "../services/registryHttp/backoff.ts"
import { Repositories } from "../services/Repositories.ts"
import { caching } from "../services/repository/cached.ts"
import { ToolName } from "../services/UserAgent.ts"
import { registriesBy } from "./Registries.ts"

/** The longest `Retry-After` waited for by what runs unattended, in milliseconds (faults N14). */
const patience = 600_000

/** Repositories, their answers kept for a while where that is asked for. */
const repositoriesBy = ({ cache }: ClientSettings) =>
  cache === undefined ? Repositories.layer : Layer.effect(
    Repositories,
    Effect.gen(function*() {
      const { open } = yield* Repositories
      const kept = caching(cache)
      return Repositories.of({ open: (location) => Effect.map(open(location), kept) })
    })
  ).pipe(Layer.provide(Repositories.layer))

const layerOf = (settings: ClientSettings) => {
  const { blobLimit, hosts, skipDocker, source } = settings
  const docker = skipDocker ? { incDockerCert: false, incDockerCred: false } : {}
  const configured = ConfigFile.layerMemory(source, { version: 1, hosts, blobLimit, ...docker })
  // Fresh, so that a client shares nothing with one before it.
  return Layer.fresh(
    repositoriesBy(settings).pipe(
      // The tool itself stands on registries by the same variables.
      Layer.provideMerge(Layer.mergeAll(Layer.orDie(registriesBy(configured)), OciLayout.layer, Archive.layer))
    )
  )
}

export const clients = Layer.effect(
  Clients,
  Effect.gen(function*() {
    // No more than these: with a scope among them, a client would stay open as long as this layer.
    const platform = Context.pick(
      FileSystem.FileSystem,
      Path.Path,
      Stdio.Stdio,
      ChildProcessSpawner.ChildProcessSpawner
    )(
      yield* Effect.context<FileSystem.FileSystem | Path.Path | Stdio.Stdio | ChildProcessSpawner.ChildProcessSpawner>()
    )
    return Clients.of({
      open: Effect.fnUntraced(function*(settings) {
        const context = yield* Effect.provideContext(Layer.build(layerOf(settings)), platform)
        const patient = Context.add(context, LongestRetryAfter, patience)
        return settings.userAgent === "" ? patient : Context.add(patient, ToolName, settings.userAgent)
      })
    })
  })
)
