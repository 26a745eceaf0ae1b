import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { realmUrl } from "../../../src/services/registryAuth/realm.ts"

const https = "https://r.example.com/v2/a/manifests/b"
const http = "http://localhost:5000/v2/a/manifests/b"
const hub = ["https://auth.docker.io", "login.corp:8443", "http://token.lan/v1"]

const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, string | undefined]> = [
  ["https://auth.example.com/token", https, [], "https://auth.example.com/token"],
  ["https://r.example.com/token", https, [], "https://r.example.com/token"],
  ["/token", https, [], "https://r.example.com/token"],
  ["http://r.example.com/token", https, [], "https://r.example.com/token"],
  ["http://auth.example.com/token", https, [], undefined],
  ["http://localhost:5001/token", http, [], "http://localhost:5001/token"],
  ["https://localhost/token", http, [], "https://localhost/token"],
  ["https://auth.example.com/token", http, [], undefined],
  ["https://auth.docker.io/token", http, hub, "https://auth.docker.io/token"],
  ["https://login.corp:8443/t", http, hub, "https://login.corp:8443/t"],
  ["http://token.lan/v1/t", https, hub, "http://token.lan/v1/t"],
  ["http://token.lan/v10/t", https, hub, undefined],
  ["https://auth.docker.io.evil/token", http, hub, undefined],
  ["https://u:p@auth.docker.io/token", https, hub, undefined],
  ["https://auth.example.com/token#x", https, [], undefined],
  ["null://r.example.com/token", https, [], undefined],
  ["file:///etc/passwd", https, [], undefined],
  ["https://[", https, [], undefined],
  ["", https, [], undefined]
]

describe("realmUrl", () => {
  for (const [realm, registry, trusted, expected] of cases) {
    it(`${expected === undefined ? "refuses" : "takes"} ${realm} of ${new URL(registry).origin}, trusting ${trusted.length}`, () => {
      const result = realmUrl(realm, new URL(registry), trusted)
      if (expected !== undefined) return assert.strictEqual(Result.getOrThrow(result).href, expected)
      assert.match(Result.getOrThrow(Result.flip(result)), /^redirect .*not allowed/)
    })
  }
})
