import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { regctlHere } from "../../support/inProcess.ts"
import { addBlob, digestOf, makeLayout, type Named, ociIndex, ociManifest, tagAll } from "../../support/layouts.ts"
import { temporary } from "../../support/registries.ts"

const dir = temporary("base")
const layout = makeLayout(join(dir.path, "layout"))
const at = (tag: string) => `ocidir://${layout}:${tag}`
afterAll(() => dir.remove())

const check = (...args: ReadonlyArray<string>) =>
  regctlHere(["image", "check-base", ...args], { config: join(dir.path, "none.json") })

const gzip = "application/vnd.oci.image.layer.v1.tar+gzip"
const dockerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"

interface Made {
  readonly layers: ReadonlyArray<string>
  readonly history: ReadonlyArray<string>
  readonly architecture?: string
  readonly layerType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

const image = ({ annotations = {}, architecture = "amd64", history, layers, layerType = gzip }: Made): Named => {
  const config = {
    architecture,
    os: "linux",
    rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    history: history.map((created_by) => ({ created: "2024-01-01T00:00:00Z", created_by }))
  }
  const document = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: addBlob(layout, JSON.stringify(config), "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((it) => addBlob(layout, it, layerType)),
    annotations
  }
  return addBlob(layout, JSON.stringify(document), ociManifest)
}
const index = (entries: Readonly<Record<string, Named>>, annotations = {}): Named => {
  const manifests = Object.entries(entries).map(([name, it]) => {
    const [os, architecture] = name.split("/")
    return { ...it, platform: { os, architecture } }
  })
  return addBlob(layout, JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests, annotations }), ociIndex)
}

const name = (base: string) => ({ "org.opencontainers.image.base.name": at(base) })
const digest = (base: Named) => ({ "org.opencontainers.image.base.digest": base.digest })
const app = (annotations = {}) => image({ layers: ["one", "two", "three"], history: ["1", "2", "3"], annotations })
const arm = (layers: ReadonlyArray<string>) => image({ layers, history: ["1", "2"], architecture: "arm64" })

const base = image({ layers: ["one", "two"], history: ["1", "2"] })
const newer = image({ layers: ["one", "other"], history: ["1", "2"] })
const multi = index({ "linux/amd64": base, "linux/arm64": arm(["uno", "due"]) })
const newerMulti = index({ "linux/amd64": base, "linux/arm64": arm(["uno", "altro"]) })
const apps = { "linux/amd64": app(), "linux/arm64": arm(["uno", "due", "tre"]) }
const attestation = image({ layers: ["attestation"], history: [], architecture: "unknown" })
const withAttestation = { ...apps, "unknown/unknown": attestation }

beforeAll(() => {
  tagAll(layout, {
    base,
    newer,
    multi,
    newerMulti,
    rebuilt: image({ layers: ["one", "two"], history: ["1", "2 again"] }),
    larger: image({ layers: ["one", "two", "three", "four"], history: [] }),
    longer: image({ layers: ["one"], history: ["1", "2", "3", "4"] }),
    docker: image({ layers: ["one", "two"], history: ["1", "2"], layerType: dockerGzip }),
    zstd: image({ layers: ["one", "two"], history: [], layerType: "application/vnd.oci.image.layer.v1.tar+zstd" }),
    amdOnly: index({ "linux/amd64": base }),
    app: app(),
    named: app(name("base")),
    stale: app(name("newer")),
    pinned: app({ ...name("base"), ...digest(base) }),
    outdated: app({ ...name("base"), ...digest(newer) }),
    broken: app({ ...name("base"), "org.opencontainers.image.base.digest": "foo" }),
    child: app(name("multi")),
    apps: index(apps),
    namedApps: index(withAttestation, name("multi")),
    staleApps: index(apps, name("newerMulti")),
    pinnedApps: index(apps, { ...name("multi"), ...digest(multi) }),
    schema1: addBlob(
      layout,
      JSON.stringify({ schemaVersion: 1, name: "x", tag: "y", fsLayers: [], history: [] }),
      "application/vnd.docker.distribution.manifest.v1+json"
    )
  })
})

const matches = { code: 0, out: "base image matches\n", err: "" }
const changed = { code: 1, out: "base image has changed\n", err: "" }

describe("image check-base", () => {
  it.each([
    ["named"],
    ["pinned"],
    ["pinnedApps"],
    ["app", "--base", at("base")],
    ["app", "--base", at("docker")],
    ["app", "--base", at("rebuilt"), "--no-config"],
    ["app", "--base", at("base"), "--digest", base.digest],
    ["outdated", "--base", at("base")],
    ["namedApps"],
    ["apps", "--base", at("multi")],
    ["staleApps", "--platform", "linux/amd64"],
    ["child"],
    ["app", "--base", at("multi"), "--platform", "linux/amd64"]
  ])("finds the base of %s unchanged %s %s %s %s", async (tag, ...args) => {
    assert.deepStrictEqual(await check(at(tag), ...args), matches)
  })

  it.each([
    ["stale"],
    ["outdated"],
    ["outdated", "--digest", base.digest],
    ["staleApps"],
    ["staleApps", "--platform", "linux/arm64"],
    ["app", "--base", at("newer")],
    ["app", "--base", at("zstd")],
    ["app", "--base", at("rebuilt")],
    ["app", "--base", at("base"), "--digest", newer.digest],
    ["apps", "--base", at("base")],
    ["app", "--base", at("multi"), "--platform", "linux/arm64"]
  ])("finds the base of %s changed, and says so on stdout alone %s %s %s %s", async (tag, ...args) => {
    assert.deepStrictEqual(await check(at(tag), ...args), changed)
  })

  it("is silent when told to be, but for its status and failures", async () => {
    assert.deepStrictEqual(await check(at("named"), "--quiet"), { ...matches, out: "" })
    assert.deepStrictEqual(await check(at("stale"), "--quiet", "--logopt", "json"), { ...changed, out: "" })
    assert.notStrictEqual((await check(at("app"), "--quiet")).err, "")
  })

  it("tells the reason in the log", async () => {
    const { err } = await check(at("staleApps"), "-v", "info")
    assert.match(
      err,
      /level=INFO msg="base image mismatch" err="platform linux\/arm64 mismatch: base layer changed, .*:newerMulti\[1\], expected sha256:[0-9a-f]{64}, received sha256:[0-9a-f]{64}"\n$/
    )
    assert.match((await check(at("outdated"), "-v", "info")).err, /err="base digest changed, .*:base, expected sha256:/)
    assert.match(
      (await check(at("app"), "--base", at("rebuilt"), "-v", "info")).err,
      /err="base history changed, .*\[1\]/
    )
  })

  it.each([
    ["app", [], "image does not have a base annotation, base image must be provided"],
    ["schema1", [], "image does not support annotations, base image must be provided"],
    ["broken", [], "invalid checksum digest format"],
    ["app", ["--base", at("larger")], "image has fewer layers than base image"],
    ["app", ["--base", at("longer")], "image has fewer history entries than base image"],
    ["apps", ["--base", at("amdOnly")], "platform linux/arm64 mismatch: platform not found: linux/arm64"],
    ["apps", ["--base", at("multi"), "-p", "linux/s390x"], "platform not found: linux/s390x"],
    ["apps", ["--base", at("multi"), "-p", "x!"], "failed to parse platform x!: invalid platform component x! in x!"],
    ["app", ["--base", "FOO?"], `invalid reference "FOO?"`],
    ["app", ["--base", at("schema1")], "base image manifest must be an image"],
    ["app", ["--base", at("nope")], "could not find entry in index.json"],
    ["nope", [], "could not find entry in index.json"]
  ])("cannot tell for %s %j", async (tag, args, problem) => {
    const { code, err, out } = await check(at(tag), ...args)
    assert.strictEqual(code, 1)
    assert.strictEqual(out, "")
    assert.isTrue(err.startsWith(problem), err)
  })
})
