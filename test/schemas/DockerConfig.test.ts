import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { decodeDockerConfig } from "../../src/schemas/DockerConfig.ts"
import { hostDocument } from "../../src/schemas/HostEntry.ts"

const read = (config: object | string) =>
  Result.map(decodeDockerConfig(typeof config === "string" ? config : JSON.stringify(config)), (it) => ({
    ...it,
    entries: Object.fromEntries([...it.entries].map(([name, entry]) => [name, hostDocument(entry)]))
  }))
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64")

describe("decodeDockerConfig", () => {
  const table: ReadonlyArray<readonly [string, object, object]> = [
    ["a login", { auths: { "a.io": { auth: base64("u:p:q") } } }, { "a.io": { user: "u", pass: "p:q" } }],
    ["NUL bytes after a password", { auths: { a: { auth: base64("u:p\0\0") } } }, { a: { user: "u", pass: "p" } }],
    ["a login in two keys", { auths: { a: { username: "u", password: "p" } } }, { a: { user: "u", pass: "p" } }],
    [
      "an identity token",
      { auths: { a: { auth: base64("u:"), identitytoken: "t" } } },
      { a: { user: "u", token: "t" } }
    ],
    ["Docker Hub", { auths: { "https://index.docker.io/v1/": { auth: base64("u:p") } } }, {
      "docker.io": { user: "u", pass: "p" }
    }],
    ["a scheme", { auths: { "http://l:5000/": { auth: base64("u:p") } } }, {
      "l:5000": { tls: "disabled", credHost: "http://l:5000/", user: "u", pass: "p" }
    }],
    ["a helper", { credHelpers: { "ecr.aws": "ecr-login" } }, {
      "ecr.aws": { credHelper: "docker-credential-ecr-login" }
    }],
    [
      "a login with a helper",
      { auths: { a: { auth: base64("u:p") } }, credHelpers: { a: "x" } },
      { a: { user: "u", pass: "p", credHelper: "docker-credential-x" } }
    ],
    ["an entry that a store fills", { auths: { a: {}, b: { auth: "" } }, credsStore: "desktop" }, {}],
    ["tokens of Docker Desktop", { auths: { "https://index.docker.io/v1/access-token": { auth: "x" } } }, {}],
    ["null sections", { auths: null, credHelpers: null, HttpHeaders: { a: 1 } }, {}]
  ]
  it.each(table)("imports %s", (_, config, entries) => {
    const found = Result.getOrThrow(read(config))
    assert.deepStrictEqual(found.entries, entries)
    assert.deepStrictEqual(found.warnings, [])
  })

  it("skips entries it cannot read with a warning each, and keeps the rest", () => {
    const found = Result.getOrThrow(read({
      auths: {
        "a.io": { auth: "s3cret%%" },
        "b.io": { auth: base64("s3cret") },
        "c.io": { auth: base64(new Uint8Array([0xff, 0x3a, 0xfe])) },
        "d.io/path": { auth: base64("u:p") },
        "e.io": 7,
        "ok.io": { auth: base64("u:p") }
      },
      credHelpers: { "f.io": "../evil", "g.io": "", "h.io": "a b", "i.io": 3 },
      credsStore: "/bin/sh"
    }))
    assert.deepStrictEqual(found.entries, { "ok.io": { user: "u", pass: "p" } })
    assert.deepStrictEqual(found.warnings, [
      "auths \"a.io\" is left out: its auth is not base64",
      "auths \"b.io\" is left out: its auth has no colon",
      "auths \"c.io\" is left out: its auth is not UTF-8 text",
      "auths \"d.io/path\" is left out: its name is no host",
      "auths \"e.io\" is left out: it is not an object of texts",
      "credHelpers \"f.io\" is left out: the helper's name is not usable",
      "credHelpers \"g.io\" is left out: the helper's name is not usable",
      "credHelpers \"h.io\" is left out: the helper's name is not usable",
      "credHelpers \"i.io\" is left out: the helper's name is not usable",
      "credsStore is left out: its name is not usable"
    ])
  })

  it("tells hosts apart that look alike", () => {
    const found = Result.getOrThrow(read({ auths: { "a.io": { auth: base64("u:p") } } }))
    assert.deepStrictEqual(Object.keys(found.entries), ["a.io"])
  })

  it("names the place of a syntax error and no value", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(Result.flip(read("{\"auths\": {\"a\": {\"auth\": \"c2VjcmV0\""))),
      "[1:36] unexpected end"
    )
  })
})
