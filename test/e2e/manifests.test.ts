/** Manifests made to be taken for others, or to lead elsewhere: refused with their reason, the tag at the target as it was. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Tool } from "../../src/programs/cli/command.ts"
import { regbot } from "../../src/programs/regbot/main.ts"
import { regsync } from "../../src/programs/regsync/main.ts"
import { isClear, restore, withLogin, type World, world } from "../support/copies.ts"
import { toolHere } from "../support/inProcess.ts"
import type { Ran } from "../support/programs.ts"
import { digestOf, lacking } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"
import { always, is } from "../support/rows.ts"

let here: World
const dir = temporary("manifests")
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
  strange: "application/x.strange+json"
}

const app = () => here.source.repository("app")
const blob = (mediaType: string, content: string, more: object = {}) => {
  app().blobs.set(digestOf(content), Buffer.from(content))
  return { mediaType, digest: digestOf(content), size: content.length, ...more }
}
const put = (type: string, content: string | object, tag = "odd") => {
  const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content))
  app().manifests.set(digestOf(bytes), { type, bytes })
  app().tags.set(tag, digestOf(bytes))
  return { mediaType: type, digest: digestOf(bytes), size: bytes.length }
}
const image = (more: object = {}) => ({
  schemaVersion: 2,
  mediaType: types.image,
  config: blob(types.config, "{}"),
  layers: [blob(types.layer, "layer")],
  ...more
})
const index = (manifests: ReadonlyArray<object>, more: object = {}) => ({
  schemaVersion: 2,
  mediaType: types.index,
  manifests,
  ...more
})

/** The reason that a run was given up for, as its last record says. */
const reasonOf = ({ err }: Ran): string =>
  err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))
    .findLast(({ level }) => level === "ERROR")?.reason ?? "none"

/** A tool but regctl, with a configuration of its own. */
const tool = (it: Tool, text: string): Promise<Ran> => {
  const file = join(dir.path, "tool.yml")
  const creds = [here.source.host, here.target.host].map((host) =>
    `{registry: "${host}", user: ada, pass: l0velace, tls: disabled}`
  )
  writeFileSync(file, `version: 1\ncreds: [${creds.join(", ")}]\n${text}`, { mode: 0o600 })
  return toolHere(it, ["--logopt", "json", "-c", file, "once"], { config: join(dir.path, "none.json") })
}
const target = () => here.target.repository("app")
const writes = () => here.target.asked.filter(({ method }) => !["HEAD", "GET"].includes(method))

describe("a manifest", () => {
  const bad: ReadonlyArray<
    readonly [row: string, content: () => string | object, reason: string, text: RegExp, type?: string]
  > = [
    ["C05", () => image({ manifests: {} }), "MediaTypeMismatch", /both manifests and layers/],
    ["C05", () => image({ fsLayers: [] }), "MediaTypeMismatch", /both fsLayers/],
    ["C05", () => index([], { config: {} }), "MediaTypeMismatch", /both manifests and layers/, types.index],
    ["C05", () => image({ layers: undefined }), "MediaTypeMismatch", /neither manifests nor layers/],
    ["C05", () => index([], { manifests: undefined }), "MediaTypeMismatch", /neither manifests nor/, types.index],
    ["C05", () => image({ mediaType: types.index }), "MediaTypeMismatch", /unexpected media type/],
    [
      "C05",
      () => index([{ ...put(types.image, image(), "child"), mediaType: types.index }]),
      "MediaTypeMismatch",
      /unexpected media type/,
      types.index
    ],
    ["C04", () => image({ mediaType: `${types.image}\0` }), "ManifestInvalid", /invalid media type "[^"]*\\x00"/, ""],
    [
      "C04",
      () => image({ mediaType: "x/y\r\nevil: 1" }),
      "ManifestInvalid",
      /invalid media type "x\/y\\r\\nevil: 1"/,
      ""
    ],
    ["C04", () => `\u{feff}${JSON.stringify(image())}`, "ManifestInvalid", /error unmarshaling manifest/],
    ["C08", () => image({ Layers: [] }), "ManifestInvalid", /key "Layers" is a known one but for its case/],
    [
      "C08",
      () => JSON.stringify(image()).replace("\"layers\"", "\"l\\u0061yers\":[],\"layers\""),
      "ManifestInvalid",
      /given twice/
    ],
    [
      "C07",
      () => image({ mediaType: types.strange }),
      "UnsupportedMediaType",
      /unsupported media type: "application\/x\.strange\+json"/,
      types.strange
    ],
    [
      "C10",
      () => JSON.stringify(image()).replace("\"size\":5", "\"size\":9007199254740992"),
      "ManifestInvalid",
      /an integer at \["layers"\]\[0\]\["size"\]/
    ],
    ["C10", () => JSON.stringify(image()).replace("\"size\":5", "\"size\":-1"), "ManifestInvalid", /size/],
    ["C10", () => JSON.stringify(image()).replace("\"size\":5", "\"size\":1.5"), "ManifestInvalid", /size/],
    ["C10", () => JSON.stringify(image()).replace("\"size\":5", "\"size\":\"1\""), "ManifestInvalid", /size/],
    [
      "C10",
      () => JSON.stringify(image()).replace("\"size\":5", "\"size\":9223372036854775808"),
      "ManifestInvalid",
      /size/
    ],
    ["C10", () => JSON.stringify(image()).replace("\"size\":5", "\"size\":1e999"), "ManifestInvalid", /size/]
  ]
  it.each(bad.map(([row, content, reason, text, type = types.image]) => ({ row, content, reason, text, type })))(
    "$row: that is not what it says is refused, and its tag stays ($#)",
    async ({ content, reason, text, type }) => {
      put(type, content(), "v1")
      const ran = await here.run([
        "--logopt",
        "json",
        "image",
        "copy",
        `${here.source.host}/app:v1`,
        `${here.target.host}/app:v1`
      ])
      assert.strictEqual(ran.code, 1)
      isClear(ran.err)
      assert.strictEqual(reasonOf(ran), reason, ran.err)
      assert.match(ran.err, text)
      assert.strictEqual(target().tags.get("v1"), here.old.index)
      assert.deepStrictEqual(writes(), [])
      assert.isAtMost(here.source.asked.length, 4)
    }
  )

  it("in any spelling of its type goes with all that it names (C06)", async () => {
    for (const [at, mediaType] of [types.index.toUpperCase(), `${types.index}; charset=utf-8`].entries()) {
      const { digest } = put("application/json", index([put(types.image, image(), "child")], { mediaType }), `t${at}`)
      const { code, err } = await here.run([
        "image",
        "copy",
        `${here.source.host}/app:t${at}`,
        `${here.target.host}/app:t${at}`
      ])
      assert.strictEqual(code, 0, err)
      assert.deepStrictEqual(lacking(target(), digest), [])
    }
    assert.deepStrictEqual(here.target.incomplete, [])
  })
})

describe("a digest that is none (C09)", () => {
  const forms: ReadonlyArray<readonly [string, string]> = [
    ["short", "sha256:abc"],
    ["upper case", `sha256:${"A".repeat(64)}`],
    ["upper-case algorithm", `SHA256:${"a".repeat(64)}`],
    ["unknown", `md5:${"0".repeat(32)}`],
    ["climbing", "sha256:../../../../etc/passwd"],
    ["climbing without algorithm", "../../etc/passwd"],
    ["empty", ""],
    ["10 MB", `sha256:${"0".repeat(7_000_000)}`]
  ]
  const places: ReadonlyArray<readonly [string, (digest: string) => object, string]> = [
    ["config", (digest) => image({ config: { mediaType: types.config, digest, size: 2 } }), types.image],
    ["layer", (digest) => image({ layers: [{ mediaType: types.layer, digest, size: 2 }] }), types.image],
    ["subject", (digest) => image({ subject: { mediaType: types.image, digest, size: 2 } }), types.image],
    ["entry", (digest) => index([{ mediaType: types.image, digest, size: 2 }]), types.index]
  ]
  it.each(forms)(
    "that is %s is refused wherever a manifest has it, before anything is asked by it",
    async (_, digest) => {
      for (const [place, document, type] of places) {
        restore(here)
        here.source.quirk = withLogin()
        here.target.quirk = withLogin()
        put(type, document(digest), "v1")
        const ran = await here.run([
          "--logopt",
          "json",
          "image",
          "copy",
          `${here.source.host}/app:v1`,
          `${here.target.host}/app:v1`
        ])
        assert.strictEqual(ran.code, 1, place)
        assert.strictEqual(reasonOf(ran), "DigestInvalid", place)
        assert.match(ran.err, /(?:invalid checksum digest|unsupported digest algorithm)/)
        assert.isBelow(ran.err.length, 4_000)
        assert.strictEqual(target().tags.get("v1"), here.old.index)
        const asked = [...here.source.asked, ...here.target.asked].map(({ target: path }) => path)
        assert.deepStrictEqual(
          asked.filter((path) => !/^\/v2\/(?:$|app\/manifests\/(?:v1|sha256:[0-9a-f]{64})$)/.test(path)),
          []
        )
      }
    }
  )

  it.each(forms)("that is %s in an answer's header builds no address", async (_, digest) => {
    here.source.quirk = withLogin(always(is("GET", /manifests/), (_, proper) => {
      const answer = proper()
      return { ...answer, headers: { ...answer.headers, "docker-content-digest": digest.slice(0, 1_000) } }
    }))
    const ran = await here.run([
      "manifest",
      "get",
      "--format",
      "{{.GetDescriptor.Digest}}",
      `${here.source.host}/app:v1`
    ])
    assert.strictEqual(ran.code, 0, ran.err)
    assert.strictEqual(ran.out.trim(), here.image.index)
    assert.deepStrictEqual(
      here.source.asked.filter(({ target: path }) => !/^\/v2\/(?:$|app\/manifests\/v1$)/.test(path)),
      []
    )
  })

  it("in a list of referrers is no list, and none of it is asked for", async () => {
    const entries = forms.slice(0, 7).map(([, digest]) => ({ mediaType: types.image, digest, size: 2 }))
    here.source.quirk = withLogin(always(is("GET", /referrers/), {
      status: 200,
      headers: { "content-type": types.index },
      body: JSON.stringify(index(entries))
    }))
    await here.run(["image", "copy", "--referrers", `${here.source.host}/app:v1`, `${here.target.host}/app:new`])
    const known = /^\/v2\/(?:$|app\/(?:manifests|blobs|referrers)\/(?:v1|new|sha256[:-][0-9a-f]{64})(?:$|\?))/
    assert.deepStrictEqual(here.source.asked.map(({ target: path }) => path).filter((path) => !known.test(path)), [])
    assert.deepStrictEqual(here.target.incomplete, [])
  })
})

describe("a manifest sent for the digest of another (C03)", () => {
  const documents: ReadonlyArray<readonly [string, (good: Buffer) => object]> = [
    ["a plain one", () => image({ annotations: { evil: "1" } })],
    [
      "one that says another was signed",
      (good) => ({
        schemaVersion: 1,
        mediaType: types.image,
        config: blob(types.config, "{\"evil\":1}"),
        layers: [blob(types.layer, "evil")],
        signatures: [{
          protected: Buffer.from(JSON.stringify({ formatLength: 0, formatTail: good.toString("base64url") }))
            .toString("base64url")
        }]
      })
    ]
  ]
  const prepare = (document: (good: Buffer) => object) => {
    const good = Buffer.from(JSON.stringify(image()))
    const digest = digestOf(good)
    app().manifests.set(digest, { type: types.image, bytes: Buffer.from(JSON.stringify(document(good))) })
    app().tags.set("v1", digest)
    return digest
  }

  it.each(documents)("as %s is refused by all that reads", async (_, document) => {
    const digest = prepare(document)
    for (const args of [["manifest", "get"], ["image", "inspect"], ["artifact", "get"]]) {
      const ran = await here.run(["--logopt", "json", ...args, `${here.source.host}/app@${digest}`])
      assert.strictEqual(ran.code, 1, args.join(" "))
      assert.strictEqual(reasonOf(ran), "DigestMismatch", args.join(" "))
      assert.notInclude(ran.out, "evil")
    }
  })

  it.each(documents)("as %s is copied by no tool", async (_, document) => {
    const digest = prepare(document)
    const [from, to] = [`${here.source.host}/app@${digest}`, `${here.target.host}/app:v1`]
    const ran = [
      await here.run(["--logopt", "json", "image", "copy", from, to]),
      await tool(regsync, `sync: [{source: "${from}", target: "${to}", type: image}]`),
      await tool(regbot, `scripts: [{name: s, script: 'image.copy("${from}", "${to}")'}]`)
    ]
    assert.deepStrictEqual(ran.map(({ code }) => code), [1, 1, 1])
    for (const { err } of ran) assert.include(err, "digest mismatch")
    assert.strictEqual(target().tags.get("v1"), here.old.index)
    assert.deepStrictEqual(writes(), [])
  })

  it("by the name of its header alone is refused, too", async () => {
    const other = `sha256:${"0".repeat(64)}`
    const lie = always(is("GET", /manifests/), (_, proper) => {
      const answer = proper()
      return { ...answer, headers: { ...answer.headers, "docker-content-digest": other } }
    })
    here.source.quirk = withLogin(lie)
    for (const reference of [":v1", `@${here.image.index}`]) {
      const ran = await here.run(["--logopt", "json", "manifest", "get", `${here.source.host}/app${reference}`])
      assert.strictEqual(ran.code, 1)
      assert.strictEqual(reasonOf(ran), "DigestMismatch")
      assert.strictEqual(ran.out, "")
    }
  })

  it("that moved between HEAD and GET counts as it was got", async () => {
    let asked = 0
    const moved = put(types.image, image(), "moved")
    here.source.quirk = withLogin(always(is("GET", /manifests\/v1$/), (_, proper) => {
      if (asked++ === 0) app().tags.set("v1", moved.digest)
      return proper()
    }))
    const ran = await here.run([
      "manifest",
      "get",
      "--format",
      "{{.GetDescriptor.Digest}}",
      `${here.source.host}/app:v1`
    ])
    assert.strictEqual(ran.out.trim(), moved.digest)
  })
})

describe("a registry at no address (K14)", () => {
  it("is refused as a reference by each tool, and as a host of the configuration", async () => {
    const no = "reg.example:99999"
    const ran = [
      await here.run(["--logopt", "json", "tag", "ls", `${no}/app`]),
      await here.run(["--logopt", "json", "registry", "set", no]),
      await here.run(["--logopt", "json", "repo", "ls", no]),
      await here.run(["--logopt", "json", "image", "copy", `${here.source.host}/app:v1`, `${no}/app`]),
      await tool(regsync, `sync: [{source: "${here.source.host}/app:v1", target: "${no}/app", type: image}]`)
    ]
    for (const it of ran) {
      assert.strictEqual(it.code, 1)
      assert.strictEqual(reasonOf(it), "ReferenceInvalid", it.err)
    }
    const other = join(dir.path, "host.yml")
    writeFileSync(
      other,
      `version: 1\ncreds: [{registry: reg.example, hostname: "h:99999"}]\nsync: [{source: reg.example/a:b, target: "ocidir://${dir.path}/no:b", type: image}]\n`
    )
    const synced = await toolHere(regsync, ["--logopt", "json", "-c", other, "once"], {
      config: join(dir.path, "none")
    })
    assert.strictEqual(reasonOf(synced), "ReferenceInvalid", synced.err)
    assert.deepStrictEqual([...here.source.asked, ...here.target.asked], [])
  })
})
