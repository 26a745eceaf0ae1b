/** What scripts written for the Go tool read: texts, names and order of results, exit status, against literals. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, tool } from "../support/programs.ts"
import { ownRegistry } from "../support/registries.ts"

const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`
const manifestType = "application/vnd.oci.image.manifest.v1+json"
const indexType = "application/vnd.oci.image.index.v1+json"
const config = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`
const image =
  `{"schemaVersion":2,"mediaType":"${manifestType}","config":{"mediaType":"application/vnd.oci.image.config.v1+json"` +
  `,"digest":"${sha(config)}","size":${config.length}},"layers":[]}`
const entry = `{"mediaType":"${manifestType}","digest":"${sha(image)}","size":${image.length}`
const index = `{"schemaVersion":2,"mediaType":"${indexType}","manifests":[${entry},` +
  `"platform":{"architecture":"amd64","os":"linux"}}]}`
const artifact = `{"schemaVersion":2,"mediaType":"${manifestType}","artifactType":"application/x.sig","config":` +
  `{"mediaType":"application/vnd.oci.empty.v1+json","digest":"${
    sha("{}")
  }","size":2},"layers":[],"subject":${entry}},` +
  `"annotations":{"z":"1","a":"2"}}`
const zero = `sha256:${"0".repeat(64)}`
const noBlob = `lay/blobs/sha256/${"0".repeat(64)}`
const noLayout = "oci-layout cannot be open: open none/oci-layout: no such file or directory\n"

let host = ""
let dir = ""
let stop: () => Promise<void> = () => Promise.resolve()

const regctl = (args: ReadonlyArray<string>, input?: string) =>
  run(process.execPath, [tool("regctl"), "--host", `reg=${host},tls=disabled`, ...args], {
    cwd: dir,
    env: { REGCTL_CONFIG: join(dir, "config.json") },
    ...(input === undefined ? {} : { input })
  })

const layout = () => {
  mkdirSync(join(dir, "lay/blobs/sha256"), { recursive: true })
  for (const it of [config, image, index, "{}"]) writeFileSync(join(dir, "lay/blobs/sha256", sha(it).slice(7)), it)
  const tagged = (type: string, content: string, tag: string) =>
    `{"mediaType":"${type}","digest":"${sha(content)}","size":${content.length},` +
    `"annotations":{"org.opencontainers.image.ref.name":"${tag}"}}`
  writeFileSync(
    join(dir, "lay/index.json"),
    `{"schemaVersion":2,"manifests":[${tagged(indexType, index, "multi")},${tagged(manifestType, image, "app")},` +
      `${tagged("application/x.unknown", "{}", "odd")}]}`
  )
  writeFileSync(join(dir, "lay/oci-layout"), `{"imageLayoutVersion":"1.0.0"}`)
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "scripts-"))
  const registry = await ownRegistry()
  ;({ host, stop } = registry)
  layout()
  await regctl(["image", "copy", "ocidir://lay:multi", `${host}/app:multi`])
})

afterAll(async () => {
  await stop()
  rmSync(dir, { recursive: true, force: true })
})

interface Told {
  readonly out?: string
  readonly err?: string
}

/** `HOST` stands for the registry in what is given and expected. */
const cases = (rows: ReadonlyArray<readonly [args: string, told: Told]>) => {
  for (const [args, { err = "", out = "" }] of rows) {
    it(args, async () => {
      const ran = await regctl(args.split(" ").map((it) => it.replaceAll("HOST", host)))
      const shown = { ...ran, out: ran.out.replaceAll(host, "HOST"), err: ran.err.replaceAll(host, "HOST") }
      assert.deepStrictEqual(shown, { code: err === "" ? 0 : 1, out, err })
    })
  }
}

describe("what is missing", () =>
  cases([
    ["manifest head HOST/app:nope", {
      err: "failed to request manifest head HOST/app:nope: request failed: not found [http 404]: \n"
    }],
    ["image inspect ocidir://lay:nope", {
      err: "failed to get manifest: could not find entry in index.json: ocidir://lay:nope\n"
    }],
    ["manifest get ocidir://lay", { err: "could not find entry in index.json: ocidir://lay:latest\n" }],
    ["manifest get ocidir://lay:odd", { err: "unsupported media type: \"application/x.unknown\"\n" }],
    ["manifest get ocidir://lay:multi -p linux/arm64", {
      err: "platform not found: linux/arm64 (there are linux/amd64)\n"
    }],
    [`blob copy ocidir://lay ocidir://lay ${zero}`, {}],
    [`blob get ocidir://lay ${zero}`, {
      err: `failed to open blob ${noBlob}: open ${noBlob}: no such file or directory\n`
    }],
    [`blob head ocidir://lay ${zero}`, {
      err: `failed to open blob ${noBlob}: open ${noBlob}: no such file or directory\n`
    }],
    [`blob delete ocidir://lay ${zero}`, { err: `remove ${noBlob}: no such file or directory\n` }],
    ["manifest get ocidir://none:x", { err: `unable to read oci index: ${noLayout}` }],
    ["tag delete ocidir://lay:nope", { err: "failed deleting ocidir://lay:nope: not found\n" }],
    ["tag delete --ignore-missing ocidir://lay:nope", {}],
    ["tag delete ocidir://none:x", { err: `failed to read index: ${noLayout}` }],
    ["tag delete --ignore-missing ocidir://none:x", { err: `failed to read index: ${noLayout}` }],
    [`manifest delete --ignore-missing ocidir://none@${zero}`, { err: `unable to read oci index: ${noLayout}` }]
  ]))

it("a blob that is missing is told in the words of a GET", async () => {
  const { code, err } = await regctl(["blob", "get", `${host}/app`, zero])
  assert.strictEqual(code, 1)
  assert.include(
    err,
    `failed to get blob, digest ${zero}, ref ${host}/app:latest: request failed: not found [http 404]: {`
  )
})

describe("names and order", () =>
  cases([
    ["manifest get ocidir://lay:multi -p linux/amd64 --format {{.GetRef.CommonName}}", {
      out: `ocidir://lay@${sha(image)}`
    }],
    ["manifest get ocidir://lay:app -p linux/amd64 --format {{.GetRef.CommonName}}", { out: "ocidir://lay:app" }],
    ["manifest head HOST/app:multi --format raw", { out: "raw" }],
    ["blob head ocidir://lay " + sha(config) + " --format body", { out: "body" }],
    ["tag ls ocidir://lay --limit 1 --last zzz", { out: "app\nmulti\nodd\n" }],
    ["tag ls ocidir://lay --format {{.Name}}{{.Index.MediaType}}", {}]
  ]))

describe("what cannot be read", () =>
  cases([
    ["manifest get ocidir://lay:multi -p a!", {
      err: "failed to parse platform a!: invalid platform component a! in a!\n"
    }],
    ["image copy -p a! ocidir://lay:multi ocidir://x", { err: "invalid platform component a! in a!\n" }],
    ["image copy --referrers --referrers-src A/b ocidir://lay:app ocidir://x", {
      err: "failed parsing referrer external source: invalid reference \"A/b\", repo must be lowercase\n"
    }],
    [`blob get a sha256:${"A".repeat(64)}`, { err: "invalid checksum digest format\n" }],
    ["image copy -hx", { err: "unknown shorthand flag: 'x' in -x\n" }],
    ["-h --nope", { err: "unknown flag: --nope\n" }]
  ]))

describe("pushes", () => {
  it("by tag and digest go by the digest", async () => {
    assert.strictEqual((await regctl(["manifest", "put", `${host}/app:both@${sha(image)}`], image)).code, 0)
    assert.strictEqual((await regctl(["tag", "ls", `${host}/app`])).out, "multi\n")
  })

  it("without tag and digest go to latest", async () => {
    assert.strictEqual((await regctl(["manifest", "put", "ocidir://fresh"], image)).code, 0)
    assert.strictEqual((await regctl(["tag", "ls", "ocidir://fresh"])).out, "latest\n")
  })

  it("of a blob with another digest name both", async () => {
    const { code, err } = await regctl(["blob", "put", "--digest", zero, `${host}/app`], "hi")
    assert.deepStrictEqual({ code, err }, {
      code: 1,
      err: `digest mismatch, expected ${zero}, computed ${sha("hi")}\n`
    })
  })

  it("of a referrer list its annotations in order, so that equal lists have equal digests", async () => {
    assert.strictEqual((await regctl(["manifest", "put", "ocidir://lay:sig"], artifact)).code, 0)
    const { out } = await regctl(["manifest", "get", `ocidir://lay:sha256-${sha(image).slice(7)}`, "--format", "body"])
    assert.include(out, `"annotations":{"a":"2","z":"1"}`)
  })

  it("of what is no JSON are told in one line", async () =>
    assert.deepStrictEqual(await regctl(["manifest", "put", "ocidir://lay:bad"], "no\nmanifest\n"), {
      code: 1,
      out: "",
      err: "error unmarshaling manifest for ocidir://lay:bad: Unexpected token 'o' in JSON\n"
    }))

  it("to a place that cannot be made fail at once", async () =>
    assert.deepStrictEqual(await regctl(["blob", "put", "ocidir:///proc/nope"], "hi"), {
      code: 1,
      out: "",
      err: "failed creating /proc/nope: mkdir /proc/nope: no such file or directory\n"
    }))
})

describe("a copy to the digest of something else", () =>
  it("fails before anything is written", async () => {
    const target = `ocidir://other@${sha(index)}`
    const { code, err, out } = await regctl(["image", "copy", "ocidir://lay:app", target])
    assert.deepStrictEqual({ code, out, err }, {
      code: 1,
      out: "",
      err: `failed to copy to ${target}: manifest digest mismatch, expected ${sha(index)}, computed ${sha(image)}\n`
    })
    assert.throws(() => readFileSync(join(dir, "other/index.json")), /ENOENT/)
  }))

describe("what is worth trying", () => {
  it("is said when a login is missing or refused", async () => {
    const hash = "$2y$05$abcdefghijklmnopqrstuuWb6dNqC1VBvRx6nlfhdzyYG2qzZ0E1a"
    writeFileSync(join(dir, "users"), `someone:${hash}\n`)
    const closed = await ownRegistry(["--htpasswd", join(dir, "users")])
    try {
      const { code, err } = await regctl(["tag", "ls", "--host", `reg=${closed.host},tls=disabled`, `${closed.host}/a`])
      assert.strictEqual(code, 1)
      assert.match(err, /unauthorized.*\nTry logging in with "regctl registry login <registry>"\n$/)
      const wrong = `reg=${closed.host},tls=disabled,user=someone,pass=wrong`
      const refused = await regctl(["image", "copy", "--host", wrong, "ocidir://lay:app", `${closed.host}/a:1`])
      assert.strictEqual(refused.code, 1)
      assert.include(refused.err, `ref ${closed.host}/a:`)
      assert.match(refused.err, /unauthorized \[http 401\] \(credentials from --host\)\nTry another login with "regctl/)
    } finally {
      await closed.stop()
    }
  })

  it("is not said of a full disk, whose name is", async () => {
    const { code, err } = await run("sh", [
      "-c",
      `exec "$0" "$1" ref nginx >/dev/full`,
      process.execPath,
      tool("regctl")
    ])
    assert.deepStrictEqual({ code, err }, {
      code: 1,
      err: "failed to write output: ENOSPC: no space left on device, write\n"
    })
  })
})
