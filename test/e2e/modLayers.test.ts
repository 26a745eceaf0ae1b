/** Layers changed by `image mod`, as umoci unpacks them and skopeo reads their configuration. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { skopeo, skopeoDigest, umociImage } from "../support/images.ts"
import { installed, must, run, tool } from "../support/programs.ts"
import { ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("modLayers")
let layout: string
let registry: Running

const env = { REGCTL_CONFIG: join(dir.path, "config.json"), SOURCE_DATE_EPOCH: "1000", TMPDIR: dir.path }
const arguments_ = (source: string, options: ReadonlyArray<string>) => [
  tool("regctl"),
  "--host",
  `reg=${registry.host},tls=disabled`,
  "image",
  "mod",
  source,
  ...options
]
const mod = async (tag: string, ...options: ReadonlyArray<string>) => {
  const args = arguments_(`ocidir://${layout}:v1`, ["--create", tag, ...options])
  assert.strictEqual(await must(process.execPath, args, { env, cwd: dir.path }), `ocidir://${layout}:${tag}\n`)
}

interface Config {
  readonly rootfs: { readonly diff_ids: ReadonlyArray<string> }
  readonly history: ReadonlyArray<{ readonly created: string; readonly created_by?: string; readonly comment?: string }>
}
const config = async (tag: string): Promise<Config> =>
  JSON.parse(await skopeo(["inspect", "--config", `oci:${layout}:${tag}`]))
const layers = async (tag: string): Promise<ReadonlyArray<{ readonly mediaType: string; readonly digest: string }>> =>
  JSON.parse(await skopeo(["inspect", "--raw", `oci:${layout}:${tag}`])).layers

/** The root file system as umoci unpacks it, which checks all digests and diff ids. */
const unpack = async (tag: string): Promise<string> => {
  const bundle = join(dir.path, `bundle-${tag}`)
  await must(installed("umoci", "umoci"), ["unpack", "--rootless", "--image", `${layout}:${tag}`, bundle])
  return join(bundle, "rootfs")
}

const seconds = (path: string): number => statSync(path).mtimeMs / 1000

beforeAll(async () => {
  ;[layout, registry] = await Promise.all([umociImage(dir.path, "v1"), ownRegistry()])
  mkdirSync(join(dir.path, "added/opt"), { recursive: true })
  writeFileSync(join(dir.path, "added/opt/new"), "new")
  execFileSync("tar", ["-C", dir.path, "-czf", join(dir.path, "added.tar.gz"), "added"])
})
afterAll(async () => {
  await registry.stop()
  dir.remove()
})

describe("layers of an image made by umoci", () => {
  it("lose files, get times and a layer more, and come out the same each time", async () => {
    const options = [
      "--layer-strip-file",
      "/one/one.txt",
      "--layer-add",
      "dir=added",
      "--layer-time",
      "set=2001-09-09T01:46:40Z",
      "--reproducible"
    ]
    await mod("changed", ...options)
    await mod("again", ...options)
    assert.strictEqual(await skopeoDigest(`oci:${layout}:changed`), await skopeoDigest(`oci:${layout}:again`))
    const root = await unpack("changed")
    assert.isFalse(existsSync(join(root, "one/one.txt")))
    assert.strictEqual(readFileSync(join(root, "opt/new"), "utf8"), "new")
    assert.deepStrictEqual([seconds(join(root, "two/two.txt")), seconds(join(root, "opt/new"))], [1e9, 1e9])
    assert.deepStrictEqual((await config("changed")).history.at(-1), {
      created: "1970-01-01T00:16:40Z",
      comment: "regclient"
    })
  })

  it("are recompressed with the same diff ids", async () => {
    await mod("zstd", "--layer-compress", "zstd")
    await mod("none", "--layer-compress", "none", "--layer-strip-file", "absent")
    const before = (await config("v1")).rootfs
    assert.deepStrictEqual([(await config("zstd")).rootfs, (await config("none")).rootfs], [before, before])
    const types = async (tag: string) => (await layers(tag)).map(({ mediaType }) => mediaType)
    assert.deepStrictEqual(await types("zstd"), Array(2).fill("application/vnd.oci.image.layer.v1.tar+zstd"))
    assert.deepStrictEqual(await types("none"), Array(2).fill("application/vnd.oci.image.layer.v1.tar"))
    assert.deepStrictEqual((await layers("none")).map(({ digest }) => digest), before.diff_ids)
    // skopeo takes the compression off and on again, and checks what it finds.
    await skopeo(["copy", "--dest-decompress", `oci:${layout}:zstd`, `dir:${join(dir.path, "plain")}`])
  })

  it("are removed, and a layer whose files are all stripped", async () => {
    await mod("one", "--layer-rm-index", "0")
    assert.strictEqual((await config("one")).rootfs.diff_ids.length, 1)
    const root = await unpack("one")
    assert.deepStrictEqual([existsSync(join(root, "one")), existsSync(join(root, "two/two.txt"))], [false, true])
    await mod("stripped", "--layer-strip-file", "/two")
    assert.strictEqual((await config("stripped")).history.filter((it) => !("empty_layer" in it)).length, 1)
    assert.isFalse(existsSync(join(await unpack("stripped"), "two")))
    await mod("none-left", "--layer-rm-created-by", "umoci insert")
    assert.deepStrictEqual((await config("none-left")).rootfs.diff_ids, [])
  })

  it("are put on another base", async () => {
    // The base is the first layer with its history; the new one has another in its place.
    await mod("old", "--layer-rm-index", "1")
    await mod("new", "--layer-rm-created-by", "insert", "--layer-add", "tar=added.tar.gz")
    await must(
      process.execPath,
      arguments_(`ocidir://${layout}:old`, ["--create", "app", "--layer-add", "dir=added"]),
      { env, cwd: dir.path }
    )
    const rebased = await must(
      process.execPath,
      arguments_(`ocidir://${layout}:app`, [
        "--create",
        `ocidir://${dir.path}/elsewhere:rebased`,
        "--rebase-ref",
        `ocidir://${layout}:old,ocidir://${layout}:new`
      ]),
      { env, cwd: dir.path }
    )
    assert.strictEqual(rebased, `ocidir://${dir.path}/elsewhere:rebased\n`)
    const bundle = join(dir.path, "bundle-rebased")
    const image = `${dir.path}/elsewhere:rebased`
    await must(installed("umoci", "umoci"), ["unpack", "--rootless", "--image", image, bundle])
    assert.deepStrictEqual(
      ["added/opt/new", "opt/new", "one"].map((it) => existsSync(join(bundle, "rootfs", it))),
      [true, true, false]
    )
  })

  it("keep a tar in them with other times", async () => {
    mkdirSync(join(dir.path, "outer/srv"), { recursive: true })
    execFileSync("tar", ["-C", dir.path, "-cf", join(dir.path, "outer/srv/in.tar"), "added"])
    await mod("nested", "--layer-add", "dir=outer", "--file-tar-time", "filename=/srv/in.tar,set=2001-09-09T01:46:40Z")
    const list = execFileSync("tar", ["--utc", "-tvf", join(await unpack("nested"), "srv/in.tar")]).toString().trim()
    assert.deepStrictEqual(list.split("\n").map((line) => line.includes("2001-09-09 01:46")), [true, true, true])
  })

  it("become one, with the same files", async () => {
    const umoci = installed("umoci", "umoci")
    const image = ["--image", `${layout}:deep`]
    const bundle = join(dir.path, "deep")
    const root = join(bundle, "rootfs")
    await must(umoci, ["tag", "--image", `${layout}:v1`, "deep"])
    await must(umoci, ["unpack", "--rootless", ...image, bundle])
    // umoci writes whiteouts for what is deleted, and hard links as they are.
    const steps = [
      () => {
        mkdirSync(join(root, "etc/conf.d"), { recursive: true })
        for (const name of ["etc/a", "etc/conf.d/b", "file"]) writeFileSync(join(root, name), `${name}\n`)
        linkSync(join(root, "etc/a"), join(root, "linked"))
        linkSync(join(root, "etc/a"), join(root, "linked-too"))
        symlinkSync("etc", join(root, "symlink"))
        chmodSync(join(root, "etc"), 0o750)
      },
      () => {
        for (const name of ["one/one.txt", "etc/a", "etc/conf.d"]) rmSync(join(root, name), { recursive: true })
        rmSync(join(root, "file"))
        mkdirSync(join(root, "file"))
        writeFileSync(join(root, "file/inside"), "inside")
        writeFileSync(join(root, "etc/conf.d"), "a file now")
        chmodSync(join(root, "etc"), 0o700)
      },
      () => {
        rmSync(join(root, "two"), { recursive: true })
        writeFileSync(join(root, "one/one.txt"), "one again")
      }
    ]
    for (const step of steps) {
      step()
      await must(umoci, ["repack", "--refresh-bundle", ...image, bundle])
    }
    const args = arguments_(`ocidir://${layout}:deep`, ["--create", "flat", "--layer-squash"])
    await must(process.execPath, args, { env })
    assert.strictEqual((await layers("deep")).length, 5)
    assert.strictEqual((await layers("flat")).length, 1)
    const [before, after] = [join(dir.path, "bundle-before"), await unpack("flat")]
    await must(umoci, ["unpack", "--rootless", ...image, before])
    execFileSync("diff", ["-r", "--no-dereference", join(before, "rootfs"), after])
    const list = (at: string) =>
      execFileSync("find", [at, "-printf", "%P %y %m %n %l\n"]).toString().split("\n").toSorted()
    assert.deepStrictEqual(list(after), list(join(before, "rootfs")))
    assert.strictEqual(readFileSync(join(after, "linked"), "utf8"), "etc/a\n")
    assert.deepStrictEqual([existsSync(join(after, "two")), existsSync(join(after, "etc/a"))], [false, false])
  })

  it("are pushed to a registry as they are to a layout", async () => {
    const options = ["--layer-time", "set=2001-09-09T01:46:40Z", "--layer-compress", "zstd"]
    await mod("same", ...options)
    const args = arguments_(`ocidir://${layout}:v1`, ["--create", `${registry.host}/app:same`, ...options])
    assert.strictEqual(await must(process.execPath, args, { env }), `${registry.host}/app:same\n`)
    assert.strictEqual(
      await skopeoDigest(`docker://${registry.host}/app:same`),
      await skopeoDigest(`oci:${layout}:same`)
    )
  })

  it("are whole when they are larger than an encoder takes at once", async () => {
    const noise = createHash("shake256", { outputLength: 3_000_000 }).update("noise").digest()
    mkdirSync(join(dir.path, "large"), { recursive: true })
    writeFileSync(join(dir.path, "large/noise"), noise)
    await mod("large", "--layer-add", "dir=large")
    assert.isTrue(noise.equals(readFileSync(join(await unpack("large"), "noise"))))
  })

  it("are shown on a terminal while they are sent", async () => {
    mkdirSync(join(dir.path, "shown"))
    writeFileSync(join(dir.path, "shown/data"), createHash("shake256", { outputLength: 2_000_000 }).digest())
    const args = arguments_(`ocidir://${layout}:v1`, ["--create", "shown", "--layer-add", "dir=shown"])
    const line = [process.execPath, ...args].map((it) => `'${it}'`).join(" ")
    const shown = await must(installed("script", "bsdutils"), ["-qec", line, "/dev/null"], { env, cwd: dir.path })
    assert.match(shown, /Manifests: 1\/1 \| Blobs: 2\.00\dMB copied, 0\.000B skipped \| Elapsed: \d+s/)
  })

  it("need a place for temporary files, which an error names", async () => {
    const args = arguments_(`ocidir://${layout}:v1`, ["--create", "failed", "--layer-compress", "zstd"])
    const { code, err } = await run(process.execPath, args, { env: { ...env, TMPDIR: "/nonexistent" } })
    assert.strictEqual(code, 1)
    assert.match(err, /: create \/nonexistent\/regclient-[^\s]+: no such file or directory\n/)
  })

  it("that cannot be changed fail, and nothing is tagged", async () => {
    const args = arguments_(`ocidir://${layout}:v1`, ["--create", "failed", "--layer-add", "dir=/nonexistent"])
    const { code, err } = await run(process.execPath, args, { env })
    assert.deepStrictEqual(
      [code, err],
      [1, "failed to push layer: lstat /nonexistent: no such file or directory\n"]
    )
    assert.notInclude(readFileSync(join(layout, "index.json"), "utf8"), "failed")
  })
})
