/** Lists, referrers, deletions and mounts at registries that have none, or odd ones; content that is not what it says. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { isClear, restore, withLogin, type World, world } from "../support/copies.ts"
import { type Answer, digestOf, json, lacking, problem, type Quirk } from "../support/quirky.ts"
import { always, both, first, is, type Match } from "../support/rows.ts"

let here: World
beforeAll(async () => {
  here = await world()
})
afterAll(() => here.stop())
beforeEach(() => {
  restore(here)
  here.source.quirk = withLogin()
  here.target.quirk = withLogin()
})

const tagsGet = is("GET", /\/tags\/list/)
const ls = (...args: ReadonlyArray<string>) => here.run(["tag", "ls", ...args, `${here.source.host}/app`])
const listing = (tags: unknown, headers: Answer["headers"] = {}) => json(200, { name: "app", tags }, headers)

describe("tag ls", () => {
  const lists: ReadonlyArray<readonly [string, Quirk, number, string, RegExp | undefined]> = [
    ["is empty for null (3.14)", always(tagsGet, listing(null)), 0, "", undefined],
    ["has each name once, sorted (3.14)", always(tagsGet, listing(["b", "a", "b"])), 0, "a\nb\n", undefined],
    [
      "leaves out what is no tag, says so, and ends with status 1 (N38)",
      always(tagsGet, listing(["a", "../x", "b@sha256:1", "c d", "x".repeat(300), "z"])),
      1,
      "a\nz\n",
      /\.\.\/x[^]*b@sha256:1[^]*c d[^]*x{100}[^]*failed to list tags for .*4 names are not allowed/
    ],
    [
      "goes on at a relative link (3.15)",
      both(
        always((it) => tagsGet(it) && it.url.searchParams.get("last") === "b", listing(["c"])),
        always(tagsGet, listing(["a", "b"], { link: "</v2/app/tags/list?last=b&n=2>; rel=\"next\"" }))
      ),
      0,
      "a\nb\nc\n",
      undefined
    ],
    [
      "stops at a link to itself (N37)",
      always(tagsGet, listing(["a"], { link: "</v2/app/tags/list>; rel=\"next\"" })),
      1,
      "",
      /pagination loop/
    ],
    [
      "stops where a page brings nothing new (N37)",
      always(tagsGet, (it) => listing(["a"], { link: `</v2/app/tags/list?page=${it.nth}>; rel="next"` })),
      1,
      "",
      /pagination loop: a page brought no new names/
    ],
    [
      "goes to no other host (N37)",
      always(tagsGet, listing(["a"], { link: "<http://192.0.2.1/v2/app/tags/list>; rel=\"next\"" })),
      1,
      "",
      /pagination loop: the next page is at http:\/\/192\.0\.2\.1/
    ],
    [
      "says that a page is no list (N42)",
      always(tagsGet, { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }),
      1,
      "",
      /unsupported media type: "text\/html"/
    ]
  ]
  it.each(lists)("%s", async (_, quirk, code, out, err) => {
    here.source.quirk = withLogin(quirk)
    const ran = await ls()
    assert.strictEqual(ran.code, code, ran.err)
    assert.strictEqual(ran.out, out)
    if (err !== undefined) assert.match(ran.err, err)
    else assert.strictEqual(ran.err, "")
    assert.isBelow(here.source.asked.length, 6)
  })

  it("asks without n where n is too big (3.15)", async () => {
    here.source.quirk = withLogin(always((it) => it.url.searchParams.has("n"), problem(413, "TOO_MANY_TAGS_REQUESTED")))
    assert.strictEqual((await ls("--limit", "5000")).out, "v1\n")
  })
})

const subjectType = "application/vnd.oci.image.index.v1+json"
/** A signature of the image, at the source. */
const attach = (): string => {
  const repository = here.source.repository("app")
  const config = Buffer.from("{}")
  repository.blobs.set(digestOf(config), config)
  const index = here.image.index
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "application/x.signature",
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(config), size: 2 },
    layers: [],
    subject: { mediaType: subjectType, digest: index, size: repository.manifests.get(index)?.bytes.length }
  }))
  const digest = digestOf(bytes)
  repository.manifests.set(digest, { type: "application/vnd.oci.image.manifest.v1+json", bytes })
  const entry = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest,
    size: bytes.length,
    artifactType: "application/x.signature"
  }
  const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: subjectType, manifests: [entry] }))
  repository.manifests.set(digestOf(list), { type: subjectType, bytes: list })
  repository.tags.set(index.replace(":", "-"), digestOf(list))
  return digest
}

const copyWithReferrers = () =>
  here.run(["image", "copy", "--referrers", `${here.source.host}/app:v1`, `${here.target.host}/app:v1`])

describe("image copy --referrers", () => {
  const referrersGet = is("GET", /\/referrers\//)
  const absent: ReadonlyArray<readonly [string, Answer | (() => Answer)]> = [
    ["404", { status: 404, body: "404 page not found" }],
    ["400", problem(400, "UNSUPPORTED")],
    ["401", { status: 401 }],
    ["403", problem(403, "DENIED")],
    ["405", problem(405, "UNSUPPORTED")],
    ["406", { status: 406 }],
    ["501", { status: 501 }],
    ["a page", { status: 200, headers: { "content-type": "text/html" }, body: "<html>app</html>" }],
    ["no index", json(200, { errors: [] })],
    [
      "303 to a web site that wants no visitors",
      () => ({ status: 303, headers: { location: `http://${here.store.host}/site` } })
    ],
    ["301 to a web site", () => ({ status: 301, headers: { location: "/site/app" } })]
  ]
  it.each(absent)("finds them by their tag where the API answers with %s (5.2)", async (_, answer) => {
    const digest = attach()
    const gone: Quirk = (it) =>
      referrersGet(it)
        ? (typeof answer === "function" ? answer() : answer)
        : it.url.pathname.startsWith("/site")
        ? { status: 200, body: "<html>" }
        : undefined
    here.source.quirk = withLogin(gone)
    here.target.quirk = withLogin(gone)
    here.target.hasReferrers = false
    here.store.quirk = () => ({ status: 429, body: "slow down" })
    const { code, err } = await copyWithReferrers()
    assert.strictEqual(code, 0, err)
    const to = here.target.repository("app")
    assert.isTrue(to.manifests.has(digest))
    const list = to.manifests.get(to.tags.get(here.image.index.replace(":", "-")) ?? "")?.bytes.toString() ?? "{}"
    assert.deepStrictEqual(JSON.parse(list).manifests.map((it: { digest: string }) => it.digest), [digest])
    assert.deepStrictEqual(here.target.incomplete, [])
  })

  it("waits for an API in trouble rather than find none (5.2)", async () => {
    const digest = attach()
    here.source.quirk = withLogin(first(2, referrersGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "1" })))
    const { code, err } = await copyWithReferrers()
    assert.strictEqual(code, 0, err)
    assert.isTrue(here.target.repository("app").manifests.has(digest))
  })

  it("fails, with the tag as it was, where the API stays in trouble (C18)", async () => {
    attach()
    here.source.quirk = withLogin(always(referrersGet, { status: 500 }))
    const { code, err } = await copyWithReferrers()
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /failed to list referrers/)
    assert.strictEqual(here.target.repository("app").tags.get("v1"), here.old.index)
  })

  it("reads the list where a registry takes the tag for the digest (5.4 GitLab)", async () => {
    here.source.hasReferrers = false
    here.source.quirk = withLogin((it) =>
      it.target.endsWith(`/manifests/${here.image.index.replace(":", "-")}`)
        ? here.source.answer({ ...it, url: new URL(it.url.href.replace("sha256-", "sha256:")) })
        : undefined
    )
    const { code, err } = await copyWithReferrers()
    assert.strictEqual(code, 0, err)
  })
})

describe("tag delete", () => {
  const tagDelete: Match = is("DELETE", /\/manifests\/v1$/)
  const remove = () => here.run(["tag", "delete", `${here.target.host}/app:v1`])

  it.each([400, 404, 405, 501])(
    "puts a placeholder in the tag's place where tags cannot be deleted (%s, 6.1)",
    async (status) => {
      here.target.repository("app").tags.set("sibling", here.old.index)
      here.target.quirk = withLogin(always(tagDelete, problem(status, "UNSUPPORTED")))
      const { code, err } = await remove()
      assert.strictEqual(code, 0, err)
      assert.deepStrictEqual([...here.target.repository("app").tags], [["sibling", here.old.index]])
      assert.isTrue(here.target.repository("app").manifests.has(here.old.index))
      assert.isAtMost(here.target.asked.length, 14)
    }
  )

  it("changes nothing where nothing can be deleted (6.1)", async () => {
    here.target.quirk = withLogin(always(is("DELETE", /./), problem(405, "UNSUPPORTED")))
    const { code, err } = await remove()
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /failed deleting .*\/app:v1.*405/)
    assert.deepStrictEqual([...here.target.repository("app").tags], [["v1", here.old.index]])
  })

  it("says where the tag points when its placeholder stays, and the repeat ends it (N43)", async () => {
    const byDigest = is("DELETE", /\/manifests\/sha256/)
    // 400 for the tag, so that nothing is asked beforehand.
    const stuck = both(always(tagDelete, problem(400, "UNSUPPORTED")), always(byDigest, { status: 500 }))
    here.target.quirk = withLogin(stuck)
    const { code, err } = await remove()
    assert.strictEqual(code, 1)
    isClear(err)
    const now = here.target.repository("app").tags.get("v1") ?? ""
    assert.notStrictEqual(now, here.old.index)
    assert.match(err, /placeholder/)
    assert.include(err, now)
    assert.deepStrictEqual(lacking(here.target.repository("app"), now), [])
    here.target.quirk = withLogin(always(tagDelete, problem(400, "UNSUPPORTED")))
    assert.strictEqual((await remove()).code, 0)
    assert.deepStrictEqual([...here.target.repository("app").tags], [])
  })
})

describe("a copy within a registry", () => {
  const mount: Match = (it) => it.method === "POST" && it.url.searchParams.has("from")
  const copy = () => here.run(["image", "copy", `${here.target.host}/app:v1`, `${here.target.host}/other:v1`])
  const isWhole = () => {
    const { tags } = here.target.repository("other")
    assert.strictEqual(tags.get("v1"), here.old.index)
    assert.deepStrictEqual(lacking(here.target.repository("other"), here.old.index), [])
    assert.deepStrictEqual(here.target.incomplete, [])
  }

  it.each([400, 401, 403, 404, 405, 500])("sends what a mount does not give (%s, 4.10)", async (status) => {
    here.target.quirk = withLogin(always(mount, problem(status, "NAME_INVALID")))
    const { code, err } = await copy()
    assert.strictEqual(code, 0, err)
    isWhole()
  })

  it("sends what a mount only claimed to give (N34, 4.11)", async () => {
    here.target.quirk = withLogin(both(
      always(mount, { status: 201 }),
      (it, proper) => {
        if (it.method !== "PUT" || !it.target.includes("/manifests/sha256")) return undefined
        const { config, layers } = JSON.parse(it.body.toString())
        const named: ReadonlyArray<{ readonly digest: string }> = [config, ...layers]
        const isThere = named.every(({ digest }) => here.target.repository("other").blobs.has(digest))
        return isThere ? proper() : problem(404, "MANIFEST_BLOB_UNKNOWN")
      }
    ))
    const { code, err } = await copy()
    assert.strictEqual(code, 0, err)
    isWhole()
  })
})
