import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parseChallenges } from "../../src/lib/challenge.ts"

const accepted: ReadonlyArray<
  readonly [ReadonlyArray<string>, ReadonlyArray<readonly [string, Record<string, string>]>]
> = [
  [[], []],
  [["Basic realm=\"registry\""], [["basic", { realm: "registry" }]]],
  [
    ["Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/alpine:pull,push\""],
    [["bearer", {
      realm: "https://auth.docker.io/token",
      service: "registry.docker.io",
      scope: "repository:library/alpine:pull,push"
    }]]
  ],
  [["BEARER Realm=https://h/token , SERVICE=h"], [["bearer", { realm: "https://h/token", service: "h" }]]],
  [["Basic realm=\"a\", Bearer realm=\"b\", service=\"c\""], [["basic", { realm: "a" }], ["bearer", {
    realm: "b",
    service: "c"
  }]]],
  [["Negotiate, NTLM", "Basic realm=x"], [["negotiate", {}], ["ntlm", {}], ["basic", { realm: "x" }]]],
  [["Negotiate YWJj==, Basic realm=\"x\""], [["negotiate", {}], ["basic", { realm: "x" }]]],
  [["Basic realm=\"a \\\"quoted\\\" \\\\ name\""], [["basic", { realm: "a \"quoted\" \\ name" }]]],
  [["Basic"], [["basic", {}]]],
  [["Basic realm=\"\", charset=\"UTF-8\""], [["basic", { realm: "", charset: "UTF-8" }]]],
  [["Basic realm = \"a\""], [["basic", { realm: "a" }]]],
  [[", Basic realm=\"a\",,"], [["basic", { realm: "a" }]]]
]

const refused = [
  "Basic realm=\"a\" charset=\"b\"",
  "Basic realm=\"a",
  "Bearer realm=\"a\" Basic",
  "=\"a\"",
  "\"Basic\"",
  `Bearer realm="${"a".repeat(20_000)}"`
]

describe("parseChallenges", () => {
  for (const [headers, expected] of accepted) {
    it(`reads ${JSON.stringify(headers)}`, () => {
      const found = Result.getOrThrow(parseChallenges(headers))
      assert.deepStrictEqual<unknown>(found.map(({ scheme, parameters }) => [scheme, parameters]), expected)
    })
  }
  for (const header of refused) {
    it(`refuses ${header.slice(0, 60)}`, () => {
      const problem = Result.getOrThrow(Result.flip(parseChallenges([header])))
      assert.match(problem, /^failed to parse challenge header: .*: parsing failed$/)
    })
  }
})
