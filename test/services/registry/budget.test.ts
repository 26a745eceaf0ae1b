/** How many requests the steps of a copy cost: the numbers the whole program's budget is made of. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { hashHex } from "../../../src/lib/hash.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { contentOf, decodeManifest } from "../../../src/schemas/Manifest.ts"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import { Reference, Tag } from "../../../src/schemas/Ref.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { type Answer, type Asked, fakeHttp, registryOver } from "./fakeHttp.ts"

const text = (number: number) => `layer ${number}`
const described = (content: string, mediaType: string) => ({
  mediaType,
  digest: Digest.make(`sha256:${hashHex("sha256", new TextEncoder().encode(content))}`),
  size: content.length
})
const layers = [1, 2, 3].map((it) => described(text(it), mediaTypes.ociLayerGzip))
const config = described("{}", mediaTypes.ociConfig)
const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers })
const manifest = Result.getOrThrow(decodeManifest(new TextEncoder().encode(body), { name: "test" }))
const contents = new Map([
  [config.digest as string, "{}"],
  ...layers.map(({ digest }, at) => [digest as string, text(at + 1)] as const)
])
const tag = Tag.make("v1")
const byTag = Reference.ByTag({ tag })

/** One registry with the image in `from`; `to` has what `isCopied` says. */
const registry = (isCopied: boolean) => ({ line }: Asked): Answer => {
  const [method = "", path = ""] = line.split(" ")
  const headers = {
    "Content-Type": mediaTypes.ociManifest,
    "Docker-Content-Digest": manifest.descriptor.digest,
    "Content-Length": String(body.length)
  }
  if (path.includes("/manifests/") && method !== "PUT") {
    return path.startsWith("from/") || isCopied ? { status: 200, headers, body } : { status: 404 }
  }
  if (method === "POST") return { status: 202, headers: { Location: "/v2/to/blobs/uploads/1" } }
  if (method === "GET") return { status: 200, body: contents.get(path.split("/").at(-1) ?? "") ?? "" }
  return { status: 201 }
}

const both = (http: ReturnType<typeof fakeHttp>) =>
  Effect.provide(
    Effect.flatMap(Registry, ({ open }) =>
      Effect.all({
        from: open({ registry: "r.example", repository: "from" }),
        to: open({ registry: "s.example", repository: "to" })
      })),
    registryOver(http)
  )

describe("requests", () => {
  it.effect("are 3 L + 6 for a new image of L small layers", () =>
    Effect.gen(function*() {
      const http = fakeHttp(registry(false))
      const { from, to } = yield* both(http)
      yield* Effect.flip(to.resolve(byTag))
      const image = yield* from.manifest(byTag)
      yield* Effect.forEach(contentOf(image), (blob) => to.putBlob(from.blob(blob), blob), { concurrency: 4 })
      yield* to.putManifest(image, { tag })
      assert.strictEqual(http.asked.length, 3 * 3 + 6)
      const uploaded = http.asked.filter(({ line }) => line.startsWith("PUT to/blobs")).map(({ body }) =>
        new TextDecoder().decode(body)
      )
      assert.deepStrictEqual(uploaded.toSorted(), ["layer 1", "layer 2", "layer 3", "{}"])
    }).pipe(Effect.scoped))

  it.effect("are two HEADs for an image that is up to date", () =>
    Effect.gen(function*() {
      const http = fakeHttp(registry(true))
      const { from, to } = yield* both(http)
      const [old, now] = yield* Effect.all([to.resolve(byTag), from.resolve(byTag)], { concurrency: 2 })
      assert.strictEqual(old.descriptor.digest, now.descriptor.digest)
      assert.deepStrictEqual(http.lines(), ["HEAD to/manifests/v1", "HEAD from/manifests/v1"])
    }).pipe(Effect.scoped))
})
