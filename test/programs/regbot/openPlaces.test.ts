import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { makePlaces } from "../../../src/programs/regbot/openPlaces.ts"
import { Location, Tag } from "../../../src/schemas/Ref.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { fromBytes } from "../../../src/services/Bytes.ts"
import { Depth } from "../../../src/services/LuaEngine.ts"
import { OciLayout, SweepAtEnd } from "../../../src/services/OciLayout.ts"
import { WillWrite } from "../../../src/services/Registry.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { encode, image } from "../../fixtures/content.ts"
import { filesIn, inDirectory } from "../../services/ociLayout/places.ts"

/** Places of one run, which ends with the scope, over layouts alone. */
const places = Effect.provide(
  makePlaces,
  Layer.effect(
    Repositories,
    Effect.map(OciLayout, (layouts) =>
      Repositories.of({
        open: (at) => at._tag === "OciLayout" ? layouts.open(at) : Effect.fail(storeError("", "NotFound", "no layout"))
      }))
  )
)
const at = (path: string) => Location.OciLayout({ path })
const files = (dir: string) =>
  Effect.map(filesIn(dir), (paths) => paths.map((it) => it.replace(/[0-9a-f]{64}$/, "…").replace(/[0-9a-f]{16}$/, "…")))
const stray = fromBytes(encode("stray"))
const writing = Effect.provideService(WillWrite, true)

describe("the repositories that a run has open", () => {
  it.effect("are finished when they are closed, and can be opened again", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { close, open } = yield* places
        for (const name of ["one", "two"]) {
          const repository = yield* writing(open(at(dir)))
          yield* repository.putBlob(stray)
          yield* repository.putManifest(image({ annotations: { name } }), { tag: Tag.make(name) })
          yield* close(at(dir))
          assert.notInclude(yield* files(dir), ".regclient-writer-…")
        }
        assert.deepStrictEqual(yield* files(dir), ["blobs/sha256/…", "blobs/sha256/…", "index.json", "oci-layout"])
      })
    ))
  it.effect("stay open for other calls of parallel, and are finished at the end", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.gen(function*() {
          const { close, open } = yield* places
          const first = yield* writing(open(at(dir)))
          const second = yield* writing(open(at(dir)))
          yield* first.putManifest(image({ annotations: { name: "one" } }), { tag: Tag.make("one") })
          yield* Effect.provideService(close(at(dir)), Depth, 1)
          assert.include(yield* files(dir), ".regclient-writer-…")
          yield* second.putManifest(image({ annotations: { name: "two" } }), { tag: Tag.make("two") })
        }))
        assert.deepStrictEqual(yield* files(dir), ["blobs/sha256/…", "blobs/sha256/…", "index.json", "oci-layout"])
      })
    ))
  it.effect("keep blobs that wait for manifests, whatever is closed meanwhile", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.gen(function*() {
          const { close, open } = yield* places
          const blobs = yield* Effect.provideService(writing(open(at(dir))), SweepAtEnd, false)
          yield* blobs.putBlob(stray)
          for (const name of ["one", "two"]) {
            const repository = yield* writing(open(at(dir)))
            yield* repository.putManifest(image({ annotations: { name } }), { tag: Tag.make(name) })
            yield* close(at(dir))
          }
        }))
        assert.deepStrictEqual(
          yield* files(dir),
          ["blobs/sha256/…", "blobs/sha256/…", "blobs/sha256/…", "index.json", "oci-layout"]
        )
      })
    ))
})
