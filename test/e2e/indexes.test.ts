/** Indexes, images made from nothing, bases and whole repositories: the built tool against registries and layouts. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { skopeo, umociImage } from "../support/images.ts"
import { judge } from "../support/layouts.ts"
import { must, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("indexes")
let [docker, own]: Array<Running> = []
let source: string
let env: Record<string, string>
beforeAll(async () => {
  ;[docker, own] = await Promise.all([dockerRegistry(), ownRegistry()])
  env = { HOME: dir.path, REGCTL_CONFIG: join(dir.path, "regctl.json"), DOCKER_CONFIG: dir.path }
  source = `ocidir://${await umociImage(dir.path, "v1")}`
}, 60_000)
afterAll(async () => {
  await Promise.all([docker?.stop(), own?.stop()])
  dir.remove()
})

/** The global flags that make both registries plain. */
const hosts = () => [docker, own].flatMap((it) => ["--host", `reg=${it?.host ?? ""},tls=disabled`])
const regctl = (...args: ReadonlyArray<string>) =>
  must(process.execPath, [tool("regctl"), ...hosts(), ...args], { env })
const tryRegctl = (...args: ReadonlyArray<string>) =>
  run(process.execPath, [tool("regctl"), ...hosts(), ...args], { env })

const places: ReadonlyArray<readonly [string, () => string]> = [
  ["docker-registry", () => `${docker?.host}/made`],
  ["regctl serve", () => `${own?.host}/made`],
  ["a layout", () => `ocidir://${dir.path}/made`]
]
const skopeoName = (ref: string) =>
  ref.startsWith("ocidir://") ? `oci:${ref.slice("ocidir://".length)}` : `docker://${ref}`

describe.each(places)("at %s", (_, place) => {
  it("an index is made, grows and shrinks, and other tools read it", async () => {
    const target = place()
    await regctl("image", "create", `${target}:arm`, "--platform", "linux/arm64", "--created", "2024-01-02T03:04:05Z")
    const about = ["--annotation", "org.example=yes", "--format", "{{.Manifest.GetDescriptor.Digest}}"]
    const made = await regctl("index", "create", `${target}:all`, "--ref", `${source}:v1`, ...about)
    await regctl("index", "add", `${target}:all`, "--ref", `${target}:arm`, "--desc-annotation", "built=here")
    const raw = JSON.parse(await skopeo(["inspect", "--raw", "--tls-verify=false", skopeoName(`${target}:all`)]))
    const [first, second] = raw.manifests
    assert.match(made, /^sha256:[0-9a-f]{64}$/)
    assert.deepStrictEqual(raw.annotations, { "org.example": "yes" })
    assert.strictEqual(first.platform.os, "linux")
    assert.deepStrictEqual(second.platform, { architecture: "arm64", os: "linux" })
    assert.deepStrictEqual(second.annotations, { built: "here" })
    // Every blob is there: skopeo reads all of them.
    await skopeo(["copy", "-q", "--all", "--src-tls-verify=false", skopeoName(`${target}:all`), `dir:${dir.path}/all`])

    const digest = (await regctl("image", "digest", `${target}:all`)).trim()
    const shrunk = await regctl("index", "delete", `${target}@${digest}`, "--platform", "linux/arm64")
    const left = JSON.parse(await regctl("manifest", "get", `${target}@${shrunk.trim()}`, "--format", "raw-body"))
    assert.deepStrictEqual(left.manifests, [first])
    assert.strictEqual((await regctl("image", "digest", `${target}:all`)).trim(), digest)
  })

  it("the base of an image is checked, and a change tells by the status and stdout alone", async () => {
    const target = place()
    await regctl("image", "copy", `${source}:v1`, `${target}:base`)
    const digest = (await regctl("image", "digest", `${target}:base`)).trim()
    const base = ["name", "digest"].map((it) => `org.opencontainers.image.base.${it}`)
    const about = ["--annotation", `${base[0]}=${target}:base`, "--annotation", `${base[1]}=${digest}`]
    await regctl("image", "create", `${target}:app`, ...about)
    assert.strictEqual(await regctl("image", "check-base", `${target}:app`), "base image matches\n")
    await regctl("image", "create", `${target}:base`)
    assert.deepStrictEqual(await tryRegctl("image", "check-base", `${target}:app`), {
      code: 1,
      out: "base image has changed\n",
      err: ""
    })
  })
})

describe("repo copy", () => {
  it("copies from registry to registry and into a layout what has not been copied yet", async () => {
    const [from, to] = [`${docker?.host}/many`, `${own?.host}/many`]
    await regctl("image", "copy", `${source}:v1`, `${from}:v1`)
    await regctl("image", "copy", `${from}:v1`, `${from}:v2`)
    await regctl("index", "create", `${from}:all`, "--ref", `${from}:v1`, "--ref", `${source}:v1`)
    await own?.requests()
    assert.strictEqual(await regctl("repo", "copy", from, to, "--concurrent", "0"), "")
    const requests = await own?.requests() ?? []
    const uploads = requests.filter(({ method, path }) => method === "POST" && path.includes("/blobs/uploads/"))
    // Two layers and a configuration, each once.
    assert.lengthOf(uploads, 3, JSON.stringify(requests))
    assert.strictEqual(await regctl("tag", "ls", to), "all\nv1\nv2\n")

    const layout = join(dir.path, "many")
    await regctl("repo", "copy", "--include", "v1", to, `ocidir://${layout}`)
    await regctl("repo", "copy", "--new-tags", "--exclude", "v2", to, `ocidir://${layout}`)
    const { extra, problems, tags } = judge(layout)
    assert.deepStrictEqual(Object.keys(tags).sort(), ["all", "v1"])
    assert.deepStrictEqual([problems, extra], [[], []])
  })

  it("fails for a source that is not there", async () => {
    const { code, err } = await tryRegctl("repo", "copy", `${docker?.host}/absent`, `${own?.host}/absent`)
    assert.strictEqual(code, 1)
    assert.match(err, /^failed to list tags in 127\.0\.0\.1:\d+\/absent: /)
  })
})
