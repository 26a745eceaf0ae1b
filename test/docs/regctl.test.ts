/** The examples of regctl's guide, run against one embedded registry: the guide's `localhost:5000`. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { installCommand, openShell, readGuide, runExamples, type Shell } from "../support/guides.ts"
import { tool } from "../support/programs.ts"
import { ownRegistry, type Running, temporary } from "../support/registries.ts"

const guide = readGuide("docs/regctl.md")

const dir = temporary("guide")
let registry: Running
let shell: Shell

beforeAll(async () => {
  registry = await ownRegistry()
  const [bin, work] = [join(dir.path, "bin"), join(dir.path, "work")]
  mkdirSync(bin)
  mkdirSync(work)
  installCommand(bin, "regctl", process.env["REGCTL_TABLE"] ?? `${process.execPath}' '${tool("regctl")}`)
  shell = openShell(work, {
    HOME: dir.path,
    PATH: `${bin}:${process.env["PATH"]}`,
    REGCTL_CONFIG: join(dir.path, "config.json"),
    DOCKER_CONFIG: join(dir.path, "docker"),
    DOCKER_AUTH_CONFIG: undefined,
    REGISTRY_AUTH_FILE: undefined
  })
})
afterAll(async () => {
  shell.end()
  await registry.stop()
  dir.remove()
})

describe("the guide to regctl", () => {
  runExamples(guide, () => shell, () => [["localhost:5000", registry.host]])

  it("names every command there is a page for", () => {
    const groups = ["artifact", "blob", "config", "image", "index", "manifest", "registry", "repo", "tag"]
    assert.deepStrictEqual(groups.filter((it) => !guide.text.includes(`regctl ${it} `)), [])
  })

  it("has few examples that are not run", () => assert.isAtMost(guide.blocks("sh").length, 10))
})
