import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import {
  expandedEntry,
  hostDocument,
  type HostEntry,
  isDefaultEntry,
  mergeEntry,
  namedHost,
  secretKeys,
  toHost
} from "../../src/schemas/HostEntry.ts"

const secret = Redacted.make

/** An entry with its secrets visible, to compare it. */
const plain = (entry: HostEntry) => hostDocument(entry)

describe("mergeEntry", () => {
  const login: HostEntry = { user: "u", pass: secret("p") }
  const table: ReadonlyArray<readonly [string, HostEntry, HostEntry, object, ReadonlyArray<object>]> = [
    ["takes what only one side says", { tls: "disabled" }, { user: "u" }, { tls: "disabled", user: "u" }, []],
    ["overwrites and tells", { hostname: "a" }, { hostname: "b" }, { hostname: "b" }, [
      { message: "Changing hostname for registry", orig: "a", new: "b" }
    ]],
    ["tells nothing of an equal value", { tls: "insecure" }, { tls: "insecure" }, { tls: "insecure" }, []],
    ["never shows a password", login, { pass: secret("q") }, { user: "u", pass: "q" }, [
      { message: "Changing login password for registry" }
    ]],
    [
      "ignores empty values",
      { user: "u", mirrors: ["m"] },
      { user: "", mirrors: [] },
      { user: "u", mirrors: ["m"] },
      []
    ],
    ["drops a helper for a new password", { credHelper: "h" }, login, { user: "u", pass: "p" }, []],
    [
      "drops a helper beside an old token",
      { credHelper: "h", token: secret("t") },
      { user: "u" },
      { user: "u", token: "t" },
      []
    ],
    ["keeps a helper for a new user alone", { credHelper: "h" }, { user: "u" }, { user: "u", credHelper: "h" }, []],
    ["drops a login for a new helper", login, { credHelper: "h" }, { credHelper: "h" }, []],
    [
      "keeps a login given with a helper",
      {},
      { ...login, credHelper: "h" },
      { user: "u", pass: "p", credHelper: "h" },
      []
    ],
    ["trims the path prefix", {}, { pathPrefix: "/a/b/" }, { pathPrefix: "a/b" }, []],
    ["takes a prefix for the same with slashes", { pathPrefix: "a" }, { pathPrefix: "/a/" }, { pathPrefix: "a" }, []],
    [
      "merges options key by key",
      { apiOpts: { a: "1", b: "2" } },
      { apiOpts: { b: "3", c: "4" } },
      { apiOpts: { a: "1", b: "3", c: "4" } },
      []
    ],
    ["never switches separate logins off", { repoAuth: true }, { repoAuth: false }, { repoAuth: true }, []],
    [
      "replaces the list of mirrors",
      { mirrors: ["a"] },
      { mirrors: ["b", "c"] },
      { mirrors: ["b", "c"] },
      [{ message: "Changing mirrors for registry", orig: "[a]", new: "[b c]" }]
    ],
    ["ignores numbers of zero", { blobChunk: 5, reqConcurrent: 7 }, { blobChunk: 0, reqConcurrent: 0 }, {
      blobChunk: 5,
      reqConcurrent: 7
    }, []]
  ]
  it.each(table)("%s", (_, old, later, entry, changes) => {
    const merged = mergeEntry(old, later)
    assert.deepStrictEqual(plain(merged.entry), entry)
    assert.deepStrictEqual(merged.changes, changes)
  })
})

describe("namedHost", () => {
  const table: ReadonlyArray<readonly [string, string, HostEntry]> = [
    ["docker.io", "docker.io", {}],
    ["registry-1.docker.io", "docker.io", {}],
    ["index.docker.io", "docker.io", {}],
    ["https://index.docker.io/v1/", "docker.io", {}],
    ["localhost:5000", "localhost:5000", {}],
    ["[::1]:5000", "[::1]:5000", {}],
    ["http://localhost:5000", "localhost:5000", { tls: "disabled", credHost: "http://localhost:5000" }],
    ["https://reg.example.org/", "reg.example.org", { credHost: "https://reg.example.org/" }]
  ]
  it.each(table)("reads %s", (text, name, entry) => {
    assert.deepStrictEqual(namedHost(text), { name, entry })
  })
  it.each([
    "",
    "reg/path",
    "https://index.docker.io/v1/access-token",
    "http://host/repo",
    "ftp://host",
    "user@host",
    "a b",
    "a\nb",
    "../x"
  ])("refuses %j", (text) => {
    assert.isUndefined(namedHost(text))
  })
})

describe("isDefaultEntry", () => {
  it.each<readonly [string, HostEntry, boolean]>([
    ["a.io", {}, true],
    ["a.io", { tls: "enabled", hostname: "a.io", reqConcurrent: 3 }, true],
    ["docker.io", expandedEntry({ name: "docker.io", entry: {} }), true],
    ["a.io", { tls: "disabled" }, false],
    ["a.io", { hostname: "b.io" }, false],
    ["a.io", { reqConcurrent: 4 }, false],
    ["a.io", { reqPerSec: 1 }, false],
    ["a.io", { user: "u" }, false],
    ["a.io", { credHost: "x" }, false]
  ])("answers for %s %j", (name, entry, expected) => {
    assert.strictEqual(isDefaultEntry(name, entry), expected)
  })
})

describe("toHost", () => {
  it("takes the number of requests that every written entry has for no wish, and any other for one", () => {
    assert.isUndefined(toHost("a.io", { reqConcurrent: 3 }, true).reqConcurrent)
    assert.strictEqual(toHost("a.io", { reqConcurrent: 2 }, true).reqConcurrent, 2)
  })

  it("gives Docker Hub its own names", () => {
    const host = toHost("docker.io", {}, false)
    assert.deepStrictEqual([host.name, host.hostname, host.credHost, host.tls], [
      "docker.io",
      "registry-1.docker.io",
      "https://index.docker.io/v1/",
      "enabled"
    ])
  })

  it("asks helpers for the host that is connected to", () => {
    assert.strictEqual(toHost("a.io", { hostname: "b.io:443" }, true).credHost, "b.io:443")
    assert.strictEqual(toHost("a.io", { hostname: "b.io", credHost: "c" }, true).credHost, "c")
    assert.strictEqual(toHost("a.io", {}, true).credHost, "a.io")
  })

  it("has defaults for all that is not said", () => {
    const host = toHost("localhost:5000", { tls: "disabled", pathPrefix: "/p/", mirrors: ["", "m"] }, true)
    assert.deepStrictEqual(
      [host.tls, host.pathPrefix, host.mirrors, host.blobChunk, host.blobMax, host.reqConcurrent, host.isConfigured],
      ["disabled", "p", ["m"], 1_048_576, -1, undefined, true]
    )
  })
})

describe("hostDocument", () => {
  it("writes keys in the order of the file and leaves secrets out on request", () => {
    const entry: HostEntry = {
      reqConcurrent: 9,
      credExpire: 60_000,
      pass: secret("p"),
      clientKey: secret("k"),
      token: secret("t"),
      user: "u",
      apiOpts: { b: "1", a: "2" },
      tls: "insecure",
      trustedRealms: ["https://auth"]
    }
    assert.strictEqual(
      JSON.stringify(hostDocument(entry)),
      "{\"tls\":\"insecure\",\"clientKey\":\"k\",\"user\":\"u\",\"pass\":\"p\",\"token\":\"t\",\"credExpire\":\"1m0s\"," +
        "\"apiOpts\":{\"a\":\"2\",\"b\":\"1\"},\"reqConcurrent\":9,\"trustedRealms\":[\"https://auth\"]}"
    )
    assert.strictEqual(
      JSON.stringify(hostDocument(entry, secretKeys)),
      "{\"tls\":\"insecure\",\"user\":\"u\",\"credExpire\":\"1m0s\",\"apiOpts\":{\"a\":\"2\",\"b\":\"1\"}," +
        "\"reqConcurrent\":9,\"trustedRealms\":[\"https://auth\"]}"
    )
  })
})
