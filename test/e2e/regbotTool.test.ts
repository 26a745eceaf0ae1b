/** regbot as a process: its file, the order of scripts, exit statuses, signals, dry runs (regbot description, 15). */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { regbot as daemon, until } from "../support/daemons.ts"
import { addImage, makeLayout, tagAll } from "../support/layouts.ts"
import { type Ran, run, tool } from "../support/programs.ts"
import { quirky, type Started } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("regbot-tool")
const at = (name: string): string => join(dir.path, name)
const env = { HOME: dir.path, DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined, TZ: "UTC" }

/** Runs the tool with a configuration as standard input. */
const regbot = (args: ReadonlyArray<string>, input = ""): Promise<Ran> =>
  run(process.execPath, [tool("regbot"), ...args], { env, cwd: dir.path, input })

/** Scripts by name as a configuration. */
const config = (scripts: Readonly<Record<string, string>>, more = ""): string => {
  const lines = Object.entries(scripts).map(([name, text]) =>
    `- name: ${name}\n  interval: 1s\n  script: |\n    ${text.replaceAll("\n", "\n    ")}\n`
  )
  return `version: 1\n${more}\nscripts:\n${lines.join("")}`
}

/** The records of a log: message and fields, without the time. */
const log = ({ err }: { readonly err: string }): ReadonlyArray<string> =>
  err.split("\n").flatMap((line) => /^time=\S+ level=(.*)$/.exec(line)?.[1] ?? [])

/** What is on stderr besides the log. */
const said = ({ err }: Ran): string =>
  err.split("\n").filter((line) => line !== "" && !line.startsWith("time=")).join("\n")

let registry: Started

beforeAll(async () => {
  registry = await quirky()
  const layout = makeLayout(at("layout"))
  tagAll(layout, { a: addImage(layout, ["a layer"]) })
}, 60_000)

afterAll(async () => {
  await registry.stop()
  dir.remove()
})

/** Milliseconds for a test that could wait for ever. */
const patience = 30_000

describe("regbot once", { timeout: patience }, () => {
  it("runs scripts of standard input in their order, goes on after one that fails, and tells of all", async () => {
    const ran = await regbot(
      ["once", "-c", "-"],
      config({
        first: "log \"one\"\nprint(\"out\", 1)\nerror(\"boom\")",
        empty: "",
        last: "io.write(\"two\")\nreturn 5"
      })
    )
    assert.strictEqual(ran.code, 1)
    assert.strictEqual(ran.out, "out\t1\ntwo")
    assert.strictEqual(log(ran)[0], "INFO msg=\"User script message\" script=first message=one")
    assert.match(log(ran)[1] ?? "", /^WARN msg="Error running script" script=first error="<string>:3: boom\\nstack tr/)
    assert.lengthOf(log(ran), 2)
    assert.match(said(ran), /^first: <string>:3: boom\nstack traceback:\n\t/)
  })

  it("runs scripts at once where copies may run in parallel", async () => {
    const ran = await regbot(
      ["once", "-c", "-"],
      config({
        waits: "while io.open(\"met\") == nil do end\nprint(\"met\")",
        meets: "io.open(\"met\", \"w\"):close()"
      }, "defaults: {parallel: 2, timeout: 30s}")
    )
    assert.deepStrictEqual([ran.code, ran.out, ran.err], [0, "met\n", ""])
  })

  it("takes --dry-run and the file in front of the command's name", async () => {
    writeFileSync(
      at("copy.yml"),
      config({
        copy: "image.copy(\"ocidir://layout:a\", \"ocidir://copied:a\")\nprint(tag.ls(\"ocidir://copied\")[1])"
      })
    )
    for (const args of [["-c", "copy.yml", "--dry-run", "once"], ["once", "--dry-run", "-c", "copy.yml"]]) {
      const ran = await regbot(args)
      assert.deepStrictEqual([ran.code, ran.out], [0, "a\n"], ran.err)
      assert.deepStrictEqual(log(ran), [
        "INFO msg=\"Copy image\" script=copy source=ocidir://layout:a target=ocidir://copied:a " +
        "digestTags=false forceRecursive=false includeExternal=false dry-run=true"
      ])
      assert.isFalse(existsSync(at("copied")))
    }
    const ran = await regbot(["once", "-c", "copy.yml"])
    assert.deepStrictEqual([ran.code, ran.out], [0, "a\n"], ran.err)
    assert.isTrue(existsSync(at("copied/index.json")))
  })

  it("runs scripts of files beside the configuration", async () => {
    mkdirSync(at("bot"), { recursive: true })
    writeFileSync(at("bot/hello.lua"), "print(\"hello from a file\")\n")
    writeFileSync(at("bot/regbot.yml"), "scripts:\n- {name: hello, file: hello.lua}\n")
    const ran = await regbot(["once", "-c", "bot/regbot.yml"])
    assert.deepStrictEqual([ran.code, ran.out, ran.err], [0, "hello from a file\n", ""])
  })

  it("stops a script that never ends at its timeout, wherever it is", async () => {
    const ran = await regbot(
      ["once", "-c", "-"],
      config({ loops: "while true do pcall(function() while true do end end) end" }, "defaults: {timeout: 200ms}")
    )
    assert.strictEqual(ran.code, 1)
    assert.match(said(ran), /^<string>:1: .*context deadline exceeded/)
  })

  it("names what went wrong for programs", async () => {
    const ran = await regbot(["once", "-c", "-", "--logopt", "json"], config({ a: "error(\"x\")" }))
    const records = ran.err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))
    assert.deepInclude(records.at(-1), { level: "ERROR", reason: "ScriptError" })
  })

  it("refuses a configuration that cannot be before anything runs", async () => {
    const ran = await regbot(["once", "-c", "-"], `${config({ a: "print(1)" })}- {name: b, file: none.lua}\n`)
    assert.deepStrictEqual([ran.code, ran.out], [1, ""])
    assert.include(said(ran), "scripts[1].file: open ")
    assert.include(said(ran), "none.lua: no such file or directory")
  })

  it("ends with the status a script asks for, once another's copy is taken back", async () => {
    // The upload of a blob begins and hears nothing more.
    registry.quirk = ({ method }) => method === "PUT" || method === "PATCH" ? "silence" : undefined
    const isUploading = () => registry.asked.some(({ method }) => method === "POST")
    const ended = regbot(
      ["once", "-c", "-"],
      config({
        copies: `image.copy("ocidir://layout:a", "${registry.host}/app:a")`,
        ends: "while io.open(\"uploading\") == nil do end\nprint(\"bye\")\nos.exit(7)"
      }, `creds: [{registry: "${registry.host}", tls: disabled}]\ndefaults: {parallel: 2}`)
    )
    await until("an upload", isUploading)
    writeFileSync(at("uploading"), "")
    const ran = await ended
    registry.quirk = () => undefined
    assert.deepStrictEqual([ran.code, ran.out, said(ran)], [7, "bye\n", ""], ran.err)
    assert.include(log(ran), "WARN msg=\"Error running script\" script=copies error=\"context canceled\"")
    const count = (name: string) => registry.asked.filter(({ method }) => method === name).length
    assert.deepStrictEqual([count("DELETE"), registry.repositories.get("app")?.tags.size], [count("POST"), 0])
  })
})

describe("regbot server", { timeout: patience }, () => {
  it("runs nothing at its start, and ends a script that waits when it is told to", async () => {
    writeFileSync(
      at("server.yml"),
      config({
        waits: `log("waits")\nimage.ratelimitWait("${registry.host}/limited:a", 100, "1h", "2h")`
      }, `creds: [{registry: "${registry.host}", tls: disabled}]`)
    )
    registry.quirk = ({ method, target }) =>
      method === "HEAD" && target.includes("/limited/")
        ? {
          status: 200,
          headers: {
            "docker-content-digest": `sha256:${"0".repeat(64)}`,
            "content-type": "application/vnd.oci.image.manifest.v1+json",
            "content-length": "10",
            "ratelimit-limit": "200;w=21600",
            "ratelimit-remaining": "5;w=21600"
          }
        }
        : undefined
    const server = daemon(dir.path, ["server", "-c", "server.yml", "-v", "debug"])
    await until("a wait", () => server.err().includes("Delaying for ratelimit"))
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 1)
    const lines = log({ err: server.err() })
    assert.deepStrictEqual(lines.slice(0, 4), [
      "DEBUG msg=\"Configuring parallel settings\" concurrent=1",
      "DEBUG msg=\"Scheduled task\" name=waits sched=\"@every 1s\"",
      "DEBUG msg=\"Running task\" name=waits",
      "DEBUG msg=\"Starting script\" script=waits"
    ])
    assert.deepStrictEqual(lines.slice(-4), [
      "DEBUG msg=\"Interrupt received, stopping\"",
      "INFO msg=\"Stopping server\"",
      "DEBUG msg=\"Waiting on running tasks\"",
      "WARN msg=\"Error running script\" script=waits error=\"context canceled\""
    ])
    assert.strictEqual(server.err().split("\n").at(-2), "waits: context canceled")
    registry.quirk = () => undefined
  })

  it("ends with the status a script asks for", async () => {
    writeFileSync(at("exit.yml"), config({ ends: "os.exit(4)" }))
    assert.strictEqual(await daemon(dir.path, ["server", "-c", "exit.yml"]).ended, 4)
  })

  it("forgets what a dry run would have written when the next one begins", async () => {
    const copy = "image.copy(\"ocidir://layout:a\", \"ocidir://never:a\")"
    writeFileSync(
      at("dry.yml"),
      config({
        dry: `local there = function() return tostring(pcall(tag.ls, "ocidir://never")) end
log(there())
${copy}
log(there())`
      })
    )
    const server = daemon(dir.path, ["server", "-c", "dry.yml", "--dry-run"])
    const messages = () => [...server.err().matchAll(/ message=(\w+)/g)].map(([, it]) => it)
    await until("two runs", () => messages().length >= 4)
    server.signal("SIGTERM")
    await server.ended
    assert.deepStrictEqual(messages().slice(0, 4), ["false", "true", "false", "true"])
    assert.isFalse(existsSync(at("never")))
  })
})
