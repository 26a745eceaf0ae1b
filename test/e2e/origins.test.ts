/** Registries that would have a login of another one used for them, by whatever way an answer can send us there. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { isClear, restore, seed, withLogin, type World, world } from "../support/copies.ts"
import type { Ran } from "../support/programs.ts"
import { emptyRepository, type Quirk, type Quirky } from "../support/quirky.ts"
import { always, both, is } from "../support/rows.ts"

let here: World
beforeAll(async () => {
  here = await world()
})
afterAll(() => here.stop())
beforeEach(() => {
  restore(here)
  here.store.repositories.clear()
  seed(here.store.repository("prod"), "v1", 5, 60_000)
  here.source.quirk = withLogin()
  here.target.quirk = withLogin()
  here.store.quirk = forBob
})

const bob = `Basic ${Buffer.from("bob:other-login").toString("base64")}`
/** The victim: a registry with an entry and a login of its own, at which nobody else may do anything. */
const forBob: Quirk = (asked) =>
  asked.headers.authorization === bob
    ? undefined
    : { status: 401, headers: { "www-authenticate": "Basic realm=\"victim\"" }, body: "" }
const victim = { store: { tls: "disabled", user: "bob", pass: "other-login" } }
const run = (...args: ReadonlyArray<string>): Promise<Ran> => here.run([...args, "--logopt", "json"], victim)
const fails = ({ code, err }: Ran, reason: string, text: RegExp) => {
  assert.strictEqual(code, 1, err)
  const record = JSON.parse(err.split("\n").findLast((line) => line.startsWith("{\"time\"")) ?? "{}")
  assert.deepStrictEqual([record.level, record.reason], ["ERROR", reason], err)
  assert.match(err, text)
  isClear(err)
  assert.notInclude(err, "other-login")
}
/** Nothing there was done in anybody's name, and nothing changed. */
const isUntouched = () => {
  const before = emptyRepository()
  seed(before, "v1", 5, 60_000)
  const after = here.store.repository("prod")
  assert.deepStrictEqual([...after.tags], [...before.tags])
  assert.deepStrictEqual([...after.manifests.keys()], [...before.manifests.keys()])
  assert.deepStrictEqual([...after.blobs.keys()], [...before.blobs.keys()])
  assert.deepStrictEqual(here.store.asked.filter(({ headers }) => headers.authorization !== undefined), [])
}
const methods = (registry: Quirky) => [...new Set(registry.asked.map(({ method }) => method))]
const prod = (path: string) => `http://${here.store.host}/v2/prod/${path}`
const [uploads, manifests] = [is("POST", /\/uploads\//), /\/manifests\//]

describe("a registry gets nothing done with the login of another", () => {
  it.each([["whole", {}], ["in chunks", { blobMax: 10, blobChunk: 100_000 }]])(
    "by an upload's location, sent %s (N27)",
    async (_, sizes) => {
      here.target.quirk = withLogin(
        always(uploads, () => ({ status: 202, headers: { location: prod("manifests/v1") } }))
      )
      const ran = await here.run(
        ["image", "copy", `${here.source.host}/app:v1`, `${here.target.host}/app:v1`, "--logopt", "json"],
        { ...victim, target: sizes }
      )
      fails(ran, "Unauthorized", /failed to send blob/)
      isUntouched()
      assert.notInclude(methods(here.store), "DELETE")
      assert.strictEqual(here.target.repository("app").tags.get("v1"), here.old.index)
    }
  )

  it.each([307, 308])("by a deletion sent there with %i (N26)", async (status) => {
    const there: Quirk = (asked) => ({
      status,
      headers: { location: prod(asked.target.replace("/v2/app/", "").replace(/sha256:.*/, "v1")) }
    })
    here.target.quirk = withLogin(always((it) => it.method === "DELETE", (it, proper) => there(it, proper)))
    const app = `${here.target.host}/app`
    const deletions = [
      ["tag", "rm", `${app}:v1`],
      ["manifest", "rm", `${app}@${here.old.index}`],
      ["blob", "rm", app, here.old.large]
    ]
    for (const args of deletions)
      fails(await run(...args), "RedirectRefused", /redirect of a deletion to another server/)
    assert.deepStrictEqual(here.store.lines(), [])
    assert.strictEqual(here.target.repository("app").tags.get("v1"), here.old.index)
    isUntouched()
  })

  it.each([307, 308])("by a manifest sent there with %i (N26)", async (status) => {
    here.target.quirk = withLogin(always(is("PUT", manifests), { status, headers: { location: prod("manifests/v1") } }))
    fails(
      await run("image", "copy", `${here.source.host}/app:v1`, `${here.target.host}/app:v1`),
      "RedirectRefused",
      /redirect of a request with a body to another server not allowed/
    )
    assert.deepStrictEqual(here.store.lines(), [])
    isUntouched()
  })
})

describe("a registry that sends us to another one for what it names", () => {
  const there = (path: RegExp, repository: string): Quirk =>
    always((it) => it.method !== "PUT" && path.test(it.target), (it) => ({
      status: 307,
      headers: { location: `http://${here.store.host}${it.url.pathname.replace("/v2/app/", `/v2/${repository}/`)}` }
    }))

  it("gets nothing that only a tag names with the login of that one", async () => {
    here.source.quirk = withLogin(there(/\/(?:manifests\/v1|tags\/list|referrers\/)/, "prod"))
    const app = `${here.source.host}/app`
    for (const args of [["image", "copy", `${app}:v1`, `${app}:v2`], ["tag", "ls", app]])
      fails(await run(...args), "Unauthorized", /unauthorized \[http 401\]/)
    isUntouched()
    assert.isFalse(here.source.repository("app").tags.has("v2"))
  })

  it("gets what it names by digest", async () => {
    here.store.repositories.set("shared", here.source.repository("app"))
    here.source.quirk = withLogin(there(/\/(?:manifests|blobs)\/sha256:/, "shared"))
    const ran = await run("image", "copy", `${here.source.host}/app:v1`, `${here.target.host}/app:v2`)
    assert.strictEqual(ran.code, 0, ran.err)
    assert.strictEqual(here.target.repository("app").tags.get("v2"), here.source.repository("app").tags.get("v1"))
    assert.include(here.store.asked.map(({ headers }) => headers.authorization), bob)
  })
})

describe("a login stays at its origin", () => {
  const port = () => here.store.host.replace(/.*:/, "")
  const spellings: ReadonlyArray<readonly [string, () => string]> = [
    ["another port", () => here.store.host],
    ["another name of the same address", () => `localhost:${port()}`],
    ["another spelling of the address", () => `2130706433:${port()}`],
    ["octal digits", () => `0177.0.0.1:${port()}`],
    ["hexadecimal digits", () => `0x7f.1:${port()}`],
    ["a dot at the end", () => `127.0.0.1.:${port()}`],
    ["IPv4 in IPv6", () => `[::ffff:127.0.0.1]:${port()}`]
  ]
  it.each(spellings)("when a blob moves to %s", async (_, host) => {
    const asking = (asked: Parameters<Quirk>[0]) =>
      `http://${host()}${asked.url.pathname.replace("/v2/app/", "/v2/prod/")}`
    here.store.repositories.set("prod", here.source.repository("app"))
    for (const isAsking of [false, true]) {
      here.store.forget()
      here.store.quirk = isAsking
        ? () => ({ status: 401, headers: { "www-authenticate": "Basic realm=\"r\"" } })
        : () => undefined
      here.source.quirk = withLogin(
        always(is("GET", /\/blobs\//), (it) => ({ status: 307, headers: { location: asking(it) } }))
      )
      const ran = await here.run(["blob", "get", `${here.source.host}/app`, here.image.small])
      assert.strictEqual(ran.code, isAsking ? 1 : 0, ran.err)
      assert.isAbove(here.store.asked.length, 0)
      for (const { headers } of here.store.asked) assert.isUndefined(headers.authorization)
    }
  })

  it("when the other origin asks for a token at a service of its own", async () => {
    const realm = `http://${here.store.host}/token`
    here.store.quirk = both(
      always((it) => it.url.pathname === "/token", { status: 200, body: "{\"token\":\"theirs\"}" }),
      (asked) =>
        asked.headers.authorization === "Bearer theirs"
          ? here.source.answer({ ...asked, method: "GET" })
          : { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}",service="s",scope="x"` } }
    )
    here.source.quirk = withLogin(
      always(is("GET", /\/blobs\//), (it) => ({
        status: 307,
        headers: { location: `http://${here.store.host}${it.url.pathname}` }
      }))
    )
    const ran = await here.run(["blob", "get", `${here.source.host}/app`, here.image.small])
    assert.strictEqual(ran.code, 0, ran.err)
    const sent = here.store.asked.map(({ headers }) => headers.authorization ?? "nobody")
    assert.deepStrictEqual([...new Set(sent)], ["nobody", "Bearer theirs"])
    for (const { target } of here.store.asked) assert.notMatch(target, /ada|account/)
  })
})
