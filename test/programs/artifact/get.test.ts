import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { run } from "../../../src/programs/artifact/get.ts"
import type { Descriptor } from "../../../src/schemas/Descriptor.ts"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { descriptorOf, encode } from "../../fixtures/content.ts"
import { makeIndex, manifestOf, push } from "../../fixtures/images.ts"
import { temporary } from "../../support/registries.ts"
import { rawTar } from "../../support/tars.ts"
import { artifactWorld, flags } from "./world.ts"

const dir = temporary("artifact-get")
afterAll(() => dir.remove())
let count = 0
const newDir = (): string => {
  const path = join(dir.path, `out${count++}`)
  mkdirSync(path)
  return path
}
const filesIn = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath, it.name).slice(path.length + 1))
    .sort()

type Input = Parameters<typeof run>[0]
const get = (input: Partial<Input>): ReturnType<typeof run> => run({ ...flags.get, args: [], ...input })

interface File {
  readonly content: string | Uint8Array
  readonly title?: string
  readonly type?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** An artifact of files with a config of `{"x":1}`. */
const artifactOf = (files: ReadonlyArray<File>, more: Record<string, unknown> = {}) => {
  const config = encode(`{"x":1}`)
  const layers = files.map(({ annotations = {}, content, title, type = "text/plain" }) => {
    const bytes = typeof content === "string" ? encode(content) : content
    const all = { ...annotations, ...(title === undefined ? {} : { "org.opencontainers.image.title": title }) }
    return [
      { ...descriptorOf(bytes, type), ...(Object.keys(all).length === 0 ? {} : { annotations: all }) },
      bytes
    ] as const
  })
  const manifest = manifestOf({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorOf(config, "application/cfg"),
    layers: layers.map(([descriptor]) => descriptor),
    ...more
  })
  return { manifest, blobs: [[descriptorOf(config, "application/cfg"), config] as const, ...layers] }
}

const two = artifactOf([{ content: "one", title: "a/one.txt" }, { content: "two", title: "two.json", type: "a/json" }])

describe("artifact get", () => {
  const choices: ReadonlyArray<readonly [Partial<Input>, string, string]> = [
    [{ file: ["two.json"] }, "two", ""],
    [{ fileMediaType: ["text/plain"] }, "one", ""],
    [
      { fileMediaType: ["text/plain"], file: ["two.json"] },
      "",
      "no matching layers found in the artifact, verify media-type and filename"
    ],
    [{}, "", "more than one matching layer found, add filters or specify output dir"],
    [{ config: true }, `{"x":1}`, ""]
  ]
  for (const [input, out, failure] of choices) {
    it.effect(`prints the one file chosen by ${JSON.stringify(input)}`, () =>
      Effect.gen(function*() {
        const { at, ending } = artifactWorld()
        yield* push(at("r.example/app"), two, "v1")
        assert.deepStrictEqual(yield* ending(get({ args: ["r.example/app:v1"], ...input })), { out, failure, logs: [] })
      }))
  }

  it.effect("writes the config to a file and goes on, or stops there", () =>
    Effect.gen(function*() {
      const { at, ending } = artifactWorld()
      yield* push(at("r.example/app"), artifactOf([{ content: "hello" }]), "v1")
      const configFile = join(newDir(), "config.json")
      const given = { args: ["r.example/app:v1"], configFile }
      assert.strictEqual((yield* ending(get(given))).out, "hello")
      assert.strictEqual(readFileSync(configFile, "utf8"), `{"x":1}`)
      assert.strictEqual((yield* ending(get({ ...given, config: true }))).out, "")
    }))

  const referrer = (at: (text: string) => Repository, subject: Descriptor, type: string, created: string) =>
    push(
      at("r.example/app"),
      artifactOf([{ content: `${type} ${created}` }], {
        artifactType: type,
        subject,
        annotations: { "org.opencontainers.image.created": created, kind: type }
      })
    )

  const searches: ReadonlyArray<readonly [Partial<Input>, string, string, ReadonlyArray<string>]> = [
    [{}, "a/x 2020", "", ["Warn multiple referrers match, using first match"]],
    [{ latest: true }, "a/y 2022", "", []],
    [{ latest: true, filterArtifactType: "a/x" }, "a/x 2021", "", []],
    [{ sortAnnotation: "kind", sortDesc: true }, "a/y 2022", "", []],
    [{ filterAnnotation: ["kind=a/y"] }, "a/y 2022", "", []],
    [{ filterAnnotation: ["other"] }, "", "no matching referrers to r.example/app:v1", []],
    [{ latest: true, sortAnnotation: "kind" }, "", "--latest cannot be used with --sort-annotation", []],
    [{ external: "r.example/elsewhere" }, "", "no matching referrers to r.example/app:v1", []],
    [{ platform: "linux/!" }, "", "platform could not be parsed: invalid platform component ! in linux/!", []]
  ]
  for (const [input, out, failure, logs] of searches) {
    it.effect(`finds the referrer wanted by ${JSON.stringify(input)}`, () =>
      Effect.gen(function*() {
        const { at, ending } = artifactWorld()
        yield* push(at("r.example/app"), two, "v1")
        for (const [type, created] of [["a/x", "2020"], ["a/x", "2021"], ["a/y", "2022"]] as const)
          yield* referrer(at, two.manifest.descriptor, type, created)
        assert.deepStrictEqual(yield* ending(get({ subject: "r.example/app:v1", ...input })), { out, failure, logs })
      }))
  }

  const entries: ReadonlyArray<readonly [Partial<Input>, string, string]> = [
    [{}, "amd64", ""],
    [{ platform: "linux/arm64" }, "arm64", ""],
    [{ platform: "linux/s390x" }, "", "no matching artifacts found in index: not found"],
    [{ filterArtifactType: "a/none" }, "", "no matching artifacts found in index: not found"]
  ]
  for (const [input, out, failure] of entries) {
    it.effect(`takes the entry of an index chosen by ${JSON.stringify(input)}`, () =>
      Effect.gen(function*() {
        const { at, ending } = artifactWorld()
        const made = ["amd64", "arm64"].map((architecture) => ({
          made: artifactOf([{ content: architecture }]),
          platform: { os: "linux", architecture }
        }))
        for (const it of made) yield* push(at("r.example/app"), it.made)
        yield* push(at("r.example/app"), { manifest: makeIndex(made), blobs: [] }, "v1")
        assert.deepStrictEqual(yield* ending(get({ args: ["r.example/app:v1"], ...input })), { out, failure, logs: [] })
      }))
  }

  it.effect("says that nothing was named, or that the output is no directory", () =>
    Effect.gen(function*() {
      const { ending } = artifactWorld()
      const told = (input: Partial<Input>) => Effect.map(ending(get(input)), ({ failure }) => failure)
      assert.strictEqual(yield* told({}), "either a reference or subject must be provided")
      const file = join(newDir(), "file")
      writeFileSync(file, "")
      const args = ["r.example/app:v1"]
      assert.strictEqual(yield* told({ args, output: file }), `output must be a directory: "${file}"`)
      assert.strictEqual(
        yield* told({ args, output: `${file}s` }),
        `output directory unavailable: stat ${file}s: no such file or directory`
      )
    }))
})

/** Files of an artifact written into a directory; `prepare` is done there before. */
const written = Effect.fnUntraced(function*(
  files: ReadonlyArray<File>,
  { prepare = () => {}, stripDirs = false }: {
    readonly prepare?: (out: string) => void
    readonly stripDirs?: boolean
  } = {}
) {
  const { at, ending } = artifactWorld()
  yield* push(at("r.example/app"), artifactOf(files), "v1")
  const output = newDir()
  prepare(output)
  const { failure, logs } = yield* ending(get({ args: ["r.example/app:v1"], output, stripDirs }))
  return { output, failure: failure.replaceAll(output, "OUT"), logs, files: filesIn(output) }
})

const hostile = rawTar([
  { name: "../../up.txt", body: "up" },
  { name: "/abs.txt", body: "abs" },
  { name: "a/../../b.txt", body: "b" },
  { name: "link", type: "2", linkname: "/etc" },
  { name: "link/inside", body: "in" },
  { name: "hard", type: "1", linkname: "/etc/passwd" },
  { name: "same", body: "1" },
  { name: "same", body: "2" }
])

describe("artifact get --output", () => {
  const names: ReadonlyArray<readonly [title: string | undefined, stripDirs: boolean, file: string]> = [
    ["a/b/c.txt", false, "a/b/c.txt"],
    ["a/b/c.txt", true, "c.txt"],
    ["../../up", false, "up"],
    ["/etc/passwd", false, "etc/passwd"],
    ["a/../../b", false, "b"],
    [undefined, false, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"]
  ]
  for (const [title, stripDirs, file] of names) {
    it.effect(`writes a file titled ${title}${stripDirs ? " without directories" : ""} inside (C21)`, () =>
      Effect.gen(function*() {
        const { files, output } = yield* written([{ content: "hello", ...(title === undefined ? {} : { title }) }], {
          stripDirs
        })
        assert.deepStrictEqual(files, [file])
        assert.strictEqual(readFileSync(join(output, file), "utf8"), "hello")
      }))
  }

  it.effect("unpacks a directory, its names inside of it, and says what it leaves out (C21)", () =>
    Effect.gen(function*() {
      const { failure, files, logs, output } = yield* written([{ content: gzipSync(hostile), title: "d/" }])
      assert.strictEqual(failure, "")
      assert.deepStrictEqual(logs, ["Warn Links and special files are not unpacked"])
      assert.deepStrictEqual(files, ["d/abs.txt", "d/b.txt", "d/link/inside", "d/same", "d/up.txt"])
      assert.strictEqual(readFileSync(join(output, "d/same"), "utf8"), "2")
    }))

  it.effect("unpacks what ORAS marks as a directory, and right into the output without directories", () =>
    Effect.gen(function*() {
      const content = rawTar([{ name: "x", type: "5" }, { name: "x/y", body: "y" }])
      const marked = { content, title: "d", annotations: { "io.deis.oras.content.unpack": "true" } }
      assert.deepStrictEqual((yield* written([marked])).files, ["d/x/y"])
      assert.deepStrictEqual((yield* written([{ content, title: "d/" }], { stripDirs: true })).files, ["x/y"])
    }))

  it.effect("replaces files and links, and follows no link to a directory (C21)", () =>
    Effect.gen(function*() {
      const outside = newDir()
      writeFileSync(join(outside, "kept"), "old")
      const files = [{ content: "new", title: "a/b" }]
      const replaced = yield* written(files, {
        prepare: (out) => {
          mkdirSync(join(out, "a"))
          symlinkSync(join(outside, "kept"), join(out, "a/b"))
        }
      })
      assert.deepStrictEqual(replaced.files, ["a/b"])
      const refused = yield* written(files, { prepare: (out) => symlinkSync(outside, join(out, "a")) })
      assert.strictEqual(refused.failure, "write OUT/a: is a symbolic link, not followed")
      const unpacked = yield* written([{ content: hostile, title: "d/" }], {
        prepare: (out) => {
          mkdirSync(join(out, "d"))
          symlinkSync(outside, join(out, "d/link"))
        }
      })
      assert.strictEqual(unpacked.failure, "write OUT/d/link: is a symbolic link, not followed")
      assert.deepStrictEqual(filesIn(outside), ["kept"])
      assert.strictEqual(readFileSync(join(outside, "kept"), "utf8"), "old")
    }))

  it.effect("says what is in the way", () =>
    Effect.gen(function*() {
      const files = [{ content: "new", title: "a/b" }]
      const file = yield* written(files, { prepare: (out) => writeFileSync(join(out, "a"), "old") })
      assert.strictEqual(file.failure, `destination exists and is not a directory: "OUT/a"`)
      const directory = yield* written(files, { prepare: (out) => mkdirSync(join(out, "a/b"), { recursive: true }) })
      assert.strictEqual(directory.failure, "open OUT/a/b: is a directory")
      const nul = yield* written([{ content: "x", title: "a\0b" }])
      assert.match(nul.failure, /the name of a file cannot contain NUL/)
    }))

  const damaged: ReadonlyArray<readonly [string, Uint8Array, string]> = [
    [
      "cut gzip",
      gzipSync(hostile).subarray(0, -20),
      "failed to unpack d/: gzip content cannot be decompressed: unexpected end of file"
    ],
    ["a cut archive", hostile.subarray(0, 1500), "failed to unpack d/: tar is invalid: it ends in the middle"],
    [
      "a bomb",
      gzipSync(Buffer.alloc(40 * 1024 * 1024)),
      "failed to unpack d/: size limit exceeded: gzip content grows beyond every measure"
    ],
    [
      "a file that is a directory later",
      rawTar([{ name: "a", body: "1" }, { name: "a/b", body: "2" }]),
      `failed to unpack d/: destination exists and is not a directory: "OUT/d/a"`
    ]
  ]
  for (const [what, content, failure] of damaged) {
    it.effect(`leaves nothing of ${what}, nor of the files beside it (C19)`, () =>
      Effect.gen(function*() {
        const ended = yield* written([{ content: "whole", title: "whole" }, { content, title: "d/" }])
        assert.strictEqual(ended.failure, failure)
        assert.deepStrictEqual(readdirSync(ended.output), [])
      }))
  }
})
