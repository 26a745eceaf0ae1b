/** `regctl image check-base|create|export|get-file|import`. */
import { assert } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../../support/programs.ts"
import { type After, type Case, d, type Json, types } from "../case.ts"

/** One file of an archive, or the names of all, as tar reads it. */
const untar = ({ dir }: After, archive: string, file?: string) =>
  execFileSync("tar", file === undefined ? ["-tf", archive] : ["-xOf", archive, file], { cwd: dir }).toString()
/** A layout with two tags in one archive. */
const twoTags = execFileSync("tar", ["-cf", "-", "oci-layout", "index.json", "blobs"], {
  cwd: join(root, "test/fixtures/repositories/base")
})
const created = async ({ own }: After, tag = "v1"): Promise<readonly [Readonly<Record<string, Json>>, Json]> => {
  const manifest = await own.manifest("new", tag)
  const { digest } = (manifest?.json["config"] ?? {}) as { readonly digest: string } // a descriptor
  return [manifest?.json ?? {}, JSON.parse(String(await own.blob("new", digest)))]
}
const matches = "base image matches\n"
const changed = { out: "base image has changed\n", err: "", code: 1 } as const
const is = (repository: string, tag: string, digest: string) => async ({ own }: After) =>
  assert.strictEqual((await own.manifest(repository, tag))?.digest, digest)

export const tar: ReadonlyArray<Case> = [
  {
    command: "image check-base",
    shows: "--base --platform",
    args: "image check-base $R/app:v1 --base $R/base:1 --platform linux/amd64",
    out: matches
  },
  { command: "image check-base", shows: "--base", args: "image check-base $R/app:v1 --base $R/base:2", ...changed },
  {
    command: "image check-base",
    shows: "-p --quiet",
    args: "image check-base $R/app:v1 --base $R/base:2 -p linux/arm64 --quiet",
    ...changed,
    out: ""
  },
  {
    command: "image check-base",
    shows: "--digest",
    args: `image check-base $R/app:v1 --base $R/base:2 --digest ${d.base2}`,
    out: matches
  },
  {
    command: "image check-base",
    shows: "--digest",
    args: `image check-base $R/app:v1 --base $R/base:2 --digest ${d.base1}`,
    ...changed
  },
  {
    command: "image check-base",
    args: "image check-base $R/app:v1",
    against: "serve",
    err: "image does not have a base annotation, base image must be provided\n"
  },
  {
    command: "image check-base",
    shows: "--no-config",
    args: "image check-base --no-config $OWN/app:amd64 --base $OWN/base:other",
    own: "app base",
    against: "both",
    before: [`image mod $OWN/base@${d.base1Amd64} --create other --config-time set=2020-01-01T00:00:00Z`],
    out: matches
  },
  {
    command: "image check-base",
    args: "image check-base $OWN/app:amd64 --base $OWN/base:other",
    own: "app base",
    against: "both",
    before: [`image mod $OWN/base@${d.base1Amd64} --create other --config-time set=2020-01-01T00:00:00Z`],
    ...changed
  },
  {
    command: "image check-base",
    args: "image check-base $OWN/app:based",
    note: "by annotations",
    own: "app base",
    against: "both",
    before: [`image mod $OWN/app:amd64 --create based --annotation-base $OWN/base:1,${d.base2}`],
    ...changed
  },

  {
    command: "image create",
    shows: "--created --label --annotation --platform",
    args:
      "image create $OWN/new:v1 --created 2024-01-02T03:04:05Z --label a=1 --annotation b=2 --platform linux/arm64/v8",
    check: async (after) => {
      const [manifest, config] = await created(after)
      assert.deepStrictEqual(config, {
        created: "2024-01-02T03:04:05Z",
        architecture: "arm64",
        os: "linux",
        config: { Labels: { a: "1" } },
        rootfs: { type: "layers", diff_ids: [] }
      })
      assert.deepStrictEqual(manifest["annotations"], { b: "2" })
      assert.deepStrictEqual(manifest["layers"], [])
    },
    differs: "its layers are null"
  },
  {
    command: "image create",
    shows: "init --media-type --format",
    args: `image init $OWN/new:v1 --media-type ${types.dockerManifest} --format '{{.Manifest.GetMediaType}}'`,
    out: types.dockerManifest,
    check: async (after) => {
      const [manifest, config] = await created(after)
      assert.strictEqual(manifest["mediaType"], types.dockerManifest)
      assert.deepStrictEqual(config, {
        architecture: "",
        os: "",
        rootfs: { type: "layers", diff_ids: [] }
      })
    }
  },
  {
    command: "image create",
    shows: "new --by-digest",
    args: "image new --by-digest $OWN/new",
    out: /^sha256:[0-9a-f]{64}\n$/,
    check: async ({ own, ran }) => {
      assert.deepStrictEqual(await own.tags("new"), [])
      assert.isDefined(await own.manifest("new", ran.out.trim()))
    }
  },
  {
    command: "image create",
    shows: "--created",
    args: "image create $OWN/new:v1 --created now",
    against: "serve",
    check: async (after) => {
      const [, config] = await created(after)
      assert.match(JSON.stringify(config), /"created":"20\d\d-/)
    }
  },
  {
    command: "image create",
    shows: "--created",
    args: "image create $OWN/new:v1 --created x",
    against: "serve",
    err: /^failed to parse created time x: /
  },
  {
    command: "image create",
    shows: "--media-type",
    args: "image create $OWN/new:v1 --media-type a/b",
    against: "serve",
    err: "unsupported manifest media type: a/b\n"
  },

  {
    command: "image export",
    args: "image export $R/app:v1 out.tar",
    check: (after) => {
      const index = JSON.parse(untar(after, "out.tar", "index.json"))
      assert.strictEqual(index.manifests[0].digest, d.v1)
      assert.strictEqual(index.manifests[0].annotations["org.opencontainers.image.ref.name"], "v1")
      assert.include(untar(after, "out.tar"), `blobs/${d.appLayer.replace(":", "/")}\n`)
    }
  },
  {
    command: "image export",
    shows: "--platform --name",
    args: "image export --platform linux/amd64 --name registry.example.org/other:v7 $R/app:v1 out.tar",
    check: (after) => {
      const [image] = JSON.parse(untar(after, "out.tar", "manifest.json"))
      assert.deepStrictEqual(image.RepoTags, ["registry.example.org/other:v7"])
      assert.strictEqual(image.Config, `blobs/${d.amd64Config.replace(":", "/")}`)
    }
  },
  {
    command: "image export",
    shows: "-p --compress",
    args: "image export -p linux/arm64 --compress $R/app:v1 out.tar.gz",
    check: (after) => {
      assert.strictEqual(readFileSync(join(after.dir, "out.tar.gz")).readUInt16BE(0), 0x1f8b)
      assert.strictEqual(JSON.parse(untar(after, "out.tar.gz", "index.json")).manifests[0].digest, d.arm64)
    }
  },
  {
    command: "image export",
    args: "image export $R/base:1",
    note: "to standard output",
    out: /^oci-layout\0[^]*"imageLayoutVersion"/
  },
  {
    command: "image export",
    shows: "--name",
    args: "image export --name A/b $R/app:v1 out.tar",
    against: "serve",
    err: /^cannot parse A\/b: /
  },
  {
    command: "image import",
    args: "image import $OWN/app:v1 out.tar",
    before: ["image export $R/app:v1 out.tar"],
    check: async (after) => {
      await is("app", "v1", d.v1)(after)
      assert.isDefined(await after.own.blob("app", d.appLayer))
    }
  },
  {
    command: "image import",
    shows: "--name",
    args: "image import --name 2 $OWN/base:new two.tar",
    files: { "two.tar": twoTags },
    check: is("base", "new", d.base2)
  },
  {
    command: "image import",
    args: "image import $OWN/base:nope two.tar",
    against: "serve",
    files: { "two.tar": twoTags },
    err: /could not find requested tag in index\.json, nope/
  },

  {
    command: "image export",
    shows: "--referrers --digest-tags",
    args: "image export --referrers --digest-tags $R/signed:v1 out.tar",
    check: (after) => {
      const files = untar(after, "out.tar")
      for (const it of [d.bob, d.ann, d.cid, d.dan, d.cosign]) assert.include(files, it.slice(7))
    },
    differs: "it has no such flags"
  },
  {
    command: "image import",
    shows: "--referrers --digest-tags",
    args: "image import --referrers --digest-tags $OWN/new:v1 out.tar",
    before: ["image export --referrers --digest-tags $R/signed:v1 out.tar"],
    check: async ({ own }) => {
      assert.deepStrictEqual(await own.referrers("new", d.base1), [d.cid, d.bob, d.ann].toSorted())
      assert.strictEqual((await own.manifest("new", `${d.base1.replace(":", "-")}.sig`))?.digest, d.cosign)
    },
    differs: "it has no such flags"
  },
  {
    command: "image copy",
    args: "image copy ocifile://out.tar:v1 $OWN/app:v1",
    before: ["image export $R/app:v1 out.tar"],
    out: "$OWN/app:v1\n",
    check: is("app", "v1", d.v1),
    differs: "it reads no tar as a reference"
  },
  {
    command: "image import",
    args: "image import $OWN/app:v1 -",
    note: "an empty standard input",
    against: "serve",
    stdin: "",
    err: /.+/,
    differs: "it reads no standard input"
  },

  {
    command: "image get-file",
    shows: "--platform",
    args: "image get-file --platform linux/arm64 $R/app:v1 /bin/sh",
    out: "#!arm64\n"
  },
  {
    command: "image get-file",
    shows: "cat -p",
    args: "image cat -p linux/amd64 $R/app:v1 bin/sh out.txt",
    check: ({ dir }) => assert.strictEqual(readFileSync(join(dir, "out.txt"), "utf8"), "#!amd64\n")
  },
  {
    command: "image get-file",
    shows: "--format",
    args:
      "image get-file --format '{{.Header.Name}} {{.Header.Size}} {{.Header.Uname}} {{.Header.ModTime.Unix}}' $R/app:amd64 app/main",
    out: "app/main 9 builder 1704164645"
  },
  {
    command: "image get-file",
    args: "image get-file $R/app:amd64 etc/motd",
    err: /failed pulling from layer 1: file deleted\n$/
  },
  { command: "image get-file", args: "image get-file $R/app:amd64 nope", err: /not found\n$/ },
  {
    command: "image get-file",
    shows: "-p",
    args: "image get-file -p a! $R/app:v1 bin/sh",
    err: /a!/,
    differs: "it warns and goes on"
  }
]
