import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Stream } from "effect"
import * as fs from "node:fs/promises"
import { Location, Reference, Tag } from "../../src/schemas/Ref.ts"
import { collect, fromBytes } from "../../src/services/Bytes.ts"
import { decode, descriptorOf, emptyConfig, encode, image, index } from "../fixtures/content.ts"
import { filesIn, inDirectory, putImage, using } from "./ociLayout/places.ts"

const byTag = (tag: string) => Reference.ByTag({ tag: Tag.make(tag) })
const read = (path: string) => Effect.promise(() => fs.readFile(path, "utf8"))
const write = (path: string, text: string) => Effect.promise(() => fs.writeFile(path, text))
const mode = (path: string) => Effect.promise(async () => ((await fs.stat(path)).mode & 0o777).toString(8))

describe("files of a layout", () => {
  it.effect("are those of the specification, and nothing else", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { config, layer, manifest } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const blobs = [manifest.descriptor, config, layer].map(({ digest }) => `blobs/${digest.replace(":", "/")}`)
        assert.deepStrictEqual(yield* filesIn(dir), [...blobs.sort(), "index.json", "oci-layout"])
        assert.strictEqual(yield* read(`${dir}/oci-layout`), "{\"imageLayoutVersion\":\"1.0.0\"}")
        assert.deepStrictEqual(JSON.parse(yield* read(`${dir}/index.json`)), {
          schemaVersion: 2,
          mediaType: "application/vnd.oci.image.index.v1+json",
          manifests: [{
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            digest: manifest.descriptor.digest,
            size: manifest.bytes.length,
            annotations: {
              "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
              "org.opencontainers.image.ref.name": "v1"
            }
          }]
        })
      })
    ))
  it.effect("have the mode that the umask leaves", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { layer } = yield* using(`${dir}/new`, (repository) => putImage(repository, "v1", "one"))
        const umask = process.umask()
        const file = (0o666 & ~umask).toString(8)
        for (const path of ["index.json", "oci-layout", `blobs/${layer.digest.replace(":", "/")}`]) {
          assert.strictEqual(yield* mode(`${dir}/new/${path}`), file)
        }
        assert.strictEqual(yield* mode(`${dir}/new/blobs/sha256`), (0o777 & ~umask).toString(8))
      })
    ))
  it.effect("are not made by reading", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const failed = yield* using(`${dir}/none`, (it) => Effect.flip(Stream.runCollect(it.tags())))
        assert.strictEqual(failed.reason._tag, "NotFound")
        assert.strictEqual(
          failed.message,
          `oci-layout cannot be open: open ${dir}/none/oci-layout: no such file or directory`
        )
        assert.deepStrictEqual(yield* filesIn(dir), [])
      })
    ))
  for (
    const [name, file, content] of [
      ["an empty index.json", "index.json", ""],
      ["a cut index.json", "index.json", "{\"manifests\":["],
      ["an index.json that is a list", "index.json", "[]"],
      ["an empty oci-layout", "oci-layout", ""],
      ["another version", "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}"]
    ] as const
  ) {
    it.effect(`are neither read nor replaced with ${name}`, () =>
      inDirectory((dir) =>
        Effect.gen(function*() {
          yield* using(dir, (repository) => putImage(repository, "v1", "one"))
          yield* write(`${dir}/${file}`, content)
          const before = yield* filesIn(dir)
          yield* using(dir, (repository) =>
            Effect.gen(function*() {
              assert.strictEqual((yield* Effect.flip(repository.resolve(byTag("v1")))).reason._tag, "LayoutInvalid")
              const failed = yield* Effect.flip(repository.putBlob(fromBytes(encode("two"))))
              assert.strictEqual(failed.reason._tag, "LayoutInvalid")
            }))
          assert.strictEqual(yield* read(`${dir}/${file}`), content)
          assert.deepStrictEqual(yield* filesIn(dir), before)
        })
      ))
  }
  it.effect("that were cut off after oci-layout are completed by the next writer", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* write(`${dir}/oci-layout`, "{\"imageLayoutVersion\":\"1.0.0\"}")
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        yield* using(dir, (repository) => repository.resolve(byTag("v1")))
      })
    ))
  it.effect("fail with the path where a file is in the way", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* write(`${dir}/file`, "")
        const failed = yield* using(`${dir}/file`, (it) => Effect.flip(it.putBlob(fromBytes(encode("a")))))
        assert.strictEqual(failed.reason._tag, "FsPermission")
        assert.include(failed.message, `${dir}/file`)
      })
    ))
})

describe("entries of index.json", () => {
  it.effect("that tell a wrong size are mended when the manifest is put again", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const text = yield* read(`${dir}/index.json`)
        yield* write(`${dir}/index.json`, text.replace(/"size":\d+/, "\"size\":7"))
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        assert.strictEqual(yield* read(`${dir}/index.json`), text)
      })
    ))
  it.effect("that say the same already stay as they are, with keys we do not know", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { manifest } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const { descriptor } = manifest
        const text = JSON.stringify({
          schemaVersion: 2,
          extra: true,
          manifests: [
            { ...descriptor, annotations: { "org.opencontainers.image.ref.name": "v1", other: "x" }, more: [1] }
          ]
        })
        yield* write(`${dir}/index.json`, text)
        yield* using(dir, (repository) => repository.putManifest(manifest, { tag: Tag.make("v1") }))
        assert.strictEqual(yield* read(`${dir}/index.json`), text)
        yield* using(dir, (repository) => repository.putManifest(manifest, { tag: Tag.make("v2") }))
        const after = JSON.parse(yield* read(`${dir}/index.json`))
        assert.isTrue(after.extra)
        assert.deepStrictEqual(after.manifests[0].more, [1])
      })
    ))
  it.effect("with full image names are found and listed by what follows the colon, and never deleted by it", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { manifest } = yield* using(dir, (repository) => putImage(repository, "x", "one"))
        const entry = {
          ...manifest.descriptor,
          annotations: { "org.opencontainers.image.ref.name": "registry.example:5000/a/b:v3" }
        }
        yield* write(`${dir}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
        const stray = `${dir}/blobs/sha256/${"0".repeat(64)}`
        yield* write(stray, "unreachable")
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            assert.strictEqual(
              (yield* repository.resolve(byTag("v3"))).descriptor.digest,
              manifest.descriptor.digest
            )
            const pages = yield* Stream.runCollect(repository.tags())
            assert.deepStrictEqual(pages.flatMap(({ names }) => names), ["v3"])
            const error = yield* Effect.flip(repository.deleteTag(Tag.make("v3")))
            assert.strictEqual(error.message, `failed deleting ocidir://${dir}:v3: not found`)
            assert.strictEqual((yield* repository.resolve(byTag("v3"))).descriptor.digest, manifest.descriptor.digest)
          }))
        assert.strictEqual(yield* read(stray), "unreachable", "a failed deletion sweeps nothing")
      })
    ))
  it.effect("given twice for a tag become one", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { manifest } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const entry = { ...manifest.descriptor, annotations: { "org.opencontainers.image.ref.name": "v1" } }
        yield* write(`${dir}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [entry, entry] }))
        yield* using(dir, (repository) => putImage(repository, "v1", "two"))
        assert.lengthOf(JSON.parse(yield* read(`${dir}/index.json`)).manifests, 1)
      })
    ))
  it.effect("say the time of SOURCE_DATE_EPOCH", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const provider = ConfigProvider.fromUnknown({ SOURCE_DATE_EPOCH: "1700000000" })
        yield* using(dir, (repository) => putImage(repository, "v1", "one")).pipe(
          Effect.provideService(ConfigProvider.ConfigProvider, provider)
        )
        assert.include(yield* read(`${dir}/index.json`), "\"2023-11-14T22:13:20Z\"")
      })
    ))
  it.effect("are not made for children, nor twice for a digest", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const [child, other] = [image({ annotations: { a: "1" } }), image({ annotations: { a: "2" } })]
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            yield* repository.putBlob(fromBytes(encode("{}")), emptyConfig)
            yield* repository.putManifest(child, { isChild: true })
            yield* repository.putManifest(other)
            yield* repository.putManifest(other)
          }))
        const { manifests } = JSON.parse(yield* read(`${dir}/index.json`))
        assert.deepStrictEqual(manifests.map((it: { digest: string }) => it.digest), [other.descriptor.digest])
      })
    ))
  it.effect("changed by another program are seen at once", () =>
    inDirectory((dir) =>
      using(dir, (repository) =>
        Effect.gen(function*() {
          const { manifest } = yield* putImage(repository, "v1", "one")
          const changed = (yield* read(`${dir}/index.json`)).replace("\"v1\"", "\"v2\"")
          yield* write(`${dir}/index.json`, changed)
          assert.strictEqual((yield* repository.resolve(byTag("v2"))).descriptor.digest, manifest.descriptor.digest)
        }))
    ))
})

describe("damaged and foreign content", () => {
  it.effect("of a blob: is absent when asked for, fails when read, and is replaced by a put", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { layer } = yield* using(dir, (repository) => putImage(repository, "v1", "hello"))
        const path = `${dir}/blobs/${layer.digest.replace(":", "/")}`
        for (const text of ["jello", "hell", "hello!"]) {
          yield* write(path, text)
          yield* using(dir, (repository) =>
            Effect.gen(function*() {
              assert.strictEqual((yield* Effect.flip(repository.headBlob(layer))).reason._tag, "NotFound")
              const failed = yield* Effect.flip(collect(repository.blob(layer), 100))
              assert.include(["DigestMismatch", "SizeMismatch"], failed.reason._tag)
              yield* repository.putBlob(fromBytes(encode("hello")), layer)
            }))
          assert.strictEqual(yield* read(path), "hello")
        }
      })
    ))
  it.effect("of a manifest: is absent when asked for, fails when read, and is replaced by a put", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { manifest } = yield* using(dir, (repository) => putImage(repository, "v1", "hello"))
        const path = `${dir}/blobs/${manifest.descriptor.digest.replace(":", "/")}`
        yield* write(path, decode(manifest.bytes).replace("schemaVersion\":2", "schemaVersion\":3"))
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            assert.strictEqual((yield* Effect.flip(repository.resolve(byTag("v1")))).reason._tag, "NotFound")
            assert.strictEqual((yield* Effect.flip(repository.manifest(byTag("v1")))).reason._tag, "DigestMismatch")
            yield* repository.putManifest(manifest, { tag: Tag.make("v1") })
          }))
        assert.strictEqual(yield* read(path), decode(manifest.bytes))
      })
    ))
  it.effect("is not written through links", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* Effect.promise(() => fs.mkdir(`${dir}/outside`))
        yield* Effect.promise(() => fs.mkdir(`${dir}/layout/blobs`, { recursive: true }))
        yield* Effect.promise(() => fs.symlink(`${dir}/outside`, `${dir}/layout/blobs/sha256`))
        const failed = yield* using(`${dir}/layout`, (it) => Effect.flip(it.putBlob(fromBytes(encode("a")))))
        assert.strictEqual(failed.reason._tag, "PathEscape")
        assert.deepStrictEqual(yield* filesIn(`${dir}/outside`), [])
      })
    ))
  it.effect("leaves the file alone that a blob's name links to", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("hello"))
        const path = `${dir}/layout/blobs/${blob.digest.replace(":", "/")}`
        yield* write(`${dir}/outside`, "precious")
        yield* Effect.promise(() => fs.mkdir(`${dir}/layout/blobs/sha256`, { recursive: true }))
        yield* Effect.promise(() => fs.symlink(`${dir}/outside`, path))
        yield* using(`${dir}/layout`, (repository) =>
          Effect.andThen(
            repository.putBlob(fromBytes(encode("hello")), blob),
            repository.putManifest(image({ config: emptyConfig, layers: [blob] }), { tag: Tag.make("v1") })
          ))
        assert.strictEqual(yield* read(`${dir}/outside`), "precious")
        assert.strictEqual(yield* read(path), "hello")
      })
    ))
  it.effect("is cloned from another layout only if it is whole", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { layer } = yield* using(`${dir}/a`, (repository) => putImage(repository, "v1", "hello"))
        const from = Location.OciLayout({ path: `${dir}/a` })
        yield* using(`${dir}/b`, (repository) =>
          Effect.gen(function*() {
            yield* write(`${dir}/a/blobs/${layer.digest.replace(":", "/")}`, "jello")
            assert.isFalse(yield* repository.mountBlob(layer, from))
            yield* write(`${dir}/a/blobs/${layer.digest.replace(":", "/")}`, "hello")
            assert.isTrue(yield* repository.mountBlob(layer, from))
            assert.strictEqual(decode(yield* collect(repository.blob(layer), 100)), "hello")
          }))
      })
    ))
})

describe("referrers of a layout", () => {
  const subject = image({ annotations: { name: "subject" } })
  const first = image({ subject: subject.descriptor, annotations: { name: "first" } })
  const fallback = subject.descriptor.digest.replace(":", "-")

  it.effect("stand in an index under the fallback tag, which goes with the last of them", () =>
    inDirectory((dir) =>
      using(dir, (repository) =>
        Effect.gen(function*() {
          yield* repository.putBlob(fromBytes(encode("{}")), emptyConfig)
          yield* repository.putManifest(subject, { tag: Tag.make("v1") })
          yield* repository.putManifest(first, { isChild: true })
          const list = yield* repository.manifest(byTag(fallback))
          assert.deepStrictEqual(JSON.parse(decode(list.bytes)), {
            schemaVersion: 2,
            mediaType: "application/vnd.oci.image.index.v1+json",
            manifests: [{
              ...first.descriptor,
              annotations: { name: "first" },
              artifactType: "application/vnd.oci.empty.v1+json"
            }]
          })
          assert.strictEqual((yield* repository.referrers(subject.descriptor)).tag, Tag.make(fallback))
          yield* repository.deleteManifest(first.descriptor)
          assert.strictEqual((yield* Effect.flip(repository.resolve(byTag(fallback)))).reason._tag, "NotFound")
        }))
    ))
  it.effect("that stand only in index.json are found by the slow way", () =>
    inDirectory((dir) =>
      using(dir, (repository) =>
        Effect.gen(function*() {
          yield* repository.putBlob(fromBytes(encode("{}")), emptyConfig)
          yield* repository.putManifest(subject, { tag: Tag.make("v1") })
          yield* repository.putManifest(first, { tag: Tag.make("signature") })
          yield* repository.deleteTag(Tag.make(fallback))
          assert.lengthOf((yield* repository.referrers(subject.descriptor)).descriptors, 0)
          const slow = yield* repository.referrers(subject.descriptor, { slow: true })
          assert.deepStrictEqual(slow.descriptors.map(({ digest }) => digest), [first.descriptor.digest])
        }))
    ))
  it.effect("are kept by the sweep together with what they are made of", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const child = image({ annotations: { name: "child" } })
        const both = index([child.descriptor])
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            yield* repository.putBlob(fromBytes(encode("{}")), emptyConfig)
            yield* repository.putManifest(child, { isChild: true })
            yield* repository.putManifest(both, { tag: Tag.make("multi") })
            yield* repository.putManifest(subject, { tag: Tag.make("v1") })
            yield* repository.putManifest(first, { isChild: true })
          }))
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            for (const { descriptor } of [child, both, subject, first]) {
              yield* repository.manifest(Reference.ByDigest({ digest: descriptor.digest }))
            }
            yield* repository.headBlob(emptyConfig)
          }))
      })
    ))
})
