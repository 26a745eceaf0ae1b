import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { exportTar, importTar } from "../../../../src/programs/regbot/api/imageTar.ts"
import { byTag, makeImage, push } from "../../../fixtures/images.ts"
import { answer, raised } from "../../../support/scriptRuns.ts"
import { imageRuns } from "./imageRuns.ts"

const image = makeImage({ layers: ["one", "two"] })

/** An image at `r.test/a:v1`, and a directory for files. */
const world = (options: Parameters<typeof imageRuns>[0] = {}) =>
  Effect.gen(function*() {
    const runs = imageRuns(options)
    yield* push(runs.at("r.test/a"), image, "v1")
    return runs
  })

const directory = Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())

const digestAt = ({ at }: ReturnType<typeof imageRuns>, name: string, tag: string) =>
  Effect.map(at(name).resolve(byTag(tag)), ({ descriptor }) => descriptor.digest)

describe("image.exportTar and image.importTar", () => {
  it.effect("take an image through a file", () =>
    Effect.gen(function*() {
      const runs = yield* world()
      yield* Effect.gen(function*() {
        const file = `${yield* directory}/image.tar`
        assert.deepStrictEqual((yield* answer(exportTar, "r.test/a:v1", file)).values, [])
        assert.deepStrictEqual((yield* answer(importTar, "s.test/b:v2", file)).values, [])
      }).pipe(Effect.scoped, Effect.provide(runs.layer))
      assert.strictEqual(yield* digestAt(runs, "s.test/b", "v2"), image.manifest.descriptor.digest)
      const last = runs.published.at(-1)
      assert.strictEqual(last?._tag === "PairEnded" ? last.result.outcome : "", "copied")
    }))

  it.effect("raise what went wrong with the file or the image", () =>
    Effect.gen(function*() {
      const { layer } = yield* world()
      yield* Effect.gen(function*() {
        const dir = yield* directory
        const files = yield* FileSystem.FileSystem
        assert.strictEqual(yield* raised(exportTar, "r.test/a:v1"), "bad argument #2: string expected, got nil")
        assert.strictEqual(
          yield* raised(exportTar, "r.test/a:v1", `${dir}/none/x.tar`),
          `Failed to open "${dir}/none/x.tar": open ${dir}/none/x.tar: no such file or directory`
        )
        assert.match(
          yield* raised(exportTar, "r.test/a:none", `${dir}/x.tar`),
          /^Failed to export image "r.test\/a:none" to ".*x.tar": .*not found/
        )
        assert.isFalse(yield* files.exists(`${dir}/x.tar`))
        assert.strictEqual(
          yield* raised(importTar, "s.test/b:v2", `${dir}/x.tar`),
          `Failed to read from "${dir}/x.tar": open ${dir}/x.tar: no such file or directory`
        )
        yield* files.writeFileString(`${dir}/text`, "this is no tar")
        assert.match(
          yield* raised(importTar, "s.test/b:v2", `${dir}/text`),
          /^Failed to import image "s.test\/b:v2" from ".*text": failed to read .*text: tar is invalid/
        )
      }).pipe(Effect.scoped, Effect.provide(layer))
    }))

  it.effect("are denied in a sandbox", () =>
    Effect.gen(function*() {
      const { layer } = yield* world({ isSandboxed: true })
      yield* Effect.gen(function*() {
        const file = `${yield* directory}/image.tar`
        const files = yield* FileSystem.FileSystem
        assert.strictEqual(
          yield* raised(exportTar, "r.test/a:v1", file),
          "image.exportTar is denied: the script runs in a sandbox"
        )
        assert.isFalse(yield* files.exists(file))
        assert.strictEqual(
          yield* raised(importTar, "s.test/b:v2", file),
          "image.importTar is denied: the script runs in a sandbox"
        )
      }).pipe(Effect.scoped, Effect.provide(layer))
    }))

  it.effect("write neither file nor registry in a dry run, in which an export can be imported", () =>
    Effect.gen(function*() {
      const runs = yield* world({ isDry: true })
      yield* Effect.gen(function*() {
        const file = `${yield* directory}/image.tar`
        const files = yield* FileSystem.FileSystem
        yield* answer(exportTar, "r.test/a:v1", file)
        assert.isFalse(yield* files.exists(file))
        yield* answer(importTar, "s.test/b:v2", file)
        assert.match(yield* raised(exportTar, "r.test/a:none", file), /^Failed to export image .*not found/)
        assert.match(yield* raised(importTar, "s.test/b:v2", `${file}x`), /^Failed to read from /)
        assert.deepStrictEqual(runs.log.slice(0, 2), [
          `INFO Export image script=s source=r.test/a:v1 file=${file} dry-run=true`,
          `INFO Import image script=s target=s.test/b:v2 file=${file} dry-run=true`
        ])
        assert.match(runs.log[2] ?? "", /^DEBUG Dry run of import script=s .* blobs=3 manifests=1 /)
      }).pipe(Effect.scoped, Effect.provide(runs.layer))
      const absent = yield* Effect.flip(runs.at("s.test/b").resolve(byTag("v2")))
      assert.strictEqual(absent.reason._tag, "NotFound")
    }))
})
