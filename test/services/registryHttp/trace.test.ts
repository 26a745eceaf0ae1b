import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted, References } from "effect"
import { RegistryHttp } from "../../../src/services/RegistryHttp.ts"
import { playback } from "./playback.ts"

/** Everything logged, at any level, by one request. */
const logged = (level: "Trace" | "Debug") => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ fiber, message }) => {
    lines.push(JSON.stringify([message, fiber.getRef(References.CurrentLogAnnotations)]))
  })
  const { layer } = playback(({ headers, url }) => {
    if (url.includes("/token")) return { body: "{\"token\":\"tok-secret\"}" }
    if (url.includes("cdn")) return { headers: { "set-cookie": "cookie-secret" } }
    if (headers["authorization"] === undefined) {
      return { status: 401, headers: { "www-authenticate": "Bearer realm=\"/token\"" } }
    }
    return { status: 307, headers: { location: "https://cdn/x?X-Signature=signature-secret" } }
  }, { credentials: { "r.example.com": { username: "u", password: Redacted.make("pass-secret") } } })
  return Effect.gen(function*() {
    const http = yield* RegistryHttp
    yield* Effect.scoped(
      http.request({
        registry: "r.example.com",
        repository: "a/b",
        method: "GET",
        path: "blobs/x",
        headers: { cookie: "own-secret" },
        demand: { kind: "blob", size: 1 }
      })
    )
    return lines
  }).pipe(
    Effect.provide(layer),
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, level)
  )
}

describe("logs", () => {
  it.effect("tell every request and answer at trace level, without a secret", () =>
    Effect.gen(function*() {
      const lines = yield* logged("Trace")
      assert.strictEqual(lines.filter((it) => it.includes("HTTP request")).length, 3)
      assert.strictEqual(lines.filter((it) => it.includes("HTTP response")).length, 3)
      assert.isTrue(lines.some((it) => it.includes("authorization: [censored]")))
      assert.isTrue(lines.some((it) => it.includes("https://cdn/x?[censored]")))
      assert.notInclude(lines.join("\n"), "secret")
      assert.notInclude(lines.join("\n"), "dTpwYXNzLXNlY3JldA")
    }))

  it.effect("tell challenges and redirects at debug level", () =>
    Effect.gen(function*() {
      const lines = yield* logged("Debug")
      assert.deepStrictEqual(lines.map((it) => JSON.parse(it)[0][0]), ["Auth challenge", "Redirect"])
    }))
})
