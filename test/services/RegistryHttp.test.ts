import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { StoreError } from "../../src/schemas/StoreError.ts"
import { storeError } from "../../src/schemas/StoreError.ts"
import { collect, fromBytes, fromPump, pumpOf } from "../../src/services/Bytes.ts"
import { RateLimiter } from "../../src/services/RateLimiter.ts"
import { RegistryHttp, type RegistryRequest } from "../../src/services/RegistryHttp.ts"
import { LongestRetryAfter } from "../../src/services/registryHttp/backoff.ts"
import { type Play, playback, type Script, type Setting } from "./registryHttp/playback.ts"

const secret = Redacted.make("secret")

const fromText = (text: string) => pumpOf(fromBytes(new TextEncoder().encode(text)))

const base: RegistryRequest = {
  registry: "r.example.com",
  repository: "a/b",
  method: "GET",
  path: "manifests/v1",
  demand: { kind: "manifest", size: 0 }
}

/** Runs one request to its end and tells what came, what was asked and how long it took. */
const run = (script: Script | ReadonlyArray<Play>, request: Partial<RegistryRequest> = {}, setting: Setting = {}) => {
  const { asked, layer, open } = playback(script, setting)
  const once = Effect.gen(function*() {
    const http = yield* RegistryHttp
    const { body, status, url } = yield* http.request({ ...base, ...request })
    const text = new TextDecoder().decode(yield* collect(fromPump(body), 1_000_000_000))
    return { status, text, url: url.href }
  }).pipe(Effect.scoped, Effect.result)
  return Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.zip(once, Clock.currentTimeMillis))
    for (let step = 0; step < 200 && fiber.pollUnsafe() === undefined; step++) yield* TestClock.adjust("1 second")
    const [result, time] = yield* Fiber.join(fiber)
    assert.strictEqual(open.now, 0)
    const error: StoreError | undefined = result._tag === "Failure" ? result.failure : undefined
    const answer = result._tag === "Success" ? result.success : undefined
    return { asked, answer, error, reason: error?.reason._tag, time, urls: asked.map((it) => it.url) }
  }).pipe(Effect.provide(layer))
}

const manifests = "https://r.example.com/v2/a/b/manifests/v1"

describe("urls", () => {
  const cases: ReadonlyArray<readonly [string, Partial<RegistryRequest>, Setting, string]> = [
    ["a repository", {}, {}, manifests],
    [
      "a prefix and a sorted query",
      { query: { n: "5", last: "a b", digest: "sha256:0" } },
      { hosts: { "r.example.com": { pathPrefix: "pre/fix" } } },
      "https://r.example.com/v2/pre/fix/a/b/manifests/v1?digest=sha256%3A0&last=a+b&n=5"
    ],
    ["Docker Hub", { registry: "docker.io" }, {}, "https://registry-1.docker.io/v2/a/b/manifests/v1"],
    [
      "plain http",
      { registry: "localhost:5000" },
      { hosts: { "localhost:5000": { tls: "disabled" } } },
      "http://localhost:5000/v2/a/b/manifests/v1"
    ],
    [
      "a mirror with the upstream's name",
      { mirrors: true, registry: "docker.io" },
      { hosts: { "docker.io": { mirrors: ["m.example.com"], hostname: "registry-1.docker.io" } } },
      "https://m.example.com/v2/a/b/manifests/v1?ns=registry-1.docker.io"
    ]
  ]
  for (const [name, request, setting, expected] of cases) {
    it.effect(`asks for ${name}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* run([{ body: "x" }], request, setting)).urls, [expected])
      }))
  }

  it.effect("asks for the catalog without a prefix", () =>
    Effect.gen(function*() {
      const { repository: _, ...catalog } = base
      const { asked, layer } = playback([{}], { hosts: { "r.example.com": { pathPrefix: "pre" } } })
      yield* Effect.scoped(Effect.flatMap(RegistryHttp, (http) => http.request({ ...catalog, path: "_catalog" })))
        .pipe(Effect.provide(layer))
      assert.strictEqual(asked[0]?.url, "https://r.example.com/v2/_catalog")
    }))
})

describe("failures", () => {
  const cases: ReadonlyArray<readonly [number, string, string, number]> = [
    [404, "NotFound", "request failed: not found [http 404]: {\"errors\":[]}\n", 1],
    [403, "Forbidden", "request failed: unauthorized [http 403]: {\"errors\":[]}\n", 1],
    [400, "HttpStatus", "request failed: unexpected http status code: Bad Request [http 400]: {\"errors\":[]}\n", 1],
    [
      501,
      "HttpStatus",
      "request failed: unexpected http status code: Not Implemented [http 501]: {\"errors\":[]}\n",
      1
    ],
    [
      500,
      "HttpStatus",
      "request failed: unexpected http status code: Internal Server Error [http 500]: {\"errors\":[]}\n",
      5
    ],
    [
      503,
      "HttpStatus",
      "request failed: unexpected http status code: Service Unavailable [http 503]: {\"errors\":[]}\n",
      5
    ],
    [
      408,
      "HttpStatus",
      "request failed: unexpected http status code: Request Timeout [http 408]: {\"errors\":[]}\n",
      5
    ],
    [522, "HttpStatus", "request failed: unexpected http status code:  [http 522]: {\"errors\":[]}\n", 5],
    [429, "RateLimited", "request failed: rate limit exceeded [http 429]: {\"errors\":[]}\n", 5]
  ]
  for (const [status, reason, message, attempts] of cases) {
    it.effect(`tells status ${status} after ${attempts} attempts`, () =>
      Effect.gen(function*() {
        const found = yield* run(() => ({ status, body: "{\"errors\":[]}\n" }))
        assert.deepStrictEqual([found.reason, found.error?.message, found.asked.length], [reason, message, attempts])
        assert.strictEqual(found.error?.reason.status, status)
      }))
  }

  const tags: ReadonlyArray<readonly [Play["fails"], number]> = [
    ["ConnectFailed", 5],
    ["ConnectionLost", 5],
    ["Timeout", 5],
    ["ProtocolError", 5],
    ["DnsFailed", 2],
    ["TlsFailed", 1],
    ["RedirectRefused", 1]
  ]
  for (const [fails, attempts] of tags) {
    it.effect(`makes ${attempts} attempts at ${fails}`, () =>
      Effect.gen(function*() {
        const found = yield* run(() => ({ fails: fails ?? "Timeout" }))
        assert.deepStrictEqual([found.reason, found.asked.length], [fails, attempts])
      }))
  }

  it.effect("waits 0.2 s, 0.4 s, 0.8 s and 1.6 s, varied by a fifth", () =>
    Effect.gen(function*() {
      const times: Array<number> = []
      const { asked, layer } = playback(() => ({ fails: "ConnectFailed" }))
      const fiber = yield* Effect.forkChild(
        Effect.scoped(Effect.flatMap(RegistryHttp, (http) => http.request(base))).pipe(
          Effect.exit,
          Effect.provide(layer)
        )
      )
      for (let step = 0; step < 50; step++) {
        times.push(...Array.from({ length: asked.length - times.length }, () => step * 100))
        yield* TestClock.adjust(100)
      }
      yield* Fiber.join(fiber)
      const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0))
      assert.strictEqual(waits.length, 4)
      for (const [index, expected] of [200, 400, 800, 1600].entries()) {
        const wait = waits[index] ?? 0
        assert.isTrue(wait >= expected * 0.8 - 100 && wait <= expected * 1.2 + 100, `${index}: ${wait}`)
      }
    }))

  it.effect("succeeds when a failure passes", () =>
    Effect.gen(function*() {
      const { answer, asked } = yield* run([{ fails: "ConnectionLost" }, { status: 502 }, { body: "here" }])
      assert.deepStrictEqual([answer?.text, asked.length], ["here", 3])
    }))

  it.effect("asks once for a probe", () =>
    Effect.gen(function*() {
      const { asked, reason } = yield* run(() => ({ status: 500 }), { isProbe: true })
      assert.deepStrictEqual([reason, asked.length], ["HttpStatus", 1])
    }))

  it.effect("hands on a status that the caller accepts", () =>
    Effect.gen(function*() {
      const { answer } = yield* run([{ status: 404, body: "none" }], { accept: [404] })
      assert.deepStrictEqual([answer?.status, answer?.text], [404, "none"])
    }))

  it.effect("escapes a body and reads no more than it shows", () =>
    Effect.gen(function*() {
      const { error } = yield* run([{ status: 400, body: `\u001b[31mfake\nlevel=ERROR \u202e${"x".repeat(100_000)}` }])
      assert.include(error?.message ?? "", "\\x1b[31mfake\\nlevel=ERROR \\u202exxx")
      assert.isBelow(error?.message.length ?? 0, 2_200)
    }))

  it.effect("refuses an encoded answer as a failed attempt", () =>
    Effect.gen(function*() {
      const found = yield* run([{ headers: { "content-encoding": "gzip" } }, {
        headers: { "content-encoding": "identity" }
      }])
      assert.deepStrictEqual([found.answer?.status, found.asked.length], [200, 2])
      assert.strictEqual(found.asked[0]?.headers["accept-encoding"], "identity")
      assert.strictEqual((yield* run(() => ({ headers: { "content-encoding": "gzip, br" } }))).reason, "ProtocolError")
    }))

  it.effect("fails a HEAD without traffic where it is disabled", () =>
    Effect.gen(function*() {
      const setting = { hosts: { "r.example.com": { apiOpts: { disableHead: "true" } } } }
      const { asked, error } = yield* run([], { method: "HEAD" }, setting)
      assert.strictEqual(error?.message, "head requests disabled for host \"r.example.com\": unsupported API")
      assert.strictEqual(asked.length, 0)
    }))

  it.effect("ends a wait at once when interrupted", () =>
    Effect.gen(function*() {
      const { asked, layer, open } = playback(() => ({ status: 503, headers: { "retry-after": "50" } }))
      yield* Effect.gen(function*() {
        const http = yield* RegistryHttp
        const fiber = yield* Effect.forkChild(Effect.scoped(http.request(base)))
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual([asked.length, open.now], [1, 0])
    }))
})

describe("retry-after", () => {
  const after = (value: string, status = 429): Play => ({ status, headers: { "retry-after": value } })

  it.effect("is waited for in seconds", () =>
    Effect.gen(function*() {
      const { answer, time } = yield* run([after("30"), {}])
      assert.deepStrictEqual([answer?.status, time >= 30_000 && time < 32_000], [200, true])
    }))

  it.effect("is waited for as a date", () =>
    Effect.gen(function*() {
      const { answer, time } = yield* run([after("Thu, 01 Jan 1970 00:00:20 GMT", 503), {}])
      assert.deepStrictEqual([answer?.status, time >= 20_000 && time < 22_000], [200, true])
    }))

  for (const value of ["-5", "soon", "Thu, 01 Jan 1960 00:00:20 GMT", ""]) {
    it.effect(`is the usual wait for ${JSON.stringify(value)}`, () =>
      Effect.gen(function*() {
        const { answer, time } = yield* run([after(value), {}])
        assert.deepStrictEqual([answer?.status, time <= 1_000], [200, true])
      }))
  }

  it.effect("is not waited for above a minute", () =>
    Effect.gen(function*() {
      const { asked, error, time } = yield* run([after("3600", 503)])
      assert.deepStrictEqual([error?.reason._tag, error?.reason.retryAfter, asked.length, time], [
        "RateLimited",
        3_600_000,
        1,
        0
      ])
      assert.include(error?.message ?? "", "try again in 3600 s")
    }))

  it.effect("may be longer where it is said so", () =>
    Effect.gen(function*() {
      const { answer, time } = yield* run([after("120"), {}]).pipe(Effect.provideService(LongestRetryAfter, 600_000))
      assert.deepStrictEqual([answer?.status, time >= 120_000], [200, true])
    }))
})

describe("mirrors", () => {
  const setting: Setting = { hosts: { "r.example.com": { mirrors: ["m1", "m2"] }, m1: {}, m2: {} } }
  const hosts = (urls: ReadonlyArray<string>) => urls.map((url) => new URL(url).hostname)

  it.effect("are asked in turn, the upstream last", () =>
    Effect.gen(function*() {
      const found = yield* run([{ status: 404 }, { fails: "TlsFailed" }, { body: "up" }], { mirrors: true }, setting)
      assert.deepStrictEqual([found.answer?.text, hosts(found.urls)], ["up", ["m1", "m2", "r.example.com"]])
    }))

  it.effect("are left out of writes", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(hosts((yield* run([{}], { method: "PUT" }, setting)).urls), ["r.example.com"])
    }))

  it.effect("are not waited for while another answers, and end after six attempts in all", () =>
    Effect.gen(function*() {
      const found = yield* run([{ status: 500 }, { body: "m2" }], { mirrors: true }, setting)
      assert.deepStrictEqual([found.answer?.text, found.time], ["m2", 0])
      const down = yield* run(() => ({ fails: "ConnectFailed" }), { mirrors: true }, setting)
      assert.strictEqual(down.asked.length, 6)
      assert.include(down.error?.message ?? "", "retry limit exceeded: ")
    }))

  it.effect("tell the upstream's word when all failed", () =>
    Effect.gen(function*() {
      const script: Script = ({ url }) =>
        url.includes("r.example.com") ? { status: 404, body: "gone" } : { status: 403 }
      assert.strictEqual((yield* run(script, { mirrors: true }, setting)).reason, "NotFound")
    }))
})

describe("redirects", () => {
  const to = (location: string, status = 307, reach?: Play["reach"]): Play => ({
    status,
    headers: { location },
    ...(reach === undefined ? {} : { reach })
  })
  const sent = { headers: { accept: "x", authorization: "mine", cookie: "c", range: "bytes=0-1" } }

  it.effect("are followed elsewhere without credentials", () =>
    Effect.gen(function*() {
      const { answer, asked } = yield* run([to("https://cdn.example.net/x?sig=1", 307, "public"), { body: "y" }], sent)
      assert.deepStrictEqual([answer?.text, answer?.url], ["y", "https://cdn.example.net/x?sig=1"])
      assert.deepStrictEqual(Object.keys(asked[1]?.headers ?? {}).sort(), [
        "accept",
        "accept-encoding",
        "range",
        "user-agent"
      ])
      assert.strictEqual(asked[1]?.request.reach, "public")
    }))

  it.effect("keep what belongs to the origin within it", () =>
    Effect.gen(function*() {
      const { asked } = yield* run([to("/v2/a/c/manifests/v1"), { body: "y" }], sent)
      assert.strictEqual(asked[1]?.headers["cookie"], "c")
      assert.isUndefined(asked[1]?.request.reach)
    }))

  it.effect("may lead to a host with an entry of its own, however local", () =>
    Effect.gen(function*() {
      const { asked } = yield* run([to("https://127.0.0.1:9/x", 307, "public"), {}], {}, {
        hosts: { "127.0.0.1:9": { tls: "insecure" } }
      })
      assert.deepStrictEqual([asked[1]?.request.reach, asked[1]?.request.tls.mode], [undefined, "insecure"])
    }))

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["http://r.example.com/x", "redirect from an https to non-https server is not allowed (http://r.example.com/x)"],
    ["file:///etc/passwd", "redirect to file: not allowed (file:/etc/passwd)"],
    ["data:text/plain,x", "redirect to data: not allowed (data:text/plain,x)"],
    ["https://u:p@h/x", "redirect with user information not allowed (https://h/x)"],
    ["", `redirect without a usable location not allowed (${manifests})`],
    ["https://[broken", `redirect without a usable location not allowed (${manifests})`]
  ]
  for (const [location, detail] of refused) {
    it.effect(`to ${JSON.stringify(location)} are refused`, () =>
      Effect.gen(function*() {
        const { asked, error } = yield* run([to(location)])
        assert.deepStrictEqual([error?.reason._tag, error?.message, asked.length], [
          "RedirectRefused",
          `request failed: ${detail}`,
          1
        ])
      }))
  }

  it.effect("end after ten", () =>
    Effect.gen(function*() {
      const { asked, reason } = yield* run(() => to("/again"))
      assert.deepStrictEqual([reason, asked.length], ["TooManyRedirects", 11])
    }))

  it.effect("repeat a write at 307, and never make a GET of it, which would prove nothing", () =>
    Effect.gen(function*() {
      const body = new TextEncoder().encode("body")
      const repeated = yield* run([to("/x", 307), {}], { method: "POST", body })
      assert.deepStrictEqual(repeated.asked.map((it) => `${it.method} ${it.body}`), ["POST body", "POST body"])
      for (const status of [301, 302, 303]) {
        for (const method of ["POST", "PUT", "PATCH", "DELETE"] as const) {
          const { asked, error } = yield* run([to("/x", status), {}], { method })
          assert.deepStrictEqual([error?.reason._tag, asked.length], ["RedirectRefused", 1])
          assert.match(error?.message ?? "", new RegExp(`redirect of a ${method} by status ${status} not allowed`))
        }
      }
    }))

  it.effect("take the body of an upload elsewhere, and no other", () =>
    Effect.gen(function*() {
      const body = { pump: fromText("blob"), size: 4 }
      const blob = yield* run([to("https://cdn/x"), { status: 201 }], {
        method: "PUT",
        body,
        demand: { kind: "blob", size: 4 }
      })
      assert.deepStrictEqual(blob.asked.map((it) => it.body), ["blob", "blob"])
      const manifest = yield* run([to("https://cdn/x")], { method: "PUT", body })
      assert.deepStrictEqual([manifest.reason, manifest.asked.length], ["RedirectRefused", 1])
    }))

  it.effect("are asked for again once when their signature expired", () =>
    Effect.gen(function*() {
      const good = yield* run([to("https://cdn/1"), { status: 403 }, to("https://cdn/2"), { body: "z" }])
      assert.deepStrictEqual([good.answer?.text, good.asked.length], ["z", 4])
      const bad = yield* run(({ url }) => url.includes("cdn") ? { status: 403 } : to("https://cdn/1"))
      assert.deepStrictEqual([bad.reason, bad.asked.length], ["Forbidden", 4])
    }))

  it.effect("never offer a login elsewhere", () =>
    Effect.gen(function*() {
      const challenge = { "www-authenticate": "Basic realm=\"x\"" }
      const { asked } = yield* run(
        ({ url, headers }) =>
          url.includes("cdn") || headers["authorization"] === undefined
            ? { status: 401, headers: challenge }
            : to("https://cdn/1"),
        {},
        { credentials: { "r.example.com": { username: "u", password: secret } } }
      )
      for (const { headers, url } of asked) if (url.includes("cdn")) assert.isUndefined(headers["authorization"])
    }))
})

describe("locations", () => {
  it.effect("on another origin are asked without credentials, and their 401 is final", () =>
    Effect.gen(function*() {
      const url = new URL("https://upload.example.net/x?sig=1")
      const body = new TextEncoder().encode("b")
      const { asked, reason } = yield* run(
        [{ status: 401, headers: { "www-authenticate": "Basic realm=x" } }],
        { url, method: "PUT", body },
        { credentials: { "r.example.com": { username: "u", password: secret } } }
      )
      assert.deepStrictEqual([reason, asked.length, asked[0]?.request.reach], ["Unauthorized", 1, "public"])
    }))

  it.effect("of the same host keep their encryption", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* run([{}], { url: new URL("http://r.example.com/u?s=%2f") })).urls, [
        "https://r.example.com/u?s=%2f"
      ])
    }))

  it.effect("elsewhere without encryption are refused", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run([], { url: new URL("http://other/u") })).reason, "RedirectRefused")
    }))
})

describe("bodies sent", () => {
  it.effect("are run anew for each attempt", () =>
    Effect.gen(function*() {
      const { asked } = yield* run([{ status: 500 }, { status: 201 }], {
        method: "PUT",
        body: { pump: fromText("again"), size: 5 }
      })
      assert.deepStrictEqual(asked.map((it) => it.body), ["again", "again"])
    }))

  it.effect("that fail by themselves are not tried again", () =>
    Effect.gen(function*() {
      const pump = () => Effect.fail(storeError("source", "ConnectionLost", "gone"))
      const { error } = yield* run([], { method: "PUT", body: { pump, size: 5 } })
      assert.strictEqual(error?.message, "source: gone")
    }))
})

describe("bodies received", () => {
  const resume = { from: 0, size: 10 }
  const part = (range: string, body: string, breaks?: Play["breaks"]): Play => ({
    status: 206,
    headers: { "content-range": range },
    body,
    ...(breaks === undefined ? {} : { breaks })
  })
  const cases: ReadonlyArray<
    readonly [string, ReadonlyArray<Play>, string | undefined, ReadonlyArray<string | undefined>]
  > = [
    ["whole", [{ body: "0123456789" }], "0123456789", [undefined]],
    [
      "continued where they broke off",
      [{ body: "0123", breaks: "ConnectionLost" }, part("bytes 4-9/10", "456789")],
      "0123456789",
      [undefined, "bytes=4-9"]
    ],
    [
      "continued after a stall and a short end",
      [{ body: "0", breaks: "Timeout" }, part("bytes 1-9/10", "12345678"), part("bytes 9-9/10", "9")],
      "0123456789",
      [undefined, "bytes=1-9", "bytes=9-9"]
    ],
    [
      "skipped as far as they came when the server starts over",
      [{ body: "0123", breaks: "ConnectionLost" }, { body: "0123456789" }],
      "0123456789",
      [undefined, "bytes=4-9"]
    ],
    [
      "begun anew after a wrong range",
      [{ body: "0123", breaks: "ConnectionLost" }, part("bytes 0-9/10", "x"), { body: "0123456789" }],
      "0123456789",
      [undefined, "bytes=4-9", undefined]
    ],
    [
      "begun anew after another total",
      [{ body: "0123", breaks: "ConnectionLost" }, part("bytes 4-9/11", "x"), { body: "0123456789" }],
      "0123456789",
      [undefined, "bytes=4-9", undefined]
    ],
    ["handed on when too long", [{ body: "0123456789xx" }], "0123456789xx", [undefined]],
    ["given up when nothing more is there", [{ body: "0123" }, { status: 416 }], undefined, [undefined, "bytes=4-9"]]
  ]
  for (const [name, script, text, ranges] of cases) {
    it.effect(`are ${name}`, () =>
      Effect.gen(function*() {
        const { answer, asked } = yield* run(script, { resume, path: "blobs/x", demand: { kind: "blob", size: 10 } })
        assert.strictEqual(answer?.text, text)
        assert.deepStrictEqual(asked.map(({ headers }) => headers["range"]), [...ranges])
      }))
  }

  it.effect("are given up after five attempts that brought nothing", () =>
    Effect.gen(function*() {
      const { asked, reason } = yield* run(() => ({ body: "", breaks: "ConnectionLost" }), { resume })
      assert.deepStrictEqual([reason, asked.length], ["ConnectionLost", 5])
    }))

  it.effect("go on for as long as each attempt brings a mebibyte", () =>
    Effect.gen(function*() {
      const size = 12 * 1024 * 1024
      const { answer, asked } = yield* run(({ headers }) => {
        const from = Number(/\d+/.exec(String(headers["range"] ?? "0"))?.[0])
        return {
          ...part(`bytes ${from}-${size - 1}/${size}`, "x".repeat(1024 * 1024), "ConnectionLost"),
          ...(from === 0 ? { status: 200 } : {})
        }
      }, { resume: { from: 0, size } })
      assert.deepStrictEqual([answer?.text.length, asked.length], [size, 12])
    }))

  it.effect("may be a part, cut from a server that knows no ranges", () =>
    Effect.gen(function*() {
      const { answer, asked } = yield* run([{ body: "0123456789" }], { resume: { from: 3, size: 6 } })
      assert.deepStrictEqual([answer?.text, asked[0]?.headers["range"]], ["345", "bytes=3-5"])
    }))

  it.effect("end with what their reader fails with, at once", () =>
    Effect.gen(function*() {
      const { asked, layer } = playback(() => ({ body: "0123456789" }))
      const error = yield* Effect.gen(function*() {
        const { body } = yield* (yield* RegistryHttp).request({ ...base, resume })
        return yield* Effect.flip(body(() => {
          throw storeError("", "SizeMismatch", "mine")
        }))
      }).pipe(Effect.scoped, Effect.provide(layer))
      assert.deepStrictEqual([error.message, asked.length], ["mine", 1])
    }))
})

describe("answers", () => {
  it.effect("tell their quota", () =>
    Effect.gen(function*() {
      const { layer } = playback([{
        headers: { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" }
      }])
      yield* Effect.gen(function*() {
        yield* Effect.scoped(Effect.flatMap(RegistryHttp, (http) => http.request({ ...base, method: "HEAD" })))
        const { quota } = yield* RateLimiter
        assert.deepStrictEqual(Option.getOrThrow(yield* quota("r.example.com")), {
          limit: 100,
          remaining: 76,
          reset: 0,
          isSet: true,
          policies: ["100;w=21600"]
        })
      }).pipe(Effect.provide(layer))
    }))

  it.effect("hold a place until their scope ends", () =>
    Effect.gen(function*() {
      const { asked, layer } = playback(() => ({}), { hosts: { "r.example.com": { reqConcurrent: 1 } } })
      yield* Effect.gen(function*() {
        const http = yield* RegistryHttp
        const held = Effect.scoped(Effect.andThen(http.request(base), Effect.sleep("5 seconds")))
        const fiber = yield* Effect.forkChild(Effect.all([held, held], { concurrency: 2 }))
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(asked.length, 1)
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(fiber)
        assert.strictEqual(asked.length, 2)
      }).pipe(Effect.provide(layer))
    }))
})
