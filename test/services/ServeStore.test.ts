import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { Repositories } from "../../src/services/Repositories.ts"
import { memoryStore } from "../../src/services/repository/memory.ts"
import { ServeStore } from "../../src/services/ServeStore.ts"

/** A store over an empty directory, and what of its repositories is open. */
const withStore = <A, E>(body: (open: Set<string>) => Effect.Effect<A, E, ServeStore>) =>
  Effect.gen(function*() {
    const open = new Set<string>()
    const memory = memoryStore()
    const repositories = Layer.succeed(
      Repositories,
      Repositories.of({
        open: (location) => {
          const name = location._tag === "OciLayout" ? location.path.replace(/^.*\//, "") : ""
          return Effect.acquireRelease(
            Effect.sync(() => {
              open.add(name)
              return memory.open(location)
            }),
            () => Effect.sync(() => open.delete(name))
          )
        }
      })
    )
    const root = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    return yield* Effect.provide(body(open), ServeStore.layer(root).pipe(Layer.provide(repositories)))
  }).pipe(Effect.provide(NodeServices.layer), Effect.scoped)

describe("ServeStore", () => {
  it.effect("keeps no repository open under which nothing was put in the end", () =>
    withStore((open) =>
      Effect.gen(function*() {
        const { change, names, write } = yield* ServeStore
        yield* Effect.flip(write("refused", () => Effect.fail("no")))
        yield* Effect.flip(change("refused-too", () => Effect.fail("no")))
        assert.deepStrictEqual([[...open], yield* names], [[], []])
        yield* write("app", () => Effect.flip(write("app", () => Effect.fail("no"))))
        yield* Effect.flip(write("app", () => Effect.fail("no")))
        assert.deepStrictEqual([[...open], yield* names], [["app"], ["app"]])
      })
    ))
})
