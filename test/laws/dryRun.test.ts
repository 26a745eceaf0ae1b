/** A dry run is held to what every repository owes; the places below it, empty ones, see no write. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Layer } from "effect"
import { Location } from "../../src/schemas/Ref.ts"
import { OciLayout } from "../../src/services/OciLayout.ts"
import { memoryStore } from "../../src/services/repository/memory.ts"
import { dryOver } from "../support/dryRuns.ts"
import { repositoryLaws } from "./repository.ts"

repositoryLaws(
  "a dry run over a registry",
  Effect.gen(function*() {
    const store = memoryStore()
    const { open } = yield* dryOver((location) => Effect.sync(() => store.open(location)))
    return {
      repository: yield* open(Location.Registry({ registry: "memory", repository: "one" })),
      other: yield* open(Location.Registry({ registry: "memory", repository: "two" }))
    }
  }),
  { looksAtContent: false }
)

repositoryLaws(
  "a dry run over layouts that are not there",
  Effect.flatMap(
    Layer.build(OciLayout.layer.pipe(Layer.provideMerge(NodeServices.layer))),
    (services) =>
      Effect.gen(function*() {
        const dir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const layouts = yield* OciLayout
        const { open } = yield* dryOver((location) => layouts.open({ path: "path" in location ? location.path : "" }))
        return {
          repository: yield* open(Location.OciLayout({ path: `${dir}/one` })),
          other: yield* open(Location.OciLayout({ path: `${dir}/two` }))
        }
      }).pipe(Effect.provide(services))
  ),
  { looksAtContent: false }
)
