import { afterAll, assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { regctlHere } from "../../support/inProcess.ts"
import { blobPath, judge } from "../../support/layouts.ts"
import { temporary } from "../../support/registries.ts"

const dir = temporary("create")
afterAll(() => dir.remove())

let count = 0
const regctl = (...args: ReadonlyArray<string>) => regctlHere(args, { config: join(dir.path, "none.json") })
const fresh = () => join(dir.path, `layout${count++}`)
const made = async (...args: ReadonlyArray<string>) => {
  const layout = fresh()
  const { code, err, out } = await regctl("image", "create", `ocidir://${layout}:v1`, ...args)
  assert.strictEqual(code, 0, err)
  assert.strictEqual(out, "")
  const { problems, tags } = judge(layout)
  assert.deepStrictEqual(problems, [])
  const manifest = readFileSync(blobPath(layout, tags["v1"] ?? ""), "utf8")
  return { manifest, config: readFileSync(blobPath(layout, JSON.parse(manifest).config.digest), "utf8") }
}

const rootfs = `"rootfs":{"type":"layers","diff_ids":[]}`

describe("image create", () => {
  it("writes an image without layers", async () => {
    assert.deepStrictEqual(await made(), {
      config: `{"architecture":"","os":"",${rootfs}}`,
      manifest: `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":` +
        `{"mediaType":"application/vnd.oci.image.config.v1+json",` +
        `"digest":"sha256:c493a9b5c45f5c700faa4dd809857ca48cf055d98f939d7e80520d73cfbba97d","size":68},"layers":[]}`
    })
  })

  // Configurations as upstream's tool writes them.
  it.each([
    [
      ["--platform", "linux/amd64", "--label", "a=b", "--created", "2024-01-02T03:04:05Z"],
      `{"created":"2024-01-02T03:04:05Z","architecture":"amd64","os":"linux","config":{"Labels":{"a":"b"}},${rootfs}}`
    ],
    [
      ["--platform", "windows/amd64,osver=10.0.1", "--label", "z", "--label", "=x", "--label", "a=<&>"],
      `{"architecture":"amd64","os":"windows","os.version":"10.0.1",` +
      `"config":{"Labels":{"":"x","a":"\\u003c\\u0026\\u003e","z":""}},${rootfs}}`
    ],
    [
      ["--platform", "linux/ARM64/v9,osver=3", "--created", "2024-01-02T03:04:05.500+01:00"],
      `{"created":"2024-01-02T03:04:05.5+01:00","architecture":"arm64","os":"linux","os.version":"3","variant":"v9",` +
      `${rootfs}}`
    ]
  ])("writes the configuration of %j", async (args, config) => {
    assert.strictEqual((await made(...args)).config, config)
  })

  it("writes annotations, and docker's types", async () => {
    const annotations = ["--annotation", "b", "--annotation", "a=c=d", "--annotation", "b="]
    const docker = "application/vnd.docker.distribution.manifest.v2+json"
    const { manifest } = await made("--media-type", docker, ...annotations)
    assert.strictEqual(
      manifest,
      `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":` +
        `{"mediaType":"application/vnd.docker.container.image.v1+json",` +
        `"digest":"sha256:c493a9b5c45f5c700faa4dd809857ca48cf055d98f939d7e80520d73cfbba97d","size":68},` +
        `"layers":[],"annotations":{"a":"c=d","b":""}}`
    )
  })

  it("takes the time of the clock for now", async () => {
    const { created } = JSON.parse((await made("--created", "now")).config)
    assert.match(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  })

  it("pushes by digest and prints it, or the format", async () => {
    const layout = fresh()
    const digest = "sha256:9705dea2152ea606c701f0930a578c278e2cae270de7b94553cbbe701445e6d9"
    const byDigest = await regctl("image", "create", `ocidir://${layout}:v1`, "--by-digest")
    assert.strictEqual(byDigest.out, `${digest}\n`)
    assert.deepStrictEqual(judge(layout).tags, { [digest]: digest })
    const format = "{{.Manifest.GetDescriptor.Size}} {{len .Manifest.GetLayers}}"
    const formatted = await regctl("image", "create", `ocidir://${layout}@${digest}`, "--format", format)
    assert.deepStrictEqual(formatted, { code: 0, out: "247 0", err: "" })
  })

  it("refuses a reference whose digest is another", async () => {
    const layout = fresh()
    const digest = `sha256:${"0".repeat(64)}`
    const { code, err } = await regctl("image", "create", `ocidir://${layout}@${digest}`)
    assert.strictEqual(code, 1)
    assert.match(
      err,
      /^failed to put manifest .*: manifest digest mismatch, expected sha256:0{64}, computed sha256:9705/
    )
    assert.deepStrictEqual(judge(layout).tags, {})
  })

  it.each([
    [["--media-type", "foo"], "unsupported manifest media type: foo"],
    [
      ["--created", "foo"],
      `failed to parse created time foo: parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"`
    ],
    [["--platform", "fo!o"], "failed to parse platform: invalid platform component fo!o in fo!o"]
  ])("refuses %j", async (args, problem) => {
    const layout = fresh()
    const ran = await regctl("image", "create", `ocidir://${layout}:v1`, ...args)
    assert.deepStrictEqual(ran, { code: 1, out: "", err: `${problem}\n` })
    assert.deepStrictEqual(judge(layout), { tags: {}, problems: [], extra: [] })
  })
})
