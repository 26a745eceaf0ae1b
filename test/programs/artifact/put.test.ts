import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../../../src/programs/artifact/put.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { manifestOf } from "../../fixtures/content.ts"
import { byTag, makeImage, makeIndex, push } from "../../fixtures/images.ts"
import { temporary } from "../../support/registries.ts"
import { artifactWorld, flags } from "./world.ts"

const dir = temporary("artifact-put")
afterAll(() => dir.remove())
const file = (name: string, content: string): string => {
  const path = join(dir.path, name)
  writeFileSync(path, content)
  return path
}
const textOf = ({ bytes }: { readonly bytes: Uint8Array }): string => new TextDecoder().decode(bytes)
const hello = file("a.txt", "hello\n")
const config = file("cfg.json", `{"x":1}\n`)

type Input = Parameters<typeof run>[0]
const put = (input: Partial<Input>): ReturnType<typeof run> => run({ ...flags.put, args: [], ...input })

/** Of "hello\n", and of `{}`. */
const helloDigest = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
const emptyConfig =
  `{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}`

describe("artifact put", () => {
  it.effect("makes the manifest that the Go tool makes", () =>
    Effect.gen(function*() {
      const { at, ending } = artifactWorld()
      const ended = yield* ending(put({
        args: ["r.example/app:v1"],
        artifactType: "application/x",
        file: [hello],
        byDigest: true
      }))
      assert.deepStrictEqual(ended, {
        out: "sha256:d777464624133646aeb3460fa887f1d5827541ffab543587fd8d833adeb5c87f\n",
        logs: [],
        failure: ""
      })
      const { descriptor } = yield* at("r.example/app").headBlob({
        mediaType: "",
        digest: helloDigest as never, // a digest as written above
        size: 0
      })
      assert.strictEqual(descriptor.size, 6)
    }))

  const documents: ReadonlyArray<readonly [string, Partial<Input>, string, string]> = [
    [
      "with a config, annotations in order, and bare titles",
      {
        configType: "application/cfg",
        configFile: config,
        annotation: ["k", "b=c=d"],
        file: [hello],
        fileTitle: true,
        stripDirs: true
      },
      "",
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/cfg","digest":"sha256:bb157861a164e35cdde9d726b0af9ce2765a8f530c35d9e45732b94ee65e9557","size":8},"layers":[{"mediaType":"application/octet-stream","digest":"${helloDigest}","size":6,"annotations":{"org.opencontainers.image.title":"a.txt"}}],"annotations":{"b":"c=d","k":""}}`
    ],
    [
      "of standard input, with the type of the artifact",
      { artifactType: "application/x" },
      "hello\n",
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/x","config":${emptyConfig},"layers":[{"mediaType":"application/x","digest":"${helloDigest}","size":6}]}`
    ],
    [
      "of standard input, with a type of its own",
      { artifactType: "application/x", fileMediaType: ["application/m"] },
      "hello\n",
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/x","config":${emptyConfig},"layers":[{"mediaType":"application/m","digest":"${helloDigest}","size":6}]}`
    ],
    [
      "as the withdrawn artifact manifest",
      {
        artifactType: "application/x",
        mediaType: "application/vnd.oci.artifact.manifest.v1+json",
        file: [hello],
        annotation: ["k=v"]
      },
      "",
      `{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"application/x","blobs":[{"mediaType":"application/x","digest":"${helloDigest}","size":6}],"annotations":{"k":"v"}}`
    ]
  ]
  for (const [what, input, stdin, expected] of documents) {
    it.effect(`writes a manifest ${what}`, () =>
      Effect.gen(function*() {
        const { at, ending } = artifactWorld()
        const ended = yield* ending(
          put({ args: ["r.example/app:v1"], format: "{{json .Manifest}}", ...input }),
          stdin
        )
        assert.strictEqual(ended.failure, "")
        assert.strictEqual(ended.out, `${expected}\n`)
        assert.strictEqual(textOf(yield* at("r.example/app").manifest(byTag("v1"))), expected)
      }))
  }

  it.effect("refers to a subject, of which it keeps type, digest and size, and needs no name", () =>
    Effect.gen(function*() {
      const { at, ending } = artifactWorld()
      const [amd64, arm64] = ["amd64", "arm64"].map((architecture) => makeImage({ layers: [], architecture }))
      if (amd64 === undefined || arm64 === undefined) return
      for (const it of [amd64, arm64]) yield* push(at("r.example/app"), it)
      const index = makeIndex([
        { made: amd64, platform: { os: "linux", architecture: "amd64" } },
        { made: arm64, platform: { os: "linux", architecture: "arm64" } }
      ])
      yield* push(at("r.example/app"), { manifest: index, blobs: [] }, "v1")
      const given = { subject: "r.example/app:v1", platform: "linux/arm64", artifactType: "a/b", file: [hello] }
      const { failure, out } = yield* ending(put({ ...given, format: "{{json .Manifest.GetSubject}}" }))
      assert.strictEqual(failure, "")
      const { digest, mediaType, size } = arm64.manifest.descriptor
      assert.strictEqual(out, `${JSON.stringify({ mediaType, digest, size })}\n`)
      const listed = yield* at("r.example/app").referrers(arm64.manifest.descriptor)
      assert.deepStrictEqual(listed.descriptors.map(({ artifactType }) => artifactType), ["a/b"])
      yield* ending(put({ ...given, external: "r.example/signatures" }))
      const external = yield* at("r.example/signatures").referrers(arm64.manifest.descriptor)
      assert.lengthOf(external.descriptors, 1)
    }))

  it.effect("adds itself to an index once, and keeps what the index has", () =>
    Effect.gen(function*() {
      const { at, ending } = artifactWorld()
      const repository = at("r.example/app")
      const indexText = Effect.map(repository.manifest(byTag("i")), textOf)
      const first = {
        args: ["r.example/app:i"],
        index: true,
        artifactType: "a/one",
        file: [hello],
        platform: "linux/arm64"
      }
      yield* ending(put({ ...first, annotation: ["x=y"] }))
      const written = yield* indexText
      assert.strictEqual(
        written,
        `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:8e261b942a0a1fbb0fbfec914d753ce865daa806e7b8c6e6693917c59e27630f","size":399,"annotations":{"x":"y"},"platform":{"architecture":"arm64","os":"linux"},"artifactType":"a/one"}]}`
      )
      yield* ending(put({ ...first, annotation: ["x=y"] }))
      assert.strictEqual(yield* indexText, written)
      yield* ending(put({ args: ["r.example/app:i"], index: true, artifactType: "a/two", file: [config] }))
      const index = yield* repository.manifest(byTag("i"))
      assert.deepStrictEqual(
        index._tag === "Index" ? index.manifests.map(({ artifactType }) => artifactType) : [],
        ["a/one", "a/two"]
      )
    }))

  it.effect("leaves what it does not know in the entries of an index", () =>
    Effect.gen(function*() {
      const { at, ending } = artifactWorld()
      const repository = at("r.example/app")
      const text = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` +
        `{"mediaType":"application/octet-stream","digest":"sha256:${"1".repeat(64)}","size":1,"later":{"is":"kept"}}]}`
      yield* repository.putManifest(manifestOf(text), { tag: Tag.make("i") })
      yield* ending(put({ args: ["r.example/app:i"], index: true, artifactType: "a/one", file: [hello] }))
      assert.include(textOf(yield* repository.manifest(byTag("i"))), `"size":1,"later":{"is":"kept"}},{`)
    }))

  it.effect("makes the same archive of the same directory, with links as they are", () =>
    Effect.gen(function*() {
      const { ending } = artifactWorld()
      const trees = ["one", "two"].map((name) => {
        const tree = join(dir.path, name)
        mkdirSync(join(tree, "sub"), { recursive: true })
        const names = name === "one" ? ["b", "a"] : ["a", "b"]
        for (const it of names) writeFileSync(join(tree, it), `content of ${it}`)
        symlinkSync("../a", join(tree, "sub/link"))
        for (const it of ["a", "b", "sub"]) utimesSync(join(tree, it), 1_700_000_000, 1_700_000_000)
        return tree
      })
      const digests = yield* Effect.forEach(trees, (tree) =>
        Effect.map(
          ending(put({
            args: ["r.example/app:d"],
            artifactType: "a/b",
            file: [tree],
            fileTitle: true,
            stripDirs: true,
            format: "{{range .Manifest.GetLayers}}{{.Size}} {{.Annotations}}{{end}}"
          })),
          ({ failure, out }) => {
            assert.strictEqual(failure, "")
            return out
          }
        ))
      assert.match(digests[0] ?? "", /^\d+ map\[org\.opencontainers\.image\.title:one\/\]$/)
      assert.strictEqual(digests[0]?.replace("one", "two"), digests[1])
      assert.deepStrictEqual(readdirSync(dir.path).sort(), ["a.txt", "cfg.json", "one", "two"])
    }))

  const refusals: ReadonlyArray<readonly [Partial<Input>, string]> = [
    [{}, "either a reference or subject must be provided"],
    [
      { args: ["r.example/app"], external: "r.example/x" },
      "pushing a referrer to an external repository requires a subject"
    ],
    [
      { args: ["r.example/app"], external: "r.example/x", subject: "r.example/app" },
      "push by reference and external to separate repositories is not supported"
    ],
    [{ args: ["r.example/app"], artifactType: "a;b" }, "invalid media type: a;b"],
    [{ args: ["r.example/app"], configType: "a/b;version=1" }, "invalid media type: a/b;version=1"],
    [{ args: ["r.example/app"], fileMediaType: [""] }, "invalid media type: "],
    [{ args: ["r.example/app"], configFile: config }, "config-type is required for config-file"],
    [{ args: ["r.example/app"], mediaType: "foo/bar" }, "unsupported manifest media type: foo/bar"],
    [
      { args: ["r.example/app"], artifactType: "a/b", file: [hello, config] },
      "one artifact media-type must be set for each artifact file"
    ],
    [
      { args: ["r.example/app"], artifactType: "a/b", fileMediaType: ["a/b", "c/d"] },
      "one artifact media-type must be set for each artifact file"
    ],
    [
      { args: ["r.example/app"], artifactType: "a/b", file: ["/nope.txt"] },
      "stat /nope.txt: no such file or directory"
    ],
    [
      { args: ["r.example/app"], artifactType: "a/b", configType: "a/b", configFile: "/nope", file: [hello] },
      "open /nope: no such file or directory"
    ],
    [
      { subject: "r.example/app:nope", artifactType: "a/b", file: [hello] },
      `unable to find subject manifest: r.example/app: not found: {"tag":"nope","_tag":"ByTag"}`
    ],
    [
      { args: [`r.example/app:v1@sha256:${"1".repeat(64)}`], artifactType: "application/x", file: [hello] },
      `failed to put manifest r.example/app:v1@sha256:${"1".repeat(64)}: manifest digest mismatch, expected sha256:${
        "1".repeat(64)
      }, computed sha256:d777464624133646aeb3460fa887f1d5827541ffab543587fd8d833adeb5c87f`
    ],
    [
      { args: [`r.example/app@sha256:${"1".repeat(64)}`], artifactType: "application/x", file: [hello], index: true },
      `an index is put at a tag, reference r.example/app@sha256:${"1".repeat(64)}`
    ]
  ]
  for (const [input, message] of refusals) {
    it.effect(`refuses ${JSON.stringify(input).replaceAll(dir.path, "")}`, () =>
      Effect.gen(function*() {
        const { failure, out } = yield* artifactWorld().ending(put(input))
        assert.strictEqual(failure, message)
        assert.strictEqual(out, "")
      }))
  }

  it.effect("warns of types it has to choose by itself, and of a flag with an old name", () =>
    Effect.gen(function*() {
      const { ending } = artifactWorld()
      const args = ["r.example/app:v1"]
      const unnamed = yield* ending(put({ args, file: [hello], format: "{{.Manifest.ArtifactType}}" }))
      assert.deepStrictEqual(unnamed, {
        out: "application/vnd.unknown.config+json",
        logs: ["Warn using default value for artifact-type is not recommended"],
        failure: ""
      })
      const configured = yield* ending(put({ args, artifactType: "a/b", configFile: config, file: [hello] }))
      assert.deepStrictEqual(configured.logs, ["Warn setting config-type using artifact-type"])
      const old = yield* ending(put({ refers: "r.example/app:v1", artifactType: "a/c", file: [hello] }))
      assert.deepStrictEqual(old, {
        out: "",
        logs: ["Warn --refers is deprecated, use --subject instead"],
        failure: ""
      })
    }))
})
