import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { regctlHere } from "../../support/inProcess.ts"
import { addBlob, addImage, blobPath, judge, makeLayout, ociIndex, tagAll } from "../../support/layouts.ts"
import { temporary } from "../../support/registries.ts"

const dir = temporary("index")
afterAll(() => dir.remove())

let count = 0
const fresh = () => join(dir.path, `layout${count++}`)
const regctl = (...args: ReadonlyArray<string>) => regctlHere(args, { config: join(dir.path, "none.json") })
const must = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { code, err, out } = await regctl(...args)
  assert.strictEqual(code, 0, err)
  return out
}
const bodyOf = (ref: string) => must("manifest", "get", ref, "--format", "raw-body")
const tagsOf = (layout: string) => Object.keys(judge(layout).tags)

const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
const [amd, arm, none, win] = [
  "sha256:7478e34ccf7f874fecbb67454d82c48acfffc618f7ed9a808af529e6e6d07c80",
  "sha256:390ad10a547788300d5d7ec4562ac6bff42015bd5064c34513e38c48b2504b3e",
  "sha256:9705dea2152ea606c701f0930a578c278e2cae270de7b94553cbbe701445e6d9",
  "sha256:5e35f428c8a90a684249d2c4fd32c62438bac6cb29175c07ce5dae4db8d22098"
]
/** Entries as upstream's tool writes them. */
const entry = (digest: string, size: number, rest = "") =>
  `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${digest}","size":${size}${rest}}`
const [onAmd, onArm] = [
  `"platform":{"architecture":"amd64","os":"linux"}`,
  `"platform":{"architecture":"arm","os":"linux","variant":"v7"}`
]
const amdEntry = entry(amd, 272, `,${onAmd}`)
const armEntry = entry(arm, 247, `,${onArm}`)
const noneEntry = entry(none, 247)
const indexOf = (entries: ReadonlyArray<string>, more = "") =>
  `{"schemaVersion":2,"mediaType":"${ociIndex}",${more}"manifests":[${entries.join()}]}`

let images: string
beforeAll(async () => {
  images = `ocidir://${fresh()}`
  const about = ["--label", "a=b", "--annotation", "x=y", "--created", "2024-01-02T03:04:05Z"]
  await must("image", "create", `${images}:amd`, "--platform", "linux/amd64", ...about)
  await must("image", "create", `${images}:arm`, "--platform", "linux/arm")
  await must("image", "create", `${images}:none`)
  const docker = ["--media-type", "application/vnd.docker.distribution.manifest.v2+json"]
  await must("image", "create", `${images}:win`, "--platform", "windows/amd64,osver=10.0.17763.1", ...docker)
})

describe("index create", () => {
  it("writes what upstream's tool writes, with everything that can be set", async () => {
    const layout = fresh()
    const refs = ["amd", "arm", "none"].flatMap((tag) => ["--ref", `${images}:${tag}`])
    const notes = [
      "--annotation",
      "x=y",
      "--annotation",
      "k=é<",
      "--desc-annotation",
      "p=q",
      "--desc-annotation",
      "only"
    ]
    const out = await must(
      "index",
      "create",
      `ocidir://${layout}:i`,
      ...refs,
      ...notes,
      "--artifact-type",
      "application/foo"
    )
    assert.strictEqual(out, "")
    const noted = `,"annotations":{"only":"","p":"q"}`
    assert.strictEqual(
      await bodyOf(`ocidir://${layout}:i`),
      `{"schemaVersion":2,"mediaType":"${ociIndex}","artifactType":"application/foo","manifests":[` +
        `${entry(amd, 272, `${noted},${onAmd}`)},${entry(arm, 247, `${noted},${onArm}`)},${entry(none, 247, noted)}` +
        `],"annotations":{"k":"é\\u003c","x":"y"}}`
    )
    assert.deepStrictEqual(judge(layout), {
      tags: { i: "sha256:3005ffa3d0ae8a4a3bc49c8d22bf8fcc750a10d41c13ee9e631d67c80aad62c3" },
      problems: [],
      extra: []
    })
  })

  it("makes a manifest list of docker, which has no artifact type and no subject", async () => {
    const target = `ocidir://${fresh()}:d`
    const about = ["--artifact-type", "a/b", "--subject", "absent", "--annotation", "f=g"]
    await must("index", "create", target, "-m", dockerList, "--ref", `${images}:win`, ...about)
    assert.strictEqual(
      await bodyOf(target),
      `{"schemaVersion":2,"mediaType":"${dockerList}","manifests":[` +
        `{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","digest":"${win}","size":264,` +
        `"platform":{"architecture":"amd64","os":"windows","os.version":"10.0.17763.1"}}],"annotations":{"f":"g"}}`
    )
  })

  it("takes the platforms asked for from an index, in its order, and refers to a subject", async () => {
    const layout = `ocidir://${fresh()}`
    const refs = ["--ref", `${images}:none`, "--ref", `${images}:arm`, "--ref", `${images}:amd`]
    await must("index", "create", `${layout}:all`, ...refs)
    const platforms = ["--platform", "linux/amd64", "--platform", "linux/arm/v7", "--platform", "linux/s390x"]
    await must("index", "create", `${layout}:some`, "--ref", `${layout}:all`, ...platforms, "--subject", "all")
    const all = JSON.parse(await bodyOf(`${layout}:some`))
    assert.strictEqual(JSON.stringify(all.manifests), `[${armEntry},${amdEntry}]`)
    assert.deepStrictEqual(all.subject.mediaType, ociIndex)
    await must("index", "create", `${layout}:nothing`, "--ref", `${layout}:all`, "--platform", "linux/riscv64")
    assert.strictEqual(await bodyOf(`${layout}:nothing`), indexOf([]))
  })

  it("takes digests first, each entry once, whether the digest was there or comes with a reference", async () => {
    const layout = `ocidir://${fresh()}`
    const refs = ["--ref", `${images}:amd`, "--ref", `${images}:none`, "--ref", `${images}:amd`]
    await must("index", "create", `${layout}:i`, ...refs, "--digest", none, "--digest", none)
    assert.strictEqual(await bodyOf(`${layout}:i`), indexOf([noneEntry, amdEntry]))
  })

  it("prints the digest by digest, and a format of the manifest without a name", async () => {
    const layout = fresh()
    const empty = "sha256:dff9de10919148711140d349bf03f1a99eb06f94b03e51715ccebfa7cdc518e2"
    assert.strictEqual(await must("index", "create", `ocidir://${layout}:i`, "--by-digest"), `${empty}\n`)
    assert.deepStrictEqual(judge(layout).tags, { [empty]: empty })
    const format = "{{printPretty .Manifest}}{{.Manifest.GetDescriptor.Digest}}"
    assert.strictEqual(
      await must("index", "create", `ocidir://${layout}`, "--by-digest", "--format", format),
      `MediaType: ${ociIndex}\nDigest:    ${empty}\n           \nManifests: \n${empty}`
    )
  })

  it("brings referrers and tags named after digests along", async () => {
    const [source, target] = [makeLayout(fresh()), fresh()]
    const image = addImage(source, ["layer"])
    const subject = { mediaType: image.mediaType, digest: image.digest, size: image.size }
    const signature = addImage(source, ["signature"], { subject, artifactType: "application/x.signature" })
    const [named, other] = [`sha256-${image.digest.slice(7)}.sig`, `sha256-${image.digest.slice(7)}`]
    const list = addBlob(
      source,
      JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [signature] }),
      ociIndex
    )
    tagAll(source, { v1: image, [named]: addImage(source, ["attached"]), [other]: list })
    await must("index", "create", `ocidir://${target}:i`, "--ref", `ocidir://${source}:v1`)
    assert.deepStrictEqual(tagsOf(target), ["i"])
    const more = ["--referrers", "--digest-tags"]
    await must("index", "create", `ocidir://${target}:i`, "--ref", `ocidir://${source}:v1`, ...more)
    assert.sameMembers(tagsOf(target), ["i", other, named])
    assert.deepStrictEqual(judge(target).problems, [])
  })

  it.each([
    [["--media-type", "foo"], "unsupported manifest media type: foo"],
    [["--digest", "foo"], "invalid digest in index: foo: invalid checksum digest format"],
    [["--desc-platform", "x!"], "failed to parse platform x!: invalid platform component x! in x!"],
    [["--platform", "x!"], "failed to parse platform x!: invalid platform component x! in x!"],
    [["--ref", "FOO?"], `invalid reference "FOO?"`],
    [["--subject", "a:b"], `invalid reference, no tag or digest: "a:b"`]
  ])("refuses %j before anything is written", async (args, problem) => {
    const layout = fresh()
    const { code, err } = await regctl("index", "create", `ocidir://${layout}:i`, ...args, "--ref", `${images}:amd`)
    assert.strictEqual(code, 1)
    assert.strictEqual(err, `${problem}\n`)
    assert.deepStrictEqual(judge(layout), { tags: {}, problems: [], extra: [] })
  })

  it("leaves nothing behind when its subject or an entry is not there", async () => {
    const layout = fresh()
    const ref = `ocidir://${layout}:i`
    await must("index", "create", ref)
    const subject = await regctl("index", "create", ref, "--ref", `${images}:amd`, "--subject", "nope")
    assert.match(subject.err, /^failed to lookup subject ocidir:.*:nope: .*could not find entry/)
    const digest = await regctl("index", "create", ref, "--ref", `${images}:amd`, "--digest", arm)
    assert.match(digest.err, /^not found: /)
    assert.strictEqual(await bodyOf(ref), indexOf([]))
    assert.deepStrictEqual(judge(layout).extra, [])
  })

  it("leaves the platform out, and says so, where a configuration cannot be read", async () => {
    const layout = makeLayout(fresh())
    const config = addBlob(layout, "no JSON", "application/vnd.oci.image.config.v1+json")
    const document = { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers: [] }
    const image = addBlob(layout, JSON.stringify(document), document.mediaType)
    tagAll(layout, { v1: image })
    const { code, err } = await regctl("index", "create", `ocidir://${layout}:i`, "--digest", image.digest)
    assert.strictEqual(code, 0)
    assert.match(err, /WARN msg="No platform for sha256:.*error unmarshaling image config/)
    assert.deepStrictEqual(JSON.parse(await bodyOf(`ocidir://${layout}:i`)).manifests, [{ ...image }])
  })
})

describe("index add", () => {
  it("adds what is not an entry yet, behind the others", async () => {
    const target = `ocidir://${fresh()}:i`
    await must("index", "create", target, "--ref", `${images}:amd`)
    await must("index", "add", target, "--ref", `${images}:arm`, "--ref", `${images}:amd`)
    assert.strictEqual(await bodyOf(target), indexOf([amdEntry, armEntry]))
    await must("index", "add", target, "--digest", amd, "--desc-platform", "linux/x86_64", "--desc-annotation", "a=b")
    const noted = entry(amd, 272, `,"annotations":{"a":"b"},${onAmd}`)
    assert.strictEqual(await bodyOf(target), indexOf([amdEntry, armEntry, noted]))
  })

  it("keeps what it does not know of an index, and its bytes where nothing is new", async () => {
    const layout = makeLayout(fresh())
    const image = addImage(layout, ["layer"])
    const text = `{ "schemaVersion": 2, "mediaType": "${ociIndex}", "org.example": [1.0],\n "manifests": [ ` +
      `{ "mediaType": "${image.mediaType}", "size": ${image.size}, "digest": "${image.digest}", "org.example": 2 } ] }`
    tagAll(layout, { i: addBlob(layout, text, ociIndex) })
    await must("index", "add", `ocidir://${layout}:i`)
    assert.strictEqual(await bodyOf(`ocidir://${layout}:i`), text)
    await must("index", "add", `ocidir://${layout}:i`, "--ref", `${images}:arm`)
    assert.strictEqual(
      await bodyOf(`ocidir://${layout}:i`),
      `{"schemaVersion":2,"mediaType":"${ociIndex}","manifests":[` +
        `${entry(image.digest, image.size, `,"org.example":2`)},${armEntry}],"org.example":[1]}`
    )
  })

  it("gives an index that was named by digest a new digest, and prints it", async () => {
    const layout = fresh()
    const target = `ocidir://${layout}`
    const before = (await must("index", "create", `${target}:i`, "--by-digest")).trim()
    const after = (await must("index", "add", `${target}@${before}`, "--ref", `${images}:arm`)).trim()
    assert.strictEqual(await bodyOf(`${target}@${after}`), indexOf([armEntry]))
    assert.deepStrictEqual(Object.keys(judge(layout).tags), [before, after])
  })

  it("wants an index that is there", async () => {
    const { code, err } = await regctl("index", "add", `${images}:amd`, "--ref", `${images}:arm`)
    assert.strictEqual(code, 1)
    const type = `"application/vnd.oci.image.manifest.v1+json"`
    assert.strictEqual(err, `current manifest is not an index/manifest list, ${type}: unsupported media type\n`)
    assert.strictEqual((await regctl("index", "add", `${images}:nope`, "--ref", `${images}:arm`)).code, 1)
  })
})

describe("index delete", () => {
  it("removes by digest and by platform, and a layout sweeps what nothing names any more", async () => {
    const layout = fresh()
    const target = `ocidir://${layout}:i`
    const refs = ["amd", "arm", "none"].flatMap((tag) => ["--ref", `${images}:${tag}`])
    await must("index", "create", target, ...refs)
    await must("index", "delete", target, "--platform", "linux/s390x", "--digest", "foo")
    assert.strictEqual(await bodyOf(target), indexOf([amdEntry, armEntry, noneEntry]))
    await must("index", "delete", target, "--platform", "linux/arm", "--digest", none)
    assert.strictEqual(await bodyOf(target), indexOf([amdEntry]))
    assert.deepStrictEqual(judge(layout).extra, [])
    assert.throws(() => readFileSync(blobPath(layout, arm)))
  })

  it("refuses what is no platform", async () => {
    const { code, err } = await regctl("index", "delete", `${images}:amd`, "--platform", "x!")
    assert.strictEqual(code, 1)
    assert.strictEqual(err, "failed to parse platform x!: invalid platform component x! in x!\n")
  })
})
