import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Logger, References, Stdio } from "effect"
import { TestConsole } from "effect/testing"
import { layer as listener } from "../../../src/layers/Server.ts"
import { run, type ServeInput } from "../../../src/programs/serve/main.ts"
import { serve } from "../../../src/programs/serve/start.ts"
import { ask, digestOf, layoutsLayer, memoryLayer, pushImage, serving } from "./serving.ts"

const input: ServeInput = { addr: "127.0.0.1:0", readOnly: false, allowAnonymous: false }

const started = (options: Partial<ServeInput>, isTerminal = false) =>
  run({ ...input, ...options }).pipe(
    Effect.provide(Stdio.layerTest({ stderrIsTerminal: Effect.succeed(isTerminal) })),
    Effect.provide([listener, NodeServices.layer, memoryLayer]),
    Effect.provideService(References.MinimumLogLevel, "None")
  )

describe("regctl serve", () => {
  const addresses: ReadonlyArray<readonly [Partial<ServeInput>, string]> = [
    [{ addr: ":0" }, "can be reached from other machines"],
    [{ addr: "0.0.0.0:0" }, "can be reached from other machines"],
    [{ addr: "[::]:0" }, "can be reached from other machines"],
    [{ addr: "127.0.0.1" }, "invalid address \"127.0.0.1\", expected host:port"],
    [{ addr: "127.0.0.1:70000" }, "invalid address"],
    [{ tlsCert: "cert.pem" }, "--tls-cert and --tls-key belong together"],
    [{ htpasswd: "/nowhere/htpasswd" }, "/nowhere/htpasswd"]
  ]
  it.live.each(addresses)("does not start with %j (R01)", ([options, message]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(started(options))
      assert.include(error.message, message)
    }))

  it.effect("says where it listens, and stops when it is interrupted (R20)", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(started({}))
      const lines = yield* Effect.repeat(Effect.andThen(Effect.yieldNow, TestConsole.errorLines), {
        until: (it) => it.length > 0
      })
      const url = /^listening on (http:\/\/127\.0\.0\.1:\d+) \(content in a temporary directory\)$/.exec(
        String(lines[0])
      )?.[1]
      assert.strictEqual((yield* ask(`${url}/v2/`)).status, 200)
      yield* Fiber.interrupt(fiber)
      const gone = yield* Effect.exit(Effect.tryPromise(() => fetch(`${url}/v2/`)))
      assert.strictEqual(gone._tag, "Failure")
    }))
})

describe("regctl serve at a terminal", () => {
  const hinted = (options: Partial<ServeInput>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(started(options, true))
      const lines = yield* Effect.repeat(Effect.andThen(Effect.yieldNow, TestConsole.errorLines), {
        until: (it) => it.length > 1
      })
      yield* Fiber.interrupt(fiber)
      return lines.map(String)
    })

  const hosts: ReadonlyArray<readonly [addr: string, host: string]> = [
    ["127.0.0.1:0", "127.0.0.1"],
    ["[::1]:0", "[::1]"],
    ["0.0.0.0:0", "localhost"],
    [":0", "localhost"]
  ]
  it.effect.each(hosts)("on %s says how to use it", ([addr, host]) =>
    Effect.gen(function*() {
      const [first = "", second] = yield* hinted({ addr, allowAnonymous: true })
      const port = /^listening on http:\S+:(\d+) /.exec(first)?.[1]
      assert.strictEqual(second, `to use it: regctl registry set --tls disabled ${host}:${port}`)
    }))
})

describe("the log of a registry", () => {
  it.live("names the client, whatever it says of itself (R16)", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make((options) => void lines.push(options.fiber.getRef(References.CurrentLogAnnotations)))
      yield* Effect.gen(function*() {
        const url = yield* serve()
        yield* ask(`${url}/v2/`, { headers: { "x-forwarded-for": "203.0.113.9" } })
      }).pipe(Effect.scoped, Effect.provide([listener, NodeServices.layer, memoryLayer, Logger.layer([logger])]))
      assert.deepInclude(lines[0], { status: 200, client: "127.0.0.1" })
    }))
})

describe("a registry over layouts", () => {
  it.live("has after a restart what was pushed before, blobs without manifest too (R19)", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* fs.makeTempDirectoryScoped()
      const subject = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: digestOf("s"), size: 1 }
      const image = yield* Effect.gen(function*() {
        const { url } = yield* serving({ dir }, layoutsLayer)
        yield* ask(`${url}/v2/a/waiting/blobs/uploads/?digest=${digestOf("waits")}`, { method: "POST", body: "waits" })
        return yield* pushImage(url, "a/b", "v1", "layer", { subject })
      }).pipe(Effect.scoped)
      const { url } = yield* serving({ dir }, layoutsLayer)
      assert.strictEqual((yield* ask(`${url}/v2/a/b/manifests/v1`)).text, image)
      assert.strictEqual((yield* ask(`${url}/v2/a/waiting/blobs/${digestOf("waits")}`)).text, "waits")
      assert.strictEqual((yield* ask(`${url}/v2/_catalog`)).text, "{\"repositories\":[\"a/b\",\"a/waiting\"]}")
      assert.strictEqual((yield* ask(`${url}/v2/a/b/tags/list`)).text, "{\"name\":\"a/b\",\"tags\":[\"v1\"]}")
      const referrers = yield* ask(`${url}/v2/a/b/referrers/${subject.digest}`)
      assert.strictEqual(JSON.parse(referrers.text).manifests[0].digest, digestOf(image))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("creates nothing for what is only read", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* fs.makeTempDirectoryScoped()
      const { url } = yield* serving({ dir }, layoutsLayer)
      for (const path of ["manifests/v1", `blobs/${digestOf("x")}`, "tags/list", `referrers/${digestOf("x")}`]) {
        yield* ask(`${url}/v2/never/seen/${path}`)
      }
      assert.deepStrictEqual(yield* fs.readDirectory(dir), [".uploads"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("serves a large blob as it is", () =>
    Effect.gen(function*() {
      const { url } = yield* serving({}, layoutsLayer)
      const large = new Uint8Array(20 * 1024 * 1024).map((_, n) => (n * 2654435761) >>> 24)
      const digest = digestOf(large)
      yield* ask(`${url}/v2/a/blobs/uploads/?digest=${digest}`, { method: "POST", body: large })
      assert.isTrue((yield* ask(`${url}/v2/a/blobs/${digest}`)).bytes.equals(large))
    }).pipe(Effect.scoped))
})
