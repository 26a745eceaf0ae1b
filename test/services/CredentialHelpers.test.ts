import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger, Option, Redacted, References, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { CredentialHelpers } from "../../src/services/CredentialHelpers.ts"
import { HelperTimeout } from "../../src/services/credentials/helper.ts"

/** Writes a shell script and gives its path; `$0.runs` counts its runs. */
const script = Effect.fnUntraced(function*(body: string) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const path = `${directory}/docker-credential-test`
  yield* fs.writeFileString(path, `#!/bin/sh\necho run >> "$0.runs"\n${body}\n`)
  yield* fs.chmod(path, 0o755)
  return path
})

const runsOf = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return (yield* fs.readFileString(`${path}.runs`)).trim().split("\n").length
})

/** A process that ended but that nobody waited for still has its entry, marked `Z`. */
const isRunning = Effect.fnUntraced(function*(pid: number) {
  const fs = yield* FileSystem.FileSystem
  const line = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/stat`), () => "() Z")
  return !line.slice(line.lastIndexOf(")")).startsWith(") Z")
})

const ask = (program: string, server = "a.io", expire = 3_600_000) =>
  Effect.flatMap(CredentialHelpers, (it) => it.get({ program, server, expire }))

const withHelpers = <A, E>(
  test: (warnings: Array<string>) => Effect.Effect<A, E, CredentialHelpers | FileSystem.FileSystem | Scope.Scope>
) => {
  const warnings: Array<string> = []
  const logger = Logger.make(({ fiber, message }) => {
    const { err, helper } = fiber.getRef(References.CurrentLogAnnotations)
    warnings.push(`${String(message)}: ${String(helper).replace(/.*\//, "")}: ${String(err)}`)
  })
  return test(warnings).pipe(
    Effect.scoped,
    Effect.provide(Layer.fresh(CredentialHelpers.layer).pipe(Layer.provideMerge(NodeServices.layer))),
    Effect.provide(Logger.layer([logger]))
  )
}

const answer = (user: string, secret: string) => `echo '{"ServerURL":"a.io","Username":"${user}","Secret":"${secret}"}'`

describe("a credential helper", () => {
  it.effect("is told the host on stdin and answers with a login", () =>
    withHelpers(() =>
      Effect.gen(function*() {
        const path = yield* script(`read server; echo "{\\"Username\\":\\"$1-$server\\",\\"Secret\\":\\"s3cret\\"}"`)
        const found = Option.getOrThrow(yield* ask(path, "reg.io:5000"))
        assert.strictEqual(found.username, "get-reg.io:5000")
        assert.strictEqual(Redacted.value(found.password), "s3cret")
        assert.strictEqual(found.source, path)
        assert.notInclude(JSON.stringify(found), "s3cret")
      })
    ))

  it.effect("is found on the search path", () =>
    withHelpers(() =>
      Effect.gen(function*() {
        const path = yield* script(answer("u", "p"))
        const before = process.env["PATH"]
        process.env["PATH"] = `${path.replace(/\/[^/]*$/, "")}:${before}`
        const found = yield* ask("docker-credential-test")
        process.env["PATH"] = before
        assert.strictEqual(Option.getOrThrow(found).username, "u")
      })
    ))

  it.effect("gives an identity token under the name <token>", () =>
    withHelpers(() =>
      Effect.gen(function*() {
        const found = Option.getOrThrow(yield* ask(yield* script(answer("<token>", "t0ken"))))
        assert.strictEqual(found.identityToken && Redacted.value(found.identityToken), "t0ken")
        assert.strictEqual(found.username, "")
      })
    ))

  it.effect("is silent about a login it does not have", () =>
    withHelpers((warnings) =>
      Effect.gen(function*() {
        const path = yield* script("echo 'credentials not found in native keychain'; exit 1")
        assert.isTrue(Option.isNone(yield* ask(path)))
        assert.deepStrictEqual(warnings, [])
      })
    ))

  const failing: ReadonlyArray<readonly [string, string, string]> = [
    ["ends with a status", "echo s3cret; exit 3", "exit status 3"],
    ["ends by a signal", "kill -9 $$", "ended by a signal"],
    ["prints garbage", "echo s3cret", "its answer is not understood"],
    ["prints an empty object", "echo '{}'", "its answer is not understood"],
    ["prints no secret", answer("u", ""), "its answer has no secret"],
    ["prints bad UTF-8", "printf '{\"Username\":\"u\",\"Secret\":\"\\377\"}'", "its answer is not understood"],
    ["prints without end", "yes s3cret", "answer longer than 1048576 bytes"]
  ]
  for (const [what, body, problem] of failing) {
    it.live(`is a warning when it ${what}`, () =>
      withHelpers((warnings) =>
        Effect.gen(function*() {
          assert.isTrue(Option.isNone(yield* ask(yield* script(body))))
          assert.deepStrictEqual(warnings, [`Credential helper failed: docker-credential-test: ${problem}`])
        })
      ))
  }

  it.effect("is a warning when it is missing, not executable or not asked rightly", () =>
    withHelpers((warnings) =>
      Effect.gen(function*() {
        const path = yield* script("true")
        yield* (yield* FileSystem.FileSystem).chmod(path, 0o644)
        assert.isTrue(Option.isNone(yield* ask("docker-credential-is-not-here")))
        assert.isTrue(Option.isNone(yield* ask(path)))
        assert.isTrue(Option.isNone(yield* ask("docker-credential-x", "a.io\nb.io")))
        assert.deepStrictEqual(warnings, [
          "Credential helper failed: docker-credential-is-not-here: not found",
          "Credential helper failed: docker-credential-test: permission denied",
          "Credential helper failed: docker-credential-x: control character in the name of the helper or host"
        ])
      })
    ))

  it.live("that hangs is killed with its children (A02)", () =>
    withHelpers((warnings) =>
      Effect.gen(function*() {
        const path = yield* script(
          "sh -c 'echo $$ > \"$0.child\"; exec sleep 600' \"$0\" &\necho $$ > \"$0.own\"; wait"
        )
        assert.isTrue(Option.isNone(yield* Effect.provideService(ask(path), HelperTimeout, 1_000)))
        assert.deepStrictEqual(warnings, ["Credential helper failed: docker-credential-test: no answer in time"])
        const fs = yield* FileSystem.FileSystem
        for (const name of ["own", "child"]) {
          const pid = Number(yield* fs.readFileString(`${path}.${name}`))
          assert.isFalse(yield* isRunning(pid))
        }
      })
    ))

  it.effect("runs once for many questions, and again when its answer is old (A05)", () =>
    withHelpers(() =>
      Effect.gen(function*() {
        const path = yield* script(answer("u", "p"))
        yield* Effect.all(Array.from({ length: 20 }, () => ask(path, "a.io", 60_000)), { concurrency: 20 })
        assert.strictEqual(yield* runsOf(path), 1)
        yield* ask(path, "b.io", 60_000)
        assert.strictEqual(yield* runsOf(path), 2)
        yield* TestClock.adjust("61 seconds")
        yield* ask(path, "a.io", 60_000)
        assert.strictEqual(yield* runsOf(path), 3)
      })
    ))

  it.effect("is asked again five seconds after a failure, its old answer holding meanwhile (A05)", () =>
    withHelpers(() =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = yield* script(`[ -e "$0.broken" ] && exit 1\n${answer("u", "p")}`)
        yield* ask(path, "a.io", 10_000)
        yield* fs.writeFileString(`${path}.broken`, "")
        yield* TestClock.adjust("11 seconds")
        assert.strictEqual(Option.getOrThrow(yield* ask(path, "a.io", 10_000)).username, "u")
        yield* TestClock.adjust("4 seconds")
        yield* ask(path, "a.io", 10_000)
        assert.strictEqual(yield* runsOf(path), 2)
        yield* TestClock.adjust("2 seconds")
        yield* ask(path, "a.io", 10_000)
        assert.strictEqual(yield* runsOf(path), 3)
      })
    ))
})
