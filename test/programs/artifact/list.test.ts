import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../../src/programs/artifact/list.ts"
import { fallbackTag } from "../../../src/schemas/Referrers.ts"
import { makeImage, makeIndex, push } from "../../fixtures/images.ts"
import { artifactWorld, flags } from "./world.ts"

type Input = Parameters<typeof run>[0]

const image = makeImage({ layers: [] })
const subject = image.manifest.descriptor
const referrer = (artifactType: string, annotations: Readonly<Record<string, string>> = {}) =>
  makeImage({ layers: [artifactType], subject, artifactType, annotations })
const sbom = referrer("a/sbom", { b: "2", "org.opencontainers.image.created": "2024-01-01T00:00:00Z" })
const signature = referrer("a/sig", { "org.opencontainers.image.created": "2025-01-01T00:00:00Z" })

const listed = Effect.fnUntraced(function*(input: Partial<Input>) {
  const { at, ending } = artifactWorld()
  const repository = at("r.example/app")
  yield* push(repository, image, "v1")
  yield* push(repository, sbom)
  yield* push(repository, signature)
  yield* push(repository, makeImage({ layers: ["cosign"] }), `${fallbackTag(subject.digest)}.sig`)
  yield* push(at("r.example/other"), referrer("a/elsewhere"))
  const index = makeIndex([{ made: image, platform: { os: "linux", architecture: "amd64" } }])
  yield* push(repository, { manifest: index, blobs: [] }, "index")
  return yield* ending(run({ ...flags.list, args: ["r.example/app:v1"], ...input }))
})

const types = "{{range .Descriptors}}{{.ArtifactType}} {{end}}"

describe("artifact list", () => {
  it.effect("shows subject, referrers and their annotations in two columns", () =>
    Effect.gen(function*() {
      const { out } = yield* listed({ filterArtifactType: "a/sbom" })
      const { digest } = sbom.manifest.descriptor
      const column = 2 + "  org.opencontainers.image.created: ".length
      const row = (label: string, value = "") => `${label.padEnd(column)}${value}\n`
      assert.strictEqual(
        out,
        row("Subject:", `r.example/app@${subject.digest}`) + row("") + row("Referrers:") + row("") +
          row("  Name:", `r.example/app@${digest}`) + row("  Digest:", digest) +
          row("  MediaType:", "application/vnd.oci.image.manifest.v1+json") +
          row("  ArtifactType:", "a/sbom") + row("  Annotations:") + row("    b:", "2") +
          row("    org.opencontainers.image.created:", "2024-01-01T00:00:00Z")
      )
    }))

  const cases: ReadonlyArray<readonly [Partial<Input>, string]> = [
    [{ format: types }, "a/sbom a/sig "],
    [{ format: types, latest: true }, "a/sig a/sbom "],
    [{ format: types, sortAnnotation: "org.opencontainers.image.created" }, "a/sbom a/sig "],
    [{ format: types, sortAnnotation: "org.opencontainers.image.created", sortDesc: true }, "a/sig a/sbom "],
    [{ format: types, sortAnnotation: "b", sortDesc: true }, "a/sbom a/sig "],
    [{ format: types, sortDesc: true }, "a/sbom a/sig "],
    [{ format: types, filterAnnotation: ["b"] }, "a/sbom "],
    [{ format: types, filterAnnotation: ["b="] }, "a/sbom "],
    [{ format: types, filterAnnotation: ["b=3"] }, ""],
    [{ format: types, external: "r.example/other" }, "a/elsewhere "],
    [{ format: types, args: ["r.example/app:index"] }, ""],
    [{ format: types, args: ["r.example/app:index"], platform: "linux/amd64" }, "a/sbom a/sig "],
    [{ format: types, args: [`r.example/app@${subject.digest}`] }, "a/sbom a/sig "],
    [{ format: "{{.Tags}} {{.IsEmpty}} {{.Source.CommonName}}|" }, "[] false |"],
    [
      { format: "{{.Tags}} {{(index .Descriptors 2).Annotations}}", digestTags: true },
      `[${fallbackTag(subject.digest)}.sig] map[org.opencontainers.image.ref.name:${fallbackTag(subject.digest)}.sig]`
    ],
    [
      { format: "body", filterArtifactType: "a/none" },
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
    ],
    [
      { format: "raw", filterArtifactType: "a/none" },
      `\n{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
    ],
    [{ format: "headers" }, ""]
  ]
  for (const [input, out] of cases) {
    it.effect(`prints ${JSON.stringify(input)}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* listed(input), { out, logs: [], failure: "" })
      }))
  }

  it.effect("is a document with an empty source, and without annotations when there are none", () =>
    Effect.gen(function*() {
      const { out } = yield* listed({ format: "{{json .}}", filterArtifactType: "a/none" })
      assert.strictEqual(
        out,
        `{"subject":{"Scheme":"reg","Reference":"r.example/app@${subject.digest}","Registry":"r.example","Repository":"app","Tag":"","Digest":"${subject.digest}","Path":""},` +
          `"source":{"Scheme":"","Reference":"","Registry":"","Repository":"","Tag":"","Digest":"","Path":""},"descriptors":[]}\n`
      )
    }))

  it.effect("fails for a subject that is not there, a platform that is not, and two orders at once", () =>
    Effect.gen(function*() {
      const failure = (input: Partial<Input>) => Effect.map(listed(input), (it) => it.failure)
      assert.match(yield* failure({ args: ["r.example/app:nope"] }), /^failed to get digest for subject: .*not found/)
      assert.strictEqual(
        yield* failure({ args: ["r.example/app:index"], platform: "linux/s390x" }),
        "failed to get digest for subject: platform not found: linux/s390x (there are linux/amd64)"
      )
      assert.strictEqual(
        yield* failure({ latest: true, sortAnnotation: "b" }),
        "--latest cannot be used with --sort-annotation"
      )
    }))
})
