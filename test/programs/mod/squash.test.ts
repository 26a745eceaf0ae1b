/** Layers that become one, from archives written entry by entry. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { layerCompress, layerSquash, layerTime } from "../../../src/programs/mod/changes/layerFiles.ts"
import type { Change } from "../../../src/programs/mod/draft.ts"
import { parseTimeOptions } from "../../../src/programs/mod/time.ts"
import { archiveOf, paxEntry, type RawEntry, rawEntry, rawTar } from "../../support/tars.ts"
import { type File, filesOf, imageIn, imageOf, tarIn, types, world } from "./world.ts"

const { mod, put } = world()
const app = "r.example.org/app:v1"
const squash: Effect.Effect<Change> = Effect.succeed(layerSquash)

const dir = (name: string, patch: RawEntry["patch"] = []): RawEntry => ({ name, type: "5", patch })
const file = (name: string, body: string): RawEntry => ({ name, body })
const link = (name: string, linkname: string): RawEntry => ({ name, type: "1", linkname })
const symlink = (name: string, linkname: string): RawEntry => ({ name, type: "2", linkname })
const gone = (name: string): RawEntry => ({ name })
const mode = (text: string): RawEntry["patch"] => [[100, `0000${text}\0`]]

type Layer = ReadonlyArray<RawEntry> | Buffer

/** The archive of the one layer. */
const squashed = Effect.fnUntraced(function*(layers: ReadonlyArray<Layer>) {
  const tars = layers.map((it) => Buffer.isBuffer(it) ? it : rawTar(it))
  yield* put(app, imageOf({ layers: tars.map((tar) => ({ tar })) }))
  return yield* mod(app, [squash], (draft) => {
    const [layer, ...others] = imageIn(draft).layers
    assert.lengthOf(others, 0)
    return layer === undefined ? Effect.die("no layer") : tarIn(layer)
  })
})

/** Its entries as GNU tar reads them: type, mode, name, target of a link; and what files hold. */
const listed = (...layers: ReadonlyArray<Layer>) =>
  Effect.gen(function*() {
    const tar = yield* squashed(layers)
    const lines = execFileSync("tar", ["-tvf", "-"], { input: tar }).toString().trimEnd().split("\n")
    const bodies = (yield* Effect.promise(() => filesOf(tar))).map(({ content }) => content)
    return lines.map((line, at) => {
      const [type = "", ...words] = line.split(/ +/)
      return [`${type} ${words.slice(4).join(" ")}`, ...(bodies[at] === "" ? [] : [bodies[at]])].join(" = ")
    })
  })

describe("layers that become one", () => {
  const rules: ReadonlyArray<readonly [what: string, layers: ReadonlyArray<Layer>, left: ReadonlyArray<string>]> = [
    [
      "keep the newest file of a name, however it is spelled",
      [[file("a", "old"), file("b", "b")], [file("./a", "new")]],
      ["-rw-r--r-- b = b", "-rw-r--r-- ./a = new"]
    ],
    [
      "keep the newest entry of a name within a layer, too",
      [[file("a", "first"), file("a", "second")], [file("b", "b")]],
      ["-rw-r--r-- a = second", "-rw-r--r-- b = b"]
    ],
    [
      "lose what is below a directory that is replaced by a file",
      [[dir("d/"), file("d/x", "x"), dir("d/e/"), file("d/e/y", "y")], [file("d", "file")]],
      ["-rw-r--r-- d = file"]
    ],
    [
      "lose a file that is replaced by a directory",
      [[file("d", "file"), file("e", "file")], [dir("d/"), file("e/x", "x")]],
      ["drw-r--r-- d/", "-rw-r--r-- e/x = x"]
    ],
    [
      "keep the files of a directory that a later layer has again, with its newest mode",
      [[dir("d/", mode("755")), file("d/x", "x")], [dir("d/", mode("700")), file("d/y", "y")]],
      ["-rw-r--r-- d/x = x", "drwx------ d/", "-rw-r--r-- d/y = y"]
    ],
    [
      "lose what whiteouts name, with all below it, and the whiteouts",
      [[dir("d/"), file("d/x", "x"), file("d/y", "y"), dir("e/"), file("e/z", "z")], [gone("d/.wh.x"), gone(".wh.e")]],
      ["drw-r--r-- d/", "-rw-r--r-- d/y = y"]
    ],
    [
      "keep files beside a whiteout of the same layer, whichever comes first",
      [
        [file("a", "old"), dir("d/"), file("d/old", "old")],
        [file("a", "new"), gone(".wh.a"), dir("d/"), file("d/new", "new"), gone(".wh.d")]
      ],
      ["-rw-r--r-- a = new", "drw-r--r-- d/", "-rw-r--r-- d/new = new"]
    ],
    [
      "have a file again that was deleted in between",
      [[file("a", "old")], [gone(".wh.a")], [file("a", "new")]],
      ["-rw-r--r-- a = new"]
    ],
    [
      "lose the files of lower layers in an opaque directory",
      [[dir("d/"), file("d/old", "old"), dir("d/e/"), file("d/e/x", "x")], [
        dir("d/"),
        file("d/new", "new"),
        gone("d/.wh..wh..opq")
      ]],
      ["drw-r--r-- d/", "-rw-r--r-- d/new = new"]
    ],
    [
      "lose what only a storage driver knew",
      [[file("a", "a")], [dir(".wh..wh.plnk/"), file(".wh..wh.plnk/1.2", "x"), gone(".wh..wh.aufs"), gone(".wh.")]],
      ["-rw-r--r-- a = a"]
    ],
    [
      "keep hard links to what is left",
      [[file("a", "a"), link("b", "a")], [link("c", "./b")]],
      ["-rw-r--r-- a = a", "hrw-r--r-- b link to a", "hrw-r--r-- c link to ./b"]
    ],
    [
      "keep the content of a file whose links are left, under the first of them",
      [[file("a", "text"), link("b", "a"), link("c", "a"), link("d", "c")], [gone(".wh.a"), gone(".wh.c")]],
      ["-rw-r--r-- b = text", "hrw-r--r-- d link to b"]
    ],
    [
      "keep the old content of a link whose file is replaced",
      [[file("a", "old"), link("b", "a")], [file("a", "new"), link("e", "a")]],
      ["-rw-r--r-- b = old", "-rw-r--r-- a = new", "hrw-r--r-- e link to a"]
    ],
    [
      "point to the file where the link in between is gone",
      [[file("a", "text"), link("b", "a"), link("c", "b")], [gone(".wh.b")]],
      ["-rw-r--r-- a = text", "hrw-r--r-- c link to a"]
    ],
    [
      "keep links to symlinks, and those that lead nowhere",
      [[symlink("a", "x"), link("b", "a"), link("c", "absent")], [gone(".wh.a")]],
      ["lrw-r--r-- b -> x", "hrw-r--r-- c link to absent"]
    ],
    [
      "have files where symlinks led to, and delete them there",
      [[dir("usr/"), symlink("lib", "usr/lib"), file("usr/lib/x", "x")], [file("lib/x", "new"), file("lib/y", "y")], [
        gone("usr/lib/.wh.y"),
        dir("lib/")
      ]],
      ["drw-r--r-- usr/", "-rw-r--r-- usr/lib/x = new", "drw-r--r-- lib/"]
    ],
    [
      "have no symlink that leads above the root",
      [[symlink("up", "../../etc")], [file("up/passwd", "x")]],
      ["lrw-r--r-- up -> ../../etc", "-rw-r--r-- etc/passwd = x"]
    ],
    ["keep the newest root", [[dir("./", mode("755"))], [dir("./", mode("700"))]], ["drwx------ ./"]]
  ]
  for (const [what, layers, left] of rules) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* listed(...layers), left)
      }))
  }

  it.effect("keep headers byte for byte, extended attributes that are no text as well", () =>
    Effect.gen(function*() {
      const kept = [
        paxEntry([["SCHILY.xattr.security.capability", Uint8Array.of(1, 0, 0, 2, 0xff)]]),
        rawEntry(file("bin/ping", "program"))
      ]
      const tar = yield* squashed([archiveOf(rawEntry(file("x", "x")), ...kept), [gone(".wh.x")]])
      assert.isTrue(archiveOf(...kept).equals(tar))
    }))

  it.effect("move attributes and body of a file to the name of its link, however long", () =>
    Effect.gen(function*() {
      const long = `${"directory/".repeat(12)}link`
      const tar = yield* squashed([
        archiveOf(
          paxEntry([["SCHILY.xattr.user.a", "b"]]),
          rawEntry(file("a", "text")),
          paxEntry([["path", long]]),
          rawEntry(link("short", "a")),
          rawEntry(link("z", "a"))
        ),
        [gone(".wh.a")]
      ])
      const lines = execFileSync("tar", ["-tvf", "-"], { input: tar }).toString().trimEnd().split("\n")
      assert.deepStrictEqual(lines.map((line) => line.split(/ +/).slice(5).join(" ")), [long, `z link to ${long}`])
      assert.include(Buffer.from(tar).toString("latin1"), "SCHILY.xattr.user.a=b\n")
      assert.strictEqual((yield* Effect.promise(() => filesOf(tar)))[0]?.content, "text")
    }))

  it.effect("keep what an archive says of all its files to these", () =>
    Effect.gen(function*() {
      const tar = yield* squashed([
        archiveOf(
          paxEntry([["uname", "ada"], ["comment", "c"]], "g"),
          rawEntry(file("a", "a")),
          rawEntry(file("b", "b"))
        ),
        [file("c", "c"), gone(".wh.a")]
      ])
      const lines = execFileSync("tar", ["-tvf", "-"], { input: tar }).toString().trimEnd().split("\n")
      assert.deepStrictEqual(lines.map((line) => line.split(/ +/)[1]), ["ada/0", "0/0"])
      assert.notInclude(Buffer.from(tar).toString("latin1"), "comment=")
    }))
})

describe("an image of one layer", () => {
  const tar = (...entries: ReadonlyArray<RawEntry>) => rawTar(entries)
  const two = [{ tar: tar(file("a", "a")) }, { tar: tar(file("b", "b")), form: "zstd" as const }]

  it.effect("has the form of its last layer, all its history, and the same digest each time", () =>
    Effect.gen(function*() {
      yield* put(app, imageOf({ layers: two, empty: ["ENV a=b"] }))
      const run = mod(app, [squash], (draft) => Effect.succeed(imageIn(draft)))
      const [{ config, layers }, again] = [yield* run, yield* run]
      assert.deepStrictEqual(layers.map(({ descriptor }) => descriptor.mediaType), [types.zstd])
      assert.deepStrictEqual(again.layers[0]?.descriptor, layers[0]?.descriptor)
      const created = "2024-01-02T03:04:05Z"
      assert.deepStrictEqual(config.document?.history, [
        { created, created_by: "ENV a=b", empty_layer: true },
        { created, created_by: "made", empty_layer: true },
        { created, created_by: "made", empty_layer: true },
        { created, created_by: "regctl image mod --layer-squash", comment: "regclient" }
      ])
      assert.deepStrictEqual(again.config.document, config.document)
    }))

  it.effect("is changed by the options on files and forms, whatever they leave of the base", () =>
    Effect.gen(function*() {
      yield* put(app, imageOf({ layers: two }))
      const time = Effect.flatMap(
        Effect.fromResult(parseTimeOptions("set=2001-09-09T01:46:40Z,base-layers=1")),
        layerTime
      )
      const options = [time, layerCompress("none"), squash]
      const [layer] = yield* mod(app, options, (draft) => Effect.forEach(imageIn(draft).layers, tarIn))
      const files: ReadonlyArray<File> = yield* Effect.promise(() => filesOf(layer ?? new Uint8Array()))
      assert.deepStrictEqual(files.map(({ mtime, name }) => [name, mtime]), [["a", 1e9], ["b", 1e9]])
    }))

  it.effect("is made for each platform of an index, and of no attestation", () =>
    Effect.gen(function*() {
      const image = (os: string, architecture: string) => imageOf({ layers: two, platform: { os, architecture } })
      yield* put("multi:v1", image("linux", "amd64"), image("linux", "arm64"), image("unknown", "unknown"))
      const counts = yield* mod(
        "multi:v1",
        [squash],
        (draft) => Effect.succeed([0, 1, 2].map((at) => imageIn(draft, at).layers.length))
      )
      assert.deepStrictEqual(counts, [1, 1, 2])
    }))

  it.effect("stays as it is, as artifacts do", () =>
    Effect.gen(function*() {
      yield* put("one:v1", imageOf({ layers: two.slice(0, 1) }))
      yield* put("artifact:v1", imageOf({ layers: two, isArtifact: true }))
      for (const name of ["one:v1", "artifact:v1"]) {
        const isSame = mod(name, [squash], (draft) =>
          Effect.succeed(
            imageIn(draft).layers.every(({ content }) => content === undefined) &&
              imageIn(draft).config.document === imageIn(draft).config.received
          ))
        assert.isTrue(yield* isSame)
      }
    }))

  it.effect("cannot be made of layers that are kept elsewhere, or are no archives", () =>
    Effect.gen(function*() {
      const refusal = (more: Readonly<Record<string, unknown>>, bytes = tar(file("b", "b"))) =>
        Effect.gen(function*() {
          yield* put(app, imageOf({ layers: [{ tar: tar(file("a", "a")) }, { tar: bytes, form: "none", more }] }))
          const error = yield* Effect.flip(mod(app, [squash], () => Effect.void))
          return (error instanceof Error ? error.message : "").replace(/sha256:[0-9a-f]{64}/, "DIGEST")
        })
      const failed = "failed to squash layer DIGEST: "
      assert.strictEqual(yield* refusal({ urls: ["https://e.example.org/1"] }), `${failed}it is kept elsewhere`)
      assert.strictEqual(yield* refusal({ mediaType: "text/plain" }), `${failed}unsupported media type: "text/plain"`)
      assert.strictEqual(
        yield* refusal({}, Buffer.alloc(600, "x")),
        `${failed}tar is invalid: a header has a wrong checksum`
      )
    }))
})
