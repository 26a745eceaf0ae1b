/**
 * The examples of regbot's guide, run against Debian's docker-registry as the guide's `localhost:5000`. A block marked
 * `yaml` or `lua` that begins with `name.yml` or `name.lua` in a comment is that file. Every other block of Lua is run as
 * a script of its own, in their order, after all commands: what it prints stands behind `-->`.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  type Block,
  installCommand,
  located,
  openShell,
  type Places,
  readGuide,
  runExamples,
  type Shell
} from "../support/guides.ts"
import { type Ran, tool } from "../support/programs.ts"
import { regbot } from "../support/regbots.ts"
import { dockerRegistry, freePort, type Running, temporary } from "../support/registries.ts"

const guide = readGuide("docs/regbot.md")

const dir = temporary("guide")
const work = join(dir.path, "work")
let registry: Running
let shell: Shell
let places: Places

const fileOf = ({ lines }: Block): string | undefined => /^(?:#|--) (\S+\.(?:yml|lua))/.exec(lines[0] ?? "")?.[1]
const scripts = guide.blocks("lua").filter((it) => fileOf(it) === undefined)

beforeAll(async () => {
  registry = await dockerRegistry()
  places = [
    ["localhost:5000", registry.host],
    ["localhost:8080", `127.0.0.1:${await freePort()}`]
  ]
  const bin = join(dir.path, "bin")
  mkdirSync(bin)
  mkdirSync(work)
  for (const name of ["regctl", "regbot"] as const) installCommand(bin, name, `${process.execPath}' '${tool(name)}`)
  for (const block of [...guide.blocks("yaml"), ...guide.blocks("lua")]) {
    const name = fileOf(block)
    if (name !== undefined) writeFileSync(join(work, name), located(`${block.lines.join("\n")}\n`, places))
  }
  shell = openShell(work, {
    HOME: dir.path,
    DOCKER_CONFIG: join(dir.path, "docker"),
    DOCKER_AUTH_CONFIG: undefined,
    REGISTRY_AUTH_FILE: undefined,
    PATH: `${bin}:${process.env["PATH"]}`,
    REGCTL_CONFIG: join(dir.path, "config.json"),
    TZ: "UTC"
  })
})
afterAll(async () => {
  await shell?.run("kill ${daemon:-} 2>/dev/null")
  shell?.end()
  await registry?.stop()
  dir.remove()
})

/** What a block says that it prints. */
const expected = ({ lines }: Block): ReadonlyArray<string> =>
  lines.flatMap((it) => /(?:^| )--> (.*)$/.exec(it)?.[1] ?? [])

describe("the guide to regbot", () => {
  runExamples(guide, () => shell, () => places)

  describe("has Lua that prints what it says", () => {
    let ran: Ran
    /** What each script printed. */
    let printed: ReadonlyArray<string>
    beforeAll(async () => {
      const config = {
        creds: [{ registry: registry.host, tls: "disabled" }],
        scripts: scripts.flatMap(({ line, lines }) => [
          { name: `line ${line}`, script: located(lines.join("\n"), places) },
          { name: "mark", script: `print "@@"` }
        ])
      }
      ran = await regbot(work, ["once", "--strict"], JSON.stringify(config))
      printed = located(ran.out, places.map(([inGuide, real]) => [real, inGuide])).split("@@\n")
    })
    for (const [at, block] of scripts.entries()) {
      it(`at line ${block.line}`, () => {
        assert.deepStrictEqual(
          printed[at]?.split("\n").slice(0, -1),
          expected(block),
          ran.err.split("\n").filter((it) => it.includes(`line ${block.line}`)).join("\n")
        )
      })
    }
    it("without a failure", () => assert.strictEqual(ran.code, 0, ran.err))
  })

  it("names every function and method that scripts have", async () => {
    const script = `
      for _, library in ipairs {"reference", "repo", "tag", "manifest", "image", "imageconfig", "blob", "artifact"} do
        local names = {}
        for name, value in pairs(_G[library]) do
          if type(value) == "function" and name:sub(1, 2) ~= "__" then print(library .. "." .. name) end
        end
        for name in pairs(_G[library].__index or {}) do print(":" .. name) end
      end`
    const { out } = await regbot(work, ["once"], JSON.stringify({ scripts: [{ script }] }))
    const names = out.split("\n").slice(0, -1)
    assert.isAbove(names.length, 40)
    assert.deepStrictEqual(names.filter((it) => !guide.text.includes(`${it}`)), [])
  })

  it("has few examples that are not run", () => assert.isAtMost(guide.blocks("sh").length, 1))
})
