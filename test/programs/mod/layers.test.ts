import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { digestAlgorithm } from "../../../src/programs/mod/changes/content.ts"
import {
  fileTarTime,
  layerCompress,
  layerStrip,
  layerTime,
  reproducible
} from "../../../src/programs/mod/changes/layerFiles.ts"
import { parseTimeOptions } from "../../../src/programs/mod/time.ts"
import { collect } from "../../../src/services/Bytes.ts"
import { installed } from "../../support/programs.ts"
import { temporary } from "../../support/registries.ts"
import { type File, filesOf, historyIn, imageIn, imageOf, namesIn, sha, tarIn, tarOf, types, world } from "./world.ts"

const time = (text: string) => Effect.flatMap(Effect.fromResult(parseTimeOptions(text)), layerTime)
const tarTime = (text: string) =>
  Effect.flatMap(Effect.fromResult(parseTimeOptions(text, { hasFilename: true })), fileTarTime)

const one: ReadonlyArray<File> = [
  { name: "etc/", type: "directory" },
  { name: "etc/passwd", content: "root" },
  { name: "./var/cache/a", content: "a" },
  { name: "var/cache2", content: "b" }
]
const two: ReadonlyArray<File> = [{ name: "var/", type: "directory" }, { name: "var/cache/b", content: "c" }]
const only: ReadonlyArray<File> = [{ name: "/var/cache/only", content: "d" }]

const setup = Effect.gen(function*() {
  const it = world()
  const [a, b, c] = yield* Effect.promise(() => Promise.all([tarOf(one), tarOf(two), tarOf(only)]))
  yield* it.put(
    "r.example.org/app:v1",
    imageOf({
      empty: ["ENV a=b"],
      layers: [{ tar: a, createdBy: "one" }, { tar: b, createdBy: "two", form: "none" }, { tar: c, createdBy: "only" }]
    })
  )
  return { ...it, tars: [a, b, c] as const, app: "r.example.org/app:v1" }
})

const message = (error: unknown): string => error instanceof Error ? error.message : String(error)

describe("stripped files", () => {
  it.effect("are gone with all below them, a layer without any left with its history", () =>
    Effect.gen(function*() {
      const { app, mod } = yield* setup
      const seen = yield* mod(app, [layerStrip("/var/cache")], (draft) =>
        Effect.map(namesIn(draft), (names) => ({
          names,
          history: historyIn(draft)
        })))
      assert.deepStrictEqual(seen, {
        names: [["etc/", "etc/passwd", "var/cache2"], ["var/"]],
        history: ["ENV a=b", "one", "two"]
      })
    }))

  it.effect("that are nowhere leave the image as it is", () =>
    Effect.gen(function*() {
      const { app, mod } = yield* setup
      const isSame = yield* mod(app, [layerStrip("/var/cach"), layerStrip("")], (draft) =>
        Effect.succeed(
          imageIn(draft).layers.every((layer, at) =>
            layer.content === undefined && layer.descriptor === imageIn(draft).origin.layers[at]
          )
        ))
      assert.isTrue(isSame)
    }))

  it.effect("keep the media type, the algorithm and the annotations of their layer", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      const tar = yield* Effect.promise(() => tarOf(one))
      const bytes = gzipSync(tar, { level: 1 })
      const more = {
        annotations: { a: "b" },
        data: bytes.toString("base64"),
        // The layer as sha512 has it.
        digest: sha(bytes, "sha512") as never
      }
      yield* put("a:v1", imageOf({ layers: [{ tar, more }] }))
      yield* mod("a:v1", [layerStrip("etc")], (draft) =>
        Effect.gen(function*() {
          const [layer] = imageIn(draft).layers
          assert.isDefined(layer)
          const found = yield* tarIn(layer)
          const { descriptor: { data: _data, digest, size: _size, ...rest }, diffId } = layer
          assert.match(digest, /^sha512:/)
          assert.strictEqual(diffId, sha(found))
          assert.deepStrictEqual(rest, { mediaType: types.gzip, annotations: { a: "b" } })
        }))
    }))
})

describe("the form of layers", () => {
  for (const form of ["gzip", "zstd", "none"] as const) {
    it.effect(`becomes ${form}, with the same diff ids`, () =>
      Effect.gen(function*() {
        const { app, mod, tars } = yield* setup
        yield* mod(app, [layerCompress(form)], (draft) =>
          Effect.gen(function*() {
            const { layers } = imageIn(draft)
            assert.deepStrictEqual(
              layers.map(({ descriptor }) => descriptor.mediaType),
              [1, 2, 3].map(() => types[form])
            )
            assert.deepStrictEqual(layers.map(({ diffId }) => diffId), tars.map((it) => sha(it)))
            for (const layer of layers) if (layer.content !== undefined) yield* tarIn(layer)
            const isNew = layers.map(({ content }) => content !== undefined)
            assert.deepStrictEqual(
              isNew,
              form === "zstd" ? [true, true, true] : form === "none"
                ? [true, false, true]
                : [false, true, false]
            )
          }))
      }))
  }

  it.effect("and files change in one pass, and gzip tells neither name nor time", () =>
    Effect.gen(function*() {
      const { app, mod } = yield* setup
      yield* mod(
        app,
        [layerStrip("etc"), layerCompress("gzip"), layerCompress("zstd"), layerCompress("gzip")],
        (draft) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(yield* namesIn(draft), [
              ["./var/cache/a", "var/cache2"],
              ["var/", "var/cache/b"],
              "same"
            ])
            const content = imageIn(draft).layers[1]?.content
            assert.isDefined(content)
            const head = (yield* collect(content, 10_000)).subarray(0, 10)
            assert.strictEqual(Buffer.from(head).toString("hex"), "1f8b0800000000000003")
          })
      )
    }))

  it.effect("that cannot be is refused", () =>
    Effect.gen(function*() {
      const { app, mod } = yield* setup
      const tried = (form: string) => Effect.flip(mod(app, [layerCompress(form)], () => Effect.void))
      assert.deepStrictEqual([message(yield* tried("xz")), message(yield* tried("lz4"))], [
        "unsupported layer compression: xz",
        "unknown layer compression lz4"
      ])
    }))
})

describe("another digest algorithm", () => {
  it.effect("names the same bytes anew, and their tar", () =>
    Effect.gen(function*() {
      const { app, mod, tars } = yield* setup
      yield* mod(app, [Effect.succeed(digestAlgorithm("sha512"))], (draft) =>
        Effect.gen(function*() {
          const { layers, origin } = imageIn(draft)
          assert.deepStrictEqual(layers.map(({ descriptor }) => descriptor.size), origin.layers.map(({ size }) => size))
          for (const layer of layers) {
            assert.match(layer.descriptor.digest, /^sha512:/)
            yield* tarIn(layer)
          }
          assert.deepStrictEqual(layers.map(({ diffId }) => diffId), tars.map((it) => sha(it, "sha512")))
        }))
    }))
})

describe("times of files", () => {
  const mtimes = (tar: Uint8Array) =>
    Effect.promise(() => filesOf(tar).then((files) => files.map(({ mtime }) => mtime)))

  it.effect("are set, but in layers of the base and for files that are old enough", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      const base = yield* Effect.promise(() => tarOf([{ name: "base", mtime: 2_000 }]))
      const own = yield* Effect.promise(() =>
        tarOf([{ name: "a", mtime: 1_000 }, { name: "b", mtime: 2_000 }, { name: "c", mtime: 3_000 }])
      )
      yield* put("base:v1", imageOf({ layers: [{ tar: base }] }))
      yield* put("app:v1", imageOf({ layers: [{ tar: base }, { tar: own }] }))
      const rule = "set=1970-01-01T00:25:00Z,after=1970-01-01T00:20:00Z"
      for (const more of ["base-layers=1", "base-ref=base:v1"]) {
        yield* mod("app:v1", [time(`${rule},${more}`)], (draft) =>
          Effect.gen(function*() {
            const [first, second] = imageIn(draft).layers
            assert.isUndefined(first?.content)
            assert.isDefined(second)
            assert.deepStrictEqual(yield* Effect.flatMap(tarIn(second), mtimes), [1_000, 1_500, 1_500])
          }))
      }
    }))

  it.effect("that are what they shall be change nothing, nor need a time to be named", () =>
    Effect.gen(function*() {
      const { app, mod } = yield* setup
      const contents = yield* mod(app, [time("set=2020-09-13T12:26:40Z")], (draft) =>
        Effect.succeed(
          imageIn(draft).layers.map(({ content }) => content)
        ))
      assert.deepStrictEqual(contents, [undefined, undefined, undefined])
      const error = yield* Effect.flip(mod(app, [time("base-layers=1")], () => Effect.void))
      assert.strictEqual(message(error), "WithLayerTimestamp requires a time to set")
    }))

  it.effect("in a tar within a layer are set, with its new size", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      const inner = yield* Effect.promise(() => tarOf([{ name: "x", content: "inside" }, { name: "y" }]))
      const tar = yield* Effect.promise(() =>
        tarOf([{ name: "a", content: "before" }, { name: "./in.tar", content: inner }, { name: "z", content: "after" }])
      )
      yield* put("app:v1", imageOf({ layers: [{ tar }] }))
      // A time with a fraction needs a record more.
      yield* mod("app:v1", [tarTime("filename=/in.tar,set=2001-09-09T01:46:40.5Z")], (draft) =>
        Effect.gen(function*() {
          const [layer] = imageIn(draft).layers
          assert.isDefined(layer)
          writeFileSync(join(dir.path, "outer.tar"), yield* tarIn(layer))
          const list = (...args: ReadonlyArray<string>) =>
            execFileSync("tar", ["--full-time", "--utc", ...args], { cwd: dir.path }).toString().trim().split("\n")
          execFileSync("tar", ["-xf", "outer.tar"], { cwd: dir.path })
          assert.strictEqual(readFileSync(join(dir.path, "z"), "utf8"), "after")
          assert.deepStrictEqual(
            list("-tvf", "in.tar").map((line) => line.split(/\s+/).slice(2).join(" ")),
            ["6 2001-09-09 01:46:40.5 x", "0 2001-09-09 01:46:40.5 y"]
          )
          assert.deepStrictEqual(
            list("-tvf", "outer.tar").map((line) => line.includes("2020-09-13 12:26:40")),
            [true, true, true]
          )
        }))
      const same = yield* mod("app:v1", [tarTime("filename=in.tar,set=2020-09-13T12:26:40Z")], (draft) =>
        Effect.succeed(imageIn(draft).layers[0]?.content))
      assert.isUndefined(same)
      const error = yield* Effect.flip(
        mod("app:v1", [tarTime("filename=a,set=2020-09-13T12:26:40Z")], () =>
          Effect.void)
      )
      assert.match(message(error), /^failed to change layer sha256:[0-9a-f]{64}: failed to change a: tar is invalid: /)
    }))
})

const dir = temporary("layers")

describe("a layer with everything in it", () => {
  const python = installed("python3", "python3")
  const script = join(import.meta.dirname, "../../fixtures/tars.py")
  const path = join(dir.path, "all.tar")
  execFileSync(python, [script, "make", path])
  const all = readFileSync(path)
  const list = (tar: Uint8Array): ReadonlyArray<Record<string, unknown>> => {
    writeFileSync(join(dir.path, "changed.tar"), tar)
    execFileSync("tar", ["-tf", join(dir.path, "changed.tar")], { stdio: ["ignore", "pipe", "pipe"] })
    return JSON.parse(execFileSync(python, [script, "list", join(dir.path, "changed.tar")]).toString())
  }
  const before = list(all)
  const changed = Effect.fnUntraced(function*(options: Parameters<ReturnType<typeof world>["mod"]>[1]) {
    const { mod, put } = world()
    yield* put("app:v1", imageOf({ layers: [{ tar: all }] }))
    return yield* mod("app:v1", options, (draft) => {
      const [layer] = imageIn(draft).layers
      return layer === undefined ? Effect.die("no layer") : tarIn(layer)
    })
  })

  it.effect("loses the files that are stripped and nothing else, not a byte", () =>
    Effect.gen(function*() {
      const tar = yield* changed([layerStrip("caps"), layerStrip("dir/soft")])
      assert.deepStrictEqual(
        list(tar),
        before.filter(({ name }) => name !== "caps" && name !== "dir/soft")
      )
      assert.strictEqual(all.length - tar.length, 3 * 512 + 512)
    }))

  it.effect("changes nothing but its times", () =>
    Effect.gen(function*() {
      const at = (it: Record<string, unknown>) => {
        const { mtime: _, ...records } = it["records"] as Record<string, string>
        const times = "atime" in records
          ? { atime: "MTAwMDAwMDAwMA==", ctime: "MTAwMDAwMDAwMA==" }
          : {}
        return { ...it, mtime: "1000000000", records: { ...records, ...times } }
      }
      assert.deepStrictEqual(list(yield* changed([time("set=2001-09-09T01:46:40Z")])), before.map(at))
    }))

  it.effect("changes nothing but its names of users", () =>
    Effect.gen(function*() {
      const nameless = (it: Record<string, unknown>) => {
        const { uname: _, ...records } = it["records"] as Record<string, string>
        return { ...it, uname: "", gname: "", records }
      }
      assert.deepStrictEqual(list(yield* changed([reproducible()])), before.map(nameless))
    }))

  it.effect("is the same in another form, up to what stands behind its end", () =>
    Effect.gen(function*() {
      assert.isTrue(all.equals(yield* changed([layerStrip("nothing"), layerCompress("zstd")])))
    }))
})

describe("layers", () => {
  it.effect("that images share are done once", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      const tar = yield* Effect.promise(() => tarOf(one))
      const image = (architecture: string) => imageOf({ layers: [{ tar }], platform: { os: "linux", architecture } })
      yield* put("multi:v1", image("amd64"), image("arm64"))
      const [a, b] = yield* mod("multi:v1", [layerStrip("etc")], (draft) =>
        Effect.succeed([0, 1].map((at) =>
          imageIn(draft, at).layers[0]?.content
        )))
      assert.isDefined(a)
      assert.strictEqual(a, b)
    }))

  it.effect("with addresses of their own, or of another type, are left alone", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      const tar = yield* Effect.promise(() => tarOf(one))
      yield* put(
        "app:v1",
        imageOf({
          layers: [{ tar, more: { urls: ["https://x.example.org"] } }, { tar, more: { mediaType: "text/x" } }]
        })
      )
      const isSame = yield* mod(
        "app:v1",
        [layerStrip("etc"), layerCompress("zstd")],
        (draft) => Effect.succeed(imageIn(draft).layers.every(({ content }) => content === undefined))
      )
      assert.isTrue(isSame)
    }))

  it.effect("that are no tar fail, naming the layer", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      yield* put("app:v1", imageOf({ layers: [{ tar: Buffer.from("no tar at all") }] }))
      const error = yield* Effect.flip(mod("app:v1", [reproducible()], () => Effect.void))
      assert.match(
        message(error),
        /^failed to change layer sha256:[0-9a-f]{64}: tar is invalid: it ends in the middle$/
      )
      dir.remove()
    }))

  it.effect("changed twice are the same as changed once", () =>
    Effect.gen(function*() {
      const { mod, put } = world()
      const tar = yield* Effect.promise(() => tarOf(one))
      const options = [reproducible(), time("set=2001-09-09T01:46:40Z")]
      yield* put("app:v1", imageOf({ layers: [{ tar }] }))
      const first = yield* mod("app:v1", options, (draft) =>
        Effect.map(
          Effect.forEach(
            imageIn(draft).layers,
            ({ content }) => content === undefined ? Effect.die("same") : collect(content, 10_000)
          ),
          ([bytes]) => bytes
        ))
      assert.isDefined(first)
      yield* put("app:v2", imageOf({ layers: [{ tar: gunzipSync(first) }] }))
      const again = yield* mod("app:v2", options, (draft) => Effect.succeed(imageIn(draft).layers[0]?.content))
      assert.isUndefined(again)
    }))
})
