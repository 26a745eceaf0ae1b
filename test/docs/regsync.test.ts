/**
 * The examples of regsync's guide, run against two registries: the guide's `localhost:5000` is our own, `localhost:5001`
 * is Debian's. A block marked `yaml` that begins with `# name.yml` is that file; each is loaded with `--strict`.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse, parseAllDocuments } from "yaml"
import {
  installCommand,
  located,
  openShell,
  type Places,
  readGuide,
  runExamples,
  type Shell
} from "../support/guides.ts"
import { root, run, tool } from "../support/programs.ts"
import { dockerRegistry, freePort, ownRegistry, type Running, temporary } from "../support/registries.ts"

const guide = readGuide("docs/regsync.md")
const files = join(root, "examples/regsync")

const dir = temporary("guide")
const work = join(dir.path, "work")
let origin: Running
let mirror: Running
let shell: Shell
let places: Places

const env = {
  HOME: dir.path,
  DOCKER_CONFIG: join(dir.path, "docker"),
  DOCKER_AUTH_CONFIG: undefined,
  REGISTRY_AUTH_FILE: undefined
}

beforeAll(async () => {
  ;[origin, mirror] = await Promise.all([ownRegistry(), dockerRegistry()])
  places = [
    ["localhost:5000", origin.host],
    ["localhost:5001", mirror.host],
    ["localhost:8080", `127.0.0.1:${await freePort()}`]
  ]
  const bin = join(dir.path, "bin")
  mkdirSync(bin)
  mkdirSync(work)
  for (const name of ["regctl", "regsync"] as const) {
    installCommand(bin, name, `${process.execPath}' '${tool(name)}`)
  }
  for (const { lines } of guide.blocks("yaml")) {
    const [, name] = /^# (\S+\.yml)/.exec(lines[0] ?? "") ?? []
    if (name !== undefined) writeFileSync(join(work, name), located(`${lines.join("\n")}\n`, places))
  }
  cpSync(join(files, "airgap"), join(work, "airgap"), { recursive: true })
  for (const name of ["airgap/fetch.yml", "airgap/push.yml"]) {
    writeFileSync(join(work, name), located(readFileSync(join(work, name), "utf8"), places))
  }
  shell = openShell(work, {
    ...env,
    PATH: `${bin}:${process.env["PATH"]}`,
    REGCTL_CONFIG: join(dir.path, "config.json"),
    TZ: "UTC"
  })
})
afterAll(async () => {
  await shell.run("kill ${daemon:-} 2>/dev/null")
  shell.end()
  await Promise.all([origin.stop(), mirror.stop()])
  dir.remove()
})

describe("the guide to regsync", () => {
  runExamples(guide, () => shell, () => places)

  it("names every key that the file has", async () => {
    const printed = await run(process.execPath, [tool("regsync"), "config", "-c", "-"], {
      env,
      input: "creds: [{registry: a.test}]\nsync: [{type: image, source: a, target: b}]\n"
    })
    const keys = [...printed.out.matchAll(/^[- ]*([a-zA-Z]+):/gm)].map(([, key]) => key)
    const unnamed = keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(guide.text))
    // Members of hooks, which never run.
    assert.deepStrictEqual([...new Set(unnamed)], ["pre", "post", "unchanged"])
  })

  it("has few examples that are not run", () => assert.isAtMost(guide.blocks("sh").length, 1))
})

const strict = (input: string) =>
  run(process.execPath, [tool("regsync"), "config", "--strict", "-c", "-"], { env, input })

const textAt = (value: unknown, path: ReadonlyArray<string | number>): string => {
  let found: unknown = value
  for (const key of path) {
    found = typeof found === "object" && found !== null
      ? Object.entries(found).find(([it]) => it === `${key}`)?.[1]
      : ""
  }
  return typeof found === "string" ? found : ""
}

describe("a file of the guide or the examples", () => {
  it("quickstart.yml mirrors images and their tags, Docker Hub being the registry at hand", async () => {
    for (const image of ["busybox:1.37", "alpine:3.19", "alpine:3.22", "alpine:latest", "registry:2"]) {
      const { code, out } = await shell.run(`regctl image create ${origin.host}/library/${image} --label of=${image}`)
      assert.strictEqual(code, 0, out)
    }
    const hub = "  - registry: docker.io\n"
    const text = readFileSync(join(files, "quickstart.yml"), "utf8")
    assert.include(text, hub)
    const { code, err } = await run(process.execPath, [tool("regsync"), "once", "-c", "-"], {
      env: { ...env, MIRROR: mirror.host },
      input: text.replace(hub, `${hub}    hostname: ${origin.host}\n    tls: disabled\n`)
    })
    assert.strictEqual(code, 0, err)
    assert.match(err, / msg="Run finished" copied=4 /)
    const { out } = await shell.run(`regctl tag ls ${mirror.host}/library/alpine`)
    assert.strictEqual(out, "3.22\nlatest\n")
  })

  for (const { line, lines } of guide.blocks("yaml")) {
    if (lines[0]?.includes("(not loaded)") === true) continue
    it(`from line ${line} of the guide is sound`, async () => {
      const { code, err } = await strict(lines.join("\n"))
      assert.strictEqual(code, 0, err)
    })
  }

  for (const name of ["quickstart.yml", "airgap/fetch.yml", "airgap/push.yml"]) {
    it(`${name} is sound`, async () => {
      const { code, err } = await strict(readFileSync(join(files, name), "utf8"))
      assert.strictEqual(code, 0, err)
    })
  }

  it("kubernetes.yml holds a sound file, and probes where the daemon listens", async () => {
    const text = readFileSync(join(files, "kubernetes.yml"), "utf8")
    const [configMap, deployment] = parseAllDocuments(text).map((it): unknown => it.toJS())
    const config = textAt(configMap, ["data", "regsync.yml"])
    const { code, err } = await strict(config)
    assert.strictEqual(code, 0, err)
    const container = ["spec", "template", "spec", "containers", 0]
    assert.strictEqual(textAt(deployment, [...container, "readinessProbe", "httpGet", "path"]), "/readyz")
    assert.strictEqual(textAt(deployment, [...container, "livenessProbe", "httpGet", "path"]), "/healthz")
    assert.strictEqual(textAt(parse(config), ["server", "listen"]), "0.0.0.0:8080")
    assert.include(text, "containerPort: 8080")
  })

  it("compose.yml holds a sound file", async () => {
    const compose: unknown = parse(readFileSync(join(files, "compose.yml"), "utf8"))
    const { code, err } = await strict(textAt(compose, ["configs", "regsync.yml", "content"]))
    assert.strictEqual(code, 0, err)
  })
})
