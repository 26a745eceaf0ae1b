import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs/promises"
import { encodeOwner, self } from "../../../src/lib/owner.ts"
import type { Descriptor } from "../../../src/schemas/Descriptor.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { fromBytes } from "../../../src/services/Bytes.ts"
import { SweepAtEnd } from "../../../src/services/OciLayout.ts"
import { descriptorOf, emptyConfig, encode, image, manifestOf } from "../../fixtures/content.ts"
import { filesIn, inDirectory, putImage, using } from "./places.ts"

const write = (path: string, text: string) => Effect.promise(() => fs.writeFile(path, text))
const fileOf = ({ digest }: Descriptor) => `blobs/${digest.replace(":", "/")}`
const hasFile = (dir: string, blob: Descriptor) => Effect.map(filesIn(dir), (files) => files.includes(fileOf(blob)))
const dead = encodeOwner({ ...self(), pid: 2_147_483_646, started: "1" })

describe("the sweep of a layout", () => {
  it.effect("removes what lost its tag, and what was never part of anything", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const kept = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const lost = yield* using(dir, (repository) => putImage(repository, "v2", "two"))
        yield* using(dir, (repository) =>
          Effect.andThen(repository.putBlob(fromBytes(encode("stray"))), repository.deleteTag(Tag.make("v2"))))
        assert.deepStrictEqual(
          yield* filesIn(dir),
          [...[kept.manifest.descriptor, kept.config, kept.layer].map(fileOf).sort(), "index.json", "oci-layout"]
        )
        assert.isFalse(yield* hasFile(dir, lost.layer))
      })
    ))
  it.effect("waits for the last of those who have the layout open", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("stray"))
        yield* using(dir, () =>
          Effect.gen(function*() {
            yield* using(`${dir}/../${dir.split("/").at(-1)}`, (it) => it.putBlob(fromBytes(encode("stray")), blob))
            assert.isTrue(yield* hasFile(dir, blob))
          }))
        assert.isFalse(yield* hasFile(dir, blob))
      })
    ))
  it.effect("is left out when asked for", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("stray"))
        yield* using(dir, (it) => it.putBlob(fromBytes(encode("stray")), blob)).pipe(
          Effect.provideService(SweepAtEnd, false)
        )
        assert.deepStrictEqual(yield* filesIn(dir), [fileOf(blob), "index.json", "oci-layout"])
      })
    ))
  it.effect("comes to what was left out of an earlier one, also when only tags are added", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("stray"))
        const first = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        yield* using(dir, (it) => it.putBlob(fromBytes(encode("stray")), blob)).pipe(
          Effect.provideService(SweepAtEnd, false)
        )
        yield* using(dir, (repository) => putImage(repository, "v2", "two"))
        assert.isFalse(yield* hasFile(dir, blob))
        yield* using(dir, (repository) => putImage(repository, "v1", "three"))
        assert.isFalse(yield* hasFile(dir, first.layer))
      })
    ))
  it.effect("does not follow when a layout was only read", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { layer } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const stray = descriptorOf(encode("stray"))
        yield* write(`${dir}/${fileOf(stray)}`, "stray")
        yield* using(dir, (repository) => repository.headBlob(layer))
        assert.isTrue(yield* hasFile(dir, stray))
      })
    ))
  it.effect("keeps files it does not know, and content another tool has just put", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const foreign = descriptorOf(encode("foreign"))
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            yield* repository.putBlob(fromBytes(encode("stray")))
            yield* write(`${dir}/blobs/sha256/oci-put-blob12345`, "half")
            yield* write(`${dir}/notes.txt`, "mine")
            yield* write(`${dir}/${fileOf(foreign)}`, "foreign")
          }))
        const files = yield* filesIn(dir)
        assert.includeMembers([...files], ["blobs/sha256/oci-put-blob12345", "notes.txt", fileOf(foreign)])
        assert.isFalse(yield* hasFile(dir, descriptorOf(encode("stray"))))
      })
    ))
  it.effect("removes nothing while another process writes", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("stray"))
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        yield* write(`${dir}/.regclient-writer-0123456789abcdef`, encodeOwner(self()))
        yield* using(dir, (repository) => repository.putBlob(fromBytes(encode("stray")), blob))
        assert.isTrue(yield* hasFile(dir, blob))
      })
    ))
  it.effect("removes what a dead writer left", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { layer } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        yield* write(`${dir}/.regclient-writer-0123456789abcdef`, dead)
        yield* write(`${dir}/blobs/sha256/.regclient-tmp-0123456789abcdef-0`, "half")
        yield* write(`${dir}/blobs/sha256/.regclient-tmp-fedcba9876543210-0`, "half")
        yield* write(`${dir}/.regclient-tmp-0123456789abcdef-1`, "half")
        yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const files = yield* filesIn(dir)
        assert.deepStrictEqual(files.filter((it) => it.includes(".regclient")), [])
        assert.isTrue(yield* hasFile(dir, layer))
      })
    ))
  it.effect("removes nothing when a manifest that is there cannot be read, and skips one that is absent", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("stray"))
        const { manifest } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        const path = `${dir}/${fileOf(manifest.descriptor)}`
        yield* write(path, "{")
        yield* using(dir, (repository) => repository.putBlob(fromBytes(encode("stray")), blob))
        assert.isTrue(yield* hasFile(dir, blob))
        yield* Effect.promise(() => fs.rm(path))
        yield* using(dir, (repository) => repository.putBlob(fromBytes(encode("other"))))
        assert.isFalse(yield* hasFile(dir, blob))
      })
    ))
  it.effect("keeps what a manifest of an unknown type names", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const part = descriptorOf(encode("part"))
        const thing = manifestOf(
          `{"mediaType":"application/vnd.example.thing.v3+json","things":["${part.digest}"]}`
        )
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            yield* repository.putBlob(fromBytes(encode("part")), part)
            yield* repository.putManifest(thing, { tag: Tag.make("thing") })
          }))
        assert.isTrue(yield* hasFile(dir, part))
      })
    ))
  it.effect("of another process that took content found before is told at the first write", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const { layer } = yield* using(dir, (repository) => putImage(repository, "v1", "one"))
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            yield* repository.headBlob(layer)
            yield* Effect.promise(() => fs.rm(`${dir}/${fileOf(layer)}`))
            const manifest = image({ config: emptyConfig, layers: [layer] })
            const failed = yield* Effect.flip(repository.putManifest(manifest, { tag: Tag.make("v2") }))
            assert.strictEqual(failed.reason._tag, "NotFound")
            yield* repository.putBlob(fromBytes(encode("one")), layer)
            yield* repository.putManifest(manifest, { tag: Tag.make("v2") })
          }))
      })
    ))
  it.effect("follows a failure too", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("stray"))
        yield* Effect.exit(
          using(
            dir,
            (repository) => Effect.andThen(repository.putBlob(fromBytes(encode("stray")), blob), Effect.fail("broken"))
          )
        )
        assert.isFalse(yield* hasFile(dir, blob))
      })
    ))
})
