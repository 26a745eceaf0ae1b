/** `regbot once --dry-run` of scripts that call every function that writes: nothing is written, and everything told. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { putBuild, putIndex, putReferrer } from "../support/builds.ts"
import type { Content } from "../support/contents.ts"
import { must, type Ran, tool } from "../support/programs.ts"
import { regbot } from "../support/regbots.ts"
import { dockerRegistry, type Request, type Running, temporary } from "../support/registries.ts"

const dir = temporary("regbot-dry")
let registry: Running
let v1: Content

/** Every file below the directory, with what it contains and when it was changed; not the cache of compiled code. */
const tree = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true, withFileTypes: true }).map((it) => {
    const name = join(it.parentPath, it.name)
    const { mtimeMs } = lstatSync(name)
    return `${name} ${mtimeMs} ${it.isFile() ? createHash("sha256").update(readFileSync(name)).digest("hex") : ""}`
  }).filter((it) => !it.startsWith(`${path}/.cache`)).sort()

const once = (scripts: Readonly<Record<string, string>>): Promise<Ran> =>
  regbot(
    dir.path,
    ["once", "--dry-run", "-v", "debug", "--logopt", "json"],
    JSON.stringify({
      version: 1,
      creds: [{ registry: registry.host, tls: "disabled" }],
      defaults: { skipDockerConfig: true },
      scripts: Object.entries(scripts).map(([name, script]) => ({
        name,
        script: script.replaceAll("REG", registry.host).replaceAll("DIR", `ocidir://${dir.path}`)
          .replaceAll("FILES", dir.path)
      }))
    })
  )

type Told = Readonly<Record<string, string | number | boolean>>

/** Records without their times. */
const toldOf = ({ err }: Ran): ReadonlyArray<Told> =>
  err.split("\n").filter((it) => it.startsWith("{")).map((it) => {
    const { time, ...told } = JSON.parse(it)
    assert.isString(time)
    return told
  })

/** The records of a script that are about writes. */
const writesOf = (told: ReadonlyArray<Told>, script: string) =>
  told.filter((it) => it["script"] === script && it["dry-run"] !== undefined)

beforeAll(async () => {
  registry = await dockerRegistry()
  const { host } = registry
  v1 = await putBuild(host, "app", { tags: ["v1", "same"], labels: { version: "1.0" } })
  const v2 = await putBuild(host, "app", { tags: ["v2"], labels: { version: "2.0" }, architecture: "arm64" })
  await putIndex(host, "app", "all", { amd64: v1, arm64: v2 })
  await putReferrer(host, "app", v1, "application/vnd.example.signature")
  const copy = (from: string, to: string) =>
    must(process.execPath, [
      tool("regctl"),
      "--host",
      `reg=${host},tls=disabled`,
      "image",
      from === "export" ? from : "copy",
      ...(from === "export" ? [`${host}/app:v1`, to] : [`${host}/app:${from}`, to])
    ], {
      env: { HOME: dir.path, REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path },
      cwd: dir.path
    })
  for (const tag of ["v1", "v2", "same", "all"]) await copy(tag, `ocidir://${dir.path}/app:${tag}`)
  await copy("export", join(dir.path, "app.tar"))
})
afterAll(async () => {
  await registry.stop()
  dir.remove()
})

/** Calls every function that writes on PLACE/app, which has `all`, `same`, `v1` and `v2`, and on PLACE/new. */
const everything = `
  local function tags(ref)
    local list = tag.ls(ref) table.sort(list) print(table.concat(list, " "))
  end
  image.copy("PLACE/app:v1", "PLACE/app:copied")
  image.copy("PLACE/app:all", "PLACE/new:all", { digestTags = true })
  tags "PLACE/app"
  tags "PLACE/new"
  print(image.config("PLACE/new:all@" .. manifest.getList("PLACE/new:all").manifests[2].digest).architecture
    or image.config(manifest.get("PLACE/new:all", "linux/arm64")).Platform.architecture)

  local m = manifest.get("PLACE/app:v1")
  m.annotations["made"] = "dry"
  local changed = m:export()
  changed:put("PLACE/app:changed")
  manifest.put(m, "PLACE/app:put")
  print(manifest.get("PLACE/app:changed").annotations["made"])

  local digest, size = blob.put("PLACE/new", "some text")
  print(digest, size)
  print(blob.head("PLACE/new", digest):read())
  local layer = blob.get("PLACE/app", m.layers[1].digest)
  blob.put("PLACE/new", layer)
  layer:put("PLACE/other")
  local config = image.config("PLACE/app:v1")
  config.Config.Labels["version"] = "3.0"
  print(blob.put("PLACE/new", config:export()) ~= m.config.digest)

  image.exportTar("PLACE/app:v1", "FILES/out.tar")
  image.importTar("PLACE/app:imported", "FILES/app.tar")
  image.importTar("PLACE/app:again", "FILES/out.tar")
  print(manifest.descriptor("PLACE/app:imported").digest == manifest.descriptor("PLACE/app:v1").digest)

  local modified = image.mod("PLACE/app:v1", { create = "modified", label = "made=dry" })
  print(image.config(modified).Config.Labels["made"])
  artifact.put { subject = "PLACE/app:v1", content = "a note", artifactType = "application/vnd.example.note" }
  print((artifact.get { subject = "PLACE/app:v1", filterArtifactType = "application/vnd.example.note" }))

  tag.delete("PLACE/app:same")
  tag.delete("PLACE/app:copied")
  print(pcall(tag.delete, "PLACE/app:copied"))
  tags "PLACE/app"
  manifest.get("PLACE/app:v2"):delete()
  print((pcall(manifest.head, "PLACE/app:v2")))
  tags "PLACE/app"
  reference.close("PLACE/app")
  tags "PLACE/app"
`

const printed = [
  "all copied same v1 v2",
  "all",
  "arm64",
  "dry",
  "sha256:b94f6f125c79e3a5ffaa826f584c10d52ada669e6762051b826b55776d05aed2\t9",
  "some text",
  "true",
  "true",
  "dry",
  "a note",
  /^false\t<string>:\d+: Failed deleting ".*app:copied": /,
  "again all changed imported modified put v1 v2",
  "false",
  "again all changed imported modified put v1",
  "again all changed imported modified put v1"
]

const check = (lines: ReadonlyArray<string>) => {
  const story = lines.join("\n")
  assert.strictEqual(lines.length, printed.length, story)
  printed.forEach((it, at) =>
    typeof it === "string" ? assert.strictEqual(lines[at], it, story) : assert.match(lines[at] ?? "", it, story)
  )
}

describe("S12: regbot once --dry-run", () => {
  it("writes to no registry, layout or file, and reads what it did not write", async () => {
    await registry.requests()
    const before = tree(dir.path)
    const ran = await once({
      registry: everything.replaceAll("PLACE", "REG"),
      layout: everything.replaceAll("PLACE", "DIR")
    })
    assert.strictEqual(ran.code, 0, ran.err)
    const methods = (await registry.requests()).map(({ method }: Request) => method)
    assert.deepStrictEqual([...new Set(methods)].sort(), ["GET", "HEAD"])
    assert.deepStrictEqual(tree(dir.path), before)
    assert.isFalse(existsSync(join(dir.path, "out.tar")))
    const lines = ran.out.split("\n").slice(0, -1)
    check(lines.slice(0, printed.length))
    check(lines.slice(printed.length))

    const told = toldOf(ran)
    const at = registry.host
    const info = (msg: string, rest: Told): Told => ({
      level: "INFO",
      msg,
      script: "registry",
      ...rest,
      "dry-run": true
    })
    assert.deepStrictEqual(writesOf(told, "registry").slice(0, 2), [
      info("Copy image", {
        source: `${at}/app:v1`,
        target: `${at}/app:copied`,
        digestTags: false,
        forceRecursive: false,
        includeExternal: false
      }),
      info("Copy image", {
        source: `${at}/app:all`,
        target: `${at}/new:all`,
        digestTags: true,
        forceRecursive: false,
        includeExternal: false
      })
    ])
    const places = (script: string) => writesOf(told, script).map(({ msg }) => msg)
    assert.deepStrictEqual(places("registry"), [
      "Copy image",
      "Copy image",
      "Put manifest",
      "Put manifest",
      "Put blob",
      "Put blob",
      "Put blob",
      "Put blob",
      "Export image",
      "Import image",
      "Import image",
      "Mod image",
      "Put artifact",
      "Delete tag",
      "Delete tag",
      "Delete tag",
      "Delete manifest"
    ])
    assert.deepStrictEqual(places("layout"), places("registry"))
    for (const it of [...writesOf(told, "registry"), ...writesOf(told, "layout")])
      assert.strictEqual(it["level"], "INFO")
  })

  it("tells the bytes and requests that a copy would take", async () => {
    await registry.requests()
    const ran = await once({
      copy: `image.copy("REG/app:v1", "DIR/made:v1") image.copy("REG/app:v1", "REG/beside:v1")`
    })
    assert.strictEqual(ran.code, 0, ran.err)
    const sums = toldOf(ran).filter(({ bytes, level }) => level === "DEBUG" && bytes !== undefined)
    const { config, layers } = JSON.parse(v1.bytes.toString())
    assert.deepStrictEqual(sums.map(({ bytes, requests, script }) => [script, bytes, requests]), [
      ["copy", v1.bytes.length + config.size + layers[0].size, 2],
      ["copy", v1.bytes.length, 3]
    ])
  })
})
