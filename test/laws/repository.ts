/** What every `Repository` owes, wherever it stores its content. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, type Scope, Stream } from "effect"
import type { Descriptor } from "../../src/schemas/Descriptor.ts"
import type { Digest } from "../../src/schemas/Digest.ts"
import type { Manifest } from "../../src/schemas/Manifest.ts"
import { Location, Reference, Tag } from "../../src/schemas/Ref.ts"
import type { StoreError } from "../../src/schemas/StoreError.ts"
import { type Bytes, collect, fromBytes } from "../../src/services/Bytes.ts"
import type { Repository } from "../../src/services/Repository.ts"
import {
  decode,
  descriptorOf,
  digestOf,
  emptyConfig,
  encode,
  image,
  imageType,
  index,
  manifestOf,
  stuck,
  varied
} from "../fixtures/content.ts"

export interface Opened {
  /** Empty. */
  readonly repository: Repository
  /** Another empty one of the same store, for mounts. */
  readonly other?: Repository
}

/** What a place may be unable to do. */
export interface Abilities {
  /** Deletes blobs. */
  readonly deletesBlobs?: boolean
  /** Takes manifests whose content or subject is absent. */
  readonly takesIncomplete?: boolean
  /** Takes manifests of types it does not know. */
  readonly takesUnknownTypes?: boolean
  readonly takesSha512?: boolean
  /** Lists tags in order, a part of them on request; and says that there are none where no tag was ever put. */
  readonly listsTagsInOrder?: boolean
  /** Keeps the lists of referrers itself: a deleted manifest leaves them whoever deletes it. */
  readonly keepsReferrers?: boolean
  /** Reads what another repository stores, and mounts nothing unseen, before it says that it has it. */
  readonly looksAtContent?: boolean
  /** Runs under the real clock, as servers need. */
  readonly live?: boolean
}

const tag = (name: string) => Tag.make(name)
const byTag = (name: string) => Reference.ByTag({ tag: tag(name) })
const byDigest = (digest: Digest) => Reference.ByDigest({ digest })
const collected = (bytes: Bytes) => collect(bytes, 64 * 1024 * 1024)
const reasonOf = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<string, A> =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const names = (repository: Repository, page?: { readonly last?: string; readonly limit?: number }) =>
  Stream.runCollect(Stream.flatMap(repository.tags(page), ({ names }) => Stream.fromIterable(names)))

/** Blobs the empty images of these tests refer to, so that strict places take them. */
const putConfig = (repository: Repository) => repository.putBlob(fromBytes(encode("{}")), emptyConfig)

/** Runs the suite on a place. Each test opens it anew and expects it empty. */
export const repositoryLaws = <E>(
  name: string,
  open: Effect.Effect<Opened, E, Scope.Scope>,
  abilities: Abilities = {}
): void => {
  const law = (text: string, body: (opened: Opened) => Effect.Effect<void, unknown, Scope.Scope>) =>
    (abilities.live === true ? it.live : it.effect)(text, () => Effect.scoped(Effect.flatMap(open, body)))
  describe(name, () => {
    describe("blobs", () => blobLaws(law, abilities))
    describe("manifests and tags", () => manifestLaws(law, abilities))
    describe("referrers", () => referrerLaws(law, abilities))
  })
}

type Law = (text: string, body: (opened: Opened) => Effect.Effect<void, unknown, Scope.Scope>) => void

const blobLaws = (law: Law, abilities: Abilities): void => {
  law("gives back the blob that was put", ({ repository }) =>
    Effect.gen(function*() {
      const blob = descriptorOf(encode("hello"))
      const put = yield* repository.putBlob(fromBytes(encode("hello")), blob)
      assert.strictEqual(put.digest, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
      assert.strictEqual((yield* repository.headBlob(blob)).descriptor.size, 5)
      assert.strictEqual(decode(yield* collected(repository.blob(blob))), "hello")
    }))
  law("finds digest and size of content that nobody described", ({ repository }) =>
    Effect.gen(function*() {
      const put = yield* repository.putBlob(fromBytes(encode("hello")))
      assert.strictEqual(put.digest, "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
      assert.strictEqual(put.size, 5)
      assert.strictEqual(decode(yield* collected(repository.blob(put))), "hello")
    }))
  law("says NotFound of an absent blob", ({ repository }) =>
    Effect.gen(function*() {
      yield* putConfig(repository)
      const blob = descriptorOf(encode("absent"))
      assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
      assert.strictEqual(yield* reasonOf(collected(repository.blob(blob))), "NotFound")
      if (abilities.deletesBlobs !== false) {
        assert.strictEqual(yield* reasonOf(repository.deleteBlob(blob)), "NotFound")
      }
    }))
  law("refuses content with another digest and keeps nothing of it", ({ repository }) =>
    Effect.gen(function*() {
      const blob = descriptorOf(encode("hello"))
      assert.strictEqual(yield* reasonOf(repository.putBlob(fromBytes(encode("jello")), blob)), "DigestMismatch")
      assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
      assert.strictEqual(yield* reasonOf(repository.headBlob(descriptorOf(encode("jello")))), "NotFound")
    }))
  law("refuses content that is longer or shorter than described", ({ repository }) =>
    Effect.gen(function*() {
      const blob = descriptorOf(encode("hello"))
      assert.strictEqual(yield* reasonOf(repository.putBlob(fromBytes(encode("hello!")), blob)), "SizeMismatch")
      assert.strictEqual(yield* reasonOf(repository.putBlob(fromBytes(encode("hell")), blob)), "SizeMismatch")
      assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
    }))
  if (abilities.looksAtContent !== false) {
    law("fails with the failure of the content and keeps nothing of it", ({ repository }) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("hello"))
        const absent = repository.blob(descriptorOf(encode("source")))
        yield* putConfig(repository)
        assert.strictEqual(yield* reasonOf(repository.putBlob(absent, blob)), "NotFound")
        assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
      }))
  }
  law("stores the empty blob and the empty object", ({ repository }) =>
    Effect.gen(function*() {
      for (const text of ["", "{}"]) {
        const blob = descriptorOf(encode(text))
        yield* repository.putBlob(fromBytes(encode(text)), blob)
        assert.strictEqual((yield* repository.headBlob(blob)).descriptor.size, text.length)
        assert.strictEqual(decode(yield* collected(repository.blob(blob))), text)
      }
    }))
  if (abilities.takesSha512 !== false) {
    law("stores content under sha512", ({ repository }) =>
      Effect.gen(function*() {
        const blob = descriptorOf(encode("hello"), "application/octet-stream", "sha512")
        yield* repository.putBlob(fromBytes(encode("hello")), blob)
        assert.strictEqual(decode(yield* collected(repository.blob(blob))), "hello")
        assert.strictEqual(yield* reasonOf(repository.headBlob(descriptorOf(encode("hello")))), "NotFound")
      }))
  }
  law("moves a blob of many buffers, given in views of all sizes", ({ repository }) =>
    Effect.gen(function*() {
      const bytes = varied(5 * 1024 * 1024 + 7)
      const blob = descriptorOf(bytes)
      const cuts = [0, 1, 70_000, 70_001, 400_000, 2_000_000, 2_000_000, 2_300_000, bytes.length]
      const views = Stream.fromIterable(cuts.slice(1).map((end, at) => bytes.subarray(cuts[at], end)))
      yield* repository.putBlob(views, blob)
      assert.strictEqual(digestOf(yield* collected(repository.blob(blob))), blob.digest)
      assert.strictEqual(
        digestOf(yield* collected(repository.blob(blob, { from: 70_000, to: 4_200_000 }))),
        digestOf(bytes.subarray(70_000, 4_200_001))
      )
    }))
  law("gives parts of a blob, both ends included", ({ repository }) =>
    Effect.gen(function*() {
      const blob = yield* repository.putBlob(fromBytes(encode("0123456789")))
      assert.strictEqual(decode(yield* collected(repository.blob(blob, { from: 2, to: 4 }))), "234")
      assert.strictEqual(decode(yield* collected(repository.blob(blob, { from: 7 }))), "789")
    }))
  law("reads a blob anew each time its bytes are run", ({ repository }) =>
    Effect.gen(function*() {
      const bytes = repository.blob(yield* repository.putBlob(fromBytes(encode("twice"))))
      assert.strictEqual(decode(yield* collected(bytes)), "twice")
      assert.strictEqual(decode(yield* collected(bytes)), "twice")
    }))
  law("gives the same bytes to who pulls them as a stream", ({ repository }) =>
    Effect.gen(function*() {
      const bytes = varied(3 * 1024 * 1024)
      const blob = yield* repository.putBlob(fromBytes(bytes))
      const parts = yield* Stream.runCollect(repository.blob(blob))
      assert.strictEqual(digestOf(Buffer.concat(parts)), digestOf(bytes))
    }))
  law("takes one blob from several at once", ({ repository }) =>
    Effect.gen(function*() {
      const bytes = varied(1024 * 1024)
      const blob = descriptorOf(bytes)
      yield* Effect.forEach([1, 2, 3, 4], () => repository.putBlob(fromBytes(bytes), blob), { concurrency: 4 })
      assert.strictEqual(digestOf(yield* collected(repository.blob(blob))), blob.digest)
    }))
  law("keeps nothing of a put that was interrupted", ({ repository }) =>
    Effect.gen(function*() {
      const bytes = varied(2 * 1024 * 1024)
      const blob = descriptorOf(bytes)
      const half = yield* Deferred.make<void>()
      const content = stuck(bytes, () => Deferred.doneUnsafe(half, Exit.void))
      const fiber = yield* Effect.forkChild(repository.putBlob(content, blob))
      yield* Deferred.await(half)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
      yield* repository.putBlob(fromBytes(bytes), blob)
      assert.strictEqual(digestOf(yield* collected(repository.blob(blob))), blob.digest)
    }))
  if (abilities.deletesBlobs !== false) {
    law("deletes a blob", ({ repository }) =>
      Effect.gen(function*() {
        const blob = yield* repository.putBlob(fromBytes(encode("hello")))
        yield* repository.deleteBlob(blob)
        assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
      }))
  }
  law("mounts a blob of another repository of the store", ({ other, repository }) =>
    Effect.gen(function*() {
      if (other === undefined) return
      const blob = yield* other.putBlob(fromBytes(encode("hello")))
      if (yield* repository.mountBlob(blob, other.location)) {
        assert.strictEqual(decode(yield* collected(repository.blob(blob))), "hello")
      } else assert.strictEqual(yield* reasonOf(repository.headBlob(blob)), "NotFound")
    }))
  law("can be sent a blob whose mount was refused", ({ other, repository }) =>
    Effect.gen(function*() {
      const blob = descriptorOf(encode("hello"))
      const places = [Location.Registry({ registry: "elsewhere.example", repository: "a/b" })]
      const isSeen = other !== undefined && abilities.looksAtContent !== false
      for (const from of isSeen ? [...places, other.location] : places) {
        assert.isFalse(yield* repository.mountBlob(blob, from))
      }
      yield* repository.putBlob(fromBytes(encode("hello")), blob)
      assert.strictEqual(decode(yield* collected(repository.blob(blob))), "hello")
    }))
}

const manifestLaws = (law: Law, abilities: Abilities): void => {
  const first = image({ annotations: { name: "first" } })
  const second = image({ annotations: { name: "second" } })
  const prepared = (text: string, body: (repository: Repository) => Effect.Effect<void, unknown, Scope.Scope>) =>
    law(text, ({ repository }) => Effect.andThen(putConfig(repository), body(repository)))
  const isThere = Effect.fnUntraced(function*(repository: Repository, reference: Reference, expected: Manifest) {
    const found = yield* repository.manifest(reference)
    assert.strictEqual(decode(found.bytes), decode(expected.bytes))
    const { descriptor } = yield* repository.resolve(reference)
    assert.deepStrictEqual(
      [descriptor.mediaType, descriptor.digest, descriptor.size],
      [expected.descriptor.mediaType, expected.descriptor.digest, expected.descriptor.size]
    )
  })
  prepared("gives back a manifest by tag and by digest", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(first, { tag: tag("v1") })
      yield* isThere(repository, byTag("v1"), first)
      yield* isThere(repository, byDigest(first.descriptor.digest), first)
    }))
  prepared("gives back a manifest that was put by digest only, or as a child", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(first)
      yield* repository.putManifest(second, { isChild: true })
      yield* isThere(repository, byDigest(first.descriptor.digest), first)
      yield* isThere(repository, byDigest(second.descriptor.digest), second)
      if (abilities.listsTagsInOrder !== false) assert.deepStrictEqual(yield* names(repository), [])
    }))
  prepared("says NotFound of what is absent", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(first, { tag: tag("v1") })
      for (const reference of [byTag("v2"), byDigest(second.descriptor.digest)]) {
        assert.strictEqual(yield* reasonOf(repository.resolve(reference)), "NotFound")
        assert.strictEqual(yield* reasonOf(repository.manifest(reference)), "NotFound")
      }
      assert.strictEqual(yield* reasonOf(repository.deleteTag(tag("v2"))), "NotFound")
      assert.strictEqual(yield* reasonOf(repository.deleteManifest(second.descriptor)), "NotFound")
    }))
  law("says NotFound where nothing was ever put", ({ repository }) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* reasonOf(repository.resolve(byTag("v1"))), "NotFound")
      assert.strictEqual(yield* reasonOf(repository.manifest(byDigest(first.descriptor.digest))), "NotFound")
      assert.strictEqual(yield* reasonOf(repository.headBlob(emptyConfig)), "NotFound")
    }))
  prepared("keeps the bytes as they are", (repository) =>
    Effect.gen(function*() {
      const odd = manifestOf(
        `{ "layers":[],\n\t"mediaType": "${imageType}", "unknown": {"b":1,"a":2}, "config":${
          JSON.stringify(emptyConfig)
        }, "schemaVersion" : 2 }\n`
      )
      yield* repository.putManifest(odd, { tag: tag("odd") })
      yield* isThere(repository, byTag("odd"), odd)
    }))
  prepared("refuses a manifest that is not what its descriptor says", (repository) =>
    Effect.gen(function*() {
      const wrong: Manifest = { ...first, bytes: second.bytes.map((byte, at) => at === 0 ? 32 : byte) }
      const failed = yield* Effect.flip(repository.putManifest({
        ...wrong,
        descriptor: { ...first.descriptor, size: wrong.bytes.length }
      }, { tag: tag("v1") }))
      assert.strictEqual(failed._tag, "StoreError")
      assert.strictEqual(yield* reasonOf(repository.resolve(byTag("v1"))), "NotFound")
    }))
  prepared("moves a tag", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(first, { tag: tag("v1") })
      yield* repository.putManifest(second, { tag: tag("v1") })
      yield* isThere(repository, byTag("v1"), second)
      yield* repository.putManifest(first, { tag: tag("v1") })
      yield* isThere(repository, byTag("v1"), first)
      assert.deepStrictEqual(yield* names(repository), ["v1"])
    }))
  if (abilities.listsTagsInOrder !== false) {
    prepared("lists tags sorted, after a name and up to a number", (repository) =>
      Effect.gen(function*() {
        for (const name of ["v2", "latest", "v10", "A"]) yield* repository.putManifest(first, { tag: tag(name) })
        assert.deepStrictEqual(yield* names(repository), ["A", "latest", "v10", "v2"])
        assert.deepStrictEqual(yield* names(repository, { last: "latest" }), ["v10", "v2"])
        assert.deepStrictEqual(yield* names(repository, { last: "B", limit: 2 }), ["latest", "v10"])
        assert.deepStrictEqual(yield* names(repository, { limit: 1 }), ["A"])
        assert.deepStrictEqual(yield* names(repository, { last: "v2" }), [])
      }))
  }
  prepared("deletes one of two tags on a manifest", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(first, { tag: tag("a") })
      yield* repository.putManifest(first, { tag: tag("b") })
      yield* repository.deleteTag(tag("a"))
      assert.deepStrictEqual(yield* names(repository), ["b"])
      assert.strictEqual(yield* reasonOf(repository.resolve(byTag("a"))), "NotFound")
      yield* isThere(repository, byTag("b"), first)
    }))
  prepared("deletes a manifest and its tags, and leaves the others", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(first, { tag: tag("a") })
      yield* repository.putManifest(first, { tag: tag("b") })
      yield* repository.putManifest(second, { tag: tag("c") })
      yield* repository.deleteManifest(first.descriptor)
      assert.deepStrictEqual(yield* names(repository), ["c"])
      assert.strictEqual(yield* reasonOf(repository.manifest(byDigest(first.descriptor.digest))), "NotFound")
      yield* isThere(repository, byTag("c"), second)
    }))
  prepared("stores an index and its children", (repository) =>
    Effect.gen(function*() {
      const both = index([first.descriptor, second.descriptor])
      for (const child of [first, second]) yield* repository.putManifest(child, { isChild: true })
      yield* repository.putManifest(both, { tag: tag("multi") })
      const found = yield* repository.manifest(byTag("multi"))
      assert.strictEqual(found._tag, "Index")
      yield* isThere(repository, byDigest(second.descriptor.digest), second)
      assert.deepStrictEqual(yield* names(repository), ["multi"])
    }))
  prepared("puts tags at once from many", (repository) =>
    Effect.gen(function*() {
      const all = Array.from({ length: 12 }, (_, at) => `tag-${String(at).padStart(2, "0")}`)
      yield* Effect.forEach(all, (name) => repository.putManifest(first, { tag: tag(name) }), { concurrency: 6 })
      assert.sameMembers([...yield* names(repository)], all)
    }))
  prepared("uses the data of a descriptor in place of the content", (repository) =>
    Effect.gen(function*() {
      const inline: Descriptor = { ...second.descriptor, data: Buffer.from(second.bytes).toString("base64") }
      const found = yield* repository.manifest(byDigest(second.descriptor.digest), inline)
      assert.strictEqual(decode(found.bytes), decode(second.bytes))
    }))
  if (abilities.takesUnknownTypes !== false) {
    prepared("stores a manifest of a type nobody knows", (repository) =>
      Effect.gen(function*() {
        const type = "application/vnd.example.thing.v3+json"
        const thing = manifestOf(`{"mediaType":"${type}","things":[1,2]}`)
        yield* repository.putManifest(thing, { tag: tag("thing") })
        yield* isThere(repository, byTag("thing"), thing)
      }))
  }
  if (abilities.takesUnknownTypes !== false) {
    law(
      "gives back a signed manifest after it was put again with other signatures",
      ({ repository }) =>
        Effect.gen(function*() {
          // {"formatLength":32,"formatTail":"fQ"}: the payload is the first 32 bytes and a brace.
          const signed = (signature: string) =>
            manifestOf(
              `{"schemaVersion":1,"fsLayers":[],"signatures":[{"protected":"eyJmb3JtYXRMZW5ndGgiOjMyLCJmb3JtYXRUYWlsIjoiZlEifQ","signature":"${signature}"}]}`
            )
          const payload = "sha256:cd4b5c3fd9025c5a6f7eb6af6a3e8d4d0ca56605bd805dee42589e554eba6f08"
          yield* repository.putManifest(signed("short"), { tag: tag("one") })
          yield* repository.putManifest(signed("a longer one"), { tag: tag("one") })
          yield* repository.putManifest(signed("another"), { tag: tag("two") })
          for (const reference of [byTag("one"), byTag("two")]) {
            const { bytes } = yield* repository.manifest(reference)
            const { descriptor } = yield* repository.resolve(reference)
            assert.deepStrictEqual([descriptor.digest, descriptor.size], [payload, bytes.length])
          }
        })
    )
  }
  if (abilities.takesSha512 !== false) {
    prepared("stores a manifest under sha512", (repository) =>
      Effect.gen(function*() {
        const descriptor = descriptorOf(first.bytes, imageType, "sha512")
        yield* repository.putManifest({ ...first, descriptor }, { tag: tag("long") })
        yield* isThere(repository, byTag("long"), { ...first, descriptor })
      }))
  }
}

const referrerLaws = (law: Law, abilities: Abilities): void => {
  const subject = image({ annotations: { name: "subject" } })
  const signature = image({
    subject: subject.descriptor,
    artifactType: "application/vnd.example.signature",
    annotations: { by: "alice" }
  })
  const sbom = image({ subject: subject.descriptor, artifactType: "application/vnd.example.sbom" })
  const listed = (repository: Repository, artifactType?: string) =>
    Effect.map(
      repository.referrers(subject.descriptor, artifactType === undefined ? {} : { artifactType }),
      ({ descriptors }) => descriptors.map(({ digest }) => digest).sort()
    )
  const prepared = (text: string, body: (repository: Repository) => Effect.Effect<void, unknown, Scope.Scope>) =>
    law(text, ({ repository }) =>
      Effect.gen(function*() {
        yield* putConfig(repository)
        yield* repository.putManifest(subject, { tag: tag("v1") })
        yield* body(repository)
      }))
  prepared("lists none where there are none", (repository) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* listed(repository), [])
    }))
  prepared("lists the manifests that name the subject", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(signature, { isChild: true })
      yield* repository.putManifest(sbom)
      assert.deepStrictEqual(
        yield* listed(repository),
        [signature.descriptor.digest, sbom.descriptor.digest].sort()
      )
      const { descriptors } = yield* repository.referrers(subject.descriptor, {
        artifactType: "application/vnd.example.signature"
      })
      assert.deepStrictEqual(
        descriptors.map(({ annotations, artifactType, mediaType, size }) => ({
          annotations,
          artifactType,
          mediaType,
          size
        })),
        [{
          annotations: { by: "alice" },
          artifactType: "application/vnd.example.signature",
          mediaType: imageType,
          size: signature.bytes.length
        }]
      )
    }))
  prepared("lists a referrer once however often it is put", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(signature, { isChild: true })
      yield* repository.putManifest(signature, { tag: tag("signature") })
      assert.deepStrictEqual(yield* listed(repository), [signature.descriptor.digest])
    }))
  prepared("lists only those of a type when asked for it", (repository) =>
    Effect.gen(function*() {
      yield* repository.putManifest(signature, { isChild: true })
      yield* repository.putManifest(sbom, { isChild: true })
      assert.deepStrictEqual(yield* listed(repository, "application/vnd.example.sbom"), [sbom.descriptor.digest])
      assert.deepStrictEqual(yield* listed(repository, "application/vnd.example.none"), [])
    }))
  prepared(
    "takes a deleted referrer from the list, whether its subject is told or not",
    (repository) =>
      Effect.gen(function*() {
        yield* repository.putManifest(signature, { isChild: true })
        yield* repository.putManifest(sbom, { isChild: true })
        yield* repository.deleteManifest(signature.descriptor, subject.descriptor)
        assert.deepStrictEqual(yield* listed(repository), [sbom.descriptor.digest])
        yield* repository.deleteManifest(
          sbom.descriptor,
          abilities.keepsReferrers === false ? subject.descriptor : undefined
        )
        assert.deepStrictEqual(yield* listed(repository), [])
      })
  )
  prepared("lists referrers put at once", (repository) =>
    Effect.gen(function*() {
      const all = Array.from({ length: 6 }, (_, at) =>
        image({ subject: subject.descriptor, annotations: { number: String(at) } }))
      yield* Effect.forEach(all, (it) =>
        repository.putManifest(it, { isChild: true }), { concurrency: 6 })
      assert.deepStrictEqual(yield* listed(repository), all.map((it) => it.descriptor.digest).sort())
    }))
  if (abilities.takesIncomplete !== false) {
    law("lists referrers of a subject that is absent", ({ repository }) =>
      Effect.gen(function*() {
        yield* putConfig(repository)
        yield* repository.putManifest(signature, { isChild: true })
        assert.deepStrictEqual(yield* listed(repository), [signature.descriptor.digest])
        assert.strictEqual(
          yield* reasonOf(repository.resolve(byDigest(subject.descriptor.digest))),
          "NotFound"
        )
      }))
  }
}
