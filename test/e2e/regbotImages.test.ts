/** What scripts do with images, blobs and artifacts, with the built tool against a registry. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { digestAt, putBuild, putIndex, tagsAt } from "../support/builds.ts"
import type { Content } from "../support/contents.ts"
import { regbot } from "../support/regbots.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("regbot-images")
let registry: Running
let amd: Content
let arm: Content

const once = (script: string, more: object = {}, args: ReadonlyArray<string> = []) => {
  const scripts = [{ name: "s", script: script.replaceAll("REG", registry.host), ...more }]
  const config = { version: 1, creds: [{ registry: registry.host, tls: "disabled" }], scripts }
  return regbot(dir.path, ["once", ...args], JSON.stringify(config))
}

/** What a script printed, line by line; it has to succeed. */
const printed = async (script: string): Promise<ReadonlyArray<string>> => {
  const { code, err, out } = await once(script)
  assert.strictEqual(code, 0, err)
  return out.split("\n").slice(0, -1)
}

beforeAll(async () => {
  registry = await dockerRegistry()
  amd = await putBuild(registry.host, "app", {
    tags: ["v1"],
    labels: { version: "1.0" },
    config: { ExposedPorts: { "80/tcp": {} } }
  })
  arm = await putBuild(registry.host, "app", { tags: ["arm"], labels: { version: "1.0-arm" }, architecture: "arm64" })
  await putIndex(registry.host, "app", "all", { amd64: amd, arm64: arm })
})
afterAll(async () => {
  await registry?.stop()
  dir.remove()
})

describe("images in scripts", () => {
  it("are changed by configuration and manifest, and by image.mod", async () => {
    assert.deepStrictEqual(
      await printed(`
        local ic, m = image.config "REG/app:v1", manifest.get "REG/app:v1"
        ic.Config.Labels["by"] = "a script"
        ic.Config.ExposedPorts["443/tcp"] = {}
        m.config.digest, m.config.size = blob.put("REG/app", ic:export())
        m:export():put "REG/app:exported"
        local c = image.config("REG/app:exported").Config
        print(c.Labels.version, c.Labels.by, c.ExposedPorts["80/tcp"] ~= nil, c.ExposedPorts["443/tcp"] ~= nil)
        print(image.config("REG/app:all", "linux/arm64").Config.Labels.version)
        local new = image.mod("REG/app:v1", {create = "mod", label = {"a=1", "b=2"}, {"env", "X=y"}, {"labelToAnnotation"}})
        local changed = image.config(new).Config
        print(new:tag(), changed.Labels.a, changed.Labels.b, changed.Env[1])
        print(pcall(image.mod, "REG/app:v1", {lable = "x"}))`),
      [
        "1.0\ta script\ttrue\ttrue",
        "1.0-arm",
        "mod\t1\t2\tX=y",
        "false\t<string>:13: bad argument #2 to mod (unknown option \"lable\")"
      ]
    )
  })

  it("are copied with all options, exported and imported", async () => {
    await printed(`
      image.copy{"REG/app:all", "REG/copies:arm", platform = "linux/arm64"}
      image.copy{source = "REG/app:all", target = "REG/copies:all", fast = true, referrers = true}
      image.exportTar("REG/app:all", "all.tar")
      image.importTar("REG/copies:imported", "all.tar")
      image.copy("REG/app:v1", "ocidir://layout:v1")
      image.copy("ocidir://layout:v1", "REG/copies:back")`)
    assert.deepStrictEqual(await tagsAt(registry.host, "copies"), ["all", "arm", "back", "imported"])
    const all = await digestAt(registry.host, "app", "all")
    assert.strictEqual(await digestAt(registry.host, "copies", "all"), all)
    assert.strictEqual(await digestAt(registry.host, "copies", "imported"), all)
    assert.strictEqual(await digestAt(registry.host, "copies", "arm"), arm.descriptor.digest)
    assert.strictEqual(await digestAt(registry.host, "copies", "back"), amd.descriptor.digest)
  })
})

describe("blobs and artifacts in scripts", () => {
  it("are pushed, read and attached", async () => {
    mkdirSync(join(dir.path, "out"))
    writeFileSync(join(dir.path, "report.txt"), "all tests passed")
    assert.deepStrictEqual(
      await printed(`
        local digest, size = blob.put("REG/app", "h\\0llo\\255")
        print(digest, size, blob.get("REG/app", digest):read() == "h\\0llo\\255")
        print(blob.get("REG/app", digest):put "REG/other")
        print(pcall(function() return blob.head("REG/other", digest):read(5) end))
        artifact.put{subject = "REG/app:v1", artifactType = "text/x-report", file = "report.txt", fileTitle = true}
        for _, it in ipairs(artifact.list "REG/app:v1") do print(it.artifactType, it.size > 0) end
        print((artifact.get{subject = "REG/app:v1"}))
        artifact.get{subject = "REG/app:v1", output = "out"}
        local root = artifact.tree "REG/app:all"
        print(#root.children, root.children[1].platform, root.children[1].referrers[1].artifactType)`),
      [
        "sha256:0815cc6b32a4fd180fd15a26b663b358dc9b667b659127133c007330c7e4139a\t6\ttrue",
        "sha256:0815cc6b32a4fd180fd15a26b663b358dc9b667b659127133c007330c7e4139a\t6",
        `false\t<string>:5: Failed retrieving "${registry.host}/other:latest" blob ` +
        "\"sha256:0815cc6b32a4fd180fd15a26b663b358dc9b667b659127133c007330c7e4139a\": size limit exceeded: more than 5 bytes",
        "text/x-report\ttrue",
        "all tests passed",
        "2\tlinux/amd64\ttext/x-report"
      ]
    )
    assert.strictEqual(readFileSync(join(dir.path, "out/report.txt"), "utf8"), "all tests passed")
  })
})

describe("a sandbox", () => {
  it("keeps files of this machine out of reach of images and artifacts", async () => {
    const { code, err, out } = await once(
      `print(select(2, pcall(image.exportTar, "REG/app:v1", "x.tar")))
print(select(2, pcall(image.importTar, "REG/app:x", "all.tar")))
print(select(2, pcall(image.mod, "REG/app:v1", {layerAdd = "dir=/etc"})))
print(select(2, pcall(artifact.put, "REG/app:x", {file = "/etc/passwd", artifactType = "text/plain"})))
print(select(2, pcall(artifact.get, "REG/app:v1", {output = "out"})))`,
      { sandbox: true }
    )
    assert.strictEqual(code, 0, err)
    assert.deepStrictEqual(out.split("\n").slice(0, -1), [
      "<string>:1: image.exportTar is denied: the script runs in a sandbox",
      "<string>:2: image.importTar is denied: the script runs in a sandbox",
      "<string>:3: image.mod with layerAdd is denied: the script runs in a sandbox",
      "<string>:4: artifact.put of files is denied: the script runs in a sandbox",
      "<string>:5: artifact.get into files is denied: the script runs in a sandbox"
    ])
  })
})
