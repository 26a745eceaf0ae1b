/** Content that is not what it says, or not where it says, on its way from a registry: refused, told, never tagged. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { bytesOf, isClear, restore, withLogin, type World, world } from "../support/copies.ts"
import { type Answer, digestOf, lacking } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"
import { always, changed, first, is } from "../support/rows.ts"

let here: World
const dir = temporary("content")
beforeAll(async () => {
  here = await world()
})
afterAll(async () => {
  await here.stop()
  dir.remove()
})
beforeEach(() => {
  restore(here)
  here.source.quirk = withLogin()
  here.target.quirk = withLogin()
})

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  image: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  schema1: "application/vnd.docker.distribution.manifest.v1+prettyjws"
}

const blob = (mediaType: string, content: string | Buffer, more: object = {}) => {
  const bytes = Buffer.from(content)
  const digest = digestOf(bytes)
  here.source.repository("app").blobs.set(digest, bytes)
  return { mediaType, digest, size: bytes.length, ...more }
}
/** Puts these bytes under a tag at the source, whatever they are. */
const put = (type: string, content: string | Buffer | object, tag = "odd") => {
  const bytes = Buffer.from(
    typeof content === "string" || content instanceof Buffer ? content : JSON.stringify(content)
  )
  const digest = digestOf(bytes)
  here.source.repository("app").manifests.set(digest, { type, bytes })
  here.source.repository("app").tags.set(tag, digest)
  return { mediaType: type, digest, size: bytes.length }
}
const image = (more: object = {}) => ({
  schemaVersion: 2,
  mediaType: types.image,
  config: blob(types.config, "{}"),
  layers: [blob(types.layer, "layer")],
  ...more
})
const copy = (...args: ReadonlyArray<string>) =>
  here.run(["image", "copy", ...args, `${here.source.host}/app:odd`, `${here.target.host}/app:odd`])
const requests = () => here.source.asked.length + here.target.asked.length

describe("a manifest", () => {
  const big = (size: string) => JSON.stringify(image()).replace(/"size":5/, `"size":${size}`)
  const named = (digest: string) => JSON.stringify(image()).replace(digestOf("layer"), digest)
  const utf16 = () => Buffer.from(JSON.stringify(image()), "utf16le")
  const deep = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`
  const bad: ReadonlyArray<readonly [string, () => string | Buffer | object, RegExp]> = [
    ["empty (C04)", () => "", /error unmarshaling|manifest/],
    ["cut (C04)", () => JSON.stringify(image()).slice(0, -5), /manifest/],
    ["an array (C04)", () => "[]", /manifest/],
    ["a number (C04)", () => "7", /manifest/],
    ["UTF-16 (C04)", utf16, /manifest/],
    ["followed by more (C04)", () => `${JSON.stringify(image())}{}`, /manifest/],
    ["of another type than it is served as (C05)", () => image({ mediaType: types.index }), /media type|mediaType/],
    ["image and index in one (C05)", () => image({ manifests: [] }), /media type|layers|manifests/],
    [
      "with a key twice (C08)",
      () => JSON.stringify(image()).replace("\"layers\"", "\"layers\":[],\"layers\""),
      /given twice/
    ],
    ["with a digest too short (C09)", () => named("sha256:abc"), /digest/],
    ["with a digest in capitals (C09)", () => named(digestOf("layer").toUpperCase()), /digest/],
    ["with a digest that climbs (C09)", () => named("../../etc/passwd"), /digest/],
    ["with an unknown algorithm (C09)", () => named(`md5:${"0".repeat(32)}`), /digest/],
    ["with an endless digest (C09)", () => named(`sha256:${"0".repeat(1_000_000)}`), /digest/],
    ["with a size below 0 (C10)", () => big("-1"), /size/],
    ["with a broken size (C10)", () => big("1.5"), /size/],
    ["with a size in quotes (C10)", () => big("\"5\""), /size/],
    ["with a size beyond all (C10)", () => big("9223372036854775808"), /size/],
    [
      "nested without end (C12)",
      () => JSON.stringify(image({ annotations: 0 })).replace(":0}", `:${deep(100_000)}}`),
      /./
    ]
  ]
  it.each(bad)("that is %s is refused before anything is written", async (_, content, expected) => {
    put(types.image, content())
    const { code, err } = await copy()
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, expected)
    assert.isAtMost(requests(), 10, here.source.lines().join("\n"))
    assert.isUndefined(here.target.repository("app").tags.get("odd"))
    assert.deepStrictEqual(here.target.asked.filter(({ method }) => !["HEAD", "GET"].includes(method)), [])
  })

  it.each(["application/json", "APPLICATION/vnd.oci.image.manifest.v1+JSON; charset=utf-8", "text/plain", ""])(
    "is what its body says when it is served as %j (C06)",
    async (type) => {
      const { digest } = put(type, image())
      const { code, err } = await copy()
      assert.strictEqual(code, 0, err)
      assert.strictEqual(here.target.repository("app").tags.get("odd"), digest)
      assert.strictEqual(here.target.repository("app").manifests.get(digest)?.type, types.image)
    }
  )

  it("keeps names of prototypes as plain data (C08)", async () => {
    const { digest } = put(
      types.image,
      JSON.stringify(image()).replace(/}$/, ",\"__proto__\":{\"x\":1},\"constructor\":1}")
    )
    assert.strictEqual((await copy()).code, 0)
    assert.strictEqual(here.target.repository("app").tags.get("odd"), digest)
  })

  it("of schema 1 goes byte for byte (C23)", async () => {
    const content = {
      schemaVersion: 1,
      name: "app",
      tag: "odd",
      architecture: "amd64",
      fsLayers: [{ blobSum: blob(types.layer, "layer").digest }],
      history: [{ v1Compatibility: "{}" }],
      signatures: []
    }
    const { digest } = put(types.schema1, JSON.stringify(content, null, 3))
    const { code, err } = await copy()
    assert.strictEqual(code, 0, err)
    assert.strictEqual(here.target.repository("app").tags.get("odd"), digest)
    assert.isTrue(here.target.repository("app").blobs.has(digestOf("layer")))
  })

  it("of an unknown type goes as bytes within an index (C07)", async () => {
    const strange = put("application/x.strange+json", {
      schemaVersion: 2,
      mediaType: "application/x.strange+json",
      any: 1
    })
    const { digest } = put(types.index, { schemaVersion: 2, mediaType: types.index, manifests: [strange] })
    const { code, err } = await copy()
    assert.strictEqual(code, 0, err)
    assert.strictEqual(here.target.repository("app").tags.get("odd"), digest)
  })
})

describe("an index", () => {
  it("with one image a hundred times moves it once (C14, C25)", async () => {
    const layer = blob(types.layer, "layer")
    const child = put(types.image, image({ layers: Array.from({ length: 50 }, () => layer) }), "child")
    const platform = (at: number) => ({ architecture: `a${at}`, os: "linux" })
    put(types.index, {
      schemaVersion: 2,
      mediaType: types.index,
      manifests: Array.from({ length: 100 }, (_, at) => ({ ...child, platform: platform(at) }))
    })
    assert.strictEqual((await copy()).code, 0)
    const uploads = here.target.asked.filter(({ method, target }) => method === "PUT" && target.includes("/uploads/"))
    assert.strictEqual(uploads.length, 2)
    assert.isAtMost(requests(), 24)
  })

  it("nested too deep is refused (C12)", async () => {
    let child: object = put(types.image, image())
    for (let depth = 0; depth < 40; depth++) {
      child = put(types.index, { schemaVersion: 2, mediaType: types.index, manifests: [child] })
    }
    const { code, err } = await copy()
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /more than 32 indexes in one another/)
    assert.isUndefined(here.target.repository("app").tags.get("odd"))
  })

  it("without the platform that is wanted lists those it has (C24)", async () => {
    const { code, err } = await here.run([
      "image",
      "copy",
      "--platform",
      "linux/s390x",
      `${here.source.host}/app:v1`,
      `${here.target.host}/app:odd`
    ])
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /linux\/amd64.*linux\/arm64/)
  })
})

describe("a descriptor", () => {
  it("with wrong data is fetched, with right data is not (C17)", async () => {
    const config = blob(types.config, "{}", { data: "e30=" })
    const layer = blob(types.layer, "layer", { data: Buffer.from("LAYER").toString("base64") })
    const { digest } = put(types.image, { schemaVersion: 2, mediaType: types.image, config, layers: [layer] })
    const { code, err } = await copy()
    assert.strictEqual(code, 0, err)
    assert.match(err, /WARN/)
    assert.strictEqual(here.target.repository("app").tags.get("odd"), digest)
    assert.deepStrictEqual(here.target.repository("app").blobs.get(layer.digest)?.toString(), "layer")
    assert.isFalse(here.source.lines().some((line) => line.includes(config.digest)))
  })

  const foreign = (urls: ReadonlyArray<string>) => {
    const content = bytesOf(5, 50_000)
    const digest = digestOf(content)
    const mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar"
    const layer = { mediaType, digest, size: content.length, urls }
    return { content, digest, manifest: put(types.image, image({ layers: [blob(types.layer, "layer"), layer] })) }
  }

  it("with urls stays in the manifest, its content where it is (C15)", async () => {
    const { digest, manifest } = foreign(["http://192.0.2.1/layer"])
    const { code, err } = await copy()
    assert.strictEqual(code, 0, err)
    assert.strictEqual(here.target.repository("app").tags.get("odd"), manifest.digest)
    assert.isFalse(here.target.repository("app").blobs.has(digest))
  })

  it("with urls is fetched from there when that is asked for, without a login (C16)", async () => {
    const { content, digest } = foreign([
      `http://${here.store.host}/gone`,
      `http://${here.store.host}/layer?sig=s3cr3t`
    ])
    here.store.quirk = (it): Answer => it.url.pathname === "/layer" ? { status: 200, body: content } : { status: 404 }
    const { code, err } = await copy("--include-external")
    assert.strictEqual(code, 0, err)
    assert.deepStrictEqual(here.target.repository("app").blobs.get(digest), content)
    for (const { headers } of here.store.asked) assert.isUndefined(headers.authorization)
  })

  it("with urls is had from the registry first (C16)", async () => {
    const { content, digest } = foreign([`http://${here.store.host}/layer`])
    here.source.repository("app").blobs.set(digest, content)
    assert.strictEqual((await copy("--include-external")).code, 0)
    assert.deepStrictEqual(here.store.lines(), [])
    assert.isTrue(here.target.repository("app").blobs.has(digest))
  })

  it("with urls that lead to other content fails (C16, C01)", async () => {
    foreign([`http://${here.store.host}/layer`])
    here.store.quirk = () => ({ status: 200, body: bytesOf(6, 50_000) })
    const { code, err } = await copy("--include-external")
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /digest mismatch/)
    assert.isUndefined(here.target.repository("app").tags.get("odd"))
  })

  it("with urls of files and the like fails, naming what is not allowed (C16)", async () => {
    const { digest } = foreign(["file:///etc/passwd"])
    const { code, err } = await copy("--include-external")
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /redirect to file: not allowed/)
    assert.isFalse(here.target.repository("app").blobs.has(digest))
  })
})

describe("a copy into a layout", () => {
  const layout = (name: string) => join(dir.path, name)
  const into = (name: string) =>
    here.run(["image", "copy", `${here.source.host}/app:v1`, `ocidir://${layout(name)}:v1`])
  const large = is("GET", /\/blobs\//)
  const isLarge = (it: Parameters<typeof large>[0]) => large(it) && it.target.includes(here.image.large)
  const files = (name: string) =>
    existsSync(join(layout(name), "blobs/sha256")) ? readdirSync(join(layout(name), "blobs/sha256")) : []

  it("gets over wrong bytes (C01)", async () => {
    here.source.quirk = withLogin(first(1, isLarge, changed))
    const { code, err } = await into("once")
    assert.strictEqual(code, 0, err)
    assert.include(files("once"), here.image.large.slice(7))
  })

  it("stores nothing of bytes that stay wrong, and the repeat succeeds (C01, D3, D7)", async () => {
    here.source.quirk = withLogin(always(isLarge, changed))
    const { code, err } = await into("always")
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /digest mismatch/)
    assert.deepStrictEqual(
      files("always").filter((it) => it === here.image.large.slice(7) || !/^[0-9a-f]{64}$/.test(it)),
      []
    )
    here.source.quirk = withLogin()
    assert.strictEqual((await into("always")).code, 0)
    assert.include(files("always"), here.image.large.slice(7))
  })

  it("goes on where a body broke off (N06)", async () => {
    here.source.quirk = withLogin(
      first(2, isLarge, (_, proper) => ({ ...proper(), cut: { after: 600_000, how: "reset" } }))
    )
    assert.strictEqual((await into("broken")).code, 0)
    const ranges = here.source.asked.filter(isLarge).map(({ headers }) => headers.range?.replace(/=\d+/, "=n"))
    assert.deepStrictEqual(ranges, [undefined, "bytes=n-1299999", "bytes=n-1299999"].slice(0, ranges.length))
    assert.isAtLeast(ranges.length, 2)
  })
})

describe("blob get", () => {
  it("ends with status 1 when the bytes are not those of the digest (C01)", async () => {
    here.source.quirk = withLogin(always(is("GET", /\/blobs\//), changed))
    const { code, err } = await here.run(["blob", "get", `${here.source.host}/app`, here.image.small])
    assert.strictEqual(code, 1)
    isClear(err)
    assert.match(err, /digest mismatch/)
  })
})

it("what the target has is whole", async () => {
  assert.strictEqual(
    (await here.run(["image", "copy", `${here.source.host}/app:v1`, `${here.target.host}/app:v1`])).code,
    0
  )
  assert.deepStrictEqual(lacking(here.target.repository("app"), here.image.index), [])
})
