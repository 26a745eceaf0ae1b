import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import type { LuaTable, LuaValue } from "../../../../src/lib/lua/border.ts"
import { artifact } from "../../../../src/programs/regbot/api/artifact.ts"
import { encode } from "../../../fixtures/content.ts"
import { byTag, makeImage, push } from "../../../fixtures/images.ts"
import { luaOf, type Plain, plain } from "../../../support/luaValues.ts"
import { answer, call, raised } from "../../../support/scriptRuns.ts"
import { imageRuns } from "./imageRuns.ts"

const { get, list, put, tree } = artifact.functions
const image = makeImage({ layers: ["one"] })

/** An image at `r.test/a:v1`. */
const world = (options: Parameters<typeof imageRuns>[0] = {}) =>
  Effect.gen(function*() {
    const runs = imageRuns(options)
    yield* push(runs.at("r.test/a"), image, "v1")
    return runs
  })

const putSbom = call(
  put,
  undefined,
  luaOf({ subject: "r.test/a:v1", artifactType: "text/sbom", content: "the sbom", annotation: ["of=a", "by=me"] })
)

const fields = (value: LuaValue) => plain(value) as { readonly [name: string]: Plain }

describe("artifact", () => {
  it.effect("puts content as a referrer that is listed, got and part of the tree", () =>
    Effect.gen(function*() {
      const { closed, layer, log } = yield* world()
      yield* Effect.gen(function*() {
        const { digest, ...descriptor } = fields(yield* putSbom)
        assert.deepInclude(descriptor, {
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          artifactType: "text/sbom",
          annotations: { of: "a", by: "me" }
        })
        assert.deepStrictEqual(closed, ["r.test/a"])
        assert.strictEqual(
          log[0],
          "INFO Put artifact script=s image=r.test/a:v1 subject=r.test/a:v1 dry-run=false"
        )
        const listed = fields(yield* call(list, "r.test/a:v1"))
        assert.deepStrictEqual((listed as unknown as ReadonlyArray<{ digest: string }>).map((it) => it.digest), [
          digest
        ])
        const none = yield* call(list, "r.test/a:v1", luaOf({ filterArtifactType: "text/other" }))
        assert.deepStrictEqual(none, { list: [], fields: new Map() })
        const { values: [content, of] } = yield* answer(get, luaOf({ subject: "r.test/a:v1" }))
        assert.deepStrictEqual(content, encode("the sbom"))
        assert.deepInclude(fields(of), { mediaType: "text/sbom", size: 8 })
        const root = fields(yield* call(tree, "r.test/a:v1"))
        assert.deepInclude(root, {
          reference: "r.test/a:v1",
          digest: image.manifest.descriptor.digest,
          mediaType: "application/vnd.oci.image.manifest.v1+json"
        })
        const [referrer] = root["referrers"] as ReadonlyArray<{ readonly [name: string]: Plain }>
        assert.deepInclude(referrer, { digest, artifactType: "text/sbom", annotations: { of: "a", by: "me" } })
      }).pipe(Effect.provide(layer))
    }))

  it.effect("puts and gets by a name of its own, all in one table", () =>
    Effect.gen(function*() {
      const { at, layer } = yield* world()
      yield* Effect.gen(function*() {
        const { fields: options } = luaOf({ artifactType: "text/x", content: "abc" }) as LuaTable
        const { digest } = fields(yield* call(put, { fields: options, list: ["r.test/a:notes"] }))
        assert.strictEqual((yield* at("r.test/a").resolve(byTag("notes"))).descriptor.digest, digest)
        const { values } = yield* answer(get, "r.test/a:notes", luaOf({ config: true }))
        assert.deepStrictEqual(values[0], encode("{}"))
        assert.strictEqual(
          yield* raised(get, "r.test/a:notes", luaOf({ limit: 2 })),
          "Failed retrieving artifact \"r.test/a:notes\": size limit exceeded: more than 2 bytes"
        )
      }).pipe(Effect.provide(layer))
    }))

  it.effect("puts files and gets them into a directory", () =>
    Effect.gen(function*() {
      const { layer } = yield* world()
      yield* Effect.gen(function*() {
        const files = yield* FileSystem.FileSystem
        const dir = yield* files.makeTempDirectoryScoped()
        yield* files.writeFileString(`${dir}/a.txt`, "aaa")
        yield* files.makeDirectory(`${dir}/out`)
        const options = { artifactType: "text/x", file: `${dir}/a.txt`, fileTitle: true, stripDirs: true }
        yield* call(put, "r.test/a:files", luaOf(options))
        const { values } = yield* answer(get, "r.test/a:files", luaOf({ output: `${dir}/out` }))
        assert.deepStrictEqual(values, [])
        assert.strictEqual(yield* files.readFileString(`${dir}/out/a.txt`), "aaa")
      }).pipe(Effect.scoped, Effect.provide(layer))
    }))

  it.effect("opens no file for a script in a sandbox", () =>
    Effect.gen(function*() {
      const { layer } = yield* world({ isSandboxed: true })
      yield* Effect.gen(function*() {
        assert.strictEqual(
          yield* raised(put, "r.test/a:x", luaOf({ artifactType: "text/x", file: "/etc/passwd" })),
          "artifact.put of files is denied: the script runs in a sandbox"
        )
        assert.strictEqual(
          yield* raised(get, "r.test/a:v1", luaOf({ output: "/tmp" })),
          "artifact.get into files is denied: the script runs in a sandbox"
        )
        yield* putSbom
        const { values } = yield* answer(get, luaOf({ subject: "r.test/a:v1" }))
        assert.deepStrictEqual(values[0], encode("the sbom"))
      }).pipe(Effect.provide(layer))
    }))

  it.effect("writes nothing in a dry run, which sees it there", () =>
    Effect.gen(function*() {
      const { at, layer, log } = yield* world({ isDry: true })
      yield* Effect.gen(function*() {
        yield* putSbom
        const { values } = yield* answer(get, luaOf({ subject: "r.test/a:v1" }))
        assert.deepStrictEqual(values[0], encode("the sbom"))
        assert.match(log[0] ?? "", /^INFO Put artifact .* dry-run=true$/)
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual((yield* at("r.test/a").referrers(image.manifest.descriptor)).descriptors, [])
    }))

  it.effect("names what is wrong", () =>
    Effect.gen(function*() {
      const { layer } = yield* world()
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* raised(get), "bad argument #1: reference expected")
        assert.strictEqual(yield* raised(list, "r.test/a:v1", "x"), "bad argument #2: table expected, got string")
        assert.strictEqual(
          yield* raised(list, "r.test/a:v1", luaOf({ lates: true })),
          "bad argument #2: unknown option \"lates\""
        )
        assert.strictEqual(yield* raised(put, "r.test/a:x"), "bad argument #2: either content or file expected")
        assert.match(
          yield* raised(get, "r.test/a:none"),
          /^Failed retrieving artifact "r.test\/a:none": .*not found/
        )
        assert.match(yield* raised(tree, "r.test/a:none"), /^Failed retrieving the tree of "r.test\/a:none": /)
      }).pipe(Effect.provide(layer))
    }))
})
