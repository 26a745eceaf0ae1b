import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import type { LuaTable, LuaValue } from "../../../../src/lib/lua/border.ts"
import {
  configJson,
  configTable,
  descriptorTable,
  headTable,
  manifestJson,
  manifestTable,
  quotaTable
} from "../../../../src/programs/regbot/api/records.ts"
import { Digest } from "../../../../src/schemas/Digest.ts"
import { mediaTypes } from "../../../../src/schemas/MediaType.ts"
import bodies from "../../../fixtures/regbotRecords.json" with { type: "json" }
import { changed, luaOf, plain } from "../../../support/luaValues.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const field = (table: LuaTable, name: string): LuaValue => table.fields.get(name)
const digestOf = (text: string | undefined) => `sha256:${createHash("sha256").update(text ?? "").digest("hex")}`

const { ociArtifact, ociIndex, ociManifest, dockerList, dockerManifest, schema1, schema1Signed } = mediaTypes
const image = bytes(bodies.image)
const config = bytes(bodies.config)

/** A descriptor without its optional parts, under both names. */
const bare = (mediaType: string, digest: string, size: number) => ({
  MediaType: mediaType,
  mediaType,
  Digest: digest,
  digest,
  Size: size,
  size,
  URLs: {},
  urls: {},
  Annotations: {},
  annotations: {},
  Data: {},
  data: {},
  ArtifactType: "",
  artifactType: ""
})
const noContent = bare("", "", 0)

/** The golden values are those of the Go tool. */
describe("records", () => {
  it("has a field of a manifest under both its names", () => {
    const table = manifestTable(ociManifest, image)
    assert.deepStrictEqual([...table.fields.keys()], [
      "Versioned",
      "MediaType",
      "mediaType",
      "ArtifactType",
      "artifactType",
      "Config",
      "config",
      "Layers",
      "layers",
      "Subject",
      "subject",
      "Annotations",
      "annotations"
    ])
    assert.deepStrictEqual(plain(field(table, "Versioned")), { SchemaVersion: 2, schemaVersion: 2 })
    assert.deepStrictEqual(
      plain(field(table, "config")),
      bare(
        "application/vnd.oci.image.config.v1+json",
        "sha256:56cdc1197292c9bc992f233426a7fd9e9757da2965df235e73e4810a2b405167",
        1173
      )
    )
    assert.deepStrictEqual(plain(field(table, "Annotations")), { z: "<&>ä", a: "x" })
  })

  it("has one table under both names, so that a change under one is a change under the other", () => {
    const table = manifestTable(ociManifest, image)
    for (const [name, json] of [["Config", "config"], ["Layers", "layers"], ["Annotations", "annotations"]] as const) {
      assert.strictEqual(field(table, name), field(table, json))
    }
  })

  it("has all of a layer: bytes as numbers, its platform, its maps", () => {
    const layers = plain(field(manifestTable(ociManifest, image), "layers"))
    const platform = {
      Architecture: "arm",
      architecture: "arm",
      OS: "linux",
      os: "linux",
      OSVersion: "9",
      "os.version": "9",
      OSFeatures: ["o"],
      "os.features": ["o"],
      Variant: "v7",
      variant: "v7",
      Features: ["ff"],
      features: ["ff"]
    }
    const data = [108, 97, 121, 101, 114]
    const digest = "sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85"
    const layer = bare("application/vnd.oci.image.layer.v1.tar", digest, 5)
    assert.deepStrictEqual(layers, [
      {
        ...layer,
        URLs: ["https://u.test/<x>"],
        urls: ["https://u.test/<x>"],
        Annotations: { b: "2", a: "1<&>" },
        annotations: { b: "2", a: "1<&>" },
        Data: data,
        data,
        Platform: platform,
        platform,
        ArtifactType: "application/x.a",
        artifactType: "application/x.a"
      },
      layer
    ])
  })

  it("has the media type of docker's manifests beside their version", () => {
    const table = manifestTable(dockerManifest, bytes(bodies.docker))
    assert.isUndefined(field(table, "mediaType"))
    const type = "application/vnd.docker.distribution.manifest.v2+json"
    assert.deepStrictEqual(plain(field(table, "Versioned")), {
      SchemaVersion: 2,
      schemaVersion: 2,
      MediaType: type,
      mediaType: type
    })
  })

  it("has the layers and history of schema 1, signed ones a table deeper", () => {
    const names = ["Name", "name", "Tag", "tag", "Architecture", "architecture", "FSLayers", "fsLayers", "History"]
    const table = manifestTable(schema1, bytes(bodies.s1))
    assert.deepStrictEqual([...table.fields.keys()], ["Versioned", ...names, "history"])
    assert.deepStrictEqual(plain(field(table, "History")), [{
      V1Compatibility: "{\"id\":\"x\"}",
      v1Compatibility: "{\"id\":\"x\"}"
    }])
    const signed = manifestTable(
      schema1Signed,
      bytes(
        `{"schemaVersion":1,"name":"t","signatures":[{"protected":"${
          Buffer.from("{\"formatLength\":29,\"formatTail\":\"fQ\"}").toString("base64url")
        }"}]}`
      )
    )
    assert.deepStrictEqual([...signed.fields.keys()], ["Manifest", "Canonical"])
    assert.deepStrictEqual(plain(field(signed, "Canonical")), [...Buffer.from("{\"schemaVersion\":1,\"name\":\"t\"}")])
  })

  it("has zeros under one name for what came by HEAD", () => {
    assert.deepStrictEqual(plain(headTable(ociManifest)), {
      Manifest: {
        Versioned: { SchemaVersion: 0, schemaVersion: 0 },
        MediaType: "",
        mediaType: "",
        ArtifactType: "",
        artifactType: "",
        Config: noContent,
        config: noContent,
        Layers: {},
        layers: {},
        Annotations: {},
        annotations: {}
      }
    })
    const names = [ociIndex, dockerManifest, dockerList, ociArtifact, schema1, schema1Signed].flatMap((type) => [
      ...headTable(type).fields.keys()
    ])
    assert.deepStrictEqual(names, [
      "Index",
      "Manifest",
      "ManifestList",
      "ArtifactManifest",
      "Manifest",
      "SignedManifest"
    ])
  })

  it("has an empty table for a manifest of a type that nobody knows", () => {
    assert.deepStrictEqual(plain(manifestTable("application/x", bytes("{\"a\":1}"))), {})
    assert.isUndefined(manifestJson("application/x", manifestTable("application/x", bytes("{}")), bytes("{}")))
  })

  it("has times as Go prints them, durations in nanoseconds, sets as tables of empty tables", () => {
    const table = configTable(config)
    assert.strictEqual(field(table, "created"), "2021-02-03 04:05:06.123456789 +0000 UTC")
    assert.strictEqual(field(table, "Config"), field(table, "config"))
    assert.deepStrictEqual(plain(field(table, "config")), {
      User: "u",
      ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
      Env: ["A=1", "B=<&>"],
      Entrypoint: ["/e"],
      Cmd: ["c", "d"],
      Volumes: { "/v": {} },
      WorkingDir: "/w",
      Labels: { l: "ä", m: "" },
      StopSignal: "SIGTERM",
      StopTimeout: 10,
      ArgsEscaped: true,
      Healthcheck: { Test: ["CMD", "x"], Interval: 30_000_000_000, Timeout: 1_500_000_000, StartPeriod: 1, Retries: 3 },
      OnBuild: ["RUN x"],
      Shell: ["/bin/sh"]
    })
    assert.deepStrictEqual(plain(field(table, "history")), [
      {
        Created: "2021-02-03 04:05:06 +0200 +0200",
        created: "2021-02-03 04:05:06 +0200 +0200",
        CreatedBy: "RUN <x>",
        created_by: "RUN <x>",
        Author: "h",
        author: "h",
        Comment: "c",
        comment: "c",
        EmptyLayer: true,
        empty_layer: true
      },
      {
        CreatedBy: "no time",
        created_by: "no time",
        Author: "",
        author: "",
        Comment: "",
        comment: "",
        EmptyLayer: false,
        empty_layer: false
      }
    ])
  })

  it("keeps the platform of a configuration in a table of its own", () => {
    const table = configTable(config)
    assert.isUndefined(field(table, "architecture"))
    assert.isUndefined(field(table, "platform"))
    assert.deepStrictEqual(plain(field(table, "Platform")), {
      Architecture: "arm",
      architecture: "arm",
      OS: "linux",
      os: "linux",
      OSVersion: "1.2",
      "os.version": "1.2",
      OSFeatures: ["f1"],
      "os.features": ["f1"],
      Variant: "v7",
      variant: "v7",
      Features: ["g"],
      features: ["g"]
    })
  })

  it("has an empty configuration as zeros and empty tables, never nil", () => {
    const table = configTable(bytes("{}"))
    assert.isUndefined(field(table, "created"))
    assert.deepStrictEqual(plain(field(table, "rootfs")), { Type: "", type: "", DiffIDs: {}, diff_ids: {} })
    assert.deepStrictEqual(plain(field(table, "history")), {})
    const inner = plain(field(table, "config"))
    assert.deepStrictEqual(inner, {
      User: "",
      ExposedPorts: {},
      Env: {},
      Entrypoint: {},
      Cmd: {},
      Volumes: {},
      WorkingDir: "",
      Labels: {},
      StopSignal: "",
      ArgsEscaped: false,
      OnBuild: {},
      Shell: {}
    })
  })

  it("has descriptors under both names and pull limits under Go's", () => {
    const digest = Digest.make("sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85")
    const type = "application/vnd.oci.image.index.v1+json"
    assert.deepStrictEqual(
      plain(descriptorTable({ mediaType: type, digest, size: 7 })),
      bare(type, "sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85", 7)
    )
    assert.deepStrictEqual(
      plain(quotaTable({ limit: 100, remaining: 5, reset: 33, isSet: true, policies: ["100;w=21600"] })),
      { Remain: 5, Limit: 100, Reset: 33, Set: true, Policies: ["100;w=21600"] }
    )
  })

  it("writes what was not changed in the order of the records, without what they do not know", () => {
    const written = (type: string, body: string) =>
      digestOf(manifestJson(type, manifestTable(type, bytes(body)), bytes(body)))
    assert.strictEqual(
      written(ociManifest, bodies.image),
      "sha256:deb33536252a42e7d8789474b8f37679b3b7705dd766f4307217fc08a76abff0"
    )
    assert.strictEqual(
      written(ociManifest, bodies.bare),
      "sha256:aa887c7a27947109ee645da0beec3b73bb264c3a95ddde851f5e1a7104ff23da"
    )
    assert.strictEqual(
      written(dockerManifest, bodies.docker),
      "sha256:88115e003e7629c2ee3ec26b834827587ce5139db6611c09a51462cc22c14d44"
    )
    assert.strictEqual(
      written(ociIndex, bodies.index),
      "sha256:59083822e7a019717fef0a5a5afc8a8df3aa39ece2279fea3f6dbf00a4fd0ec3"
    )
    assert.strictEqual(
      written(dockerList, bodies.list),
      "sha256:7c52e51d1d3b43baad15b39ad140347c30667b702908ad1dd53ea157318e22ed"
    )
    assert.strictEqual(
      written(ociArtifact, bodies.artifact),
      "sha256:7bde6285cd29c84f1630926ef5cd2991b49196e6d3f1c65463a9f89d07828d53"
    )
    assert.strictEqual(
      written(schema1, bodies.s1),
      "sha256:783d582e6e9a2479acab5b8380336197dba03693b06542a8266ba2195cb6ad71"
    )
  })

  it("reads fields by their JSON names; what cannot be a value is its zero", () => {
    const layer = {
      mediaType: "a",
      MediaType: "no",
      digest: "d",
      size: 7.9,
      urls: [1, "b"],
      annotations: { n: 7, new: "<x>" },
      data: [65, 66, "x", 300, -1, 256.7],
      platform: { os: "linux" },
      artifactType: true
    }
    let table = changed(manifestTable(ociIndex, bytes("{\"schemaVersion\":2}")), ["manifests"], luaOf([layer]))
    table = changed(table, ["annotations"], luaOf("none"))
    assert.strictEqual(
      manifestJson(ociIndex, table, bytes("{\"schemaVersion\":2}")),
      "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a\",\"digest\":\"d\",\"size\":7,\"urls\":[\"\",\"b\"]," +
        "\"annotations\":{\"n\":\"\",\"new\":\"\\u003cx\\u003e\"},\"data\":\"QUIALP8A\"," +
        "\"platform\":{\"architecture\":\"\",\"os\":\"linux\"}}]}"
    )
  })

  it("leaves a record as it was when a script puts something else in its place", () => {
    const table = changed(manifestTable(ociManifest, image), ["layers", 1, "platform"], 7)
    const again = changed(table, ["layers", 2], "x")
    assert.strictEqual(
      digestOf(manifestJson(ociManifest, again, image)),
      "sha256:deb33536252a42e7d8789474b8f37679b3b7705dd766f4307217fc08a76abff0"
    )
  })

  const history =
    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"history\":[{\"created\":\"2020-01-01T00:00:00.100Z\",\"created_by\":\"one\"}," +
    "{\"created_by\":\"two\"},{\"created\":\"2022-01-01T00:00:00Z\",\"created_by\":\"three\"}]}"
  const start =
    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"\",\"diff_ids\":[]},\"history\":["
  const one = "{\"created\":\"2020-01-01T00:00:00.1Z\",\"created_by\":\"one\"}"
  const three = "{\"created\":\"2022-01-01T00:00:00Z\",\"created_by\":\"three\"}"

  it("writes a configuration with its ports, volumes and times", () => {
    assert.strictEqual(
      configJson(configTable(config), config),
      "{\"created\":\"2021-02-03T04:05:06.123456789Z\",\"author\":\"A \\u003ca@b\\u003e\",\"architecture\":\"arm\"," +
        "\"os\":\"linux\",\"os.version\":\"1.2\",\"os.features\":[\"f1\"],\"variant\":\"v7\",\"features\":[\"g\"]," +
        "\"config\":{\"User\":\"u\",\"ExposedPorts\":{\"443/tcp\":{},\"80/tcp\":{}},\"Env\":[\"A=1\",\"B=\\u003c\\u0026\\u003e\"]," +
        "\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\",\"d\"],\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\"," +
        "\"Labels\":{\"l\":\"ä\",\"m\":\"\"},\"StopSignal\":\"SIGTERM\",\"StopTimeout\":10,\"ArgsEscaped\":true," +
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":30000000000,\"Timeout\":1500000000,\"StartPeriod\":1,\"Retries\":3}," +
        "\"OnBuild\":[\"RUN x\"],\"Shell\":[\"/bin/sh\"]},\"rootfs\":{\"type\":\"layers\"," +
        "\"diff_ids\":[\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"]}," +
        "\"history\":[{\"created\":\"2021-02-03T04:05:06+02:00\",\"created_by\":\"RUN \\u003cx\\u003e\",\"author\":\"h\"," +
        "\"comment\":\"c\",\"empty_layer\":true},{\"created_by\":\"no time\"}]}"
    )
    assert.strictEqual(
      configJson(configTable(bytes(history)), bytes(history)),
      `${start}${one},{"created_by":"two"},${three}]}`
    )
  })

  it("keeps a time that a script changed, drops one that it took away", () => {
    const table = configTable(bytes(history))
    const other = changed(table, ["history", 1, "created"], "2030-01-01")
    assert.strictEqual(configJson(other, bytes(history)), `${start}${one},{"created_by":"two"},${three}]}`)
    const gone = changed(other, ["history", 1, "created"], undefined)
    assert.strictEqual(
      configJson(gone, bytes(history)),
      `${start}{"created_by":"one"},{"created_by":"two"},${three}]}`
    )
    const new_ = changed(table, ["history", 2, "created"], "2030-01-01")
    assert.strictEqual(configJson(new_, bytes(history)), `${start}${one},{"created_by":"two"},${three}]}`)
  })

  it("keeps the times of a history that was cut with their entries", () => {
    const entries = plain(field(configTable(bytes(history)), "history"))
    const cut = changed(configTable(bytes(history)), ["history"], luaOf(Array.isArray(entries) ? entries.slice(1) : []))
    assert.strictEqual(configJson(cut, bytes(history)), `${start}{"created_by":"two"},${three}]}`)
  })

  it("reads sets by their keys, lists that are none as null, and pointers by whether they are there", () => {
    let table = changed(configTable(bytes(history)), ["history"], luaOf({}))
    table = changed(table, ["rootfs", "diff_ids"], "x")
    table = changed(
      table,
      ["config"],
      luaOf({
        Env: ["A", 7, "B"],
        StopTimeout: "x",
        Healthcheck: { Test: ["a"], Interval: 1.5 },
        ArgsEscaped: 1,
        ExposedPorts: { "81": true, "80/tcp": {} },
        Labels: { b: "c", d: true }
      })
    )
    assert.strictEqual(
      configJson(table, bytes(history)),
      "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"ExposedPorts\":{\"80/tcp\":{},\"81\":{}}," +
        "\"Env\":[\"A\",\"\",\"B\"],\"Labels\":{\"b\":\"c\",\"d\":\"\"},\"StopTimeout\":0," +
        "\"Healthcheck\":{\"Test\":[\"a\"],\"Interval\":1}},\"rootfs\":{\"type\":\"\",\"diff_ids\":null}}"
    )
  })
})
