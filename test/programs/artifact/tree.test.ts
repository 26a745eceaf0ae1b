import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../../src/programs/artifact/tree.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { fallbackTag } from "../../../src/schemas/Referrers.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { type Made, makeImage, makeIndex, manifestOf, push } from "../../fixtures/images.ts"
import { artifactWorld, flags } from "./world.ts"

type Input = Parameters<typeof run>[0]

const [amd64, arm64] = [makeImage({ layers: [] }), makeImage({ layers: [], architecture: "arm64" })]
const index = makeIndex([
  { made: amd64, platform: { os: "linux", architecture: "amd64" } },
  { made: arm64, platform: { os: "linux", architecture: "arm64" } }
])
const attached = (to: Pick<Made, "manifest">, artifactType: string) =>
  makeImage({ layers: [artifactType], subject: to.manifest.descriptor, artifactType })
const sbom = attached(arm64, "a/sbom")
const ofSbom = attached(sbom, "a/sig")
const ofIndex = attached({ manifest: index }, "a/x\u001b[31m")
const digestOf = ({ manifest }: Pick<Made, "manifest">): string => manifest.descriptor.digest

const shown = Effect.fnUntraced(function*(
  input: Partial<Input>,
  fill: (at: (text: string) => Repository) => Effect.Effect<unknown, unknown>
) {
  const { at, ending } = artifactWorld()
  yield* fill(at)
  return yield* ending(run({ ...flags.tree, args: ["r.example/app:v1"], ...input }))
})

const all = Effect.fnUntraced(function*(at: (text: string) => Repository) {
  const repository = at("r.example/app")
  for (const made of [amd64, arm64, sbom, ofSbom, ofIndex]) yield* push(repository, made)
  yield* push(repository, { manifest: index, blobs: [] }, "v1")
  yield* push(repository, makeImage({ layers: ["cosign"] }), `${fallbackTag(amd64.manifest.descriptor.digest)}.sig`)
})

const head = `Ref: r.example/app:v1\nDigest: ${index.descriptor.digest}\n`

describe("artifact tree", () => {
  it.effect("shows children, their referrers, and those of the index, levels apart", () =>
    Effect.gen(function*() {
      const { failure, out } = yield* shown({}, all)
      assert.strictEqual(failure, "")
      assert.strictEqual(
        out,
        `${head}Children:
  - ${digestOf(amd64)} [linux/amd64]
  - ${digestOf(arm64)} [linux/arm64]
    Referrers:
      - ${digestOf(sbom)}: a/sbom
        Referrers:
          - ${digestOf(ofSbom)}: a/sig
Referrers:
  - ${digestOf(ofIndex)}: a/x\\x1b[31m
`
      )
    }))

  it.effect("filters referrers at every level, and shows tags named after digests whatever the filter", () =>
    Effect.gen(function*() {
      const { out } = yield* shown({ filterArtifactType: "a/sbom", digestTags: true }, all)
      assert.strictEqual(
        out,
        `${head}Children:
  - ${digestOf(amd64)} [linux/amd64]
    Referrers:
      - ${digestOf(makeImage({ layers: ["cosign"] }))}: ${fallbackTag(amd64.manifest.descriptor.digest)}.sig
  - ${digestOf(arm64)} [linux/arm64]
    Referrers:
      - ${digestOf(sbom)}: a/sbom
`
      )
    }))

  it.effect("asks another repository for the referrers of all", () =>
    Effect.gen(function*() {
      const { out } = yield* shown({ external: "r.example/other" }, (at) =>
        Effect.gen(function*() {
          yield* all(at)
          yield* push(at("r.example/other"), attached({ manifest: index }, "a/other"))
        }))
      assert.strictEqual(
        out,
        `${head}Children:
  - ${digestOf(amd64)} [linux/amd64]
  - ${digestOf(arm64)} [linux/arm64]
Referrers:
  - ${digestOf(attached({ manifest: index }, "a/other"))}: a/other
`
      )
    }))

  it.effect("is a document with what there is", () =>
    Effect.gen(function*() {
      const { out } = yield* shown({ args: [`r.example/app@${digestOf(sbom)}`], format: "{{json .}}" }, all)
      const reference = (made: Made) =>
        `"reference":{"Scheme":"reg","Reference":"r.example/app@${
          digestOf(made)
        }","Registry":"r.example","Repository":"app","Tag":"","Digest":"${digestOf(made)}","Path":""},"manifest":${
          new TextDecoder().decode(made.manifest.bytes)
        }`
      const none =
        `"referrerSource":{"Scheme":"","Reference":"","Registry":"","Repository":"","Tag":"","Digest":"","Path":""}`
      assert.strictEqual(
        out,
        `{${reference(sbom)},"referrer":[{${reference(ofSbom)},"artifactType":"a/sig",${none}}],${none}}\n`
      )
    }))

  it.effect("shows what stands before a loop, and fails (C11)", () =>
    Effect.gen(function*() {
      const around = makeIndex([{ made: amd64 }], { subject: amd64.manifest.descriptor, artifactType: "a/around" })
      const { failure, out } = yield* shown({}, (at) =>
        Effect.gen(function*() {
          yield* push(at("r.example/app"), amd64, "v1")
          yield* at("r.example/app").putManifest(around, {})
        }))
      assert.strictEqual(
        out,
        `Ref: r.example/app:v1
Digest: ${digestOf(amd64)}
Referrers:
  - ${around.descriptor.digest}: a/around
    Children:
      - ${digestOf(amd64)}
`
      )
      assert.strictEqual(failure, `loop encountered, already processed ${digestOf(amd64)}`)
    }))

  it.effect("shows what stands before what is not there, and fails", () =>
    Effect.gen(function*() {
      const { failure, out } = yield* shown({}, (at) =>
        Effect.gen(function*() {
          yield* push(at("r.example/app"), amd64)
          yield* push(at("r.example/app"), ofIndex)
          yield* push(at("r.example/app"), { manifest: index, blobs: [] }, "v1")
        }))
      assert.strictEqual(out, `${head}Children:\n  - ${digestOf(amd64)} [linux/amd64]\n`)
      assert.match(failure, /not found/)
      const nothing = yield* shown({}, () => Effect.void)
      assert.strictEqual(nothing.out, "")
      assert.match(nothing.failure, /not found/)
    }))

  it.effect("asks once for a manifest in many places, and ends where too many come together (C12)", () =>
    Effect.gen(function*() {
      let level = makeIndex([{ made: amd64 }])
      const levels = [level]
      for (let depth = 0; depth < 20; depth++) {
        const entries = [{ made: { manifest: level } }, { made: { manifest: level } }]
        level = makeIndex(entries, { annotations: { depth: String(depth) } })
        levels.push(level)
      }
      const { failure } = yield* shown({ format: "" }, (at) =>
        Effect.gen(function*() {
          yield* push(at("r.example/app"), amd64)
          for (const it of levels) yield* at("r.example/app").putManifest(it, { tag: Tag.make("v1") })
        }))
      assert.strictEqual(failure, "more than 100000 nodes in one tree")
    }))

  it.effect("shows the layers that an index of a build cache lists", () =>
    Effect.gen(function*() {
      const layer = {
        mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        digest: `sha256:${"1".repeat(64)}`,
        size: 1
      }
      const cache = manifestOf({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [layer]
      })
      const { failure, out } = yield* shown({}, (at) => at("r.example/app").putManifest(cache, { tag: Tag.make("v1") }))
      assert.strictEqual(failure, "")
      assert.strictEqual(
        out,
        `Ref: r.example/app:v1\nDigest: ${cache.descriptor.digest}\nChildren:\n  - sha256:${"1".repeat(64)}\n`
      )
    }))
})
