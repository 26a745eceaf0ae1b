/** `regctl image mod`: every option, its effect read from what was pushed. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { root } from "../../../support/programs.ts"
import { type After, type Case, d, type Document, type Json, types } from "../case.ts"

/** The second layer of `app:amd64` as a plain archive. */
const archive = gunzipSync(
  readFileSync(join(root, "test/fixtures/repositories/app/blobs", d.appLayer.replace(":", "/")))
)

interface File {
  readonly name: string
  readonly time: number
  readonly owner: string
  readonly content: Buffer
}

/** The entries of an archive, plain or compressed. */
const untar = (bytes: Buffer): ReadonlyArray<File> => {
  const isZstd = bytes.readUInt32BE(0) === 0x28b52ffd
  const plain = bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : isZstd ? zstdDecompressSync(bytes) : bytes
  const files: Array<File> = []
  for (let at = 0; plain[at] !== 0 && at < plain.length;) {
    const text = (from: number, length: number) =>
      plain.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "")
    const size = Number.parseInt(text(124, 12), 8)
    const content = plain.subarray(at + 512, at + 512 + size)
    files.push({ name: text(0, 100), time: Number.parseInt(text(136, 12), 8), owner: text(265, 32), content })
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

interface Entry {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly data?: string
  readonly urls?: ReadonlyArray<string>
  readonly platform?: { readonly architecture: string }
}

/** An image as an independent reader finds it. */
interface Seen {
  readonly manifest: Document
  readonly annotations: Readonly<Record<string, string>>
  readonly layers: ReadonlyArray<Entry>
  readonly config: Readonly<Record<string, Json>>
  /** What runs: the `config` of the configuration. */
  readonly settings: Readonly<Record<string, Json>>
  readonly history: ReadonlyArray<{ readonly created?: string; readonly created_by?: string }>
  readonly diffIds: ReadonlyArray<string>
  readonly files: ReadonlyArray<ReadonlyArray<File>>
}

const see = async ({ own }: After, repository: string, reference: string): Promise<Seen> => {
  const manifest = await own.manifest(repository, reference)
  assert.isDefined(manifest, reference)
  // The tests below compare what these hold; a document without them fails there.
  const json = manifest?.json as unknown as {
    readonly annotations?: Seen["annotations"]
    readonly layers: Seen["layers"]
    readonly config: Entry
  }
  const bytes = async ({ digest }: Entry) => (await own.blob(repository, digest)) ?? Buffer.alloc(0)
  const config = JSON.parse(String(await bytes(json.config)))
  const files = await Promise.all(json.layers.map(async (it) => it.urls === undefined ? untar(await bytes(it)) : []))
  return {
    manifest: manifest as Document, // asserted above
    annotations: json.annotations ?? {},
    layers: json.layers,
    config,
    settings: config.config ?? {},
    history: config.history ?? [],
    diffIds: config.rootfs.diff_ids,
    files
  }
}
const childrenOf = (index: Document | undefined) => (index?.json["manifests"] ?? []) as unknown as ReadonlyArray<Entry> // an index

type Check = (seen: Seen, after: After) => Promise<void> | void

/** Changes a copy of `app:amd64` and looks at the new tag. */
const mod = (options: string, check: Check, more: Partial<Case> = {}): Case => ({
  command: "image mod",
  shows: options.split(" ").filter((it) => it.startsWith("--")).map((it) => it.split("=")[0]).join(" "),
  args: `image mod $OWN/app:amd64 --create new ${options}`,
  against: "both",
  own: "app",
  out: "$OWN/app:new\n",
  check: async (after) => check(await see(after, "app", "new"), after),
  ...more
})
/** The same with `app:v1`; looks at the index and its two images. */
const modAll = (
  options: string,
  check: (index: Document, amd64: Seen, arm64: Seen) => void,
  more: Partial<Case> = {}
) =>
  mod(options, () => {}, {
    args: `image mod $OWN/app:v1 --create new ${options}`,
    check: async (after) => {
      const index = await after.own.manifest("app", "new")
      const [amd64, arm64] = await Promise.all(childrenOf(index).map((it) => see(after, "app", it.digest)))
      if (index === undefined || amd64 === undefined || arm64 === undefined) return assert.fail("no index of two")
      check(index, amd64, arm64)
    },
    ...more
  })
const bad = (options: string, err: string | RegExp, more: Partial<Case> = {}): Case => ({
  command: "image mod",
  args: `image mod $OWN/app:amd64 --create new ${options}`,
  against: "serve",
  own: "app",
  err,
  ...more
})
/** The Go tool leaves two spaces where the argument was. */
const isWithoutToken = (history: Seen["history"]) =>
  assert.deepStrictEqual(history.map((it) => it.created_by?.replace("  ", " ")).slice(2), [
    "COPY . / # buildkit",
    "RUN /bin/sh -c make cache # buildkit"
  ])
const at = (time: string) => Date.parse(time) / 1_000
const names = (files: ReadonlyArray<File>) => files.map(({ name }) => name)
const set = "2020-02-03T04:05:06Z"
const times = ({ files }: Seen) => new Set(files.flat().map(({ time }) => time))

export const edit: ReadonlyArray<Case> = [
  {
    command: "image mod",
    shows: "--create",
    args: "image mod $OWN/app:amd64 --create $OWN/other:v7 --label a=b",
    own: "app",
    out: "$OWN/other:v7\n",
    check: async (after) => assert.strictEqual((await see(after, "other", "v7")).manifest.mediaType, types.manifest)
  },
  {
    command: "image mod",
    shows: "--replace",
    args: "image mod $OWN/app:amd64 --replace --label a=b",
    own: "app",
    out: "$OWN/app:amd64\n",
    check: async (after) =>
      assert.deepStrictEqual((await see(after, "app", "amd64")).settings["Labels"], {
        a: "b",
        "org.example.built": "2024-01-01T00:00:00Z",
        version: "1.0"
      })
  },
  {
    command: "image mod",
    args: "image mod $OWN/app:amd64 --label a=b",
    note: "by digest",
    own: "app",
    out: /^\$OWN\/app@sha256:[0-9a-f]{64}\n$/,
    check: async ({ own }) => assert.strictEqual((await own.manifest("app", "amd64"))?.digest, d.amd64)
  },
  mod(
    "--annotation a=1 --annotation org.example.kind=",
    ({ annotations }) => assert.deepStrictEqual(annotations, { "org.example.arch": "amd64", a: "1" })
  ),
  modAll("--annotation '[*]a=1' --annotation '[linux/arm64]b=2' --annotation c=3", (index, amd64, arm64) => {
    assert.deepStrictEqual(index.json["annotations"], { "org.example.kind": "index", a: "1", c: "3" })
    assert.deepStrictEqual(amd64.annotations, { "org.example.kind": "app", "org.example.arch": "amd64", a: "1" })
    assert.deepStrictEqual(arm64.annotations, {
      "org.example.kind": "app",
      "org.example.arch": "arm64",
      a: "1",
      b: "2"
    })
  }, { differs: "an annotation without platforms goes to the children too" }),
  mod(`--annotation-base registry.example.org/base:1,${d.base1}`, ({ annotations }) => {
    assert.strictEqual(annotations["org.opencontainers.image.base.name"], "registry.example.org/base:1")
    assert.strictEqual(annotations["org.opencontainers.image.base.digest"], d.base1)
  }),
  bad("--annotation-base registry.example.org/base:1", /arg requires an image name and digest\n$/),
  modAll("--annotation org.example.kind= --annotation-promote", (index, amd64) => {
    assert.deepStrictEqual(index.json["annotations"], { "org.example.kind": "app" })
    assert.strictEqual(amd64.annotations["org.example.kind"], "app")
  }, { differs: "the annotation is taken from the children first" }),
  mod("--author Bob", ({ config }) => assert.strictEqual(config["author"], "Bob")),
  mod("--buildarg-rm TOKEN=s1", ({ history }) => isWithoutToken(history)),
  mod("--buildarg-rm-regex TOKEN=s[0-9]", ({ history }) => isWithoutToken(history)),
  bad("--buildarg-rm TOKEN", /arg must be in the format "name=value"\n$/),
  bad("--buildarg-rm-regex TOKEN=(", /regexp value is invalid: /),
  mod(`--config-cmd '["a","b"]' --config-entrypoint 'run me'`, ({ settings }) => {
    assert.deepStrictEqual(settings["Cmd"], ["a", "b"])
    assert.deepStrictEqual(settings["Entrypoint"], ["/bin/sh", "-c", "run me"])
  }),
  mod(`--config-cmd '' --config-entrypoint ''`, ({ settings }) => {
    assert.isUndefined(settings["Cmd"])
    assert.isUndefined(settings["Entrypoint"])
  }),
  mod("--config-platform linux/arm/v7", ({ config }) => {
    assert.deepStrictEqual([config["os"], config["architecture"], config["variant"]], ["linux", "arm", "v7"])
  }),
  mod(`--config-time set=${set}`, ({ config, history }) => {
    assert.strictEqual(config["created"], set)
    assert.deepStrictEqual(new Set(history.map(({ created }) => created)), new Set([set]))
  }),
  mod(`--config-time set=${set},after=2023-12-15T00:00:00Z`, ({ config, history }) => {
    assert.strictEqual(config["created"], set)
    assert.deepStrictEqual(history.map(({ created }) => created).slice(1, 3), ["2023-12-01T00:00:00Z", set])
  }),
  mod(
    "--config-time from-label=org.example.built",
    ({ config }) => assert.strictEqual(config["created"], "2024-01-01T00:00:00Z")
  ),
  mod("--config-time-max 2024-01-01T12:00:00Z", ({ config, history }) => {
    assert.strictEqual(config["created"], "2024-01-01T12:00:00Z")
    assert.strictEqual(history[0]?.created, "2023-12-01T00:00:00Z")
  }),
  bad("--config-time after=2020-01-01T00:00:00Z", "WithConfigTimestamp requires a time to set\n"),
  bad("--config-time x", /^invalid argument "x" for "--config-time" flag: parameter without a value: x\n$/),
  bad("--config-time b=1,a=2", /^invalid argument "b=1,a=2" for "--config-time" flag: unknown time option: a, b\n$/, {
    differs: "the order of the options varies"
  }),
  mod("--data-max 2000", ({ manifest }) => {
    const data = (manifest.json["config"] as { readonly data?: string }).data // a descriptor
    assert.strictEqual(JSON.parse(Buffer.from(data ?? "", "base64").toString()).author, "Ada")
  }),
  mod("--digest-algo sha512", ({ layers, manifest }) => {
    for (const { digest } of layers) assert.match(digest, /^sha512:/)
    assert.match((manifest.json["config"] as unknown as Entry).digest, /^sha512:/) // a descriptor
  }, { against: "serve" }),
  mod("--digest-algo sha512 --label a=b", ({ layers }) => assert.match(layers[0]?.digest ?? "", /^sha512:/), {
    against: "ocidir"
  }),
  bad("--digest-algo md5", "digest algorithm is not available: md5\n"),
  mod("--env A=1 --env VERSION=", ({ settings }) => assert.deepStrictEqual(settings["Env"], ["PATH=/bin", "A=1"])),
  modAll("--env '[linux/arm64]A=1'", (_, amd64, arm64) => {
    assert.deepStrictEqual(amd64.settings["Env"], ["PATH=/bin", "VERSION=1.0"])
    assert.deepStrictEqual(arm64.settings["Env"], ["PATH=/bin", "VERSION=1.0", "A=1"])
  }),
  mod(
    "--expose-add 9090/tcp --expose-rm 8080/tcp",
    ({ settings }) => assert.deepStrictEqual(settings["ExposedPorts"], { "9090/tcp": {} })
  ),
  {
    command: "image mod",
    shows: "--external-urls-rm",
    args: "image mod $OWN/odd:foreign --create new --external-urls-rm",
    own: "odd",
    against: "serve",
    out: "$OWN/odd:new\n",
    check: async (after) => {
      const { layers } = await see(after, "odd", "new")
      assert.deepStrictEqual(layers, [{ mediaType: types.layer, digest: d.foreignLayer, size: 119 }])
    }
  },
  mod(`--file-tar-time filename=app/data.tar,set=${set}`, ({ files }) => {
    const data = files[1]?.find(({ name }) => name === "app/data.tar")
    assert.deepStrictEqual(untar(data?.content ?? Buffer.alloc(512)).map(({ time }) => time), [at(set)])
  }),
  mod(`--file-tar-time-max app/data.tar,${set}`, ({ files }) => {
    const data = files[1]?.find(({ name }) => name === "app/data.tar")
    assert.deepStrictEqual(untar(data?.content ?? Buffer.alloc(512)).map(({ time }) => time), [at(set)])
  }),
  bad(`--file-tar-time set=${set}`, /filename must be included\n$/),
  bad("--file-tar-time-max app/data.tar", /filename and timestamp both required, comma separated\n$/),
  mod(
    "--label a=1 --label version=",
    ({ settings }) =>
      assert.deepStrictEqual(settings["Labels"], { "org.example.built": "2024-01-01T00:00:00Z", a: "1" })
  ),
  mod("--label-to-annotation", ({ annotations }) => {
    assert.strictEqual(annotations["version"], "1.0")
    assert.strictEqual(annotations["org.example.built"], "2024-01-01T00:00:00Z")
  }),
  mod("--layer-add dir=tree", ({ diffIds, files, history, layers }) => {
    assert.lengthOf(layers, 4)
    assert.lengthOf(diffIds, 4)
    assert.lengthOf(history, 6)
    assert.include(names(files[3] ?? []).join(" "), "added.txt")
  }, { files: { "tree/added.txt": "added\n" } }),
  mod("--layer-add tar=in.tar,platform=linux/amd64", ({ files, layers }) => {
    assert.lengthOf(layers, 4)
    assert.strictEqual(layers[3]?.mediaType, types.layer)
    assert.include(names(files[3] ?? []), "app/main")
  }, { files: { "in.tar": archive } }),
  modAll("--layer-add tar=in.tar,platform=linux/arm64", (_, amd64, arm64) => {
    assert.deepStrictEqual([amd64.layers.length, arm64.layers.length], [3, 4])
  }, { files: { "in.tar": archive } }),
  mod("--layer-add dir=tree", ({ history }) => assert.strictEqual(history.at(-1)?.created, set), {
    note: "at a time of one's own",
    files: { "tree/added.txt": "added\n" },
    env: { SOURCE_DATE_EPOC: "1580702706", SOURCE_DATE_EPOCH: "1" }
  }),
  bad("--layer-add dir=tree,tar=in.tar", /cannot use dir and tar options together in layer-add\n$/, {
    files: { "in.tar": archive, "tree/a": "a" }
  }),
  bad("--layer-add mediaType=b", /tar file input is required\n$/),
  bad("--layer-add tar=nope.tar", /failed to open tar file nope\.tar: /),
  mod("--layer-compress zstd", ({ layers }) => {
    for (const { mediaType } of layers) assert.strictEqual(mediaType, "application/vnd.oci.image.layer.v1.tar+zstd")
  }),
  mod("--layer-compress none", ({ diffIds, layers }) => {
    for (const { mediaType } of layers) assert.strictEqual(mediaType, "application/vnd.oci.image.layer.v1.tar")
    assert.deepStrictEqual(layers.map(({ digest }) => digest), diffIds)
  }),
  bad("--layer-compress lz4", /unknown layer compression lz4\n$/),
  bad("--layer-compress xz", "unsupported layer compression: xz\n"),
  mod("--layer-rm-created-by make.cache", ({ diffIds, history, layers }) => {
    assert.deepStrictEqual(layers.map(({ digest }) => digest), [d.baseLayer, d.appLayer])
    assert.lengthOf(diffIds, 2)
    assert.lengthOf(history, 4)
  }),
  bad("--layer-rm-created-by nothing-like-it", "no layers match expression: nothing-like-it\n"),
  mod("--layer-rm-index 1", ({ diffIds, layers }) => {
    assert.deepStrictEqual(layers.map(({ digest }) => digest), [d.baseLayer, d.cacheLayer])
    assert.lengthOf(diffIds, 2)
  }),
  bad("--layer-rm-index 9", /layer not found\n$/),
  bad("--layer-rm-index x", /^invalid argument "x" for "--layer-rm-index" flag: index invalid: /),
  mod("--layer-squash", ({ diffIds, files, history, layers }) => {
    assert.deepStrictEqual([layers.length, diffIds.length], [1, 1])
    assert.includeMembers(names(files[0] ?? []), ["etc/os-release", "tmp/keep"])
    assert.strictEqual(history.at(-1)?.created_by, "regctl image mod --layer-squash")
  }, { differs: "the Go tool has no such flag" }),
  mod(
    "--layer-strip-file /tmp/cache",
    ({ files }) => assert.deepStrictEqual(names(files[2] ?? []), ["tmp/", "tmp/keep"])
  ),
  mod(`--layer-time set=${set}`, (seen) => assert.deepStrictEqual(times(seen), new Set([at(set)]))),
  mod(`--layer-time set=${set},base-layers=1`, ({ files, layers }) => {
    assert.strictEqual(layers[0]?.digest, d.baseLayer)
    assert.deepStrictEqual(new Set(files.slice(1).flat().map(({ time }) => time)), new Set([at(set)]))
  }),
  mod("--layer-time-max 2024-01-03T00:00:00Z", (seen) =>
    assert.deepStrictEqual(
      times(seen),
      new Set([at("2023-12-01T00:00:00Z"), at("2024-01-02T03:04:05Z"), at("2024-01-03T00:00:00Z")])
    )),
  mod("--rebase-ref $OWN/base:1,$OWN/base:2", ({ config, diffIds, files, history, layers }) => {
    assert.deepStrictEqual(layers.map(({ digest }) => digest), [d.base2Layer, d.appLayer, d.cacheLayer])
    assert.lengthOf(diffIds, 3)
    assert.strictEqual(history[0]?.created_by, "ADD rootfs-2.tar / # buildkit")
    assert.strictEqual(config["author"], "Ada")
    assert.include(String(files[0]?.find(({ name }) => name === "etc/os-release")?.content), "VERSION_ID=2")
  }, { own: "app base" }),
  bad("--rebase-ref $OWN/base:1", /rebase-ref requires two base images \(old,new\), comma separated\n$/),
  {
    command: "image mod",
    shows: "--rebase",
    args: "image mod $OWN/app:based --create new --rebase",
    own: "app base",
    before: [
      `image mod $OWN/app:amd64 --create based --annotation-base $OWN/base:1,${d.base1}`,
      "image copy $OWN/base:1 $OWN/base:kept",
      "image copy $OWN/base:2 $OWN/base:1"
    ],
    out: "$OWN/app:new\n",
    check: async (after) => {
      const { layers } = await see(after, "app", "new")
      assert.deepStrictEqual(layers.map(({ digest }) => digest), [d.base2Layer, d.appLayer, d.cacheLayer])
    }
  },
  mod(
    "--reproducible",
    ({ files }) => assert.deepStrictEqual(new Set(files.flat().map(({ owner }) => owner)), new Set([""]))
  ),
  mod(`--time set=${set}`, (seen) => {
    assert.strictEqual(seen.config["created"], set)
    assert.deepStrictEqual(times(seen), new Set([at(set)]))
  }),
  mod(`--time-max ${set}`, (seen) => {
    assert.strictEqual(seen.config["created"], set)
    assert.deepStrictEqual(times(seen), new Set([at(set)]))
  }),
  bad(
    "--time-max x",
    /^invalid argument "x" for "--time-max" flag: time must be formatted 2006-01-02T15:04:05Z07:00: /
  ),
  mod("--to-docker", ({ layers, manifest }) => {
    assert.strictEqual(manifest.json["mediaType"], types.dockerManifest)
    assert.strictEqual(layers[0]?.mediaType, "application/vnd.docker.image.rootfs.diff.tar.gzip")
  }),
  {
    command: "image mod",
    shows: "--to-oci",
    args: "image mod $OWN/docker:v1 --create new --to-oci",
    own: "docker",
    out: "$OWN/docker:new\n",
    check: async (after) => {
      const index = await after.own.manifest("docker", "new")
      assert.strictEqual(index?.json["mediaType"], types.index)
      const { layers, manifest } = await see(after, "docker", childrenOf(index)[0]?.digest ?? "")
      assert.strictEqual(manifest.json["mediaType"], types.manifest)
      assert.strictEqual(layers[0]?.mediaType, types.layer)
    }
  },
  {
    command: "image mod",
    shows: "--to-oci-referrers",
    args: "image mod $OWN/odd:attested --create new --to-oci-referrers",
    own: "odd",
    against: "serve",
    out: "$OWN/odd:new\n",
    check: async ({ own }) => {
      const [child, ...others] = childrenOf(await own.manifest("odd", "new"))
      assert.isEmpty(others)
      assert.strictEqual(child?.digest, d.base1Amd64)
      assert.lengthOf(await own.referrers("odd", d.base1Amd64), 1)
    }
  },
  mod("--user 7:8", ({ settings }) => assert.strictEqual(settings["User"], "7:8")),
  mod(
    "--volume-add /cache --volume-rm /data",
    ({ settings }) => assert.deepStrictEqual(settings["Volumes"], { "/cache": {} })
  ),
  mod("--workdir /srv", ({ settings }) => assert.strictEqual(settings["WorkingDir"], "/srv")),
  bad("--env '[linux/invalid.arch!]a=1'", /^failed to mod env: failed to parse platform linux\/invalid\.arch!: /),
  bad("--rebase=x", /^invalid argument "x" for "--rebase" flag: unable to parse value x: /),
  bad("--create a//b --label a=1", /^failed to parse new image name a\/\/b: /),
  {
    command: "image mod",
    args: "image mod $OWN/app:v1 --create new --layer-rm-index 0",
    own: "app",
    against: "serve",
    err: "remove layer by index requires v2 image manifest\n"
  }
]
