/** The main promise: real images between real registries, with digests unchanged and no request too many. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { skopeo, skopeoDigest, umociImage } from "../support/images.ts"
import { must, type Ran, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Request, type Running, temporary } from "../support/registries.ts"

const dir = temporary("copy")
let a: Running
let b: Running
let own: Running
let layout: string

const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
const hosts = () => [a, b, own].flatMap(({ host }) => ["--host", `reg=${host},tls=disabled`])
const regctl = (...args: ReadonlyArray<string>) =>
  must(process.execPath, [tool("regctl"), ...hosts(), ...args], { env, cwd: dir.path })
const tryRegctl = (...args: ReadonlyArray<string>): Promise<Ran> =>
  run(process.execPath, [tool("regctl"), ...hosts(), ...args], { env, cwd: dir.path })
const digest = async (ref: string) => (await regctl("image", "digest", ref)).trim()

const shape = (requests: ReadonlyArray<Request>) => requests.map(({ method, status }) => `${method} ${status}`)

beforeAll(async () => {
  ;[a, b, own] = await Promise.all([dockerRegistry(), dockerRegistry(), ownRegistry()])
  layout = await umociImage(dir.path, "v1")
})
afterAll(async () => {
  await Promise.all([a, b, own].map((it) => it?.stop()))
  dir.remove()
})

describe("an image made by umoci and pushed by skopeo", () => {
  it("is copied from registry to registry, to a layout and back, with one digest", async () => {
    await skopeo(["copy", "--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${a.host}/app:v1`])
    const original = await skopeoDigest(`docker://${a.host}/app:v1`)
    assert.strictEqual(
      await regctl("image", "copy", `${a.host}/app:v1`, `${b.host}/mirror/app:v1`),
      `${b.host}/mirror/app:v1\n`
    )
    assert.strictEqual(await skopeoDigest(`docker://${b.host}/mirror/app:v1`), original)
    await regctl("image", "copy", `${b.host}/mirror/app:v1`, "ocidir://copied:v1")
    assert.strictEqual(await skopeoDigest(`oci:${join(dir.path, "copied")}:v1`), original)
    await regctl("image", "copy", "ocidir://copied:v1", `${b.host}/again:v1`)
    assert.strictEqual(await skopeoDigest(`docker://${b.host}/again:v1`), original)
    for (const ref of [`${a.host}/app:v1`, `${b.host}/mirror/app:v1`, "ocidir://copied:v1", `${b.host}/again:v1`]) {
      assert.strictEqual(await digest(ref), original)
    }
    await skopeo(["copy", "--src-tls-verify=false", `docker://${b.host}/again:v1`, `oci:${join(dir.path, "read")}:v1`])
    assert.strictEqual(await skopeoDigest(`oci:${join(dir.path, "read")}:v1`), original)
  })

  it("takes three requests a small blob when new, and two HEADs when current", async () => {
    await Promise.all([a.requests(), b.requests()])
    await regctl("image", "copy", `${a.host}/app:v1`, `${b.host}/budget:v1`)
    const first = [...await a.requests(), ...await b.requests()]
    const layers = 2
    assert.strictEqual(first.length, 3 * layers + 6, JSON.stringify(first, null, 1))
    await regctl("image", "copy", `${a.host}/app:v1`, `${b.host}/budget:v1`)
    assert.deepStrictEqual(shape(await a.requests()), ["HEAD 200"])
    assert.deepStrictEqual(shape(await b.requests()), ["HEAD 200"])
  })

  it("takes no upload within one registry", async () => {
    await b.requests()
    await regctl("image", "copy", `${b.host}/budget:v1`, `${b.host}/other/repository:v1`)
    const requests = await b.requests()
    assert.isFalse(
      requests.some(({ method, path }) => method === "PUT" && path.includes("/blobs/")),
      JSON.stringify(requests)
    )
  })
})

describe("a multi-platform index with referrers and digest tags", () => {
  it("goes to the embedded registry and back whole", async () => {
    const repository = `${a.host}/multi`
    const blobOf = async (text: string) =>
      (await must(process.execPath, [tool("regctl"), ...hosts(), "blob", "put", repository], { env, input: text }))
        .trim()
    const put = async (document: unknown, ...args: ReadonlyArray<string>) =>
      (await must(process.execPath, [tool("regctl"), ...hosts(), "manifest", "put", ...args], {
        env,
        input: JSON.stringify(document)
      })).trim()
    const ociManifest = "application/vnd.oci.image.manifest.v1+json"
    const image = async (architecture: string, more: object = {}) => {
      const config = JSON.stringify({ architecture, os: "linux", rootfs: { type: "layers", diff_ids: [] } })
      const layer = `layer of ${architecture}`
      const document = {
        schemaVersion: 2,
        mediaType: ociManifest,
        config: {
          mediaType: "application/vnd.oci.image.config.v1+json",
          digest: await blobOf(config),
          size: config.length
        },
        layers: [{
          mediaType: "application/vnd.oci.image.layer.v1.tar",
          digest: await blobOf(layer),
          size: layer.length
        }],
        ...more
      }
      return {
        mediaType: ociManifest,
        digest: await put(document, "--by-digest", repository),
        size: JSON.stringify(document).length
      }
    }
    const manifests = [
      { ...await image("amd64"), platform: { os: "linux", architecture: "amd64" } },
      { ...await image("arm64"), platform: { os: "linux", architecture: "arm64" } }
    ]
    const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests }
    await put(index, `${repository}:v1`)
    const indexDigest = await digest(`${repository}:v1`)
    const subject = { mediaType: index.mediaType, digest: indexDigest, size: JSON.stringify(index).length }
    const sbom = await image("sbom", { subject, artifactType: "application/x.sbom" })
    const signed = await image("signed", { subject: manifests[0], artifactType: "application/x.signature" })
    await regctl("image", "copy", `${repository}:v1`, `${repository}:${indexDigest.replace(":", "-")}.att`)

    await regctl("image", "copy", "--referrers", "--digest-tags", `${repository}:v1`, `${own.host}/multi:v1`)
    await regctl("image", "copy", "--referrers", "--digest-tags", `${own.host}/multi:v1`, `${b.host}/back:v1`)
    for (const place of [`${own.host}/multi`, `${b.host}/back`]) {
      assert.strictEqual(await digest(`${place}:v1`), indexDigest)
      for (const part of [...manifests, sbom, signed])
        assert.strictEqual(await digest(`${place}@${part.digest}`), part.digest)
      const tags = (await regctl("tag", "ls", place)).trim().split("\n")
      assert.include(tags, `${indexDigest.replace(":", "-")}.att`)
    }
    const referrers = await fetch(`http://${own.host}/v2/multi/referrers/${indexDigest}`)
    const listed = (await referrers.json()) as { readonly manifests: ReadonlyArray<{ readonly digest: string }> }
    assert.deepStrictEqual(listed.manifests.map((it) => it.digest), [sbom.digest])
    // docker-registry has no referrers API: the list is kept under a tag named after the digest.
    const fallback = JSON.parse(
      await regctl("manifest", "get", "--format", "body", `${b.host}/back:${indexDigest.replace(":", "-")}`)
    )
    assert.deepStrictEqual(fallback.manifests.map((it: { readonly digest: string }) => it.digest), [sbom.digest])
  })
})

describe("tag delete", () => {
  it("on a registry without tag deletion removes one tag and leaves the other of the same manifest", async () => {
    await regctl("image", "copy", `${a.host}/app:v1`, `${a.host}/tags:one`)
    await regctl("image", "copy", `${a.host}/app:v1`, `${a.host}/tags:two`)
    const kept = await digest(`${a.host}/tags:two`)
    await regctl("tag", "delete", `${a.host}/tags:one`)
    assert.strictEqual(await regctl("tag", "ls", `${a.host}/tags`), "two\n")
    assert.strictEqual(await digest(`${a.host}/tags:two`), kept)
    const gone = await tryRegctl("image", "digest", `${a.host}/tags:one`)
    assert.strictEqual(gone.code, 1)
  })
})

describe("skopeo against the embedded registry", () => {
  it("copies, lists tags and deletes", async () => {
    await skopeo(["copy", "--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${own.host}/skopeo/app:v1`])
    await skopeo([
      "copy",
      "--src-tls-verify=false",
      `docker://${own.host}/skopeo/app:v1`,
      `oci:${join(dir.path, "from-own")}:v1`
    ])
    const listed = JSON.parse(await skopeo(["list-tags", "--tls-verify=false", `docker://${own.host}/skopeo/app`]))
    assert.deepStrictEqual(listed.Tags, ["v1"])
    await skopeo(["delete", "--tls-verify=false", `docker://${own.host}/skopeo/app:v1`])
    const gone = await tryRegctl("image", "digest", `${own.host}/skopeo/app:v1`)
    assert.strictEqual(gone.code, 1)
  })
})
