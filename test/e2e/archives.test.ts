/** `image export` and `image import` beside other people's tools, and what no archive may do to a registry. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import {
  blobName,
  digestOf,
  entry,
  layoutParts,
  savedParts,
  smallImage,
  tarOf,
  type TarPart
} from "../support/archives.ts"
import { skopeo, skopeoDigest, umociImage } from "../support/images.ts"
import { regctlHere } from "../support/inProcess.ts"
import { addBlob, addImage, blobPath, judge, makeLayout, ociIndex, tagAll } from "../support/layouts.ts"
import { type Ran, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("archives")
let docker: Running
let own: Running
const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
const layout = join(dir.path, "made")
const path = (name: string) => join(dir.path, name)

/** The built tool, as a process. */
const regctl = (args: ReadonlyArray<string>, input?: Uint8Array) =>
  run(process.execPath, [tool("regctl"), ...args], { env, cwd: dir.path, ...(input === undefined ? {} : { input }) })
/** The same in this process. */
const here = (...args: ReadonlyArray<string>): Promise<Ran> => regctlHere(args, { config: path("config.json") })
const good = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { code, err, out } = await here(...args)
  assert.strictEqual(code, 0, err)
  return out
}
const sum = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

beforeAll(async () => {
  ;[docker, own] = await Promise.all([dockerRegistry(), ownRegistry()])
  const hosts = Object.fromEntries([docker, own].map(({ host }) => [host, { tls: "disabled", hostname: host }]))
  writeFileSync(path("config.json"), JSON.stringify({ hosts }))
  makeLayout(layout)
  const amd = addImage(layout, ["one", "two"])
  const arm = addImage(layout, ["one", "three"])
  const platform = (architecture: string) => ({ platform: { os: "linux", architecture } })
  const manifests = [{ ...amd, ...platform("amd64") }, { ...arm, ...platform("arm64") }]
  const multi = addBlob(layout, JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }), ociIndex)
  const four = addBlob(layout, "four")
  const odd = addImage(layout, [{ ...four, annotations: { b: "<&>", a: "ü" } }, "four"], { annotations: { x: "y" } })
  tagAll(layout, { amd, multi, odd })
})
afterAll(async () => {
  await Promise.all([docker, own].map((it) => it?.stop()))
  dir.remove()
})

describe("image export", () => {
  // What the Go tool 0.11 writes for the same layouts.
  for (
    const [what, args, expected] of [
      ["an image", ["amd"], "de2522c8d897c19d7b0d59202d5567228c0110d128e53bbd50b0a8c88e51928c"],
      ["an index", ["multi"], "13940f726e52f85858ac2b143331d629bb4141d943184ffb51c6fdabdbb5e639"],
      ["annotated layers", ["odd"], "4ee296f55c22aada5b76003c164b7544e60b3bda8f07e68376269743828c66a7"],
      [
        "one platform",
        ["multi", "--platform", "linux/arm64"],
        "549303c0eddacd3b8b03cbf928e18ad816e207da99ef733fa88f42cbd1baf1fd"
      ]
    ] as const
  ) {
    it(`writes the bytes that the Go tool writes for ${what}`, async () => {
      const [tag, ...flags] = args
      await good(
        "image",
        "export",
        "--name",
        "example.org/app:v1",
        `ocidir://${layout}:${tag}`,
        path("x.tar"),
        ...flags
      )
      assert.strictEqual(sum(path("x.tar")), expected)
    })
  }

  it("writes the same to standard output and compressed", async () => {
    const child = execFileSync("sh", [
      "-c",
      `"${process.execPath}" "${tool("regctl")}" image export ocidir://made:multi /dev/stdout | cat >out.tar`
    ], { cwd: dir.path, env: { ...process.env, ...env, DOCKER_AUTH_CONFIG: "" } })
    assert.strictEqual(child.toString(), "")
    await good("image", "export", "--name", "ocidir://made:multi", `ocidir://${layout}:multi`, path("file.tar"))
    assert.strictEqual(sum(path("out.tar")), sum(path("file.tar")))
    await good(
      "image",
      "export",
      "--compress",
      "--name",
      "ocidir://made:multi",
      `ocidir://${layout}:multi`,
      path("file.tgz")
    )
    const plain = execFileSync("gzip", ["-dc", path("file.tgz")])
    assert.strictEqual(createHash("sha256").update(plain).digest("hex"), sum(path("file.tar")))
  })

  it("writes what skopeo reads in both formats", async () => {
    await good("image", "copy", `ocidir://${layout}:multi`, `${docker.host}/multi:v1`)
    await good("image", "export", `${docker.host}/multi:v1`, path("multi.tar"))
    await good("image", "export", "--platform", "linux/amd64", `${docker.host}/multi:v1`, path("amd.tar"))
    await skopeo(["copy", "--multi-arch", "all", `oci-archive:${path("multi.tar")}`, `oci:${path("s1")}:v1`])
    assert.deepStrictEqual(judge(path("s1")).problems, [])
    await skopeo(["copy", `docker-archive:${path("amd.tar")}`, `dir:${path("s2")}`])
    const { config } = JSON.parse(readFileSync(path("s2/manifest.json"), "utf8"))
    const amd = JSON.parse(execFileSync("tar", ["-xOf", path("amd.tar"), "manifest.json"]).toString())
    assert.strictEqual(`blobs/${config.digest.replace(":", "/")}`, amd[0].Config)
    assert.deepStrictEqual(amd[0].RepoTags, [`${docker.host}/multi:v1`])
  })

  it("leaves an old file as it was, and no new one, when it fails (L04)", async () => {
    const damaged = makeLayout(path("damaged"))
    const layer = addBlob(damaged, "whole")
    tagAll(damaged, { v1: addImage(damaged, [layer, "other"]) })
    writeFileSync(blobPath(damaged, layer.digest), "false")
    writeFileSync(path("old.tar"), "old")
    const files = readdirSync(dir.path)
    for (const name of ["old.tar", "new.tar"]) {
      const { code, err } = await here("image", "export", `ocidir://${damaged}:v1`, path(name))
      assert.strictEqual(code, 1)
      assert.include(err, "digest mismatch")
    }
    assert.strictEqual(readFileSync(path("old.tar"), "utf8"), "old")
    assert.deepStrictEqual(readdirSync(dir.path), files)
  })

  it("compresses what is larger than an encoder takes at once", async () => {
    const large = makeLayout(path("large"))
    const noise = createHash("shake256", { outputLength: 3_000_000 }).update("noise").digest()
    tagAll(large, { v1: addImage(large, [addBlob(large, noise)]) })
    await good("image", "export", `ocidir://${large}:v1`, path("large.tar"))
    await good("image", "export", "--compress", `ocidir://${large}:v1`, path("large.tgz"))
    const plain = execFileSync("gzip", ["-dc", path("large.tgz")], { maxBuffer: 8_000_000 })
    assert.strictEqual(createHash("sha256").update(plain).digest("hex"), sum(path("large.tar")))
  })

  it("goes behind what an output has already", () => {
    const text = execFileSync("sh", [
      "-c",
      `{ echo before; "${process.execPath}" "${
        tool("regctl")
      }" image export ocidir://made:amd /dev/stdout; } >both; head -n 1 both; tail -c +8 both | tar -tf - | head -n 1`
    ], { cwd: dir.path, env: { ...process.env, ...env, DOCKER_AUTH_CONFIG: "" } })
    assert.strictEqual(text.toString(), "before\noci-layout\n")
  })

  it("L04: with a name that is none leaves no file", async () => {
    const { code, err } = await here("image", "export", "--name", "BAD name", `ocidir://${layout}:amd`, path("bad.tar"))
    assert.strictEqual(code, 1)
    assert.strictEqual(err, "cannot parse BAD name: invalid reference \"BAD name\"\n")
    assert.isFalse(existsSync(path("bad.tar")))
  })
})

describe("image import", () => {
  it("knows an image by the name it was exported with, in short and in full", async () => {
    await good("image", "export", "--name", "app:v9", `ocidir://${layout}:amd`, path("named.tar"))
    for (const name of ["app:v9", "docker.io/library/app:v9", "v9"]) {
      const { code, err } = await here(
        "image",
        "import",
        "--name",
        name,
        `ocidir://${path("named")}:v1`,
        path("named.tar")
      )
      assert.deepStrictEqual([code, err], [0, ""])
    }
    const { code, err } = await here(
      "image",
      "import",
      "--name",
      "app:v8",
      `ocidir://${path("named")}:v1`,
      path("named.tar")
    )
    assert.strictEqual(code, 0)
    assert.include(err, "app:v8")
  })

  it("reads what skopeo writes", async () => {
    await skopeo(["copy", `oci:${layout}:amd`, `oci-archive:${path("sk.tar")}:example.org/app:v1`])
    await good("image", "import", `${docker.host}/sk:v1`, path("sk.tar"))
    await skopeo(["copy", `oci:${layout}:amd`, `docker-archive:${path("skd.tar")}:example.org/app:v1`])
    await good("image", "import", `${docker.host}/skd:v1`, path("skd.tar"))
    const configs = await Promise.all(
      ["sk", "skd"].map((name) =>
        skopeo(["inspect", "--tls-verify=false", "--config", `docker://${docker.host}/${name}:v1`])
      )
    )
    assert.strictEqual(configs[0], configs[1])
    await skopeo(["copy", "--src-tls-verify=false", `docker://${docker.host}/skd:v1`, `dir:${path("skd")}`])
    const { layers } = JSON.parse(readFileSync(path("skd/manifest.json"), "utf8"))
    const texts = layers.map((it: { readonly digest: string }) =>
      execFileSync("gzip", ["-dc"], { input: readFileSync(path(`skd/${it.digest.slice(7)}`)) }).toString()
    )
    assert.deepStrictEqual(texts, ["one", "two"])
  })

  it("reads a layout of umoci packed by GNU tar, compressed or not, from a file or standard input", async () => {
    const made = await umociImage(dir.path, "v1")
    const original = await skopeoDigest(`oci:${made}:v1`)
    for (
      const [name, flag] of [["u.tar", "-cf"], ["u.tar.gz", "-czf"], ["u.tar.xz", "-cJf"], [
        "u.tar.bz2",
        "-cjf"
      ]] as const
    ) {
      execFileSync("tar", ["-C", made, flag, path(name), "."])
      await good("image", "import", `${docker.host}/${name}:v1`, path(name))
      assert.strictEqual((await good("image", "digest", `${docker.host}/${name}:v1`)).trim(), original)
    }
    const { code, err } = await regctl(
      ["image", "import", `${docker.host}/stdin:v1`, "-"],
      zstdCompressSync(readFileSync(path("u.tar")))
    )
    assert.strictEqual(code, 0, err)
    assert.strictEqual((await good("image", "digest", `${docker.host}/stdin:v1`)).trim(), original)
    assert.strictEqual(await good("tag", "ls", `ocifile://${path("u.tar.gz")}`), "v1\n")
    execFileSync("mkfifo", [path("pipe")])
    const writer = run("cp", [path("u.tar.gz"), path("pipe")])
    assert.strictEqual(await good("tag", "ls", `ocifile://${path("pipe")}`), "v1\n")
    assert.strictEqual((await writer).code, 0)
    await good("image", "copy", `ocifile://${path("u.tar")}:v1`, `${docker.host}/copied:v1`)
    assert.strictEqual((await good("image", "digest", `${docker.host}/copied:v1`)).trim(), original)
  })

  it("brings an index with its referrers and digest tags over a gap", async () => {
    await good("image", "copy", `ocidir://${layout}:multi`, `${docker.host}/gap:v1`)
    const digest = (await good("image", "digest", `${docker.host}/gap:v1`)).trim()
    const mediaType = ociIndex
    const size = Number(await good("manifest", "head", "--format", "{{.GetDescriptor.Size}}", `${docker.host}/gap:v1`))
    const signed = makeLayout(path("signed"))
    const sbom = addImage(signed, ["sbom"], {
      subject: { mediaType, digest, size },
      artifactType: "application/x.sbom"
    })
    tagAll(signed, { sbom, signature: addImage(signed, ["signature"]) })
    const tag = digest.replace(":", "-")
    await good("image", "copy", `ocidir://${signed}:sbom`, `${docker.host}/gap:sbom`)
    await good("image", "copy", `ocidir://${signed}:signature`, `${docker.host}/gap:${tag}.sig`)
    await good("image", "export", "--referrers", "--digest-tags", `${docker.host}/gap:v1`, path("gap.tar"))
    await good("image", "import", "--referrers", "--digest-tags", `${own.host}/there:v2`, path("gap.tar"))
    assert.deepStrictEqual(
      (await good("tag", "ls", `${own.host}/there`)).trim().split("\n").toSorted(),
      [
        `${tag}.sig`,
        "v2"
      ].toSorted()
    )
    assert.strictEqual((await good("image", "digest", `${own.host}/there:v2`)).trim(), digest)
    const answer = await fetch(`http://${own.host}/v2/there/referrers/${digest}`)
    const { manifests } = (await answer.json()) as { readonly manifests: ReadonlyArray<{ readonly digest: string }> }
    assert.deepStrictEqual(manifests.map((it) => it.digest), [sbom.digest])
    await good("image", "import", `${own.host}/plain:v2`, path("gap.tar"))
    assert.strictEqual((await good("tag", "ls", `${own.host}/plain`)).trim(), "v2")
  })

  it("takes by manifest.json what a layout lacks", async () => {
    const image = smallImage()
    const missing = image.parts.filter(({ name }) => name !== blobName(image.digest))
    writeFileSync(path("both.tar"), tarOf([...missing, ...savedParts(image)]))
    await good("image", "import", `${docker.host}/both:v1`, path("both.tar"))
    const type = await good("manifest", "head", "--format", "{{.GetDescriptor.MediaType}}", `${docker.host}/both:v1`)
    assert.strictEqual(type, "application/vnd.docker.distribution.manifest.v2+json")
  })
})

describe("an index in an archive", () => {
  const image = smallImage()
  const note = "just a note"
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: image.digest,
        size: Buffer.byteLength(image.manifest)
      },
      { mediaType: "application/octet-stream", digest: digestOf(note), size: note.length }
    ]
  })
  const listed = [{ digest: digestOf(index), manifest: index, tag: "all" }]

  it("comes with entries that are blobs, and has one name in a layout", async () => {
    writeFileSync(
      path("blobs.tar"),
      tarOf(layoutParts(listed, [index, image.manifest, image.config, image.layer, note]))
    )
    await good("image", "import", `${own.host}/blobs:v1`, path("blobs.tar"))
    const answer = await fetch(`http://${own.host}/v2/blobs/blobs/${digestOf(note)}`)
    assert.strictEqual(await answer.text(), note)
    await good("image", "import", `ocidir://${path("into")}:v1`, path("blobs.tar"))
    assert.deepStrictEqual(judge(path("into")).tags, { v1: digestOf(index) })
    assert.strictEqual(readFileSync(blobPath(path("into"), digestOf(note)), "utf8"), note)
  })

  it("that lacks such a blob is refused", async () => {
    writeFileSync(path("less.tar"), tarOf(layoutParts(listed, [index, image.manifest, image.config, image.layer])))
    const { code, err } = await here("image", "import", `${own.host}/less:v1`, path("less.tar"))
    assert.strictEqual(code, 1)
    assert.include(err, `unable to read all files from tar: not found: ${digestOf(note)}`)
  })
})

describe("an archive that lies", () => {
  const image = smallImage()
  const without = (content: string) => image.parts.filter(({ name }) => name !== blobName(digestOf(content)))
  const replaced = (content: string, part: Partial<TarPart>) => [
    ...without(content),
    { name: blobName(digestOf(content)), ...part }
  ]
  const sized = image.manifest.replace("\"size\":7", "\"size\":9007199254740991")
  const saved = savedParts(image).filter(({ name }) => name !== "manifest.json")
  const list = (config: string, layers: ReadonlyArray<string>) => ({
    name: "manifest.json",
    content: JSON.stringify([{ Config: config, RepoTags: ["app:v1"], Layers: layers }])
  })
  const cases: ReadonlyArray<readonly [what: string, bytes: Uint8Array, text: string]> = [
    ["lacks a layer", tarOf(without(image.layer)), `not found: ${digestOf(image.layer)}`],
    ["lacks a config", tarOf(without(image.config)), `not found: ${digestOf(image.config)}`],
    ["lacks its manifest", tarOf(without(image.manifest)), `not found: ${image.digest}`],
    ["has a layer of another size", tarOf(replaced(image.layer, { content: "longer than it" })), "should have 7"],
    ["has another manifest", tarOf(replaced(image.manifest, { content: image.manifest.replace("7", "8") })), "digest"],
    [
      "declares a huge layer",
      tarOf(layoutParts([{ digest: digestOf(sized), manifest: sized, tag: "v1" }], [sized, image.config, image.layer])),
      "should have 9007199254740991"
    ],
    [
      "declares a huge entry",
      Buffer.concat([tarOf(without(image.layer)).subarray(0, -1024), entry({ name: "x", size: 2 ** 50 })]),
      "ends in the middle of an entry"
    ],
    ["is cut", tarOf(image.parts).subarray(0, -1024 - 512 + 3), "ends in the middle"],
    ["links out of the tree", tarOf(replaced(image.layer, { type: "2", link: "../../../etc/passwd" })), "leads out"],
    ["links to an absolute name", tarOf(replaced(image.layer, { type: "1", link: "/etc/passwd" })), "leads out"],
    ["links in a circle", tarOf(replaced(image.layer, { type: "2", link: digestOf(image.layer).slice(7) })), "circle"],
    [
      "is a directory where a layer should be",
      tarOf(replaced(image.layer, { type: "5" })),
      "neither a file nor a link"
    ],
    ["names no image", tarOf([...saved, { name: "manifest.json", content: "[]" }]), "names no image"],
    ["has a config above it", tarOf([...saved, list("../config.json", ["abc/layer.tar"])]), "leads out"],
    ["has an absolute layer", tarOf([...saved, list("config.json", ["/etc/passwd"])]), "leads out"],
    [
      "lacks a saved layer",
      tarOf([...saved, list("config.json", ["def/layer.tar"])]),
      "unable to read all files from tar"
    ],
    ["is a bomb", gzipSync(Buffer.alloc(64 * 1024 ** 2)), "size limit exceeded"],
    ["is none", Buffer.from("not an archive".repeat(200)), "checksum"]
  ]

  it("is refused with its name and the cause, and nothing is pushed (C22)", async () => {
    await docker.requests()
    for (const [at, [what, bytes, text]] of cases.entries()) {
      const file = path(`hostile${at}.tar`)
      writeFileSync(file, bytes)
      const { code, err } = await here("image", "import", `${docker.host}/hostile:v${at}`, file)
      assert.strictEqual(code, 1, what)
      assert.include(err, text, what)
      assert.include(err, file, what)
    }
    const pushed = (await docker.requests()).filter(({ method }) => method !== "GET" && method !== "HEAD")
    assert.deepStrictEqual(pushed, [])
  })

  it("tags nothing with a layer that is not what its digest says", async () => {
    writeFileSync(path("liar.tar"), tarOf(replaced(image.layer, { content: "a liar!" })))
    const { code, err } = await here("image", "import", `${docker.host}/liar:v1`, path("liar.tar"))
    assert.strictEqual(code, 1)
    assert.include(err, "digest mismatch")
    assert.deepStrictEqual(
      (await docker.requests()).filter(({ path }) => path.includes("/manifests/v1")).map((it) => it.method),
      ["HEAD"]
    )
  })

  it("is refused as a target, which stays as it is not", async () => {
    const { code, err } = await here("image", "copy", `ocidir://${layout}:amd`, `ocifile://${path("target.tar")}:v1`)
    assert.strictEqual(code, 1)
    assert.include(err, "a tar file can only be read")
    assert.isFalse(existsSync(path("target.tar")))
  })
})
