/** `docker regctl …`: the tool as a plugin of docker's own client. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { installed, run, tool } from "../support/programs.ts"
import { temporary } from "../support/registries.ts"
import { toolsIn } from "../support/shells.ts"

const dir = temporary("docker")
const plugin = join(dir.path, "cli-plugins/docker-regctl")
const elsewhere = join(dir.path, "elsewhere")
let env: Readonly<Record<string, string | undefined>> = {}

const docker = (args: ReadonlyArray<string>, input = "") =>
  run(installed("docker", "docker-cli or docker.io"), args, { env, cwd: dir.path, input })

beforeAll(() => {
  for (const name of ["cli-plugins", "elsewhere"]) mkdirSync(join(dir.path, name))
  symlinkSync(tool("regctl"), plugin)
  env = {
    HOME: dir.path,
    PATH: `${toolsIn(dir.path)}:${process.env["PATH"]}`,
    DOCKER_CONFIG: dir.path,
    DOCKER_AUTH_CONFIG: undefined,
    REGCTL_CONFIG: join(dir.path, "config.json")
  }
})
afterAll(() => dir.remove())

describe("docker", () => {
  it("lists the plugin", async () => {
    const { out } = await docker(["--help"])
    assert.match(out, /^ +regctl\* +Inspect, copy and edit images and artifacts in registries/m)
  })

  it("runs its commands: arguments, input, output and status are the tool's", async () => {
    const digest = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert.deepStrictEqual(await docker(["regctl", "digest", "--format", "{{println .}}"], "hello\n"), {
      code: 0,
      out: `${digest}\n`,
      err: ""
    })
    const failed = await docker(["regctl", "nonsense"])
    assert.strictEqual(failed.code, 1)
    assert.include(failed.err, `unknown command "nonsense" for "docker regctl"`)
  })

  it("puts its own flags before, of which the tool reads the directory of logins", async () => {
    const call = ["--config", dir.path, "--log-level=error", "-H", "tcp://127.0.0.1:1", "regctl"]
    const { code, out } = await docker([...call, "version", "--format", `{{env "DOCKER_CONFIG"}} {{.Platform}}`])
    assert.deepStrictEqual([code, out.split(" ")[0]], [0, dir.path])
    const direct = await run(plugin, [
      "--config",
      elsewhere,
      "regctl",
      "version",
      "--format",
      `{{env "DOCKER_CONFIG"}}`
    ], {
      env
    })
    assert.strictEqual(direct.out, elsewhere)
  })

  it("shows its help, by its flag and by docker's command", async () => {
    const [flag, topic] = await Promise.all([
      docker(["regctl", "tag", "ls", "--help"]),
      docker(["help", "regctl", "tag", "ls"])
    ])
    assert.include(flag.out, "Usage:\n  docker regctl tag ls <repository> [flags]\n")
    assert.strictEqual(topic.out, flag.out)
  })
})

describe("regctl docker install", () => {
  const install = (...args: ReadonlyArray<string>) =>
    run(process.execPath, [tool("regctl"), "docker", "install", ...args], { env: { ...env, DOCKER_CONFIG: elsewhere } })

  it("makes the plugin where docker keeps its settings, and again", async () => {
    const link = join(elsewhere, "cli-plugins/docker-regctl")
    for (const _ of ["new", "again"]) assert.deepStrictEqual(await install(), { code: 0, out: `${link}\n`, err: "" })
    assert.strictEqual(readlinkSync(link), tool("regctl"))
    const { code, out } = await docker(["--config", elsewhere, "regctl", "version", "--format", "{{.Platform}}"])
    assert.deepStrictEqual([code, out.split("/")[0]], [0, "linux"])
  })

  it("leaves alone what is no link", async () => {
    const other = join(dir.path, "other")
    mkdirSync(other)
    writeFileSync(join(other, "docker-regctl"), "a program of somebody else")
    assert.deepStrictEqual(await install("--dir", other), {
      code: 1,
      out: "",
      err: `${other}/docker-regctl is there and no link: remove it first\n`
    })
    assert.deepStrictEqual(readdirSync(other), ["docker-regctl"])
  })
})

describe("the plugin", () => {
  it("tells docker who it is, and nobody else", async () => {
    const { out } = await run(plugin, ["docker-cli-plugin-metadata"], { env })
    const { SchemaVersion, ShortDescription, Vendor, Version } = JSON.parse(out)
    assert.deepStrictEqual([SchemaVersion, Vendor, ShortDescription], [
      "0.1.0",
      "regclient",
      "Inspect, copy and edit images and artifacts in registries"
    ])
    assert.match(Version, /^v\d/)
    const { code, err } = await run(process.execPath, [tool("regctl"), "docker-cli-plugin-metadata"])
    assert.deepStrictEqual([code, err], [1, `unknown command "docker-cli-plugin-metadata" for "regctl"\n`])
  })

  it("completes in docker's place", async () => {
    const { code, out } = await run(plugin, ["__complete", "regctl", "tag", "l"], { env })
    assert.deepStrictEqual([code, out], [0, "ls\tlist the tags of a repository\n:4\n"])
  })
})
