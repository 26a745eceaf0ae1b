/** `regsync` as built: its file, its command line, `config` (regsync description, sections 2, 3 and 7). */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, type RunOptions, tool } from "../support/programs.ts"

let dir = ""
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "regsync-config-"))
})
afterAll(() => rmSync(dir, { recursive: true }))

const regsync = (args: ReadonlyArray<string>, options: RunOptions = {}) =>
  run(process.execPath, [tool("regsync"), ...args], { cwd: dir, ...options, env: { HOME: dir, ...options.env } })

const file = (name: string, content: string | Uint8Array) => writeFileSync(join(dir, name), content)

describe("the command line", () => {
  const rows: ReadonlyArray<readonly [args: ReadonlyArray<string>, err: string]> = [
    [["config"], "required flag(s) \"config\" not set\n"],
    [["once", "x"], "accepts between 0 and 0 arg(s), received 1\n"],
    [["version", "x"], "accepts 0 arg(s), received 1\n"],
    [["config", "-c", ""], "required input missing\n"],
    [["config", "-c", "none.yml"], "none.yml: no such file or directory\n"],
    [["-c", ".", "config"], ".: is a directory\n"],
    [["sync"], "unknown command \"sync\" for \"regsync\"\n"]
  ]
  for (const [args, err] of rows) {
    it(`${args.join(" ")} is told what is wrong`, async () =>
      assert.deepStrictEqual(await regsync(args), { code: 1, out: "", err }))
  }

  it("completes files for the configuration", async () =>
    assert.strictEqual((await regsync(["__complete", "once", "-c", ""])).out, ":0\n"))
})

describe("regsync config", () => {
  it("loads what it printed, from a file or standard input, flags before the command", async () => {
    file(
      "a.yml",
      "creds: [{registry: a.test, pass: '{{ env \"REGSYNC_PASS\" }}'}]\nsync: [{type: image, source: a, target: 'b:3.10'}]\n"
    )
    const first = await regsync(["-c", "a.yml", "config"], { env: { REGSYNC_PASS: "s: 1" } })
    assert.deepInclude(first, { code: 0, err: "" })
    assert.include(first.out, "\n  pass: \"s: 1\"\n")
    assert.isTrue(first.out.startsWith("version: 1\ncreds:\n- registry: a.test\n"))
    assert.isTrue(first.out.endsWith("\n    post: null\n    unchanged: null\n"))
    const second = await regsync(["config", "-c", "-"], { input: first.out })
    assert.deepStrictEqual(second, first)
    const redacted = await regsync(["config", "--redact", "-c", "-"], { input: first.out })
    assert.strictEqual(redacted.out, first.out.replace("s: 1", "[censored]"))
  })

  it("lists the problems of a file line by line, as one record for machines", async () => {
    file("bad.yml", "sync:\n- type: img\n  interval: 1d\n")
    const err = [
      "bad.yml: 2 problems",
      "[2:9] sync[0].type: Type not recognized, must be one of: registry, repository, or image: invalid input",
      "    2 | - type: img",
      "[3:13] sync[0].interval: time: unknown unit \"d\" in duration \"1d\"",
      "    3 | interval: 1d"
    ].join("\n")
    assert.deepStrictEqual(await regsync(["config", "-c", "bad.yml"]), { code: 1, out: "", err: `${err}\n` })
    const [record = ""] = (await regsync(["config", "-c", "bad.yml", "--logopt", "json"])).err.split("\n")
    assert.deepInclude(JSON.parse(record), { level: "ERROR", msg: err, reason: "ConfigInvalid" })
  })

  it("refuses aliases that stand for too much, at once (K07)", async () => {
    const lines = Array.from({ length: 8 }, (_, at) => `x${at + 1}: &a${at + 1} [${`*a${at},`.repeat(10)}]`)
    file("lol.yml", ["x0: &a0 [lol]", ...lines].join("\n"))
    const { code, err } = await regsync(["config", "-c", "lol.yml"])
    assert.strictEqual(code, 1)
    assert.match(err, /^lol\.yml: \[\d+:\d+\] aliases stand for more than 100000 values\n/)
  })

  it("loads ten thousand entries that share an anchor", async () => {
    const entries = Array.from({ length: 10_000 }, (_, at) => `- <<: *a\n  source: r.test/app-${at}:1\n`).join("")
    file("many.yml", `x-a: &a {type: image, target: "t.test/{{ .Sync.Source }}"}\nsync:\n${entries}`)
    const { code, err, out } = await regsync(["config", "-c", "many.yml"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.strictEqual(out.match(/^  target: t\.test\/r\.test\/app-\d+:1$/gm)?.length, 10_000)
  })
})
