/** Artifacts through the built tool: put, listed, shown and taken out again, wherever they are kept. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { addImage, blobPath, digestOf, judge, makeLayout, type Named, ociManifest, tagAll } from "../support/layouts.ts"
import { must, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Request, type Running, temporary } from "../support/registries.ts"

const dir = temporary("artifacts")
const at = (name: string): string => join(dir.path, name)
const env = { REGCTL_CONFIG: at("config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
const source = at("source")
let [docker, own]: [Running, Running] = [{} as Running, {} as Running] // set before the first test
let image: Named

const line = (args: ReadonlyArray<string>): ReadonlyArray<string> => [
  tool("regctl"),
  ...[docker.host, own.host].flatMap((host) => ["--host", `reg=${host},tls=disabled`]),
  ...args
]
const options = (input = "") => ({ env, cwd: dir.path, input })
const regctl = (args: ReadonlyArray<string>, input = "") => must(process.execPath, line(args), options(input))
const tryRegctl = (...args: ReadonlyArray<string>) => run(process.execPath, line(args), options())

beforeAll(async () => {
  ;[docker, own] = await Promise.all([dockerRegistry(), ownRegistry()])
  makeLayout(source)
  image = addImage(source, ["a layer"])
  tagAll(source, { v1: image })
  mkdirSync(at("tree/deep"), { recursive: true })
  writeFileSync(at("tree/deep/one.txt"), "one\n")
  writeFileSync(at("tree/two.txt"), "two\n")
  writeFileSync(at("sbom.json"), `{"packages":[]}\n`)
})
afterAll(async () => {
  await Promise.all([docker.stop?.(), own.stop?.()])
  dir.remove()
})

const sbomType = "application/vnd.example.sbom+json"
const dataType = "application/vnd.example.data"

const places: ReadonlyArray<readonly [string, () => string]> = [
  ["a registry without the referrers API", () => `${docker.host}/app`],
  ["a registry with the referrers API", () => `${own.host}/app`],
  ["a layout directory", () => "ocidir://layout"]
]

for (const [name, place] of places) {
  describe(`in ${name}`, () => {
    let [sbom, signature]: [string, string] = ["", ""]
    beforeAll(async () => {
      await regctl(["image", "copy", "ocidir://source:v1", `${place()}:v1`])
    })

    it("files attached to an image get the same digest each time", async () => {
      const put = ["artifact", "put", "--subject", `${place()}:v1`, "--artifact-type", sbomType, "--by-digest"]
      sbom = (await regctl([...put, "--file", "sbom.json", "--file-title", "--annotation", "kind=sbom"])).trim()
      assert.strictEqual(sbom, digestOf(sbomManifest()))
      assert.strictEqual(
        (await regctl([...put, "--annotation", "kind=sbom", "--file", "sbom.json", "--file-title"])).trim(),
        sbom
      )
      const nested = [
        "artifact",
        "put",
        "--subject",
        `${place()}@${sbom}`,
        "--artifact-type",
        "application/vnd.example.sig"
      ]
      signature = (await regctl([...nested, "--by-digest"], "signed")).trim()
    })

    it("they are listed, once each, and filtered", async () => {
      assert.strictEqual(
        await regctl([
          "artifact",
          "list",
          `${place()}:v1`,
          "--filter-annotation",
          "kind=sbom",
          "--format",
          "{{len .Descriptors}} {{(index .Descriptors 0).Digest}} {{(index .Descriptors 0).ArtifactType}}"
        ]),
        `1 ${sbom} ${sbomType}`
      )
      const none = ["artifact", "list", `${place()}:v1`, "--filter-artifact-type", "application/vnd.example.none"]
      assert.match(await regctl(none), /^Subject: {3}\S+@sha256:[0-9a-f]{64}\n +\nReferrers: \n$/)
    })

    it("they stand in the tree below the image", async () => {
      assert.strictEqual(
        await regctl(["artifact", "tree", `${place()}:v1`, "--digest-tags"]),
        `Ref: ${place()}:v1
Digest: ${image.digest}
Referrers:
  - ${sbom}: ${sbomType}
    Referrers:
      - ${signature}: application/vnd.example.sig
`
      )
    })

    it("they are found by the image they refer to", async () => {
      const get = ["artifact", "get", "--subject", `${place()}:v1`, "--filter-artifact-type", sbomType]
      assert.strictEqual(await regctl(get), `{"packages":[]}\n`)
      const missing = await tryRegctl("artifact", "get", "--subject", `${place()}@${signature}`)
      assert.strictEqual(missing.code, 1)
      assert.strictEqual(missing.err, `no matching referrers to ${place()}@${signature}\n`)
    })

    it("directories and files come out as they went in", async () => {
      const put = ["artifact", "put", `${place()}:data`, "--artifact-type", dataType, "--file-title"]
      await regctl([
        ...put,
        "--file=tree",
        "--file-media-type=application/vnd.example.tar+gzip",
        "--file=sbom.json",
        "--file-media-type=application/json"
      ])
      const output = at(`out-${name.replaceAll(" ", "-")}`)
      mkdirSync(output)
      await regctl(["artifact", "get", `${place()}:data`, "--output", output])
      assert.strictEqual(readFileSync(join(output, "tree/deep/one.txt"), "utf8"), "one\n")
      assert.strictEqual(readFileSync(join(output, "tree/two.txt"), "utf8"), "two\n")
      assert.deepStrictEqual(readdirSync(output).sort(), ["sbom.json", "tree"])
    })
  })
}

/** The manifest of the SBOM, written out. */
const sbomManifest = (): string => {
  const content = `{"packages":[]}\n`
  return `{"schemaVersion":2,"mediaType":"${ociManifest}","artifactType":"${sbomType}",` +
    `"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},` +
    `"layers":[{"mediaType":"${sbomType}","digest":"${
      digestOf(content)
    }","size":16,"annotations":{"org.opencontainers.image.title":"sbom.json"}}],` +
    `"subject":{"mediaType":"${ociManifest}","digest":"${image.digest}","size":${image.size}},"annotations":{"kind":"sbom"}}`
}

describe("a layout", () => {
  it("keeps what is attached to an image, and names no artifact without a reference", () => {
    const { extra, problems, tags } = judge(at("layout"))
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(extra, [])
    assert.deepStrictEqual(
      Object.keys(tags).map((it) => it.replace(/[0-9a-f]{64}/, "…")).sort(),
      ["data", "sha256-…", "sha256-…", "v1"]
    )
  })

  it("as ORAS writes it, without lists of referrers, is searched when asked to", async () => {
    const layout = makeLayout(at("oras"))
    const subject = addImage(layout, ["of the subject"])
    const attached = addImage(layout, ["attached"], { subject, artifactType: sbomType, annotations: { by: "oras" } })
    tagAll(layout, { v1: subject })
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"))
    index.manifests.push({ ...attached, artifactType: sbomType })
    writeFileSync(join(layout, "index.json"), JSON.stringify(index))
    const list = [
      "artifact",
      "list",
      "ocidir://oras:v1",
      "--format",
      "{{range .Descriptors}}{{.Digest}} {{.Annotations}}{{end}}"
    ]
    assert.strictEqual(await regctl(list), "")
    assert.strictEqual(await regctl([...list, "--slow-referrers"]), `${attached.digest} map[by:oras]`)
    assert.strictEqual(
      await regctl(["artifact", "tree", "ocidir://oras:v1", "--slow-referrers"]),
      `Ref: ocidir://oras:v1\nDigest: ${subject.digest}\nReferrers:\n  - ${attached.digest}: ${sbomType}\n`
    )
    const get = ["artifact", "get", "--subject", "ocidir://oras:v1", "--slow-referrers"]
    assert.strictEqual(await regctl(get), "attached")
  })

  it("with a damaged file gives it no name, and says so after printing it (C20)", async () => {
    const layout = makeLayout(at("damaged"))
    const image = addImage(layout, ["the content"])
    tagAll(layout, { v1: image })
    writeFileSync(blobPath(layout, digestOf("the content")), "THE CONTENT")
    const shown = await tryRegctl("artifact", "get", "ocidir://damaged:v1")
    assert.strictEqual(shown.code, 1)
    assert.strictEqual(shown.out, "THE CONTENT")
    assert.match(shown.err, /digest mismatch/)
    mkdirSync(at("damaged-out"))
    const written = await tryRegctl("artifact", "get", "ocidir://damaged:v1", "--output", "damaged-out")
    assert.strictEqual(written.code, 1)
    assert.match(written.err, /digest mismatch/)
    assert.deepStrictEqual(readdirSync(at("damaged-out")), [])
  })
})

describe("requests", () => {
  const kinds = (requests: ReadonlyArray<Request>): ReadonlyArray<string> =>
    requests.map(({ method, path }) => `${method} ${/\/(manifests|blobs|tags|referrers)\//.exec(path)?.[1] ?? path}`)
      .sort()
  const counted = async (args: ReadonlyArray<string>, input = "") => {
    await own.requests()
    await regctl(args, input)
    return kinds(await own.requests())
  }

  it("are as few as can be", async () => {
    const place = `${own.host}/counted`
    await regctl(["image", "copy", "ocidir://source:v1", `${place}:v1`])
    const put = ["artifact", "put", "--subject", `${place}:v1`, "--artifact-type", sbomType, "--file", "sbom.json"]
    // What another repository has is mounted.
    await regctl(["artifact", "put", `${own.host}/elsewhere:v1`, "--artifact-type", sbomType, "--file", "sbom.json"])
    assert.deepStrictEqual(
      await counted(put),
      ["HEAD blobs", "HEAD blobs", "HEAD manifests", "POST blobs", "POST blobs", "PUT manifests"]
    )
    assert.deepStrictEqual(await counted(put), ["HEAD blobs", "HEAD blobs", "HEAD manifests", "PUT manifests"])
    assert.deepStrictEqual(await counted(["artifact", "list", `${place}:v1`]), ["GET referrers", "HEAD manifests"])
    assert.deepStrictEqual(await counted(["artifact", "list", `${place}@${image.digest}`]), ["GET referrers"])
    assert.deepStrictEqual(await counted(["artifact", "tree", `${place}:v1`]), [
      "GET manifests",
      "GET manifests",
      "GET referrers",
      "GET referrers"
    ])
    assert.deepStrictEqual(await counted(["artifact", "get", "--subject", `${place}:v1`]), [
      "GET blobs",
      "GET manifests",
      "GET referrers",
      "HEAD manifests"
    ])
  })
})
