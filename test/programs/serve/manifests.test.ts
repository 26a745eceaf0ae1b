import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask, describing, digestOf, imageOf, pushBlob, pushImage, pushManifest, serving, types } from "./serving.ts"

describe("manifests", () => {
  it.live("come back byte for byte, by tag and by digest, with the same headers on HEAD", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const image = yield* pushImage(url, "team/app", "v1", "layer", { "x-spaced": "  kept " })
      const digest = digestOf(image)
      for (const reference of ["v1", digest]) {
        const got = yield* ask(`${url}/v2/team/app/manifests/${reference}`)
        const head = yield* ask(`${url}/v2/team/app/manifests/${reference}`, { method: "HEAD" })
        assert.strictEqual(got.text, image)
        for (const { headers, status } of [got, head]) {
          assert.strictEqual(status, 200)
          assert.strictEqual(headers.get("content-type"), types.manifest)
          assert.strictEqual(headers.get("content-length"), String(image.length))
          assert.strictEqual(headers.get("docker-content-digest"), digest)
          assert.strictEqual(headers.get("etag"), `"${digest}"`)
          assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
        }
      }
    }).pipe(Effect.scoped))

  it.live("answers a push with a relative place, the digest and the subject", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const subject = describing("nowhere", types.manifest)
      yield* pushBlob(url, "a", "{}")
      const image = imageOf("{}", [], { subject })
      const put = yield* pushManifest(url, "a", "v1", image, {
        host: "evil.example",
        "x-forwarded-host": "evil.example"
      })
      assert.strictEqual(put.status, 201)
      assert.strictEqual(put.headers.get("location"), `/v2/a/manifests/${digestOf(image)}`)
      assert.strictEqual(put.headers.get("docker-content-digest"), digestOf(image))
      assert.strictEqual(put.headers.get("oci-subject"), subject.digest)
    }).pipe(Effect.scoped))

  it.live("refuses an image whose blobs are missing and lists them (R06)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", "one")
      const put = yield* pushManifest(url, "a", "v1", imageOf("{}", ["one", "two"]))
      assert.strictEqual(put.status, 404)
      assert.deepStrictEqual(put.codes, ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"])
      assert.include(put.text, digestOf("{}"))
      assert.include(put.text, digestOf("two"))
      assert.strictEqual((yield* ask(`${url}/v2/a/manifests/v1`)).status, 404)
    }).pipe(Effect.scoped))

  it.live("takes foreign layers, a missing subject and a sparse index (R06)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", "{}")
      const layers = [
        { ...describing("far", types.layer), urls: ["https://elsewhere.example/far"] },
        describing("restricted", "application/vnd.oci.image.layer.nondistributable.v1.tar")
      ]
      const foreign = imageOf("{}", [], { layers, subject: describing("nowhere", types.manifest) })
      assert.strictEqual((yield* pushManifest(url, "a", "foreign", foreign)).status, 201)
      const manifests = [describing("absent", types.manifest)]
      const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests })
      const put = yield* pushManifest(url, "a", "sparse", index, { "content-type": types.index })
      assert.strictEqual(put.status, 201)
    }).pipe(Effect.scoped))

  it.live("takes images with missing blobs where that is asked for", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({ isSparse: true })
      assert.strictEqual((yield* pushManifest(url, "a", "v1", imageOf("{}", ["gone"]))).status, 201)
    }).pipe(Effect.scoped))

  const confused = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    manifests: [],
    layers: [],
    config: {}
  })
  const refused: ReadonlyArray<readonly [string, string, string, string]> = [
    ["text that is no JSON", "v1", "<html>", "MANIFEST_INVALID"],
    ["nothing", "v1", "", "MANIFEST_INVALID"],
    ["an array", "v1", "[]", "MANIFEST_INVALID"],
    ["what could be two things", "v1", confused, "MANIFEST_INVALID"],
    ["what nests too deep", "v1", `{"a":${"[".repeat(200)}${"]".repeat(200)}}`, "MANIFEST_INVALID"],
    [
      "another type than it says",
      "v1",
      `{"schemaVersion":2,"mediaType":"${types.index}","manifests":[]}`,
      "MANIFEST_INVALID"
    ],
    ["another digest than the path's", digestOf("other"), imageOf("{}", []), "DIGEST_INVALID"],
    ["a digest that is none", "sha256:baddigeststring", imageOf("{}", []), "DIGEST_INVALID"],
    ["an algorithm nobody knows", `md5:${"0".repeat(32)}`, imageOf("{}", []), "DIGEST_INVALID"],
    ["a tag that is none", "-v1", imageOf("{}", []), "TAG_INVALID"]
  ]
  it.live.each(refused)("refuses %s (R04, R07)", ([, reference, body, code]) =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", "{}")
      const put = yield* pushManifest(url, "a", reference, body)
      assert.deepStrictEqual([put.status, put.codes], [400, [code]])
    }).pipe(Effect.scoped))

  it.live("refuses more than 4 MiB, announced or not (R03)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const body = "x".repeat(4 * 1024 * 1024 + 1)
      assert.strictEqual((yield* pushManifest(url, "a", "v1", body)).status, 413)
      const stream = new Blob([body]).stream()
      const put = yield* ask(`${url}/v2/a/manifests/v1`, { method: "PUT", body: stream, duplex: "half" })
      assert.deepStrictEqual([put.status, put.codes], [413, ["SIZE_INVALID"]])
    }).pipe(Effect.scoped))

  it.live("puts many tags at once by digest, and lists them", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const image = yield* pushImage(url, "a", "v1")
      const tags = Array.from({ length: 12 }, (_, n) => `t${n}`)
      const query = tags.map((tag) => `tag=${tag}`).join("&")
      const put = yield* pushManifest(url, "a", `${digestOf(image)}?${query}`, image)
      assert.strictEqual(put.status, 201)
      assert.strictEqual(put.headers.get("oci-tag"), tags.join(", "))
      assert.strictEqual((yield* ask(`${url}/v2/a/manifests/t11`)).text, image)
      const bad = yield* pushManifest(url, "a", `${digestOf(image)}?tag=..`, image)
      assert.deepStrictEqual([bad.status, bad.codes], [400, ["TAG_INVALID"]])
    }).pipe(Effect.scoped))

  it.live("keeps other tags when one is deleted, and none when the manifest is", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const image = yield* pushImage(url, "a", "v1")
      yield* pushManifest(url, "a", "v2", image)
      const status = (reference: string, method = "GET") =>
        Effect.map(ask(`${url}/v2/a/manifests/${reference}`, { method }), (it) => it.status)
      assert.strictEqual(yield* status("v1", "DELETE"), 202)
      assert.deepStrictEqual([yield* status("v1"), yield* status("v2")], [404, 200])
      assert.strictEqual(yield* status("v1", "DELETE"), 404)
      assert.strictEqual(yield* status(digestOf(image), "DELETE"), 202)
      assert.deepStrictEqual([yield* status("v2"), yield* status(digestOf(image))], [404, 404])
    }).pipe(Effect.scoped))

  it.live("writes only where the entity tag still fits", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const [one, two] = [yield* pushImage(url, "a", "v1", "one"), yield* pushImage(url, "a", "v2", "two")]
      const put = (body: string, headers: Record<string, string>) =>
        Effect.map(pushManifest(url, "a", "v1", body, headers), ({ status }) => status)
      assert.strictEqual(yield* put(two, { "if-none-match": "*" }), 412)
      assert.strictEqual(yield* put(two, { "if-match": `"${digestOf(two)}"` }), 412)
      assert.strictEqual((yield* ask(`${url}/v2/a/manifests/v1`)).text, one)
      assert.strictEqual(yield* put(two, { "if-match": `"${digestOf(one)}"` }), 201)
      const fresh = yield* ask(`${url}/v2/a/manifests/v1`, { headers: { "if-none-match": `"${digestOf(two)}"` } })
      assert.deepStrictEqual([fresh.status, fresh.text], [304, ""])
      const absent = yield* pushManifest(url, "a", "new", two, { "if-match": "*" })
      assert.strictEqual(absent.status, 412)
    }).pipe(Effect.scoped))

  it.live("lists referrers of what is and of what is not there, filtered by type", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const subject = describing("later", types.manifest)
      yield* pushBlob(url, "a", "{}")
      const sbom = imageOf("{}", [], { subject, artifactType: "app/sbom", annotations: { k: "v" } })
      const plain = imageOf("{}", [], { subject })
      yield* pushManifest(url, "a", digestOf(sbom), sbom)
      yield* pushManifest(url, "a", digestOf(plain), plain)
      const list = (path: string) =>
        Effect.map(ask(`${url}/v2/${path}`), ({ headers, status, text }) => ({ headers, status, ...JSON.parse(text) }))
      const all = yield* list(`a/referrers/${subject.digest}`)
      assert.strictEqual(all.headers.get("content-type"), types.index)
      assert.isNull(all.headers.get("oci-filters-applied"))
      assert.sameDeepMembers(all.manifests, [
        { ...describing(sbom, types.manifest), artifactType: "app/sbom", annotations: { k: "v" } },
        { ...describing(plain, types.manifest), artifactType: types.config }
      ])
      const some = yield* list(`a/referrers/${subject.digest}?artifactType=app/sbom`)
      assert.strictEqual(some.headers.get("oci-filters-applied"), "artifactType")
      assert.deepStrictEqual(some.manifests.map((it: { digest: string }) => it.digest), [digestOf(sbom)])
      assert.deepStrictEqual((yield* list(`never/seen/referrers/${subject.digest}`)).manifests, [])
      assert.strictEqual((yield* ask(`${url}/v2/a/referrers/sha256:bad`)).status, 400)
      yield* ask(`${url}/v2/a/manifests/${digestOf(sbom)}`, { method: "DELETE" })
      assert.strictEqual((yield* list(`a/referrers/${subject.digest}`)).manifests.length, 1)
    }).pipe(Effect.scoped))

  it.live("pages through referrers too large for one answer", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      const subject = describing("s", types.manifest)
      yield* pushBlob(url, "a", "{}")
      for (const n of [1, 2, 3]) {
        const image = imageOf("{}", [], { subject, annotations: { big: `${n}`.repeat(1_500_000) } })
        yield* pushManifest(url, "a", digestOf(image), image)
      }
      const seen = new Set<string>()
      let [path, pages] = [`/v2/a/referrers/${subject.digest}?artifactType=${types.config.replace("+", "%2B")}`, 0]
      while (path !== "" && pages++ < 5) {
        const page = yield* ask(`${url}${path}`)
        for (const { digest } of JSON.parse(page.text).manifests) seen.add(digest)
        path = /<(.*)>; rel="next"/.exec(page.headers.get("link") ?? "")?.[1] ?? ""
      }
      assert.deepStrictEqual([seen.size, pages], [3, 3])
    }).pipe(Effect.scoped))

  it.live("keeps one manifest whole when fifty push one tag at once (R08)", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushBlob(url, "a", "{}")
      const images = Array.from({ length: 50 }, (_, n) => imageOf("{}", [], { annotations: { n: String(n) } }))
      const pushed = yield* Effect.forEach(images, (image) => pushManifest(url, "a", "v1", image), { concurrency: 50 })
      assert.deepStrictEqual(new Set(pushed.map(({ status }) => status)), new Set([201]))
      const got = yield* ask(`${url}/v2/a/manifests/v1`)
      assert.include(images, got.text)
      for (const image of images)
        assert.strictEqual((yield* ask(`${url}/v2/a/manifests/${digestOf(image)}`)).text, image)
    }).pipe(Effect.scoped))
})
