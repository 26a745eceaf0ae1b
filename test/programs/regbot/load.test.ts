import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporary } from "../../support/registries.ts"
import { loading, problemOf } from "./loading.ts"

const dir = temporary("regbot-load")
afterAll(() => dir.remove())

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("a file of scripts that cannot be", () => {
  const rows: ReadonlyArray<readonly [what: string, text: string, problem: string]> = [
    ["of a later time", "version: 2\n", "ConfigVersion: stdin: unsupported config version"],
    [
      "with scripts that are none",
      "scripts: hello\n",
      "ConfigInvalid: stdin: [1:10] scripts: string was used where sequence is expected\n    1 | scripts: hello"
    ],
    [
      "with a script given twice",
      "scripts:\n- script: log(1)\n  file: a.lua\n",
      "ConfigInvalid: stdin: [3:9] scripts[0].file: a script is given as text already, it is one of both\n" +
      "    3 | file: a.lua"
    ],
    [
      "with a file that is not there, and other problems",
      "defaults: {timeout: 5, sandbox: 1}\nscripts:\n- file: /nonexistent/a.lua\n",
      [
        "ConfigInvalid: stdin: 3 problems",
        "[1:21] defaults.timeout: time: missing unit in duration \"5\"",
        "    1 | defaults: {timeout: 5, sandbox: 1}",
        "[1:33] defaults.sandbox: cannot unmarshal string into Go struct field of type bool",
        "    1 | defaults: {timeout: 5, sandbox: 1}",
        "[3:9] scripts[0].file: open /nonexistent/a.lua: no such file or directory",
        "    3 | - file: /nonexistent/a.lua"
      ].join("\n")
    ]
  ]
  it.effect.each(rows)("%s", ([, text, problem]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* problemOf({ text }), problem)
    }))

  it.effect("with unknown keys, when it is to be strict", () =>
    Effect.gen(function*() {
      const text = "scripts:\n- scrip: log(1)\n"
      assert.strictEqual(
        yield* problemOf({ text }, { strict: true }),
        "ConfigInvalid: stdin: [2:3] scripts[0].scrip: unknown key, is script meant?\n    2 | - scrip: log(1)"
      )
      const logged: Array<string> = []
      yield* loading({ text }, {}, logged)
      assert.deepStrictEqual(logged, [
        "Unknown key in configuration is ignored file=stdin line=2 key=scripts[0].scrip near=script"
      ])
    }))

  it.effect("without a name", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* problemOf({ file: "" }), "UsageError: required input missing")
    }))

  it.effect("whose script in a file is too large", () =>
    Effect.gen(function*() {
      writeFileSync(join(dir.path, "large.lua"), "x".repeat(4 * 1024 * 1024 + 1))
      writeFileSync(join(dir.path, "large.yml"), "scripts:\n- {file: large.lua}\n")
      assert.include(
        yield* problemOf({ file: join(dir.path, "large.yml") }),
        "[2:10] scripts[0].file: size limit exceeded: more than 4194304 bytes"
      )
    }))
})

describe("a file of scripts", () => {
  it.effect("may be empty", () =>
    Effect.gen(function*() {
      const { client, jobs, parallel } = yield* loading({ text: "" })
      assert.deepStrictEqual([jobs.length, client.hosts.size, parallel], [0, 0, 0])
    }))

  it.effect("gives its scripts with what they leave to the defaults", () =>
    Effect.gen(function*() {
      const { client, jobs, parallel } = yield* loading({
        text: [
          "version: 1",
          "creds:",
          "- registry: '{{ print \"registry.test\" }}:5000'",
          "  user: '{{ print \"me\" }}'",
          "  tls: disabled",
          "defaults: {parallel: 2, schedule: '15 3 * * *', interval: 1h, timeout: 10m, userAgent: me, sandbox: true}",
          "x-nightly: &nightly",
          "  name: nightly",
          "  timeout: 600s",
          "scripts:",
          "- <<: *nightly",
          "  name: hello",
          "  script: |",
          "    log(\"{{ not a template }}\")",
          "- {name: own, interval: 5m, script: 'log(1)', sandbox: false}",
          "- {name: both, interval: 5m, schedule: '* * * * *'}"
        ].join("\n")
      })
      assert.deepStrictEqual(
        jobs.map(({ entry, name, source }) => {
          const { interval, sandbox, schedule, timeout } = entry
          return { name, source: textOf(source), interval, schedule, timeout, sandbox }
        }),
        [
          {
            name: "hello",
            source: "log(\"{{ not a template }}\")\n",
            interval: 0,
            schedule: "15 3 * * *",
            timeout: 600_000,
            sandbox: true
          },
          { name: "own", source: "log(1)", interval: 300_000, schedule: "", timeout: 600_000, sandbox: false },
          { name: "both", source: "", interval: 300_000, schedule: "* * * * *", timeout: 600_000, sandbox: true }
        ]
      )
      assert.deepStrictEqual([parallel, client.userAgent, client.skipDocker], [2, "me", false])
      const host = client.hosts.get("registry.test:5000")
      assert.deepStrictEqual([host?.user, host?.tls], ["me", "disabled"])
    }))

  it.effect("gives each script a name of its own", () =>
    Effect.gen(function*() {
      const { jobs } = yield* loading({ text: "scripts:\n- {name: a}\n- {name: a}\n- {script: x}\n- {name: a}\n" })
      assert.deepStrictEqual(jobs.map(({ name }) => name), ["a", "a (2)", "script 3", "a (3)"])
      assert.deepStrictEqual(jobs.map(({ entry }) => entry.name), ["a", "a", "", "a"])
    }))

  it.effect("leaves a schedule that is none to its script's turn", () =>
    Effect.gen(function*() {
      const { jobs } = yield* loading({ text: "scripts:\n- {name: a, schedule: never}\n" })
      assert.strictEqual(jobs[0]?.entry.schedule, "never")
    }))

  it.effect("shuts all scripts off when told to", () =>
    Effect.gen(function*() {
      const { jobs } = yield* loading({ text: "scripts:\n- {name: a, sandbox: false}\n- {name: b}\n" }, {
        sandbox: true
      })
      assert.deepStrictEqual(jobs.map(({ entry }) => entry.sandbox), [true, true])
    }))

  it.effect("finds scripts in files beside itself, byte for byte", () =>
    Effect.gen(function*() {
      mkdirSync(join(dir.path, "scripts"))
      writeFileSync(join(dir.path, "scripts/a.lua"), Uint8Array.of(0x2d, 0x2d, 0xff, 0x0a))
      writeFileSync(join(dir.path, "regbot.yml"), "scripts:\n- {name: a, file: scripts/a.lua}\n")
      const { jobs } = yield* loading({ file: join(dir.path, "regbot.yml") })
      assert.deepStrictEqual(jobs[0]?.source, Uint8Array.of(0x2d, 0x2d, 0xff, 0x0a))
    }))

  it.effect("names its status server, the token a template", () =>
    Effect.gen(function*() {
      const { config } = yield* loading({ text: "server: {listen: ':8080', token: '{{ print \"x\" }}'}\n" })
      assert.deepStrictEqual(config.server, { listen: ":8080", token: "x" })
    }))

  it.effect("keeps logins from being shown", () =>
    Effect.gen(function*() {
      const { client } = yield* loading({ text: "creds: [{registry: a.test, user: u, pass: '{{ print \"s\" }}'}]\n" })
      const pass = client.hosts.get("a.test")?.pass
      assert.deepStrictEqual([String(pass), pass === undefined ? "" : Redacted.value(pass)], ["<redacted>", "s"])
    }))
})
