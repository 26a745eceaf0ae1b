import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, References } from "effect"
import { TestConsole } from "effect/testing"
import { layer as listener } from "../../../src/layers/Server.ts"
import { run, type ServeInput } from "../../../src/programs/serve/main.ts"
import { ask, digestOf, layoutsLayer, memoryLayer, pushImage, serving } from "./serving.ts"

const input: ServeInput = { addr: "127.0.0.1:0", readOnly: false, allowAnonymous: false }

const started = (options: Partial<ServeInput>) =>
  run({ ...input, ...options }).pipe(
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
