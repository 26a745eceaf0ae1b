import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { layerAdd } from "../../../src/programs/mod/changes/layerAdd.ts"
import { layerRemoveCreatedBy, layerRemoveIndex } from "../../../src/programs/mod/changes/layerRemove.ts"
import { rebase, rebaseRef } from "../../../src/programs/mod/changes/rebase.ts"
import { UsageError } from "../../../src/schemas/UsageError.ts"
import { byTag } from "../../fixtures/images.ts"
import { temporary } from "../../support/registries.ts"
import { historyIn, imageIn, imageOf, namesIn, sha, tarIn, tarOf, types, world } from "./world.ts"

const app = "r.example.org/app:v1"
const message = (error: unknown): string => error instanceof Error ? error.message : String(error)
const tarNamed = (...names: ReadonlyArray<string>) =>
  Effect.promise(() => tarOf(names.map((name) => ({ name, content: `content of ${name}` }))))
const nothing = () => Effect.void

/** The reason alone, as it is found while the value is read. */
const refusal = <R>(change: Effect.Effect<unknown, unknown, R>) =>
  Effect.map(Effect.flip(change), (error) => {
    assert.instanceOf(error, UsageError)
    return message(error)
  })

describe("a layer that is added", () => {
  const dir = temporary("added")
  const path = (name: string) => join(dir.path, name)
  const { mod, put, services } = world()
  const add = (value: string) => Effect.provide(layerAdd(value), services)

  for (
    const [name, compress] of [["plain", (it: Buffer) => it], ["gzip", gzipSync], ["zstd", zstdCompressSync]] as const
  ) {
    it.effect(`comes last, from a ${name} tar, with its history at the time of the build`, () =>
      Effect.gen(function*() {
        const tar = yield* tarNamed("new")
        writeFileSync(path(name), compress(tar))
        yield* put(app, imageOf({ layers: [{ tar: yield* tarNamed("old") }] }))
        yield* mod(app, [add(`tar=${path(name)}`)], (draft) =>
          Effect.gen(function*() {
            const { config, layers } = imageIn(draft)
            assert.deepStrictEqual(yield* namesIn(draft), ["same", ["new"]])
            assert.strictEqual(layers[1]?.descriptor.mediaType, types.gzip)
            assert.strictEqual(layers[1]?.diffId, sha(tar))
            assert.deepStrictEqual(config.document?.history?.at(-1), {
              created: "1970-01-01T00:16:40Z",
              comment: "regclient"
            })
          }))
      }).pipe(Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({ SOURCE_DATE_EPOCH: "1000" })
      )))
  }

  it.effect("has the form its media type says, and that of its manifest's family without one", () =>
    Effect.gen(function*() {
      writeFileSync(path("x.tar"), yield* tarNamed("x"))
      yield* put(app, imageOf({ layers: [] }))
      const typeOf = (value: string) =>
        mod(app, [add(`tar=${path("x.tar")}${value}`)], (draft) => {
          const [layer] = imageIn(draft).layers
          return layer === undefined ? Effect.die("none") : Effect.as(tarIn(layer), layer.descriptor.mediaType)
        })
      assert.strictEqual(yield* typeOf(`,mediaType=${types.zstd}`), types.zstd)
      assert.strictEqual(yield* typeOf(`,mediaType=${types.none}`), types.none)
      assert.strictEqual(yield* typeOf(""), types.gzip)
      assert.strictEqual(
        message(yield* Effect.flip(typeOf(",mediaType=text/plain"))),
        "unsupported new layer media type text/plain"
      )
    }))

  it.effect("goes to images of its platform, to artifacts that are named, and to no attestation", () =>
    Effect.gen(function*() {
      writeFileSync(path("y.tar"), yield* tarNamed("y"))
      const tar = yield* tarNamed("old")
      const image = (os: string, architecture: string) => imageOf({ layers: [{ tar }], platform: { os, architecture } })
      yield* put("multi:v1", image("linux", "amd64"), image("linux", "arm64"), image("unknown", "unknown"))
      const counts = (value: string) =>
        mod(
          "multi:v1",
          [add(`tar=${path("y.tar")}${value}`)],
          (draft) => Effect.succeed([0, 1, 2].map((at) => imageIn(draft, at).layers.length))
        )
      assert.deepStrictEqual(yield* counts(",platform=linux/arm64"), [1, 2, 1])
      assert.deepStrictEqual(yield* counts(""), [2, 2, 1])
      yield* put("artifact:v1", imageOf({ isArtifact: true, layers: [{ tar }] }))
      const diffIds = yield* mod(
        "artifact:v1",
        [add(`tar=${path("y.tar")}`)],
        (draft) => Effect.succeed(imageIn(draft).layers.map(({ diffId }) => diffId))
      )
      assert.deepStrictEqual(diffIds, [undefined, undefined])
    }))

  it.effect("begins no history of its own where the layers have none", () =>
    Effect.gen(function*() {
      writeFileSync(path("h.tar"), yield* tarNamed("h"))
      const tar = yield* tarNamed("old")
      yield* put("bare:v1", imageOf({ hasHistory: false, layers: [{ tar }] }))
      const added = (name: string) =>
        mod(name, [add(`tar=${path("h.tar")}`)], (draft) => Effect.succeed(historyIn(draft)))
      assert.deepStrictEqual(yield* added("bare:v1"), [])
      yield* put("bare:v2", imageOf({ hasHistory: false, layers: [] }))
      assert.deepStrictEqual(yield* added("bare:v2"), [""])
    }))

  it.effect("is made of a directory: in order, with modes, times and the targets of links", () =>
    Effect.gen(function*() {
      mkdirSync(path("tree/b/c"), { recursive: true })
      writeFileSync(path("tree/b/c/file"), "text")
      writeFileSync(path("tree/b-d"), "x")
      writeFileSync(path("tree/a"), "")
      chmodSync(path("tree/a"), 0o4751)
      symlinkSync("b/c/file", path("tree/link"))
      for (const name of ["a", "b-d", "b/c/file", "b/c", "b"]) utimesSync(path(`tree/${name}`), 1_000, 1_500.75)
      const socket = createServer()
      yield* Effect.promise(() => new Promise<void>((done) => socket.listen(path("tree/socket"), done)))
      yield* put(app, imageOf({ layers: [] }))
      yield* mod(app, [add(`dir=${path("tree")},mediaType=${types.none}`)], (draft) =>
        Effect.gen(function*() {
          const [layer] = imageIn(draft).layers
          assert.isDefined(layer)
          writeFileSync(path("tree.tar"), yield* tarIn(layer))
          const lines = execFileSync("tar", ["--full-time", "--utc", "-tvf", path("tree.tar")]).toString().trim().split(
            "\n"
          )
          assert.deepStrictEqual(
            lines.map((line) => line.replace(/ \S+\/\S+ +/, " ").replace(/ 20\S+ \S+ link/, " link")),
            [
              "-rwsr-x--x 0 1970-01-01 00:25:00 a",
              "drwxr-xr-x 0 1970-01-01 00:25:00 b",
              "drwxr-xr-x 0 1970-01-01 00:25:00 b/c",
              "-rw-r--r-- 4 1970-01-01 00:25:00 b/c/file",
              "-rw-r--r-- 1 1970-01-01 00:25:00 b-d",
              "lrwxrwxrwx 0 link -> b/c/file"
            ]
          )
        }))
      yield* Effect.promise(() => new Promise((done) => socket.close(done)))
    }))

  it.effect("that cannot be read is refused", () =>
    Effect.gen(function*() {
      writeFileSync(path("z.tar"), "no tar")
      assert.deepStrictEqual(
        yield* Effect.forEach(
          [
            "x=y",
            "tar=/absent",
            `tar=${path("z.tar")},dir=${path("")}`,
            `tar=${path("z.tar")},platform=linux/bad!`,
            "tar=\"open"
          ],
          (value) => refusal(add(value))
        ),
        [
          "tar file input is required",
          "failed to open tar file /absent: open /absent: no such file or directory",
          "cannot use dir and tar options together in layer-add",
          "failed to parse platform linux/bad!: invalid platform component bad! in linux/bad!",
          "failed to parse layer-add options tar=\"open"
        ]
      )
      yield* put(app, imageOf({ layers: [] }))
      const later = (value: string) => Effect.map(Effect.flip(mod(app, [add(value)], nothing)), message)
      assert.strictEqual(
        yield* later("dir=/absent"),
        "failed to push layer: lstat /absent: no such file or directory"
      )
      assert.strictEqual(
        yield* later(`tar=${path("z.tar")}`),
        "failed to push layer: tar is invalid: it ends in the middle"
      )
      dir.remove()
    }))
})

describe("layers that are removed", () => {
  const setup = Effect.gen(function*() {
    const it = world()
    const [a, b] = [yield* tarNamed("a"), yield* tarNamed("b")]
    // Twice the same, as empty layers often are.
    const layers = [a, a, b].map((tar, at) => ({ tar, createdBy: `RUN ${at}` }))
    yield* it.put(app, imageOf({ empty: ["ENV"], layers }))
    const history = (...options: Parameters<typeof it.mod>[1]) =>
      it.mod(app, options, (draft) => Effect.succeed([historyIn(draft), imageIn(draft).layers.length]))
    return { ...it, history, layers }
  })

  it.effect("by index go with their history, counted as they came", () =>
    Effect.gen(function*() {
      const { history } = yield* setup
      assert.deepStrictEqual(yield* history(layerRemoveIndex("1")), [["ENV", "RUN 0", "RUN 2"], 2])
      assert.deepStrictEqual(yield* history(layerRemoveIndex("0"), layerRemoveIndex("1")), [["ENV", "RUN 2"], 1])
      assert.deepStrictEqual(yield* history(layerRemoveIndex("0"), layerRemoveIndex("0")), [
        ["ENV", "RUN 1", "RUN 2"],
        2
      ])
    }))

  it.effect("by an expression may be many", () =>
    Effect.gen(function*() {
      const { history } = yield* setup
      assert.deepStrictEqual(yield* history(layerRemoveCreatedBy("[02]$")), [["ENV", "RUN 1"], 1])
      assert.deepStrictEqual(yield* history(layerRemoveCreatedBy("R"), layerRemoveCreatedBy("R")), [["ENV"], 0])
    }))

  it.effect("have to be there", () =>
    Effect.gen(function*() {
      const { history, layers, mod, put } = yield* setup
      const failed = (option: ReturnType<typeof layerRemoveIndex>) => Effect.map(Effect.flip(history(option)), message)
      assert.deepStrictEqual(
        [
          yield* failed(layerRemoveIndex("3")),
          yield* failed(layerRemoveIndex("-1")),
          yield* failed(layerRemoveCreatedBy("^ENV")),
          yield* refusal(layerRemoveIndex("x")),
          yield* refusal(layerRemoveCreatedBy("("))
        ],
        [
          "layer not found",
          "layer not found",
          "no layers match expression: ^ENV",
          "index invalid: strconv.Atoi: parsing \"x\": invalid syntax",
          "value must be a valid regex: error parsing regexp: missing closing ): `(`"
        ]
      )
      const image = (architecture: string) => imageOf({ layers, platform: { os: "linux", architecture } })
      yield* put("multi:v1", image("amd64"), image("arm64"), imageOf({ isArtifact: true, layers: [] }))
      assert.strictEqual(
        message(yield* Effect.flip(mod("multi:v1", [layerRemoveIndex("0")], nothing))),
        "remove layer by index requires v2 image manifest"
      )
      const counts = yield* mod("multi:v1", [layerRemoveCreatedBy("0")], (draft) =>
        Effect.succeed([0, 1].map((at) =>
          imageIn(draft, at).layers.length
        )))
      assert.deepStrictEqual(counts, [2, 2])
    }))
})

describe("another base", () => {
  const amd64 = { os: "linux", architecture: "amd64" }
  const arm64 = { os: "linux", architecture: "arm64" }
  const setup = Effect.gen(function*() {
    const it = world()
    const tars = yield* Effect.forEach(["old 1", "old 2", "new amd64", "new arm64", "own"], (name) => tarNamed(name))
    const layerOf = (at: number, createdBy: string) => ({ tar: tars[at] ?? Buffer.alloc(0), createdBy })
    const old = [layerOf(0, "base 1"), layerOf(1, "base 2")]
    yield* it.put("old:v1", imageOf({ empty: ["ENV"], layers: old, platform: amd64 }))
    yield* it.put(
      "new:v2",
      imageOf({ layers: [layerOf(3, "new arm64")], platform: arm64 }),
      imageOf({ layers: [layerOf(2, "new amd64")], platform: amd64 })
    )
    const { descriptor: { digest } } = yield* it.at("old:v1").resolve(byTag("v1"))
    const image = imageOf({
      annotations: { "org.opencontainers.image.base.name": "new:v2", "org.opencontainers.image.base.digest": digest },
      empty: ["ENV"],
      layers: [...old, layerOf(4, "own")],
      platform: amd64
    })
    yield* it.put(app, image)
    return { ...it, digest, layerOf, old }
  })

  it.effect("takes the place of the leading layers and their history, for the platform of the image", () =>
    Effect.gen(function*() {
      const { mod } = yield* setup
      const seen = yield* mod(app, [rebaseRef("old:v1,new:v2")], (draft) =>
        Effect.map(namesIn(draft), (names) => [
          names,
          historyIn(draft)
        ]))
      assert.deepStrictEqual(seen, [[["new amd64"], "same"], ["new amd64", "own"]])
    }))

  it.effect("is what the annotations name", () =>
    Effect.gen(function*() {
      const { digest, layerOf, mod, old, put } = yield* setup
      // The old base is looked for by its digest where the new one is.
      yield* put("new:v1", imageOf({ empty: ["ENV"], layers: old, platform: amd64 }))
      assert.deepStrictEqual(yield* mod(app, [rebase()], (draft) => Effect.succeed(historyIn(draft))), [
        "new amd64",
        "own"
      ])
      yield* put("plain:v1", imageOf({ layers: [layerOf(4, "own")] }))
      assert.match(digest, /^sha256:/)
      assert.strictEqual(
        message(yield* Effect.flip(mod("plain:v1", [rebase()], nothing))),
        "annotation for base image is missing (org.opencontainers.image.base.name or org.opencontainers.image.base.digest)"
      )
    }))

  it.effect("that is the old one changes nothing", () =>
    Effect.gen(function*() {
      const { mod } = yield* setup
      const isSame = yield* mod(app, [rebaseRef("new:v2,new:v2")], (draft) =>
        Effect.succeed(
          imageIn(draft).layers.every(({ content }) => content === undefined)
        ))
      assert.isTrue(isSame)
    }))

  it.effect("needs an image that stands on the old one", () =>
    Effect.gen(function*() {
      const { layerOf, mod, old, put } = yield* setup
      yield* put("more:v1", imageOf({ layers: [...old, ...old] }))
      yield* put("other:v1", imageOf({ layers: [layerOf(4, "own")] }))
      yield* put("named:v1", imageOf({ empty: ["ENV"], layers: [layerOf(0, "base one")] }))
      yield* put("s390x:v1", imageOf({ layers: old, platform: { os: "linux", architecture: "s390x" } }))
      const failed = (name: string, value: string) =>
        Effect.map(Effect.flip(mod(name, [rebaseRef(value)], nothing)), (error) =>
          message(error).replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:…"))
      assert.deepStrictEqual(
        [
          yield* failed(app, "more:v1,new:v2"),
          yield* failed(app, "other:v1,new:v2"),
          yield* failed(app, "named:v1,new:v2"),
          yield* failed("s390x:v1", "old:v1,new:v2"),
          (yield* failed(app, "absent:v1,new:v2")).replace(/: .*/, "")
        ],
        [
          "base image has more layers than modified image",
          "old base image does not match image layers, layer 0, base sha256:…, image sha256:…",
          "old base image does not match image history, entry 1, base {2024-01-02T03:04:05Z base one   false}, " +
          "image {2024-01-02T03:04:05Z base 1   false}",
          "failed to get base image: platform not found: linux/s390x (there are linux/arm64, linux/amd64)",
          "failed to get base image"
        ]
      )
      assert.deepStrictEqual(
        yield* Effect.forEach(["a", "A,b", "a,b,c", "a,"], (value) =>
          refusal(rebaseRef(value))),
        [
          "rebase-ref requires two base images (old,new), comma separated",
          "failed parsing old base image ref: invalid reference \"A\", repo must be lowercase",
          "failed parsing new base image ref: invalid reference \"b,c\"",
          "failed parsing new base image ref: invalid reference \"\""
        ]
      )
    }))
})
