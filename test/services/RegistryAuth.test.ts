import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { fromBytes, pumpOf } from "../../src/services/Bytes.ts"
import { RegistryHttp, type RegistryRequest } from "../../src/services/RegistryHttp.ts"
import { type Asked, type Play, playback, type Setting } from "./registryHttp/playback.ts"

const base: RegistryRequest = {
  registry: "r.example.com",
  repository: "a/b",
  method: "GET",
  path: "manifests/v1",
  demand: { kind: "manifest", size: 0 }
}
const realm = "https://auth.example.com/token"
const bearer = `Bearer realm="${realm}",service="reg"`
const credentials = { "r.example.com": { username: "u", password: Redacted.make("p") } }

interface World {
  /** What a token service gives; by default a token named by how many were given. */
  readonly token?: (asked: Asked, index: number) => Play
  /** Whether a token opens the door. */
  readonly opens?: (token: string, asked: Asked) => boolean
  readonly challenge?: string | ReadonlyArray<string>
  readonly status?: number
}

/** A registry with a token service of its own. */
const world = ({ challenge = bearer, opens = () => true, status = 401, token }: World = {}, setting: Setting = {}) => {
  let tokens = 0
  const played = playback((asked) => {
    if (asked.url.startsWith(realm)) {
      return token?.(asked, tokens++) ?? { body: JSON.stringify({ token: `t${++tokens}` }) }
    }
    const sent = String(asked.headers["authorization"] ?? "")
    if (sent !== "" && opens(sent.replace(/^Bearer /, ""), asked)) return { body: "in" }
    return { status, headers: { "www-authenticate": challenge }, body: "denied" }
  }, setting)
  return {
    ...played,
    tokenRequests: () => played.asked.filter(({ url }) => url.startsWith(realm)),
    refusals: () =>
      played.asked.filter(({ headers, url }) => !url.startsWith(realm) && headers["authorization"] === undefined)
  }
}

const ask = (request: Partial<RegistryRequest> = {}) =>
  Effect.scoped(Effect.flatMap(RegistryHttp, (http) => http.request({ ...base, ...request }))).pipe(
    Effect.match({ onFailure: (error) => error.message, onSuccess: ({ status }) => status })
  )

/** Lets the clock run while something waits. */
const running = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    for (let step = 0; step < 60 && fiber.pollUnsafe() === undefined; step++) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

const scopesOf = ({ body, url }: Asked) => [
  ...new URL(url).searchParams.getAll("scope"),
  ...new URLSearchParams(body).getAll("scope")
]

describe("bearer", () => {
  it.effect("asks for a token once, and for other repositories directly", () => {
    const { asked, layer, refusals, tokenRequests } = world()
    return Effect.gen(function*() {
      for (const repository of ["a/b", "a/b", "c"]) assert.strictEqual(yield* ask({ repository }), 200)
      assert.strictEqual(refusals().length, 1)
      assert.deepStrictEqual(tokenRequests().map(({ url }) => url), [
        `${realm}?client_id=regclient%2Fregctl&service=reg&scope=repository%3Aa%2Fb%3Apull`,
        `${realm}?client_id=regclient%2Fregctl&service=reg&scope=repository%3Ac%3Apull`
      ])
      assert.isUndefined(tokenRequests()[0]?.headers["authorization"])
      assert.strictEqual(asked.length, 6)
    }).pipe(Effect.provide(layer))
  })

  it.effect("meets one 401 and asks for one token when many requests begin together", () => {
    const { layer, refusals, tokenRequests } = world()
    return Effect.gen(function*() {
      yield* Effect.all(Array.from({ length: 8 }, () => ask()), { concurrency: 8 })
      assert.deepStrictEqual([refusals().length, tokenRequests().length], [1, 1])
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets who waited for the first answer go together", () => {
    const { layer, asked } = playback(() => ({ after: 1000 }))
    return Effect.gen(function*() {
      const all = yield* Effect.forkChild(Effect.all(Array.from({ length: 6 }, () => ask()), { concurrency: 6 }))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(asked.length, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(asked.length, 6)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(all), [200, 200, 200, 200, 200, 200])
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks for pull,push to write, for both repositories of a mount, and reads with that token then", () => {
    const { layer, tokenRequests } = world()
    return Effect.gen(function*() {
      yield* ask({ method: "POST", path: "blobs/uploads/", scopes: { "x/y": "pull" } })
      yield* ask()
      yield* ask({ method: "PUT" })
      assert.deepStrictEqual(tokenRequests().map(scopesOf), [["repository:a/b:pull,push", "repository:x/y:pull"]])
    }).pipe(Effect.provide(layer))
  })

  it.effect("sends the login to the token service alone", () => {
    const { asked, layer, tokenRequests } = world({}, { credentials })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), 200)
      assert.strictEqual(tokenRequests()[0]?.headers["authorization"], "Basic dTpw")
      assert.strictEqual(new URL(tokenRequests()[0]?.url ?? "").searchParams.get("account"), "u")
      assert.deepStrictEqual(asked.map(({ headers }) => headers["authorization"]), [
        undefined,
        "Basic dTpw",
        "Bearer t1"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("refreshes with an identity token, and asks by GET where that is refused", () => {
    const identity = {
      "r.example.com": { username: "u", password: Redacted.make("p"), identityToken: Redacted.make("id") }
    }
    const { layer, tokenRequests } = world({
      token: ({ method }, index) => method === "POST" ? { status: 404 } : { body: `{"access_token":"t${index}"}` }
    }, { credentials: identity })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), 200)
      assert.strictEqual(yield* ask({ repository: "c" }), 200)
      assert.deepStrictEqual(tokenRequests().map(({ method }) => method), ["POST", "GET", "GET"])
      assert.strictEqual(
        tokenRequests()[0]?.body,
        "grant_type=refresh_token&refresh_token=id&scope=repository%3Aa%2Fb%3Apull&client_id=regclient%2Fregctl&service=reg"
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("renews a token after four fifths of its life, whatever its service says of it", () => {
    const lives: ReadonlyArray<readonly [unknown, number]> = [
      [300, 240],
      [undefined, 48],
      [0, 48],
      [-5, 48],
      ["soon", 48],
      [1e12, 69_120],
      [10, 48]
    ]
    return Effect.forEach(lives, ([expires_in, seconds]) => {
      const { layer, tokenRequests } = world({
        token: (_, index) => ({
          body: JSON.stringify({ token: `t${index}`, expires_in, issued_at: "2999-01-01T00:00:00Z" })
        })
      })
      return Effect.gen(function*() {
        yield* ask()
        yield* TestClock.adjust(`${seconds - 1} seconds`)
        yield* ask()
        assert.strictEqual(tokenRequests().length, 1)
        yield* TestClock.adjust("2 seconds")
        yield* ask()
        assert.strictEqual(tokenRequests().length, 2)
      }).pipe(Effect.provide(layer))
    }, { discard: true })
  })

  it.effect("gets a new token for one that is refused, and gives up after two rounds", () => {
    const good = world({ opens: (token) => token !== "t1" })
    const bad = world({ opens: () => false }, { credentials })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask().pipe(Effect.provide(good.layer)), 200)
      assert.strictEqual(good.tokenRequests().length, 2)
      assert.strictEqual(
        yield* ask().pipe(Effect.provide(bad.layer)),
        "request failed: unauthorized [http 401] (credentials from config.json): denied"
      )
      assert.deepStrictEqual([bad.asked.length, bad.tokenRequests().length], [5, 2])
    })
  })

  it.effect("tells a token taken back again and again from a refusal of what was asked for", () => {
    const reasonAt = (challenge: string) =>
      Effect.flip(Effect.scoped(Effect.flatMap(RegistryHttp, (http) => http.request(base)))).pipe(
        Effect.map(({ reason }) => [reason._tag, reason.ofLogin]),
        Effect.provide(world({ challenge, opens: () => false }, { credentials }).layer)
      )
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* reasonAt(String(bearer)), ["Unauthorized", undefined])
      assert.deepStrictEqual(yield* reasonAt(`${String(bearer)},error="invalid_token"`), ["Unauthorized", true])
    })
  })

  it.effect("does not send a refused token again", () => {
    const { layer, asked } = world({ opens: () => false, token: () => ({ body: "{\"token\":\"same\"}" }) })
    return Effect.gen(function*() {
      assert.include(String(yield* ask()), "unauthorized [http 401]")
      assert.strictEqual(asked.filter(({ headers }) => headers["authorization"] === "Bearer same").length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("tries a token again that was refused to an earlier request", () => {
    let refusals = 0
    const { layer } = world({ opens: () => refusals++ > 0, token: () => ({ body: "{\"token\":\"same\"}" }) })
    return Effect.gen(function*() {
      assert.include(String(yield* ask()), "unauthorized [http 401]")
      assert.strictEqual(yield* ask(), 200)
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks for the scope that a challenge wants besides", () => {
    const { layer, tokenRequests } = world({
      challenge: `${bearer},scope="repository:other/b:pull registry:catalog:* *"`
    })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), 200)
      assert.deepStrictEqual(scopesOf(tokenRequests()[0]!), [
        "repository:other/b:pull",
        "registry:catalog:*",
        "repository:a/b:pull"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gets one wider token at a 403 for its scope, and none at another 403", () => {
    const wide = `${bearer},error="insufficient_scope",scope="repository:a/b:pull,push"`
    const narrow = world({ challenge: bearer, status: 403 }, { credentials })
    const { layer, tokenRequests } = world({ challenge: wide, status: 403 })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask().pipe(Effect.provide(layer)), 200)
      assert.deepStrictEqual(tokenRequests().map(scopesOf), [["repository:a/b:pull,push"]])
      assert.strictEqual(
        yield* ask().pipe(Effect.provide(narrow.layer)),
        "request failed: unauthorized [http 403]: denied"
      )
      assert.strictEqual(narrow.asked.length, 1)
    })
  })

  it.effect("asks for other spellings of a scope to delete", () => {
    const { layer, tokenRequests } = world({
      token: ({ url }) => url.includes("delete") ? { status: 400 } : { body: "{\"token\":\"t\"}" }
    })
    const still = world({ opens: (token) => token === "t2" })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask({ method: "DELETE" }).pipe(Effect.provide(layer)), 200)
      assert.deepStrictEqual(tokenRequests().map(scopesOf), [["repository:a/b:pull,push,delete"], ["repository:a/b:*"]])
      assert.strictEqual(yield* ask({ method: "DELETE" }).pipe(Effect.provide(still.layer)), 200)
      assert.deepStrictEqual(still.tokenRequests().map(scopesOf), [["repository:a/b:pull,push,delete"], [
        "repository:a/b:*"
      ]])
    })
  })

  it.effect("keeps a login for each repository where that is configured", () => {
    const { layer, refusals } = world({}, { hosts: { "r.example.com": { repoAuth: true } } })
    return Effect.gen(function*() {
      for (const repository of ["a", "b", "a"]) yield* ask({ repository })
      assert.strictEqual(refusals().length, 2)
    }).pipe(Effect.provide(layer))
  })

  const faults: ReadonlyArray<readonly [string, Play, string, number]> = [
    ["a 4xx", { status: 400, body: "<html>" }, "unexpected http status code: Bad Request [http 400]: <html>", 1],
    ["a 5xx", { status: 500 }, "unexpected http status code: Internal Server Error [http 500]: ", 5],
    [
      "a redirect",
      { status: 302, headers: { location: "https://elsewhere/" } },
      "redirect of a token request not allowed",
      1
    ],
    ["a page", { body: "<html>login</html>" }, "unauthorized: no token in the answer", 1],
    ["no token", { body: "{\"token\":\"\"}" }, "unauthorized: no token in the answer", 1],
    ["a token that is no header", { body: "{\"token\":\"a\\r\\nb\"}" }, "unauthorized: no token in the answer", 1],
    ["an endless answer", { body: "x".repeat(1024 * 1024 + 1) }, "size limit exceeded: more than 1048576 bytes", 1]
  ]
  for (const [name, play, detail, requests] of faults) {
    it.effect(`names the realm when its service gives ${name}`, () => {
      const { layer, tokenRequests } = world({ token: () => play })
      return Effect.gen(function*() {
        const message = String(yield* running(ask()))
        assert.isTrue(message.startsWith(`failed to request auth token (get) from ${realm}: `), message)
        assert.include(message, detail)
        assert.strictEqual(tokenRequests().length, requests)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("refuses a realm that changes", () => {
    let asked = 0
    const { layer } = playback(({ headers, url }) => {
      if (url.includes("/token")) return { body: "{\"token\":\"t\"}" }
      if (headers["authorization"] !== undefined && asked++ === 0) return {}
      return {
        status: 401,
        headers: { "www-authenticate": asked === 0 ? bearer : "Bearer realm=\"https://evil/token\"" }
      }
    })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), 200)
      assert.include(String(yield* ask()), "invalid challenge header")
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets a realm elsewhere be no more local than its registry", () => {
    const { asked, layer } = playback(({ headers, url }) =>
      url.startsWith(realm)
        ? { body: "{\"token\":\"t\"}" }
        : headers["authorization"] === undefined
        ? { status: 401, headers: { "www-authenticate": bearer }, reach: "private" }
        : {}
    )
    return Effect.gen(function*() {
      yield* ask()
      assert.strictEqual(asked[1]?.request.reach, "private")
    }).pipe(Effect.provide(layer))
  })
})

describe("token services", () => {
  const local = (setting: Setting) => {
    const { asked, layer } = playback(({ headers, url }) =>
      url.startsWith(realm)
        ? { body: "{\"token\":\"t\"}" }
        : headers["authorization"] === undefined
        ? { status: 401, headers: { "www-authenticate": bearer }, reach: "public" }
        : {}, setting)
    return Effect.map(ask(), () => asked[1]?.request).pipe(Effect.provide(layer))
  }

  it.effect("may be local and have an authority of their own where they are configured", () =>
    Effect.gen(function*() {
      const request = yield* local({ hosts: { "auth.example.com": { certificates: ["PEM"] } } })
      assert.deepStrictEqual([request?.reach, request?.tls.certificates], [undefined, ["PEM"]])
    }))

  it.effect("may be local where the registry's entry trusts them", () =>
    Effect.gen(function*() {
      const request = yield* local({ hosts: { "r.example.com": { trustedRealms: ["https://auth.example.com"] } } })
      assert.isUndefined(request?.reach)
    }))

  it.effect("never see the registry's client certificate", () =>
    Effect.gen(function*() {
      const request = yield* local({ hosts: { "r.example.com": { clientCert: "C", clientKey: "K" } } })
      assert.deepStrictEqual(request?.tls, { mode: "enabled", certificates: [] })
    }))

  it.effect("are not asked again by each of many that wait for the same failure", () => {
    const { layer, tokenRequests } = world({ token: () => ({ status: 400, after: 1000 }) })
    return Effect.gen(function*() {
      const all = Effect.all(Array.from({ length: 8 }, () => ask()), { concurrency: 8 })
      assert.strictEqual((yield* running(all)).length, 8)
      assert.strictEqual(tokenRequests().length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("are asked by the next who waits when the first is interrupted", () => {
    const { layer } = world({ token: (_, index) => ({ body: `{"token":"t${index}"}`, after: 10_000 }) })
    return Effect.gen(function*() {
      const [first, second] = [yield* Effect.forkChild(ask()), yield* Effect.forkChild(ask())]
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* Fiber.join(second), 200)
    }).pipe(Effect.provide(layer))
  })
})

describe("uploads", () => {
  it.effect("are sent whole again when their token ended on the way", () => {
    let times = 0
    const { asked, layer } = world({ opens: (token, { method }) => method !== "PUT" || token !== "t1" || times++ > 0 })
    return Effect.gen(function*() {
      yield* ask({ method: "POST", path: "blobs/uploads/" })
      const pump = pumpOf(fromBytes(new TextEncoder().encode("blob")))
      const put = { method: "PUT", path: "blobs/uploads/1", body: { pump, size: 4 } } as const
      assert.strictEqual(yield* ask({ ...put, demand: { kind: "blob", size: 4 } }), 200)
      const bodies = asked.filter(({ method }) => method === "PUT").map((
        { body, headers }
      ) => [body, headers["authorization"]])
      assert.deepStrictEqual(bodies, [["blob", "Bearer t1"], ["blob", "Bearer t2"]])
    }).pipe(Effect.provide(layer))
  })
})

describe("basic", () => {
  const basic = "Basic realm=\"r\""
  const isRight = (sent: string) => sent === "Basic dTpw"

  it.effect("logs in beforehand once it is known", () => {
    const { layer, asked } = world({ challenge: basic, opens: isRight }, { credentials })
    return Effect.gen(function*() {
      for (const repository of ["a", "b"]) assert.strictEqual(yield* ask({ repository }), 200)
      assert.strictEqual(asked.length, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("says so when there is no login", () => {
    const { layer, asked } = world({ challenge: basic })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), "no credentials available: unauthorized [http 401]")
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("names where a wrong login came from", () => {
    const { layer, asked } = world({ challenge: basic, opens: () => false }, { credentials })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), "unauthorized [http 401] (credentials from config.json)")
      assert.strictEqual(asked.length, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is tried once where a 401 has no challenge", () => {
    const { layer, asked } = world({ challenge: [], opens: isRight }, { credentials })
    const none = world({ challenge: [] })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask().pipe(Effect.provide(layer)), 200)
      assert.strictEqual(asked.length, 2)
      assert.strictEqual(
        yield* ask().pipe(Effect.provide(none.layer)),
        "no credentials available: unauthorized [http 401]"
      )
    })
  })

  it.effect("gives way to bearer where both are offered and there is no login", () => {
    const { layer, tokenRequests } = world({ challenge: [`Negotiate, ${basic}`, bearer] })
    return Effect.gen(function*() {
      assert.strictEqual(yield* ask(), 200)
      assert.strictEqual(tokenRequests().length, 1)
    }).pipe(Effect.provide(layer))
  })

  for (const text of ["p\r\nX-Evil: 1", "p\0", "p\nq"]) {
    it.effect(`is refused with ${JSON.stringify(text)} in it`, () => {
      const login = { "r.example.com": { username: "u", password: Redacted.make(text) } }
      const { layer, asked } = world({ challenge: basic }, { credentials: login })
      return Effect.gen(function*() {
        assert.strictEqual(yield* ask(), "credentials from config.json contain a line break or NUL")
        assert.strictEqual(asked.length, 1)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("sends what is not ASCII as UTF-8", () => {
    const login = { "r.example.com": { username: "ü", password: Redacted.make("ß") } }
    const { layer } = world({ challenge: basic, opens: (sent) => sent === "Basic w7w6w58=" }, { credentials: login })
    return Effect.map(ask(), (it) => assert.strictEqual(it, 200)).pipe(Effect.provide(layer))
  })
})

describe("challenges", () => {
  it.effect("that are malformed end the request", () => {
    const { layer, asked } = world({ challenge: "Basic realm=\"a\" charset=\"b\"" }, { credentials })
    return Effect.gen(function*() {
      assert.strictEqual(
        yield* ask(),
        "failed to parse challenge header: Basic realm=\"a\" charset=\"b\": parsing failed: unauthorized [http 401]"
      )
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("of unknown schemes are not answered", () => {
    const { layer, asked } = world({ challenge: "Negotiate" }, { credentials })
    return Effect.gen(function*() {
      assert.include(String(yield* ask()), "unauthorized [http 401]")
      assert.strictEqual(asked.length, 1)
    }).pipe(Effect.provide(layer))
  })
})
