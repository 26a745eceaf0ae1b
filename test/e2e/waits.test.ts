/** How long the tools wait when a registry asks them to: one that somebody watches less than one that runs by itself. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Tool } from "../../src/programs/cli/command.ts"
import { regbot } from "../../src/programs/regbot/main.ts"
import { regctl } from "../../src/programs/regctl/main.ts"
import { regsync } from "../../src/programs/regsync/main.ts"
import { isClear, seed } from "../support/copies.ts"
import { toolHere } from "../support/inProcess.ts"
import { lacking, problem, quirky, type Started } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"
import { always, both, first, is } from "../support/rows.ts"

const dir = temporary("waits")
let source: Started
let target: Started
/** A registry that is never limited. */
let other: Started
let index: string
beforeAll(async () => {
  ;[source, target, other] = await Promise.all([quirky(), quirky(), quirky()])
})
afterAll(async () => {
  await Promise.all([source, target, other].map((it) => it.stop()))
  dir.remove()
})
beforeEach(() => {
  for (const it of [source, target, other]) {
    it.quirk = () => undefined
    it.forget()
    it.repositories.clear()
  }
  index = seed(source.repository("app"), "v1").index
  seed(other.repository("app"), "v1")
})

const write = (name: string, text: string): string => {
  const file = join(dir.path, name)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}
const creds = () => [source, target, other].map(({ host }) => `  - {registry: "${host}", tls: disabled}\n`).join("")

/** Copies `app:v1` from the source, then from the other registry, to the target; regctl knows the first copy only. */
const tools: ReadonlyArray<readonly [string, Tool, () => ReadonlyArray<string>]> = [
  ["regctl", regctl, () => ["image", "copy", `${source.host}/app:v1`, `${target.host}/app:v1`]],
  ["regsync", regsync, () => [
    "once",
    "-c",
    write(
      "sync.yml",
      `version: 1\ncreds:\n${creds()}defaults: {skipDockerConfig: true}\nsync:\n` +
        [["app", source], ["other", other]].map(([name, from]) =>
          `  - {source: "${(from as Started).host}/app:v1", target: "${target.host}/${String(name)}:v1", type: image}\n`
        ).join("")
    )
  ]],
  ["regbot", regbot, () => [
    "once",
    "-c",
    write(
      "bot.yml",
      `version: 1\ncreds:\n${creds()}defaults: {skipDockerConfig: true}\nscripts:\n` +
        [["app", source], ["other", other]].map(([name, from]) =>
          `  - name: ${String(name)}\n    script: image.copy("${(from as Started).host}/app:v1", ` +
          `"${target.host}/${String(name)}:v1")\n`
        ).join("")
    )
  ]]
]
const run = (tool: Tool, args: ReadonlyArray<string>) => {
  const hosts = Object.fromEntries([source, target].map(({ host }) => [host, { tls: "disabled" }]))
  const config = write("config.json", JSON.stringify({ hosts }))
  return toolHere(tool, [...args, "--logopt", "json"], { config, times: 1000 })
}
const limited = (seconds: number) => problem(429, "TOOMANYREQUESTS", { "retry-after": String(seconds) })
const manifestGet = is("GET", /\/manifests\//)
const isWhole = (name: string) => {
  assert.strictEqual(target.repository(name).tags.get("v1"), index)
  assert.deepStrictEqual(lacking(target.repository(name), index), [])
}
const reasonsOf = (err: string) =>
  err.split("\n").filter((line) => line.startsWith("{\"time\"")).map((line) => JSON.parse(line).reason)

describe("Retry-After", () => {
  it.each(tools.slice(1))("of five minutes is waited for by %s, for reads and uploads (N14)", async (_, tool, args) => {
    source.quirk = first(1, manifestGet, limited(300))
    target.quirk = both(
      first(1, is("PUT", /\/uploads\//), limited(300)),
      first(1, is("PATCH", /\/uploads\//), limited(300)),
      first(1, is("PUT", /\/manifests\/v1/), limited(300))
    )
    const { code, err } = await run(tool, args())
    assert.strictEqual(code, 0, err)
    isWhole("app")
    isWhole("other")
  })

  const cases = [[tools[0], 300], [tools[1], 601], [tools[2], 601]] as const
  it.each(cases.flatMap(([tool, seconds]) => tool === undefined ? [] : [[tool[0], seconds, tool] as const]))(
    "ends what %s does there at %i s, and says when to try again (N14)",
    async (name, seconds, [, tool, args]) => {
      source.quirk = always(manifestGet, limited(seconds))
      const { code, err } = await run(tool, args())
      assert.strictEqual(code, 1)
      assert.include(err, `try again in ${seconds} s`)
      assert.include(reasonsOf(err), name === "regbot" ? "ScriptError" : "RateLimited")
      if (name !== "regbot") isClear(err)
      assert.isFalse(target.repository("app").tags.has("v1"))
      assert.isAtMost(source.asked.filter(manifestGet).length, 1)
      if (name !== "regctl") isWhole("other")
    }
  )

  it.each(tools.slice(1))("of eleven minutes ends an upload of %s, tags nothing there", async (name, tool, args) => {
    target.quirk = always((it) => it.method === "PUT" && it.target.startsWith("/v2/app/blobs"), limited(660))
    const { code, err } = await run(tool, args())
    assert.strictEqual(code, 1)
    assert.include(err, "try again in 660 s")
    assert.include(reasonsOf(err), name === "regbot" ? "ScriptError" : "RateLimited")
    assert.isFalse(target.repository("app").tags.has("v1"))
    assert.deepStrictEqual(target.incomplete, [])
    isWhole("other")
  })
})
