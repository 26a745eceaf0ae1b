import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, type Scope, Stdio, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib"
import type { Descriptor } from "../../src/schemas/Descriptor.ts"
import { Digest } from "../../src/schemas/Digest.ts"
import { Location, Reference, Tag } from "../../src/schemas/Ref.ts"
import type { StoreError } from "../../src/schemas/StoreError.ts"
import { Archive, type Archived } from "../../src/services/Archive.ts"
import { collect } from "../../src/services/Bytes.ts"
import { WillWrite } from "../../src/services/Registry.ts"
import {
  blobName,
  digestOf,
  entry,
  layoutParts,
  savedParts,
  smallImage,
  tarOf,
  type TarPart
} from "../support/archives.ts"
import { temporary } from "../support/registries.ts"

const limit = 1024 ** 3

// Temporary files of these tests alone.
const dir = temporary("archive")
process.env["TMPDIR"] = dir.path
afterAll(dir.remove)
const byTag = (tag: string) => Reference.ByTag({ tag: Tag.make(tag) })
const byDigest = (digest: string) => Reference.ByDigest({ digest: Digest.make(digest) })
const blobOf = (content: string): Descriptor => ({
  mediaType: "application/octet-stream",
  digest: Digest.make(digestOf(content)),
  size: Buffer.byteLength(content)
})
const read = (repository: Archived, content: string, part?: { readonly from: number; readonly to?: number }) =>
  Effect.map(collect(repository.blob(blobOf(content), part), limit), (bytes) => Buffer.from(bytes).toString())
const tags = (repository: Archived) =>
  Effect.map(Stream.runCollect(repository.tags()), (pages) => pages.flatMap(({ names }) => names))
const failureOf = <A, R>(effect: Effect.Effect<A, StoreError, R>) =>
  Effect.map(Effect.flip(effect), ({ message, reason }) => [reason._tag, message] as const)

const services = Archive.layer.pipe(Layer.provideMerge(NodeServices.layer))

/** Opens a file of these bytes. */
const opened = Effect.fnUntraced(function*(bytes: Uint8Array | ReadonlyArray<TarPart>, name = "x.tar") {
  const path = join(yield* Effect.orDie((yield* FileSystem.FileSystem).makeTempDirectoryScoped()), name)
  writeFileSync(path, bytes instanceof Uint8Array ? bytes : tarOf(bytes))
  return yield* (yield* Archive).open({ path })
})

const test = (
  name: string,
  body: () => Effect.Effect<void, unknown, Archive | FileSystem.FileSystem | Scope.Scope>
) => it.effect(name, () => Effect.scoped(body()).pipe(Effect.provide(services)))

const image = smallImage()

describe("an archive of an OCI layout", () => {
  test("is a repository of its tags, manifests and blobs", () =>
    Effect.gen(function*() {
      const repository = yield* opened(image.parts)
      assert.deepStrictEqual(yield* tags(repository), ["v1"])
      for (const reference of [byTag("v1"), byDigest(image.digest)]) {
        const { bytes, descriptor } = yield* repository.manifest(reference)
        assert.strictEqual(Buffer.from(bytes).toString(), image.manifest)
        assert.deepStrictEqual((yield* repository.resolve(reference)).descriptor, descriptor)
      }
      assert.strictEqual((yield* repository.headBlob({ ...blobOf(image.layer), size: 0 })).descriptor.size, 7)
      assert.strictEqual(yield* read(repository, image.layer), "a layer")
      assert.strictEqual(yield* read(repository, image.layer), "a layer")
      assert.strictEqual(yield* read(repository, image.layer, { from: 2, to: 4 }), "lay")
      assert.strictEqual(yield* read(repository, image.layer, { from: 5 }), "er")
    }))

  test("says NotFound of what it has not", () =>
    Effect.gen(function*() {
      const repository = yield* opened(image.parts)
      const absent = blobOf("absent")
      for (
        const look of [
          repository.manifest(byTag("v2")),
          repository.manifest(byDigest(absent.digest)),
          repository.resolve(byDigest(absent.digest)),
          repository.headBlob(absent),
          collect(repository.blob(absent), limit)
        ]
      ) {
        assert.strictEqual((yield* failureOf<unknown, never>(look))[0], "NotFound")
      }
    }))

  test("takes no writes, and is not opened by who will write", () =>
    Effect.gen(function*() {
      const repository = yield* opened(image.parts)
      const manifest = yield* repository.manifest(byTag("v1"))
      for (
        const write of [
          repository.putManifest(manifest),
          repository.putBlob(Stream.empty),
          repository.deleteTag(Tag.make("v1")),
          repository.mountBlob(blobOf("a"), Location.Archive({ path: "y.tar" })),
          Effect.provideService(opened(image.parts), WillWrite, true)
        ]
      ) {
        const [tag, text] = yield* failureOf<unknown, Archive | FileSystem.FileSystem | Scope.Scope>(
          write
        )
        assert.strictEqual(tag, "Unsupported")
        assert.include(text, "a tar file can only be read")
      }
    }))

  test("without a tag asked for is its only image", () =>
    Effect.gen(function*() {
      const repository = yield* opened(image.parts)
      assert.strictEqual((yield* repository.resolve(byTag("latest"))).descriptor.digest, image.digest)
      const other = smallImage("another", "v2")
      const two = yield* opened(
        layoutParts([{ ...image, tag: "v1" }, { ...other, tag: "v2" }], [image.manifest, other.manifest])
      )
      assert.strictEqual((yield* failureOf(two.resolve(byTag("latest"))))[0], "NotFound")
    }))

  test("knows tags by full image names", () =>
    Effect.gen(function*() {
      const repository = yield* opened(layoutParts([{ ...image, tag: "example.org/app:v7" }], [image.manifest]))
      assert.deepStrictEqual(yield* tags(repository), ["v7"])
      assert.strictEqual((yield* repository.resolve(byTag("v7"))).descriptor.digest, image.digest)
    }))

  test("lists referrers by fallback tag, or by looking into every entry", () =>
    Effect.gen(function*() {
      const subject = {
        mediaType: JSON.parse(image.manifest).mediaType,
        digest: image.digest,
        size: image.manifest.length
      }
      const sbom = smallImage("sbom", "", { subject, artifactType: "application/x.sbom" })
      const signature = smallImage("signature", "", { subject, artifactType: "application/x.signature" })
      const list = JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [{
          mediaType: subject.mediaType,
          digest: sbom.digest,
          size: sbom.manifest.length,
          artifactType: "application/x.sbom"
        }]
      })
      const repository = yield* opened(layoutParts([
        { ...image, tag: "v1" },
        { digest: digestOf(list), manifest: list, tag: image.digest.replace(":", "-") },
        { digest: signature.digest, manifest: signature.manifest }
      ], [image.manifest, list, sbom.manifest, signature.manifest]))
      const { descriptor } = yield* repository.resolve(byTag("v1"))
      const found = yield* repository.referrers(descriptor)
      assert.deepStrictEqual(found.descriptors.map((it) => it.artifactType), ["application/x.sbom"])
      const slow = yield* repository.referrers(descriptor, { slow: true })
      assert.deepStrictEqual(slow.descriptors.map((it) => it.digest), [sbom.digest, signature.digest])
    }))

  test("may be written by GNU tar with names that begin with a dot", () =>
    Effect.gen(function*() {
      const repository = yield* opened(image.parts.map((part) => ({ ...part, name: `./${part.name}` })))
      assert.strictEqual(yield* read(repository, image.layer), "a layer")
    }))

  for (
    const [kind, pack] of [
      ["gzip", gzipSync],
      ["zstd", zstdCompressSync],
      ["xz", (bytes: Uint8Array) => execFileSync("xz", ["-c"], { input: bytes })],
      ["bzip2", (bytes: Uint8Array) => execFileSync("bzip2", ["-c"], { input: bytes })]
    ] as const
  ) {
    test(`may be compressed with ${kind}; what it is unpacked to ends with it`, () =>
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.gen(function*() {
          const repository = yield* opened(pack(tarOf(image.parts)))
          assert.strictEqual(yield* read(repository, image.layer), "a layer")
        }))
        assert.deepStrictEqual(readdirSync(dir.path), [])
      }))
  }
})

describe("an archive of docker save", () => {
  test("is a repository of docker manifests whose layers are compressed", () =>
    Effect.gen(function*() {
      const repository = yield* opened(savedParts(image))
      assert.deepStrictEqual(yield* tags(repository), ["v1"])
      const manifest = yield* repository.manifest(byTag("v1"))
      assert.strictEqual(manifest.descriptor.mediaType, "application/vnd.docker.distribution.manifest.v2+json")
      if (manifest._tag !== "Image") return assert.fail("it is an image")
      assert.strictEqual(manifest.config.digest, digestOf(image.config))
      const [layer] = manifest.layers
      if (layer === undefined) return assert.fail("it has a layer")
      assert.strictEqual(layer.mediaType, "application/vnd.docker.image.rootfs.diff.tar.gzip")
      const bytes = yield* collect(repository.blob(layer), limit)
      assert.strictEqual(digestOf(bytes), layer.digest)
      assert.strictEqual(gunzipSync(bytes).toString(), "a layer")
      assert.strictEqual((yield* repository.resolve(byTag("latest"))).descriptor.digest, manifest.descriptor.digest)
      assert.strictEqual(
        (yield* repository.manifest(byDigest(manifest.descriptor.digest))).descriptor.size,
        manifest.bytes.length
      )
    }))

  test("keeps stored layers whose source it names, and follows links to others", () =>
    Effect.gen(function*() {
      const stored = gzipSync("a layer")
      const digest = digestOf(stored)
      const twice = JSON.stringify({
        ...JSON.parse(image.config),
        rootfs: { type: "layers", diff_ids: [digestOf("a layer"), digestOf("a layer")] }
      })
      const repository = yield* opened([
        { name: blobName(digest), content: stored },
        { name: "config", content: twice },
        { name: "one/layer.tar", type: "2", link: "../two/layer.tar" },
        { name: "two/layer.tar", type: "1", link: `./${blobName(digest)}` },
        {
          name: "manifest.json",
          content: JSON.stringify([{
            Config: "config",
            RepoTags: null,
            Layers: [blobName(digest), "one/layer.tar"],
            LayerSources: {
              [digestOf("a layer")]: {
                mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
                digest,
                size: stored.length
              }
            }
          }])
        }
      ])
      const manifest = yield* repository.manifest(byTag("latest"))
      if (manifest._tag !== "Image") return assert.fail("it is an image")
      assert.strictEqual(manifest.layers[0]?.digest, digest)
      assert.strictEqual(manifest.layers[0]?.mediaType, "application/vnd.docker.image.rootfs.diff.tar.gzip")
      const [, second] = manifest.layers
      if (second === undefined) return assert.fail("it has two layers")
      assert.strictEqual(gunzipSync(yield* collect(repository.blob(second), limit)).toString(), "a layer")
    }))

  test("is chosen from by name, else by its order", () =>
    Effect.gen(function*() {
      const other = { ...image, config: image.config.replace("amd64", "arm64") }
      const repository = yield* opened([
        ...savedParts(image).filter(({ name }) => name !== "manifest.json"),
        { name: "other.json", content: other.config },
        {
          name: "manifest.json",
          content: JSON.stringify([
            { Config: "config.json", RepoTags: ["app:v1"], Layers: ["abc/layer.tar"] },
            { Config: "other.json", RepoTags: ["app:v2", "app:latest"], Layers: ["abc/layer.tar"] }
          ])
        }
      ])
      const configOf = Effect.fnUntraced(function*(name: string) {
        const picked = yield* repository.pick({ name })
        const manifest = yield* repository.manifest(byDigest(picked.digest))
        return manifest._tag === "Image" ? manifest.config.digest : ""
      })
      assert.strictEqual(yield* configOf(""), digestOf(image.config))
      assert.strictEqual(yield* configOf("app:v2"), digestOf(other.config))
      assert.strictEqual(yield* configOf("app"), digestOf(other.config))
      assert.strictEqual(yield* configOf("docker.io/library/app:v2"), digestOf(other.config))
      const [tag, text] = yield* failureOf(repository.pick({ name: "nope" }))
      assert.strictEqual(tag, "TarInvalid")
      assert.include(text, `nope (there are "app:v1", "app:v2", "app:latest")`)
    }))
})

describe("the image meant in a layout of several", () => {
  const other = smallImage("another", "v2")
  const parts = layoutParts(
    [{ ...image, tag: "v1" }, { ...other, tag: "example.org/app:v2" }],
    [image.manifest, other.manifest]
  )

  test("is the one of the digest, of the name, or of the target's tag", () =>
    Effect.gen(function*() {
      const repository = yield* opened(parts)
      const picked = (wanted: Parameters<Archived["pick"]>[0]) =>
        Effect.map(repository.pick(wanted), ({ digest }) => digest as string)
      assert.strictEqual(yield* picked({ name: "", digest: Digest.make(other.digest) }), other.digest)
      assert.strictEqual(yield* picked({ name: "v1", tag: Tag.make("v2") }), image.digest)
      assert.strictEqual(yield* picked({ name: "example.org/app:v2" }), other.digest)
      assert.strictEqual(yield* picked({ name: "", tag: Tag.make("v2") }), other.digest)
      const [tag, text] = yield* failureOf(repository.pick({ name: "", tag: Tag.make("v3") }))
      assert.strictEqual(tag, "TarInvalid")
      assert.include(text, "could not find requested tag in index.json, v3")
    }))

  test("is the only one beside lists of referrers and tags of digests", () =>
    Effect.gen(function*() {
      const repository = yield* opened(layoutParts(
        [{ ...image, tag: "v1" }, { ...other, tag: `${image.digest.replace(":", "-")}.sig` }],
        [image.manifest, other.manifest]
      ))
      assert.strictEqual((yield* repository.pick({ name: "", tag: Tag.make("else") })).digest, image.digest)
    }))
})

describe("an archive that is not what it should be", () => {
  const [version, index, ...blobs] = image.parts
  const at = (parts: ReadonlyArray<TarPart | undefined>) => parts.filter((it): it is TarPart => it !== undefined)
  const refused = (name: string, parts: ReadonlyArray<TarPart> | Uint8Array, text: string) =>
    test(`is refused: ${name}`, () =>
      Effect.gen(function*() {
        const [tag, found] = yield* failureOf(opened(parts))
        assert.strictEqual(tag, "TarInvalid", found)
        assert.include(found, text)
      }))
  const noise = "not an archive, whatever the name says. ".repeat(100)

  refused("no archive at all", Buffer.from(noise), "checksum")
  refused("empty", Buffer.alloc(0), "unable to read all files from tar: not found")
  refused("neither format", [{ name: "readme", content: "hello" }], "unable to read all files from tar: not found")
  refused("cut in a body", tarOf(image.parts).subarray(0, 3_200), "ends in the middle")
  refused("cut in a header", tarOf(image.parts).subarray(0, 1_100), "ends in the middle")
  refused(
    "a size beyond its end",
    Buffer.concat([entry({ name: "oci-layout", content: "{}", size: 8 ** 11 - 1 }), Buffer.alloc(1024)]),
    "ends in the middle of an entry"
  )
  refused(
    "a size beyond every number",
    Buffer.concat([entry({ name: "oci-layout", size: 2 ** 62 }), Buffer.alloc(1024)]),
    "out of range"
  )
  refused("a list of no images", [{ name: "manifest.json", content: "[]" }], "manifest.json names no image")
  refused("a list that is none", [{ name: "manifest.json", content: "{}" }], "manifest.json")
  refused(
    "a list too large",
    [{ name: "manifest.json", content: `[${" ".repeat(9 * 1024 * 1024)}]` }],
    "size limit exceeded"
  )
  refused(
    "another version",
    at([{ name: "oci-layout", content: `{"imageLayoutVersion":"2.0.0"}` }, index]),
    "unsupported oci layout version, expected 1.0.0, received 2.0.0"
  )
  refused(
    "two indexes",
    at([version, index, ...blobs, { name: "./index.json", content: "{}" }]),
    "index.json stands there twice with different content"
  )
  refused(
    "an index by a link out of it",
    at([version, { name: "index.json", type: "2", link: "../../etc/passwd" }]),
    "leads out of the archive"
  )
  refused(
    "links in a circle",
    at([version, { name: "index.json", type: "2", link: "a" }, { name: "a", type: "1", link: "index.json" }]),
    "lead in a circle"
  )

  for (const name of ["../config.json", "/etc/passwd", "a/../../b", "C:\\config", "a\\b"]) {
    test(`is refused: a config named ${name}`, () =>
      Effect.gen(function*() {
        const repository = yield* opened([
          ...savedParts(image).filter((it) => it.name !== "manifest.json"),
          { name, content: image.config },
          { name: "manifest.json", content: JSON.stringify([{ Config: name, Layers: ["abc/layer.tar"] }]) }
        ])
        const [tag, text] = yield* failureOf(repository.pick({ name: "" }))
        assert.strictEqual(tag, "TarInvalid")
        assert.include(text, "failed to import layers from docker tar: tar is invalid: the name")
      }))
  }

  test("is refused: a layer that is not the one of its config", () =>
    Effect.gen(function*() {
      const repository = yield* opened(savedParts({ ...image, layer: "not it" }))
      const [tag, text] = yield* failureOf(repository.pick({ name: "" }))
      assert.strictEqual(tag, "TarInvalid")
      assert.include(text, "digest mismatch")
    }))

  test("is refused: a layer that is absent", () =>
    Effect.gen(function*() {
      const repository = yield* opened(savedParts(image).filter(({ name }) => name !== "abc/layer.tar"))
      const [tag, text] = yield* failureOf(repository.pick({ name: "" }))
      assert.strictEqual(tag, "TarInvalid")
      assert.include(
        text,
        "failed to import layers from docker tar: unable to read all files from tar: not found: \"abc/layer.tar\""
      )
    }))

  test("gives no bytes that do not fit their digest", () =>
    Effect.gen(function*() {
      const repository = yield* opened([...image.parts, { name: blobName(digestOf("a layer")), content: "a liar!" }])
      assert.strictEqual((yield* failureOf(read(repository, "a layer")))[0], "DigestMismatch")
    }))

  test("bombs are stopped", () =>
    Effect.gen(function*() {
      const bomb = zstdCompressSync(Buffer.alloc(256 * 1024 ** 2))
      assert.strictEqual((yield* failureOf(opened(bomb)))[0], "DecompressLimit")
    }))
})

describe("standard input", () => {
  it.effect("is an archive as good as a file", () =>
    Effect.scoped(Effect.gen(function*() {
      const repository = yield* (yield* Archive).open({ path: "-" })
      assert.strictEqual(yield* read(repository, image.layer), "a layer")
    })).pipe(Effect.provide(Archive.layer.pipe(
      Layer.provide(Stdio.layerTest({ stdin: Stream.make(gzipSync(tarOf(image.parts))) })),
      Layer.provideMerge(NodeServices.layer)
    ))))
})
