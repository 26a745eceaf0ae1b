/** The laws over HTTP: the whole client, over each of its transports, against the embedded registry, and against Debian's docker-registry. */
import { ConfigProvider, Effect, FileSystem, Layer, References } from "effect"
import { afterAll, beforeAll } from "vitest"
import { live } from "../../src/layers/Live.ts"
import { serve } from "../../src/programs/serve/start.ts"
import { Globals } from "../../src/services/Globals.ts"
import { Registry } from "../../src/services/Registry.ts"
import { dockerRegistry, type Running } from "../support/registries.ts"
import { repositoryLaws } from "./repository.ts"

let opened = 0

/** Two repositories that nobody used before, by a client without any configuration of this machine. */
const repositories = (host: string) =>
  Effect.gen(function*() {
    const { open } = yield* Registry
    const number = opened++
    return {
      repository: yield* open({ registry: host, repository: `one/n${number}` }),
      other: yield* open({ registry: host, repository: `two/n${number}` })
    }
  }).pipe(Effect.provideService(Globals, {
    ...Globals.defaultValue(),
    hosts: [`reg=${host},tls=disabled`]
  }))

const inLive = <A, E, R>(REGCLIENT_TRANSPORT: string, effect: Effect.Effect<A, E, R>) => {
  const env = ConfigProvider.layer(ConfigProvider.fromUnknown({ HOME: "/nowhere", REGCLIENT_TRANSPORT }))
  return Effect.flatMap(Layer.build(Layer.provide(live, env)), (services) => Effect.provide(effect, services))
}

let docker: Running | undefined

beforeAll(async () => {
  docker = await dockerRegistry()
})
afterAll(() => docker?.stop())

for (const transport of ["own", "node"]) {
  repositoryLaws(
    `the embedded registry over HTTP, transport ${transport}`,
    inLive(
      transport,
      Effect.gen(function*() {
        const dir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const url = yield* Effect.provideService(serve({ dir }), References.MinimumLogLevel, "None")
        return yield* repositories(new URL(url).host)
      })
    ),
    { live: true }
  )

  repositoryLaws(
    `docker-registry over HTTP, transport ${transport}`,
    inLive(transport, Effect.suspend(() => repositories(docker?.host ?? ""))),
    // Version 2.8 takes the types it knows and sha256 alone, wants to have what a manifest names, lists tags as its file
    // system does and none of them with 404, and has no referrers API: a list under a tag is kept by who deletes.
    {
      live: true,
      takesIncomplete: false,
      takesUnknownTypes: false,
      takesSha512: false,
      listsTagsInOrder: false,
      keepsReferrers: false
    }
  )
}
