/**
 * What the distribution specification's own conformance program checks of a registry, against the built tool:
 * expectations are those of distribution-spec 1.1 and of the draft after it.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import {
  contentOf,
  type ContentSet,
  contentSets,
  type Descriptor,
  digestOf,
  empty,
  type PushedManifest,
  types
} from "../support/contents.ts"
import { asking, locationOf, opened, patch, ways, withDigest } from "../support/distribution.ts"
import { ownRegistry, type Running } from "../support/registries.ts"

let registry: Running
const ask = asking(() => registry.host)

beforeAll(async () => {
  registry = await ownRegistry()
})
afterAll(() => registry?.stop())

const json = (bytes: Buffer) => JSON.parse(bytes.toString())
const octetsOf = (about: string) => contentOf(`${about} ${"0123456789".repeat(20)}`, "application/octet-stream")

describe("the base of the API", () => {
  it("answers a ping", async () => {
    assert.strictEqual((await ask("GET", "/v2/")).status, 200)
  })
})

describe("a repository never seen", () => {
  it("has no list of tags", async () => {
    const { codes, status } = await ask("GET", "/v2/never/seen/tags/list")
    assert.deepStrictEqual([status, codes], [404, ["NAME_UNKNOWN"]])
  })

  it("has an empty list of referrers", async () => {
    const { bytes, headers, status } = await ask("GET", `/v2/never/seen/referrers/${empty.descriptor.digest}`)
    assert.deepStrictEqual([status, headers.get("content-type")], [200, types.index])
    assert.deepStrictEqual(json(bytes), { schemaVersion: 2, mediaType: types.index, manifests: [] })
  })
})

describe.each(["sha256", "sha512"])("a blob by %s", (algorithm) => {
  const repository = `blobs/${algorithm}`
  const blob = (about: string) => contentOf(octetsOf(about).bytes, "application/octet-stream", algorithm)

  it.each(["GET", "HEAD"])("that is missing is 404 to %s", async (method) => {
    assert.strictEqual((await ask(method, `/v2/${repository}/blobs/${blob("missing").descriptor.digest}`)).status, 404)
  })

  it.each(ways)("is pushed by %s and comes back from its location", async (name, push) => {
    const content = blob(name)
    const { digest, size } = content.descriptor
    const created = await push(ask, repository, content)
    assert.strictEqual(created.status, 201)
    assert.strictEqual(created.headers.get("docker-content-digest"), digest)
    for (const place of [locationOf(created), `/v2/${repository}/blobs/${digest}`]) {
      const got = await ask("GET", place)
      assert.strictEqual(got.status, 200)
      assert.isTrue(got.bytes.equals(content.bytes))
      assert.strictEqual(got.headers.get("docker-content-digest"), digest)
    }
    const head = await ask("HEAD", `/v2/${repository}/blobs/${digest}`)
    assert.deepStrictEqual([head.status, head.headers.get("content-length")], [200, String(size)])
    assert.strictEqual(head.headers.get("docker-content-digest"), digest)
  })

  it.each(ways)("with a wrong digest is refused when pushed by %s, and leaves no trace", async (name, push) => {
    const { bytes, descriptor } = blob(`wrong by ${name}`)
    const digest = digestOf(Buffer.from(`another by ${name}`), algorithm)
    const refused = await push(ask, repository, { bytes, descriptor: { ...descriptor, digest } })
    assert.deepStrictEqual([refused.status, refused.codes], [400, ["DIGEST_INVALID"]])
    assert.strictEqual((await ask("HEAD", `/v2/${repository}/blobs/${digest}`)).status, 404)
    assert.strictEqual((await ask("HEAD", `/v2/${repository}/blobs/${descriptor.digest}`)).status, 404)
  })

  it.each([["of no byte", ""], ["that is {}", "{}"]])("%s is pushed and pulled", async (name, text) => {
    const content = contentOf(text, "application/octet-stream", algorithm)
    for (const [way, push] of ways.slice(0, 2)) {
      assert.strictEqual((await push(ask, `${repository}/small`, content)).status, 201, `${name} by ${way}`)
    }
    const got = await ask("GET", `/v2/${repository}/small/blobs/${content.descriptor.digest}`)
    assert.deepStrictEqual([got.status, got.bytes.toString()], [200, text])
    assert.strictEqual(got.headers.get("content-length"), String(text.length))
  })

  it("is refused a chunk out of order, and goes on where its session says it is", async () => {
    const { bytes, descriptor: { digest } } = blob("out of order")
    const location = await opened(ask, repository, digest)
    assert.strictEqual((await patch(ask, location, bytes.subarray(50, 100), 50)).status, 416)
    const first = locationOf(await patch(ask, location, bytes.subarray(0, 50), 0))
    assert.strictEqual((await patch(ask, first, bytes.subarray(0, 50), 0)).status, 416)
    assert.strictEqual((await patch(ask, first, bytes.subarray(60), 60)).status, 416)
    const status = await ask("GET", first)
    assert.deepStrictEqual([status.status, status.headers.get("range")], [204, "0-49"])
    const rest = await patch(ask, locationOf(status), bytes.subarray(50), 50)
    assert.deepStrictEqual([rest.status, rest.headers.get("range")], [202, `0-${bytes.length - 1}`])
    assert.strictEqual((await ask("PUT", withDigest(locationOf(rest), digest))).status, 201)
  })

  it("needs no least size of its chunks", async () => {
    const post = await ask("POST", `/v2/${repository}/blobs/uploads/`)
    assert.isNull(post.headers.get("oci-chunk-min-length"))
    const { bytes, descriptor: { digest } } = contentOf("abc", "", algorithm)
    let location = locationOf(post)
    for (const at of [0, 1, 2]) location = locationOf(await patch(ask, location, bytes.subarray(at, at + 1), at))
    assert.strictEqual((await ask("PUT", withDigest(location, digest))).status, 201)
  })

  it("whose upload was cancelled is forgotten", async () => {
    const { bytes, descriptor: { digest } } = blob("cancelled")
    const location = locationOf(await patch(ask, await opened(ask, repository, digest), bytes, 0))
    assert.strictEqual((await ask("DELETE", location)).status, 204)
    assert.deepStrictEqual((await ask("GET", location)).codes, ["BLOB_UPLOAD_UNKNOWN"])
    assert.strictEqual((await ask("PUT", withDigest(location, digest))).status, 404)
    assert.strictEqual((await ask("DELETE", location)).status, 404)
  })

  it.each([["", "from the repository named"], ["anonymous", "from whichever repository has it"]])(
    "is mounted %s %s",
    async (anonymous) => {
      const content = blob(`mounted ${anonymous}`)
      const { digest } = content.descriptor
      await ways[0]?.[1](ask, `${repository}/one`, content)
      const from = anonymous === "" ? `&from=${repository}/one` : ""
      const mounted = await ask("POST", `/v2/${repository}/two/blobs/uploads/?mount=${digest}${from}`)
      assert.strictEqual(mounted.status, 201)
      assert.isTrue((await ask("GET", locationOf(mounted))).bytes.equals(content.bytes))
      assert.strictEqual((await ask("HEAD", `/v2/${repository}/two/blobs/${digest}`)).status, 200)
    }
  )

  it("that is missing is not mounted, and can be pushed in the session opened instead", async () => {
    const { bytes, descriptor: { digest } } = blob("not mounted")
    const asked = `/v2/${repository}/two/blobs/uploads/?mount=${digest}&from=${repository}/one`
    const post = await ask("POST", asked)
    assert.strictEqual(post.status, 202)
    assert.strictEqual((await ask("PUT", withDigest(locationOf(post), digest), bytes)).status, 201)
  })
})

describe("a part of a blob of 2,048 bytes", () => {
  const content = contentOf(Buffer.from(Array.from({ length: 2048 }, (_, at) => at * 7 % 251)), "")
  const path = `/v2/ranges/blobs/${content.descriptor.digest}`
  beforeAll(async () => {
    await ways[0]?.[1](ask, "ranges", content)
  })

  it.each([
    ["500-1499", 500, 1499],
    ["500-", 500, 2047],
    ["-500", 1548, 2047],
    ["1000-9999", 1000, 2047],
    ["-9999", 0, 2047],
    ["0-0", 0, 0]
  ])("is given for %s", async (range, from, to) => {
    const { bytes, headers, status } = await ask("GET", path, undefined, { range: `bytes=${range}` })
    assert.deepStrictEqual([status, headers.get("content-range")], [206, `bytes ${from}-${to}/2048`])
    assert.strictEqual(headers.get("content-length"), String(to - from + 1))
    assert.isTrue(bytes.equals(content.bytes.subarray(from, to + 1)))
  })

  it.each(["500-0", "2048-", "5000-6000"])("is not there for %s", async (range) => {
    const { headers, status } = await ask("GET", path, undefined, { range: `bytes=${range}` })
    assert.deepStrictEqual([status, headers.get("content-range")], [416, "bytes */2048"])
  })
})

const put = (repository: string, { bytes, descriptor, parameters, tag }: PushedManifest) => {
  const query = parameters === undefined ? "" : `?${parameters.map((it) => `tag=${it}`).join("&")}`
  const reference = `${tag ?? descriptor.digest}${query}`
  return ask("PUT", `/v2/${repository}/manifests/${reference}`, bytes, { "content-type": descriptor.mediaType })
}

/** Every tag of a set, in the order of a list. */
const tagsOf = ({ manifests }: ContentSet): ReadonlyArray<string> =>
  manifests.flatMap(({ parameters, tag }) => parameters ?? (tag === undefined ? [] : [tag])).sort()

describe.each(contentSets.map((it, at) => [it.name, it, `contents/n${at}`] as const))("%s", (_, set, repository) => {
  const manifestAt = (reference: string) => `/v2/${repository}/manifests/${reference}`
  const referrersOf = (digest: string) => `/v2/${repository}/referrers/${digest}`
  const entriesOf = async (path: string): Promise<ReadonlyArray<Descriptor>> =>
    json((await ask("GET", path)).bytes).manifests
  const sorted = (entries: ReadonlyArray<Descriptor>) => [...entries].sort((a, b) => a.digest < b.digest ? -1 : 1)

  beforeAll(async () => {
    for (const blob of set.blobs) assert.strictEqual((await ways[1]?.[1](ask, repository, blob))?.status, 201)
    // So that the repository is there after all of the set is gone.
    await ways[1]?.[1](ask, repository, octetsOf("stays"))
  })

  it("is pushed", async () => {
    for (const manifest of set.manifests) {
      const { headers, status } = await put(repository, manifest)
      assert.strictEqual(status, 201)
      if (manifest.subject !== undefined) assert.strictEqual(headers.get("oci-subject"), manifest.subject)
      else assert.isNull(headers.get("oci-subject"))
      const tags = headers.get("oci-tag")?.split(",").map((it) => it.trim())
      assert.deepStrictEqual(tags, manifest.parameters as Array<string> | undefined)
      const got = await ask("GET", headers.get("location") ?? "")
      assert.isTrue(got.bytes.equals(manifest.bytes))
    }
  })

  it("is listed, whole and after a tag", async () => {
    const tags = tagsOf(set)
    const list = await ask("GET", `/v2/${repository}/tags/list`)
    assert.deepStrictEqual([list.status, json(list.bytes)], [200, { name: repository, tags }])
    for (const [at, last] of tags.entries()) {
      const rest = await ask("GET", `/v2/${repository}/tags/list?last=${last}`)
      assert.deepStrictEqual(json(rest.bytes).tags, tags.slice(at + 1))
    }
    const none = await ask("GET", `/v2/${repository}/tags/list?n=0`)
    assert.deepStrictEqual([json(none.bytes).tags, none.headers.get("link")], [[], null])
  })

  it("answers HEAD and GET by tag and by digest, byte for byte", async () => {
    for (const { bytes, descriptor, parameters, tag } of set.manifests) {
      for (const reference of [descriptor.digest, ...(tag === undefined ? [] : [tag]), ...(parameters ?? [])]) {
        for (const method of ["HEAD", "GET"]) {
          const got = await ask(method, manifestAt(reference), undefined, { accept: descriptor.mediaType })
          assert.strictEqual(got.status, 200)
          assert.strictEqual(got.headers.get("content-type"), descriptor.mediaType)
          assert.strictEqual(got.headers.get("content-length"), String(descriptor.size))
          // By tag the registry's own algorithm is as good.
          if (reference === descriptor.digest) assert.strictEqual(got.headers.get("docker-content-digest"), reference)
          if (method === "GET") assert.isTrue(got.bytes.equals(bytes))
        }
      }
    }
  })

  it("has its referrers listed, of all types and of one", async () => {
    for (const { descriptor: { digest } } of set.manifests) {
      const entries = digest === set.referrers?.subject ? set.referrers.entries : []
      assert.deepStrictEqual(sorted(await entriesOf(referrersOf(digest))), sorted(entries))
    }
    const { entries, subject } = set.referrers ?? { entries: [], subject: empty.descriptor.digest }
    for (const type of ["application/vnd.example.none", ...entries.map((it) => String(it["artifactType"]))]) {
      const path = `${referrersOf(subject)}?artifactType=${encodeURIComponent(type)}`
      assert.strictEqual((await ask("GET", path)).headers.get("oci-filters-applied"), "artifactType")
      assert.deepStrictEqual(await entriesOf(path), entries.filter((it) => it["artifactType"] === type))
    }
  })

  it("loses a tag at once, and nothing else with it", async () => {
    const tags = tagsOf(set)
    for (const [at, tag] of tags.entries()) {
      assert.strictEqual((await ask("DELETE", manifestAt(tag))).status, 202)
      assert.strictEqual((await ask("GET", manifestAt(tag))).status, 404)
      assert.deepStrictEqual(json((await ask("GET", `/v2/${repository}/tags/list`)).bytes).tags, tags.slice(at + 1))
    }
    for (const { descriptor: { digest } } of set.manifests) {
      assert.strictEqual((await ask("HEAD", manifestAt(digest))).status, 200)
    }
  })

  it("loses a manifest at once, with all its tags and as a referrer", async () => {
    for (const { bytes, descriptor } of set.manifests.slice(-1)) {
      await put(repository, { bytes, descriptor, parameters: ["x", "y"] })
    }
    for (const { descriptor: { digest } } of set.manifests.toReversed()) {
      assert.strictEqual((await ask("DELETE", manifestAt(digest))).status, 202)
      assert.strictEqual((await ask("GET", manifestAt(digest))).status, 404)
      if (set.referrers === undefined) continue
      const left = await entriesOf(referrersOf(set.referrers.subject))
      assert.notInclude(left.map((it) => it.digest), digest)
    }
    assert.deepStrictEqual(json((await ask("GET", `/v2/${repository}/tags/list`)).bytes).tags, [])
  })

  it("loses its blobs at once", async () => {
    for (const digest of new Set(set.blobs.map(({ descriptor }) => descriptor.digest))) {
      assert.strictEqual((await ask("DELETE", `/v2/${repository}/blobs/${digest}`)).status, 202)
      for (const method of ["HEAD", "GET"]) {
        assert.strictEqual((await ask(method, `/v2/${repository}/blobs/${digest}`)).status, 404)
      }
    }
  })
})

describe("a manifest", () => {
  const content = contentOf(`{"schemaVersion":2,"mediaType":"${types.index}","manifests":[]}`, types.index)
  const pushed = { "content-type": types.index }

  it.each(["missing", empty.descriptor.digest])("that is not there is 404 as %s", async (reference) => {
    for (const method of ["GET", "HEAD"]) {
      assert.strictEqual((await ask(method, `/v2/errors/manifests/${reference}`)).status, 404)
    }
  })

  it.each(["sha256", "sha512"])("with another digest by %s than its path's is refused", async (algorithm) => {
    const path = `/v2/errors/manifests/${digestOf(Buffer.from("another"), algorithm)}`
    const refused = await ask("PUT", path, content.bytes, pushed)
    assert.deepStrictEqual([refused.status, refused.codes], [400, ["DIGEST_INVALID"]])
    assert.strictEqual((await ask("GET", path)).status, 404)
  })

  it("of a malformed digest is refused", async () => {
    const path = "/v2/errors/manifests/sha256:baddigeststring"
    const refused = await ask("PUT", path, content.bytes, pushed)
    assert.deepStrictEqual([refused.status, refused.codes], [400, ["DIGEST_INVALID"]])
    assert.strictEqual((await ask("GET", path)).status, 400)
  })
})

it("a blob and referrers of a malformed digest are refused", async () => {
  for (const kind of ["blobs", "referrers"]) {
    const refused = await ask("GET", `/v2/errors/${kind}/sha256:baddigeststring`)
    assert.deepStrictEqual([refused.status, refused.codes], [400, ["DIGEST_INVALID"]])
  }
})
