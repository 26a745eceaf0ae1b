import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { hashHex } from "../../../src/lib/hash.ts"
import type { Descriptor } from "../../../src/schemas/Descriptor.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { decodeManifest, type Manifest } from "../../../src/schemas/Manifest.ts"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import { type StoreError, storeError } from "../../../src/schemas/StoreError.ts"
import { type Answer, type Asked, fakeHttp, opened, type Reply } from "./fakeHttp.ts"

const subject: Descriptor = {
  mediaType: mediaTypes.ociManifest,
  digest: Digest.make(`sha256:${"a".repeat(64)}`),
  size: 7
}
const tag = `sha256-${"a".repeat(64)}`
const entry = (letter: string, artifactType?: string): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: Digest.make(`sha256:${letter.repeat(64)}`),
  size: 10,
  ...(artifactType === undefined ? {} : { artifactType })
})
const index = (manifests: ReadonlyArray<Descriptor>, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers: { "Content-Type": mediaTypes.ociIndex, ...headers },
  body: JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
})
const api = `GET app/referrers/${subject.digest}`
const fallback = `GET app/manifests/${tag}`

const config = {
  mediaType: mediaTypes.ociEmpty,
  digest: Digest.make("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
  size: 2
}
const attached = (artifactType: string, to: Descriptor = subject): Manifest =>
  Result.getOrThrow(decodeManifest(
    new TextEncoder().encode(JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config,
      layers: [],
      subject: to,
      annotations: { made: "here" }
    })),
    { name: "test" }
  ))

const digests = (descriptors: ReadonlyArray<Descriptor>) => descriptors.map(({ digest }) => digest[7])

describe("referrers", () => {
  it.effect("come from the API, page by page, each once and never the subject itself", () =>
    Effect.gen(function*() {
      const http = fakeHttp([
        index([entry("b"), entry("c"), subject], { Link: `<?page=2>; rel="next"` }),
        index([entry("c"), entry("d")])
      ])
      const found = yield* (yield* opened(http)).referrers(subject)
      assert.deepStrictEqual(digests(found.descriptors), ["b", "c", "d"])
      assert.isUndefined(found.tag)
      assert.deepStrictEqual(http.lines(), [api, `${api}?page=2`])
    }).pipe(Effect.scoped))

  it.effect("are filtered here unless the registry says that it did", () =>
    Effect.gen(function*() {
      const http = fakeHttp([
        index([entry("b", "x/y+z"), entry("c", "other/type")]),
        index([entry("d")], { "OCI-Filters-Applied": "artifactType" })
      ])
      const repository = yield* opened(http)
      const here = yield* repository.referrers(subject, { artifactType: "x/y+z" })
      const there = yield* repository.referrers(subject, { artifactType: "x/y+z" })
      assert.deepStrictEqual(digests(here.descriptors), ["b"])
      assert.deepStrictEqual(digests(there.descriptors), ["d"])
      assert.strictEqual(http.lines()[0], `${api}?artifactType=x%2Fy%2Bz`)
    }).pipe(Effect.scoped))

  const absent: ReadonlyArray<readonly [string, Reply]> = [
    ["404", { status: 404 }],
    ["405", { status: 405 }],
    ["403", { status: 403 }],
    ["a web page", { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>" }],
    ["an image manifest", {
      status: 200,
      headers: { "Content-Type": "application/json" },
      body: new TextDecoder().decode(attached("a/b").bytes)
    }]
  ]
  for (const [what, reply] of absent) {
    it.effect(`come from the fallback tag where the API answers with ${what}, which is remembered`, () =>
      Effect.gen(function*() {
        const http = fakeHttp([reply, index([entry("b"), entry("b")]), index([])])
        const repository = yield* opened(http)
        const found = yield* repository.referrers(subject)
        assert.deepStrictEqual(digests(found.descriptors), ["b"])
        assert.strictEqual(found.tag, tag)
        yield* repository.referrers(subject)
        assert.deepStrictEqual(http.lines(), [api, fallback, fallback])
      }).pipe(Effect.scoped))
  }

  it.effect("ask for the API again after five minutes", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 404 }, { status: 404 }, index([entry("b")])])
      const repository = yield* opened(http)
      assert.deepStrictEqual((yield* repository.referrers(subject)).descriptors, [])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(digests((yield* repository.referrers(subject)).descriptors), ["b"])
      assert.deepStrictEqual(http.lines(), [api, fallback, api])
    }).pipe(Effect.scoped))

  it.effect("fail when the registry is in trouble, rather than being none", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 503 }, { status: 503 }])
      const error = yield* Effect.flip((yield* opened(http)).referrers(subject))
      assert.strictEqual(error.reason.status, 503)
      assert.deepStrictEqual(http.asked.map(({ request }) => request.isProbe), [true, undefined])
    }).pipe(Effect.scoped))

  const cut: Answer = { ...index([entry("b")]), body: `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","man` }
  const asked = (http: Pick<ReturnType<typeof fakeHttp>, "request">) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.result((yield* opened(http)).referrers(subject)))
      yield* TestClock.adjust("1 minute")
      return yield* Fiber.join(fiber)
    }).pipe(Effect.scoped)

  for (const type of [mediaTypes.ociIndex, "application/json"]) {
    it.effect(`are asked for again when a list of type ${type} came cut (N07, C18)`, () =>
      Effect.gen(function*() {
        const damaged = { ...cut, headers: { "Content-Type": type } }
        const http = fakeHttp([damaged, damaged, index([entry("b")])])
        const found = Result.getOrThrow(yield* asked(http))
        assert.deepStrictEqual(digests(found.descriptors), ["b"])
        assert.deepStrictEqual(http.lines(), [api, api, api])
      }))
  }

  it.effect("fail when every list comes cut, rather than being none (C18)", () =>
    Effect.gen(function*() {
      const http = fakeHttp(() => cut)
      const found = yield* asked(http)
      assert.strictEqual(Result.isFailure(found) ? found.failure.reason._tag : "", "ManifestInvalid")
      assert.deepStrictEqual(http.lines(), [api, api, api, api, api])
    }))

  const foreign: ReadonlyArray<readonly [string, string, string]> = [
    ["an image", new TextDecoder().decode(attached("a/b").bytes), "ManifestInvalid"],
    ["a list of numbers", "[1]", "ManifestInvalid"],
    ["a web page", "<html>", "ManifestInvalid"],
    ["an index 1,000,000 deep (C12)", `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`, "DepthLimit"]
  ]
  for (const [what, body, tag] of foreign) {
    it.effect(`fail at ${what} that calls itself an index (C18)`, () =>
      Effect.gen(function*() {
        const found = yield* asked(fakeHttp(() => ({ ...cut, body })))
        assert.strictEqual(Result.isFailure(found) ? found.failure.reason._tag : "", tag)
      }))
  }

  for (const type of ["application/json", mediaTypes.ociManifest, mediaTypes.dockerList, ""]) {
    it.effect(`fail at JSON 1,000,000 deep of type "${type}", rather than being none (C18)`, () =>
      Effect.gen(function*() {
        const body = `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`
        const http = fakeHttp([{ status: 200, headers: { "Content-Type": type }, body }, { status: 404 }])
        const found = yield* asked(http)
        assert.strictEqual(Result.isFailure(found) ? found.failure.reason._tag : "", "DepthLimit")
        assert.deepStrictEqual(http.lines(), [api])
      }))
  }

  const unsaid: ReadonlyArray<readonly [string, StoreError]> = [
    ["a token taken back again and again (N16)", storeError("", "Unauthorized", "x", { status: 401, ofLogin: true })],
    ["an answer that is no HTTP (N35)", storeError("", "ProtocolError", "x")],
    ["a redirect that is refused (N22)", storeError("", "RedirectRefused", "x")]
  ]
  for (const [what, failure] of unsaid) {
    it.effect(`fail at ${what}, rather than being none`, () =>
      Effect.gen(function*() {
        const http = fakeHttp([failure, failure])
        const found = yield* asked(http)
        assert.strictEqual(Result.isFailure(found) ? found.failure.reason._tag : "", failure.reason._tag)
        assert.deepStrictEqual(http.lines(), [api, api])
      }))
  }

  it.effect("fail at pages that go round (C18, N37)", () =>
    Effect.gen(function*() {
      const http = fakeHttp([
        index([entry("b")], { Link: `<?p=2>; rel="next"` }),
        index([entry("b")], { Link: `<?p=3>; rel="next"` })
      ])
      const error = yield* Effect.flip((yield* opened(http)).referrers(subject))
      assert.strictEqual(error.reason._tag, "PaginationLoop")
      assert.strictEqual(http.asked.length, 2)
    }).pipe(Effect.scoped))

  it.effect("fail when the fallback tag holds something else", () =>
    Effect.gen(function*() {
      const other = attached("a/b")
      const http = fakeHttp([{ status: 404 }, {
        status: 200,
        headers: { "Content-Type": mediaTypes.ociManifest },
        body: other.bytes
      }])
      const error = yield* Effect.flip((yield* opened(http)).referrers(subject))
      assert.strictEqual(error.message, `manifest is not an OCI index: r.example/app:${tag}`)
    }).pipe(Effect.scoped))

  it.effect("are none where the registry takes the fallback tag for the subject itself (GitLab)", () =>
    Effect.gen(function*() {
      const manifest = attached("a/b")
      const http = fakeHttp([{ status: 404 }, {
        status: 200,
        headers: { "Content-Type": mediaTypes.ociManifest },
        body: manifest.bytes
      }])
      const found = yield* (yield* opened(http)).referrers(manifest.descriptor)
      assert.deepStrictEqual(found.descriptors, [])
    }).pipe(Effect.scoped))

  it.effect("are looked into when their listed type is doubtful", () =>
    Effect.gen(function*() {
      const [mine, foreign] = [attached("x/y"), attached("x/y", entry("e"))]
      const listed = [mine, foreign].map((it) =>
        Object.assign({}, it.descriptor, { artifactType: mediaTypes.ociEmpty })
      )
      const served = (it: Manifest) => ({
        status: 200,
        headers: { "Content-Type": mediaTypes.ociManifest },
        body: it.bytes
      })
      const http = fakeHttp(({ line }) =>
        line.startsWith(api)
          ? { status: 404 }
          : line === fallback
          ? index([...listed, entry("d", "other")])
          : served(line.endsWith(mine.descriptor.digest) ? mine : foreign)
      )
      const found = yield* (yield* opened(http)).referrers(subject, { artifactType: "x/y" })
      assert.deepStrictEqual(found.descriptors.map(({ digest, artifactType }) => [digest, artifactType]), [
        [mine.descriptor.digest, "x/y"]
      ])
    }).pipe(Effect.scoped))
})

/** A registry without the API that stores what is pushed. */
const plain = (tamper?: (state: { list: string | undefined; puts: number }) => void) => {
  const state: { list: string | undefined; puts: number } = { list: undefined, puts: 0 }
  const reply = ({ body, line, request }: Asked): Answer => {
    if (line.startsWith(api)) return { status: 404 }
    if (line === fallback) {
      return state.list === undefined ? { status: 404 } : {
        status: 200,
        headers: {
          "Content-Type": mediaTypes.ociIndex,
          ETag: `"${hashHex("sha256", new TextEncoder().encode(state.list))}"`
        },
        body: state.list
      }
    }
    if (line === `PUT app/manifests/${tag}`) {
      const current = state.list === undefined
        ? undefined
        : `"${hashHex("sha256", new TextEncoder().encode(state.list))}"`
      const condition = request.headers?.["if-match"]
      if (condition !== undefined && condition !== current) return { status: 412 }
      state.list = new TextDecoder().decode(body)
      state.puts++
      tamper?.(state)
      return { status: 201 }
    }
    if (line === `DELETE app/manifests/${tag}`) state.list = undefined
    return { status: request.method === "PUT" ? 201 : 202 }
  }
  const listed = () => state.list === undefined ? undefined : JSON.parse(state.list).manifests
  return { reply, listed, state }
}

describe("putManifest with a subject", () => {
  it.effect("leaves the list to a registry that acknowledges the subject", () =>
    Effect.gen(function*() {
      const manifest = attached("x/y")
      const http = fakeHttp([{ status: 201, headers: { "OCI-Subject": subject.digest } }])
      yield* (yield* opened(http)).putManifest(manifest)
      assert.strictEqual(http.asked.length, 1)
    }).pipe(Effect.scoped))

  it.effect("lists the manifest under the fallback tag, once", () =>
    Effect.gen(function*() {
      const manifest = attached("x/y")
      const registry = plain()
      const http = fakeHttp(registry.reply)
      const repository = yield* opened(http)
      yield* repository.putManifest(manifest)
      yield* repository.putManifest(manifest)
      assert.deepStrictEqual(registry.listed(), [
        { ...manifest.descriptor, artifactType: "x/y", annotations: { made: "here" } }
      ])
      assert.strictEqual(registry.state.puts, 1)
    }).pipe(Effect.scoped))

  it.effect("loses no entry when many are pushed at once", () =>
    Effect.gen(function*() {
      const registry = plain()
      const repository = yield* opened(fakeHttp(registry.reply))
      yield* Effect.forEach(
        Array.from({ length: 8 }, (_, at) => attached(`x/y${at}`)),
        (manifest) => repository.putManifest(manifest),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(registry.listed().length, 8)
    }).pipe(Effect.scoped))

  it.effect("adds its entry again when another writer dropped it", () =>
    Effect.gen(function*() {
      const registry = plain((state) => {
        if (state.puts === 1) {
          state.list = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry("f")] })
        }
      })
      const repository = yield* opened(fakeHttp(registry.reply))
      const pushing = yield* Effect.forkChild(repository.putManifest(attached("x/y")))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(pushing)
      assert.deepStrictEqual(registry.listed().map(({ artifactType }: Descriptor) => artifactType), [undefined, "x/y"])
    }).pipe(Effect.scoped))

  it.effect("begins again when the list changed since it was read (If-Match)", () =>
    Effect.gen(function*() {
      const registry = plain()
      registry.state.list = JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [entry("e")]
      })
      let isFirst = true
      const http = fakeHttp((asked) => {
        if (asked.line === `PUT app/manifests/${tag}` && isFirst) {
          isFirst = false
          registry.state.list = JSON.stringify({
            schemaVersion: 2,
            mediaType: mediaTypes.ociIndex,
            manifests: [entry("e"), entry("f")]
          })
        }
        return registry.reply(asked)
      })
      const repository = yield* opened(http)
      const pushing = yield* Effect.forkChild(repository.putManifest(attached("x/y")))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(pushing)
      assert.strictEqual(registry.listed().length, 3)
    }).pipe(Effect.scoped))
})

describe("deleteManifest with a subject", () => {
  it.effect("takes the entry off the list, and the last one with its tag", () =>
    Effect.gen(function*() {
      const [one, two] = [attached("x/1"), attached("x/2")]
      const registry = plain()
      const repository = yield* opened(fakeHttp(registry.reply))
      yield* repository.putManifest(one)
      yield* repository.putManifest(two)
      yield* repository.deleteManifest(one.descriptor, subject)
      assert.deepStrictEqual(registry.listed().map(({ digest }: Descriptor) => digest), [two.descriptor.digest])
      yield* repository.deleteManifest(two.descriptor, subject)
      assert.isUndefined(registry.state.list)
    }).pipe(Effect.scoped))

  it.effect("leaves the list to a registry with the API", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 202 }, index([])])
      yield* (yield* opened(http)).deleteManifest(entry("b"), subject)
      assert.deepStrictEqual(http.lines(), [`DELETE app/manifests/${entry("b").digest}`, api])
    }).pipe(Effect.scoped))
})
