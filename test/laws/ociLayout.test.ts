import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Layer } from "effect"
import { OciLayout } from "../../src/services/OciLayout.ts"
import { repositoryLaws } from "./repository.ts"

repositoryLaws(
  "an OCI layout",
  Effect.flatMap(
    Layer.build(OciLayout.layer.pipe(Layer.provideMerge(NodeServices.layer))),
    (services) =>
      Effect.gen(function*() {
        const dir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const { open } = yield* OciLayout
        return { repository: yield* open({ path: `${dir}/one` }), other: yield* open({ path: `${dir}/two` }) }
      }).pipe(Effect.provide(services))
  )
)
