import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Stdio } from "effect"
import { TestConsole } from "effect/testing"
import * as Logging from "../../../src/layers/Logging.ts"
import {
  command,
  type Everything,
  group,
  type Leaf,
  type Local,
  localCommand
} from "../../../src/programs/cli/command.ts"
import { main } from "../../../src/programs/cli/main.ts"
import { logOptions, verbosity } from "../../../src/programs/cli/standard.ts"
import { ConfigError } from "../../../src/schemas/ConfigError.ts"
import { ScriptsFailed } from "../../../src/schemas/ScriptError.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { BuildInfo } from "../../../src/services/BuildInfo.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { Globals } from "../../../src/services/Globals.ts"

const words = (name: string) => ({ name, summary: name, args: "", options: {} })
const runs = (name: string, run: Effect.Effect<void, unknown>, isServer = false): Leaf =>
  localCommand({ ...words(name), isServer }, () => Promise.resolve({ run: () => run }))

const local = Layer.mergeAll(
  BuildInfo.layer,
  Layer.succeed(Formatter, Formatter.of({ write: () => Effect.void, expand: Effect.succeed })),
  Stdio.layerTest({})
) satisfies Layer.Layer<Local>

/** A tool of the given commands, run with these words; what it printed and how it ended. */
const outcome = (
  args: ReadonlyArray<string>,
  leaves: ReadonlyArray<Leaf>,
  stop: Effect.Effect<"signal" | "closed"> = Effect.never,
  name = "tool"
) =>
  Effect.gen(function*() {
    const tool = {
      root: group({ name, summary: "A tool", children: leaves }),
      globals: [logOptions, verbosity("WARN")]
    }
    const code = yield* main(tool, {
      logging: Logging.layer,
      local: () => Promise.resolve(local),
      everything: () => Promise.reject<Layer.Layer<Everything>>(new Error("not for this test")),
      stop
    })(args)
    return { code, out: (yield* TestConsole.logLines).join("\n"), err: (yield* TestConsole.errorLines).join("\n") }
  })

const missing = storeError("failed to get manifest r:v1", "NotFound", "request failed: not found [http 404]", {
  status: 404
})

describe("a shell that asks for completion", () => {
  const note = "Completion ended with directive: ShellCompDirectiveNoFileComp"
  const get: Leaf = { ...runs("get", Effect.void), args: "<name>", completes: ["reference"] }

  it.effect("is answered from the tree without loading anything else", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcome(["__complete", "g"], [get]), { code: 0, out: "get\tget\n:4", err: note })
    }))

  it.effect("is told nothing of what goes wrong", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcome(["__complete", "get", "a"], [get]), { code: 0, out: ":4", err: note })
    }))

  it.effect("has to say what for", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcome(["__complete"], [get]), {
        code: 1,
        out: "",
        err: "requires at least 1 arg(s), only received 0"
      })
    }))
})

describe("a run", () => {
  it.effect("that fails prints one line and ends with 1", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcome(["get"], [runs("get", missing)]), {
        code: 1,
        out: "",
        err: "failed to get manifest r:v1: request failed: not found [http 404]"
      })
    }))

  it.effect("that fails with JSON logs puts a record with the reason first", () =>
    Effect.gen(function*() {
      const { err } = yield* outcome(["get", "--logopt", "json"], [runs("get", missing)])
      const [record, text] = err.split("\n")
      const { level, msg, reason } = JSON.parse(record ?? "")
      assert.deepStrictEqual({ level, msg, reason }, { level: "ERROR", msg: missing.message, reason: "NotFound" })
      assert.strictEqual(text, missing.message)
    }))

  it.effect("escapes what came from outside, so that an error stays one line", () =>
    Effect.gen(function*() {
      const error = storeError("", "HttpStatus", "body: \u001b[2J\ntime=now level=INFO msg=fine\n")
      const { err } = yield* outcome(["get"], [runs("get", error)])
      assert.strictEqual(err, "body: \\x1b[2J\\ntime=now level=INFO msg=fine\n")
    }))

  it.effect("cuts an endless error", () =>
    Effect.gen(function*() {
      const { err } = yield* outcome(["get"], [runs("get", storeError("", "HttpStatus", "x".repeat(20_000)))])
      assert.strictEqual(err.length, 8_001)
    }))

  const escapes = "\u001b\n".repeat(10_000)
  it.effect.each([
    ["StoreError", storeError("", "HttpStatus", escapes)],
    ["ConfigError", new ConfigError({ file: "f.yml", reason: { _tag: "ConfigInvalid", detail: escapes } })],
    ["ScriptsFailed", new ScriptsFailed({ messages: [escapes] })]
  ])("cuts an error whose characters have to be spelled out: %s", ([, error]) =>
    Effect.gen(function*() {
      const { err } = yield* outcome(["get"], [runs("get", Effect.fail(error))])
      assert.isAtMost(err.length, 8_002)
      assert.include(err, "\\x1b")
    }))

  it.effect("says how to talk to a registry without TLS", () =>
    Effect.gen(function*() {
      const error = storeError("", "TlsFailed", "http: server gave HTTP response to HTTPS client")
      const { err } = yield* outcome(["get"], [runs("get", error)])
      assert.strictEqual(
        err,
        "http: server gave HTTP response to HTTPS client\n" +
          "Try updating your registry with \"regctl registry set --tls disabled <registry>\""
      )
    }))

  it.effect("says so in terms of its file, where settings of registries stand in one", () =>
    Effect.gen(function*() {
      const error = storeError("", "TlsFailed", "http: server gave HTTP response to HTTPS client")
      const { err } = yield* outcome(["once"], [runs("once", error)], Effect.never, "regsync")
      assert.strictEqual(
        err,
        "http: server gave HTTP response to HTTPS client\n" +
          "Try \"tls: disabled\" for the registry under \"creds\" of the configuration"
      )
    }))

  it.effect("tells a bug as one, without a stack", () =>
    Effect.gen(function*() {
      const { code, err } = yield* outcome(["get"], [runs("get", Effect.die(new TypeError("x is undefined")))])
      assert.deepStrictEqual({ code, err }, { code: 1, err: "internal error: x is undefined" })
    }))

  it.effect("shows the stack of a bug at trace level", () =>
    Effect.gen(function*() {
      const { err } = yield* outcome(["get", "-vtrace"], [runs("get", Effect.die(new TypeError("x is undefined")))])
      assert.match(err, /level=DEBUG-4 msg="internal error" stack="TypeError: x is undefined\\n/)
    }))

  it.effect("with an error without text prints nothing and ends with 1", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcome(["get"], [runs("get", storeError("", "NotFound", ""))]), {
        code: 1,
        out: "",
        err: ""
      })
    }))

  it.effect("whose layers cannot be loaded is a bug", () =>
    Effect.gen(function*() {
      const leaf = command(words("get"), () => Promise.resolve({ run: () => Effect.void }))
      const { code, err } = yield* outcome(["get"], [leaf])
      assert.deepStrictEqual({ code, err }, { code: 1, err: "internal error: not for this test" })
    }))

  it.effect("hands its global flags to whoever asks", () =>
    Effect.gen(function*() {
      const show = Effect.flatMap(Globals, (it) => Effect.fail(storeError("", "NotFound", JSON.stringify(it))))
      const { err } = yield* outcome(["-v", "error", "get"], [runs("get", show)])
      assert.strictEqual(
        err,
        `{"hosts":[],"userAgent":"","verbosity":"error","isVerbose":true,"logOptions":[]}`
      )
    }))

  it.effect("refuses a level nobody knows after it counted positionals", () =>
    Effect.gen(function*() {
      const leaves = [runs("get", Effect.void)]
      assert.strictEqual(
        (yield* outcome(["get", "-v", "foo"], leaves)).err,
        "unable to parse verbosity foo: slog: level string \"foo\": unknown name"
      )
      assert.match((yield* outcome(["get", "x", "-v", "foo"], leaves)).err, /accepts 0 arg\(s\), received 1$/)
    }))

  it.effect("logs from its level on", () =>
    Effect.gen(function*() {
      const logs = Effect.andThen(Effect.logInfo("quiet"), Effect.annotateLogs(Effect.logWarning("loud"), { key: 1 }))
      assert.match((yield* outcome(["get"], [runs("get", logs)])).err, /^time=\S+ level=WARN msg=loud key=1$/)
    }))
})

describe("a signal", () => {
  it.effect("ends a run with `context canceled` after it cleaned up", () =>
    Effect.gen(function*() {
      const stop = yield* Deferred.make<"signal">()
      const [started, cleaned] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = Effect.andThen(Effect.promise(() => new Promise(setImmediate)), Deferred.succeed(cleaned, undefined))
      const waits = Effect.ensuring(Effect.andThen(Deferred.succeed(started, undefined), Effect.never), slow)
      const running = yield* Effect.forkChild(outcome(["get"], [runs("get", waits)], Deferred.await(stop)))
      yield* Deferred.await(started)
      yield* Deferred.succeed(stop, "signal")
      assert.deepStrictEqual(yield* Fiber.join(running), { code: 1, out: "", err: "context canceled" })
      assert.isTrue(yield* Deferred.isDone(cleaned))
    }))

  it.effect("is the ordinary end of a server", () =>
    Effect.gen(function*() {
      const server = [runs("serve", Effect.never, true)]
      assert.deepStrictEqual(yield* outcome(["serve"], server, Effect.succeed("signal")), { code: 0, out: "", err: "" })
    }))
})

describe("output that nobody reads any more", () => {
  it.effect("ends a run without a word", () =>
    Effect.gen(function*() {
      const stop = Effect.succeed<"closed">("closed")
      assert.deepStrictEqual(yield* outcome(["get"], [runs("get", Effect.never)], stop), { code: 1, out: "", err: "" })
    }))
})
