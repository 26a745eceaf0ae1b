import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import { connect } from "node:net"
import { SyncEvent } from "../../../src/schemas/Sync.ts"
import { ask, raw } from "../serve/serving.ts"
import { readExposition } from "./strictPrometheus.ts"
import { blob, configuredWith, copying, ended, jobOf, pairOf, watching, type WatchingOptions } from "./watching.ts"

const two = configuredWith(jobOf("alpine"), jobOf("a/b c"))

/** The server once it has seen some events; what is told is seen in order. */
const seeing = (options: WatchingOptions, ...events: ReadonlyArray<SyncEvent>) =>
  Effect.gen(function*() {
    const server = yield* watching(options)
    yield* server.tell(...events, SyncEvent.Limited({ registry: "last.test", remaining: 1, limit: 1 }))
    yield* Effect.promise(() => reading(`${server.url}/api/v1/events`, (text) => text.includes("last.test")))
    return server
  })

/** What an event stream says until it says what is waited for, or ends. */
const reading = async (url: string, isEnough: (text: string) => boolean): Promise<string> => {
  const response = await fetch(url)
  let text = ""
  const decoder = new TextDecoder()
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true })
    if (isEnough(text)) break
  }
  return text
}

/** Does something at each of these words of the event stream, in their order; what was said until the last of them. */
const answering = (url: string, script: ReadonlyArray<readonly [string, Effect.Effect<unknown>]>) =>
  Effect.promise(() => {
    const left = [...script]
    return reading(`${url}/api/v1/events`, (text) => {
      const [next] = left
      if (next !== undefined && text.includes(next[0])) {
        left.shift()
        Effect.runSync(next[1])
      }
      return left.length === 0
    })
  })

interface Told {
  readonly jobs: ReadonlyArray<{ readonly name: string; readonly copying: ReadonlyArray<object> }>
}

const dataOf = (text: string, event: string): ReadonlyArray<Told> =>
  [...text.matchAll(new RegExp(`^event: ${event}\ndata: (.*)$`, "gm"))].map(([, data = ""]) => JSON.parse(data))

const bearer = (token: string) => ({ method: "POST", headers: { authorization: `Bearer ${token}` } })

describe("the status server", () => {
  it.live("is healthy at once, and ready after the first pass", () =>
    Effect.gen(function*() {
      const before = yield* seeing({}, two)
      assert.strictEqual((yield* ask(`${before.url}/healthz`)).text, "ok\n")
      const unready = yield* ask(`${before.url}/readyz`)
      assert.deepStrictEqual([unready.status, unready.text], [503, "the first pass has not ended\n"])
      const after = yield* seeing({}, two, SyncEvent.Ready({ time: 1 }))
      const ready = yield* ask(`${after.url}/readyz`)
      assert.deepStrictEqual([ready.status, ready.text], [200, "ready\n"])
    }).pipe(Effect.scoped))

  it.live("gives metrics in the text format of Prometheus", () =>
    Effect.gen(function*() {
      const { url } = yield* seeing({}, two, ended("alpine", "1"))
      const { headers, text } = yield* ask(`${url}/metrics`)
      assert.strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      assert.deepStrictEqual(readExposition(text).get("regsync_images_total")?.samples, [
        { name: "regsync_images_total", labels: { job: "alpine", outcome: "copied" }, value: 1 }
      ])
    }).pipe(Effect.scoped))

  it.live("lists jobs, with what they do and what failed", () =>
    Effect.gen(function*() {
      const failure = {
        outcome: "failed",
        error: "get https://ada:secret@r.test/v2/: refused",
        reason: "ConnectFailed",
        bytes: 0
      } as const
      const { url } = yield* seeing(
        { token: "s3cret" },
        two,
        SyncEvent.JobStarted({ job: "alpine", action: "missing", time: 5000 }),
        ended("alpine", "1"),
        ended("alpine", "2", failure),
        SyncEvent.JobEnded({ job: "alpine", failures: 1, elapsed: 1500, time: 6500 }),
        SyncEvent.Scheduled({ job: "alpine", next: 1_800_000_000_000 }),
        SyncEvent.JobStarted({ job: "alpine", action: "copy", time: 7000 }),
        SyncEvent.Listed({ job: "alpine", pairs: 9 }),
        SyncEvent.PairStarted({ ...pairOf("alpine", "3"), time: 7100 }),
        copying("alpine", "3", blob("1", 400).planned)
      )
      const answer = yield* ask(`${url}/api/v1/jobs`)
      const { time: _, began: __, ...state } = JSON.parse(answer.text)
      assert.deepStrictEqual(state.jobs[0], {
        name: "alpine",
        source: "docker.io/library/alpine",
        target: "registry:5000/mirror/alpine",
        type: "repository",
        schedule: "@every 1h",
        state: "running",
        current: {
          began: "1970-01-01T00:00:07.000Z",
          action: "copy",
          elapsed: 0,
          pairs: 0,
          copied: 0,
          stale: 0,
          failures: 0,
          bytes: 0,
          saved: 0
        },
        listed: 9,
        next: "2027-01-15T08:00:00.000Z",
        copying: [{
          source: "docker.io/library/alpine:3",
          target: "registry:5000/mirror/alpine:3",
          began: "1970-01-01T00:00:07.100Z",
          total: 400,
          done: 0,
          moved: 0
        }],
        runs: [{
          began: "1970-01-01T00:00:05.000Z",
          action: "missing",
          elapsed: 1500,
          pairs: 2,
          copied: 1,
          stale: 0,
          failures: 1,
          bytes: 1000,
          saved: 400
        }]
      })
      assert.deepStrictEqual([state.tool, state.version, state.canRun, state.ready], ["regsync", "v1.2.3", true, true])
      assert.deepStrictEqual(state.failures, [{
        time: "1970-01-01T00:00:10.250Z",
        job: "alpine",
        source: "docker.io/library/alpine:2",
        target: "registry:5000/mirror/alpine:2",
        error: "get https://[censored]@r.test/v2/: refused",
        reason: "ConnectFailed"
      }])
      assert.notInclude(answer.text, "s3cret")
    }).pipe(Effect.scoped))

  it.live("gives one job by its name, with all its runs", () =>
    Effect.gen(function*() {
      const runs = Array.from(
        { length: 60 },
        (_, at) => SyncEvent.JobEnded({ job: "a/b c", failures: 0, elapsed: 1, time: at })
      )
      const { url } = yield* seeing({}, two, ...runs)
      const job = JSON.parse((yield* ask(`${url}/api/v1/jobs/a%2Fb%20c`)).text)
      assert.deepStrictEqual([job.name, job.runs.length], ["a/b c", 60])
      const all = JSON.parse((yield* ask(`${url}/api/v1/jobs`)).text)
      assert.strictEqual(all.jobs[1].runs.length, 40)
      assert.strictEqual((yield* ask(`${url}/api/v1/jobs/other`)).status, 404)
      assert.strictEqual((yield* ask(`${url}/api/v1/jobs/%ff`)).status, 404)
    }).pipe(Effect.scoped))

  it.live("tells what changes as it changes", () =>
    Effect.gen(function*() {
      const { tell, url } = yield* watching()
      yield* tell(two)
      const moved = { bytes: 0 }
      const layer = blob("1", 100)
      const begins = tell(
        SyncEvent.JobStarted({ job: "alpine", action: "copy", time: 1 }),
        SyncEvent.PairStarted({ ...pairOf("alpine", "3"), time: 2 }),
        copying("alpine", "3", layer.planned),
        copying("alpine", "3", layer.started(moved))
      )
      const text = yield* answering(url, [
        ["event: state", begins],
        // No event tells of this.
        ["\"total\":100", Effect.sync(() => void (moved.bytes = 60))],
        ["\"done\":60", Effect.void]
      ])
      const [whole] = dataOf(text, "state")
      assert.deepStrictEqual(whole?.jobs.map(({ name }) => name), ["alpine", "a/b c"])
      const last = dataOf(text, "change").at(-1)
      assert.deepStrictEqual(last?.jobs.map(({ name }) => name), ["alpine"])
      assert.deepInclude(last?.jobs[0]?.copying[0], { total: 100, done: 60, moved: 60 })
    }).pipe(Effect.scoped))

  it.live("tells everything anew when the configuration is new", () =>
    Effect.gen(function*() {
      const { tell, url } = yield* watching()
      yield* tell(two)
      const text = yield* answering(url, [
        ["event: state", tell(configuredWith(jobOf("golang")))],
        ["golang", Effect.void]
      ])
      const states = dataOf(text, "state")
      assert.deepStrictEqual(
        states.at(-1)?.jobs.map(({ name }) => name),
        ["golang"]
      )
    }).pipe(Effect.scoped))

  it.live("ends event streams when it ends, without waiting for their readers", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(watching(), scope)
      const closed = yield* Deferred.make<void>()
      const close = Effect.andThen(Scope.close(scope, Exit.void), Deferred.succeed(closed, undefined))
      const text = yield* answering(url, [["event: state", Effect.forkDetach(close)], ["never said", Effect.void]])
      yield* Deferred.await(closed)
      assert.include(text, "event: state")
    }))

  it.live("reads event streams to 100 at once", () =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      const { hostname, port } = new URL(url)
      const sockets = Array.from({ length: 100 }, () => connect(Number(port), hostname))
      yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
      yield* Effect.promise(() =>
        Promise.all(sockets.map((socket) =>
          new Promise((resolve) => {
            let text = ""
            socket.on("data", (part) => {
              text += part.toString()
              if (text.includes("event: state")) resolve(undefined)
            })
            socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
          })
        ))
      )
      const refused = yield* ask(`${url}/api/v1/events`)
      assert.deepStrictEqual([refused.status, refused.headers.get("retry-after")], [503, "10"])
      const gone = new Promise((resolve) => sockets[0]?.on("close", resolve))
      sockets[0]?.destroy()
      yield* Effect.promise(() => gone)
      const again = Effect.promise(() => reading(`${url}/api/v1/events`, (text) => text.includes("event: state")))
      assert.include(yield* Effect.repeat(again, { until: (text) => text.includes("event: state") }), "event: state")
    }).pipe(Effect.scoped))
})

describe("starting a run", () => {
  const path = "/api/v1/jobs/a%2Fb%20c/run"
  const wishes: ReadonlyArray<readonly [string, string, string, RequestInit, number, object]> = [
    [
      "nobody while no token is configured",
      "",
      path,
      bearer("x"),
      403,
      { error: "runs cannot be asked for: no token is configured" }
    ],
    ["nobody without a token", "s3cret", path, { method: "POST" }, 401, { error: "a valid token is needed" }],
    ["nobody with another token", "s3cret", path, bearer("s3cres"), 401, { error: "a valid token is needed" }],
    ["nobody with a part of it", "s3cret", path, bearer("s3cre"), 401, { error: "a valid token is needed" }],
    ["nobody with an empty token", "s3cret", path, bearer(""), 401, { error: "a valid token is needed" }],
    ["who has the token", "s3cret", path, bearer("s3cret"), 202, { job: "a/b c", started: true }],
    ["who has the token of a file with a line break", "s3cret\n", path, bearer("s3cret"), 202, {
      job: "a/b c",
      started: true
    }],
    ["nobody while the token is blank", " \n", path, bearer("x"), 403, {
      error: "runs cannot be asked for: no token is configured"
    }],
    ["no unknown entry", "s3cret", "/api/v1/jobs/other/run", bearer("s3cret"), 404, { error: "no such entry" }],
    ["no entry at work", "s3cret", "/api/v1/jobs/alpine/run", bearer("s3cret"), 409, {
      error: "the entry is at work already"
    }]
  ]
  it.live.each(wishes)(
    "is for %s",
    ([, token, where, init, status, body]) =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        const runNow = (job: string) =>
          Effect.sync(() => {
            asked.push(job)
            return job === "alpine" ? "running" as const : "started" as const
          })
        const { url } = yield* seeing({ token, runNow }, two)
        const answer = yield* ask(`${url}${where}`, init)
        assert.deepStrictEqual([answer.status, JSON.parse(answer.text)], [status, body])
        assert.strictEqual(answer.headers.get("www-authenticate"), status === 401 ? "Bearer realm=\"regsync\"" : null)
        assert.deepStrictEqual(asked, status === 202 ? ["a/b c"] : status === 409 ? ["alpine"] : [])
      }).pipe(Effect.scoped)
  )

  it.live("needs no body, and ends the connection of one", () =>
    Effect.gen(function*() {
      const { url } = yield* seeing({ token: "s3cret" }, two)
      const text = yield* raw(
        url,
        "POST /api/v1/jobs/alpine/run HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\n" +
          "Content-Length: 1000000\r\n\r\nonly some of it"
      )
      assert.match(text, /^HTTP\/1\.1 202 /)
      assert.match(text, /\r\nconnection: close\r\n/i)
    }).pipe(Effect.scoped))
})

describe("what a browser may do with the status server", () => {
  it.live("is to show its page with its own script and style, in no frame", () =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      const { headers, status, text } = yield* ask(`${url}/`)
      assert.deepStrictEqual([status, headers.get("content-type")], [200, "text/html; charset=utf-8"])
      const policy = headers.get("content-security-policy") ?? ""
      assert.match(policy, /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; /)
      assert.include(policy, "frame-ancestors 'none'")
      assert.notMatch(policy, /unsafe|\*/)
      // Nothing of the page comes from elsewhere.
      assert.notMatch(text, /\b(?:src|href)="(?:https?:)?\/\//)
      assert.isBelow(text.length, 60_000)
    }).pipe(Effect.scoped))

  const paths = ["/", "/healthz", "/metrics", "/api/v1/jobs", "/nowhere"]
  it.live.each(paths)("is not to guess, cache, embed or share what is at %s", (path) =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      const { headers } = yield* ask(`${url}${path}`, { headers: { origin: "https://evil.test" } })
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(headers.get("cache-control"), "no-store")
      assert.strictEqual(headers.get("cross-origin-resource-policy"), "same-origin")
      assert.strictEqual(headers.get("referrer-policy"), "no-referrer")
      assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'; /)
      assert.deepStrictEqual([...headers.keys()].filter((it) => it.startsWith("access-control")), [])
    }).pipe(Effect.scoped))

  const hosts: ReadonlyArray<readonly [string, number]> = [
    ["localhost", 200],
    ["localhost:9999", 200],
    ["LOCALHOST.", 200],
    ["127.0.0.1:8080", 200],
    ["127.1.2.3", 200],
    ["[::1]:8080", 200],
    ["evil.test", 421],
    ["localhost.evil.test", 421],
    ["127.0.0.1.evil.test:8080", 421],
    ["192.168.1.4", 421],
    ["[::2]", 421],
    ["evil.test:80@localhost", 421]
  ]
  it.live.each(hosts)("by the name %s is answered with %i at loopback", ([host, status]) =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      const text = yield* raw(url, `GET /api/v1/jobs HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    }).pipe(Effect.scoped))

  it.live("by a strange name in the request line is as little answered", () =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      const text = yield* raw(
        url,
        "GET http://evil.test/api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      )
      assert.match(text, /^HTTP\/1\.1 421 /)
    }).pipe(Effect.scoped))

  it.live("by any name is answered where others are to reach it", () =>
    Effect.gen(function*() {
      const { url } = yield* watching({ listen: "0.0.0.0:0" })
      const there = url.replace("0.0.0.0", "127.0.0.1")
      const text = yield* raw(there, "GET /healthz HTTP/1.1\r\nHost: status.test\r\nConnection: close\r\n\r\n")
      assert.match(text, /^HTTP\/1\.1 200 /)
    }).pipe(Effect.scoped))
})

describe("requests to the status server", () => {
  const wrong: ReadonlyArray<readonly [string, string, number, string | null]> = [
    ["GET", "/nowhere", 404, null],
    ["GET", "/api/v1/jobs/", 404, null],
    ["GET", "/%2e%2e/etc/passwd", 404, null],
    ["POST", "/", 405, "GET, HEAD"],
    ["DELETE", "/api/v1/jobs", 405, "GET, HEAD"],
    ["PUT", "/metrics", 405, "GET, HEAD"],
    ["GET", "/api/v1/jobs/alpine/run", 405, "POST"],
    ["OPTIONS", "/api/v1/jobs/alpine/run", 405, "POST"]
  ]
  it.live.each(wrong)("%s %s are refused with %i", ([method, path, status, allow]) =>
    Effect.gen(function*() {
      const { url } = yield* watching({ token: "s3cret" })
      const answer = yield* ask(`${url}${path}`, { method })
      assert.deepStrictEqual([answer.status, answer.headers.get("allow")], [status, allow])
    }).pipe(Effect.scoped))

  it.live("with HEAD have the headers alone", () =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      for (const path of ["/", "/metrics", "/api/v1/events"]) {
        const answer = yield* ask(`${url}${path}`, { method: "HEAD" })
        assert.deepStrictEqual([answer.status, answer.text], [200, ""])
      }
    }).pipe(Effect.scoped))

  it.live("with a query mean what they mean without", () =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      assert.strictEqual((yield* ask(`${url}/healthz?probe=1`)).text, "ok\n")
    }).pipe(Effect.scoped))
})

describe("the address to listen on", () => {
  const addresses: ReadonlyArray<readonly [string, RegExp]> = [
    ["127.0.0.1:0", /^http:\/\/127\.0\.0\.1:\d+$/],
    [":0", /^http:\/\/127\.0\.0\.1:\d+$/],
    ["0", /^http:\/\/127\.0\.0\.1:\d+$/],
    ["localhost:0", /^http:\/\/localhost:\d+$/],
    ["0.0.0.0:0", /^http:\/\/0\.0\.0\.0:\d+$/]
  ]
  it.live.each(addresses)("is taken as %s", ([listen, expected]) =>
    Effect.gen(function*() {
      assert.match((yield* watching({ listen })).url, expected)
    }).pipe(Effect.scoped))

  for (const listen of ["", "nonsense", "127.0.0.1", "127.0.0.1:99999", "host name:80", "http://localhost:80"]) {
    it.live(`is not "${listen}"`, () =>
      Effect.gen(function*() {
        const { message } = yield* Effect.flip(watching({ listen }))
        assert.strictEqual(message, `invalid address to listen on "${listen}", expected host:port`)
      }).pipe(Effect.scoped))
  }

  it.live("that is taken is said to be so", () =>
    Effect.gen(function*() {
      const { url } = yield* watching()
      const { message } = yield* Effect.flip(watching({ listen: new URL(url).host }))
      assert.match(message, /address already in use/)
    }).pipe(Effect.scoped))
})
