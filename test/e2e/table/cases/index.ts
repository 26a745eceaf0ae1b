/** `regctl index …`. */
import { assert } from "@effect/vitest"
import { type After, type Case, d, type Json, types } from "../case.ts"

type Entry = Readonly<Record<string, Json>>
const entries = async (
  { own }: Pick<After, "own">,
  repository: string,
  reference: string
): Promise<ReadonlyArray<Entry>> =>
  ((await own.manifest(repository, reference))?.json["manifests"] ?? []) as ReadonlyArray<Entry> // an index

const amd64 = {
  mediaType: types.manifest,
  digest: d.amd64,
  size: 778,
  platform: { architecture: "amd64", os: "linux" }
}
const arm64 = {
  mediaType: types.manifest,
  digest: d.arm64,
  size: 778,
  platform: { architecture: "arm64", os: "linux" }
}
const holds =
  (repository: string, reference: string, ...expected: ReadonlyArray<object>) => async (after: Pick<After, "own">) =>
    assert.deepStrictEqual(await entries(after, repository, reference), expected as ReadonlyArray<Entry>) // literals

export const index: ReadonlyArray<Case> = [
  {
    command: "index create",
    shows: "--ref",
    args: "index create $OWN/new:v1 --ref $R/app:amd64 --ref $R/app:arm64",
    check: async (after) => {
      await holds("new", "v1", amd64, arm64)(after)
      assert.isDefined(await after.own.manifest("new", d.arm64))
      assert.isDefined(await after.own.blob("new", d.appLayer))
      assert.deepStrictEqual(await after.own.tags("new"), ["v1"])
    }
  },
  {
    command: "index create",
    shows: "init --platform --ref",
    args: "index init $OWN/new:v1 --ref $R/app:v1 --platform linux/arm64",
    check: holds("new", "v1", arm64)
  },
  {
    command: "index create",
    shows: "new --digest --desc-platform --desc-annotation",
    args:
      `index new $OWN/app:new --digest ${d.amd64} --digest ${d.amd64} --desc-platform linux/s390x --desc-annotation a=1`,
    own: "app",
    check: holds("app", "new", {
      ...amd64,
      annotations: { a: "1" },
      platform: { architecture: "s390x", os: "linux" }
    })
  },
  {
    command: "index create",
    shows: "put --annotation --artifact-type --by-digest",
    args: "index put $OWN/new --by-digest --annotation a=1 --artifact-type a/b",
    out: "sha256:57d35aaad1ea61d803fd8ff0e5a21c3a658c63da646643dcdd6b3101966ad1bb\n",
    check: async ({ own, ran }) => {
      assert.deepStrictEqual(await own.tags("new"), [])
      assert.deepStrictEqual((await own.manifest("new", ran.out.trim()))?.json, {
        schemaVersion: 2,
        mediaType: types.index,
        artifactType: "a/b",
        manifests: [],
        annotations: { a: "1" }
      })
    }
  },
  {
    command: "index create",
    shows: "--media-type --format",
    args: `index create $OWN/new:v1 --media-type ${types.dockerList} --format '{{.Manifest.GetMediaType}}'`,
    out: types.dockerList,
    check: async ({ own }) => assert.strictEqual((await own.manifest("new", "v1"))?.json["mediaType"], types.dockerList)
  },
  {
    command: "index create",
    shows: "-m",
    args: "index create $OWN/new:v1 -m a/b",
    against: "serve",
    err: "unsupported manifest media type: a/b\n"
  },
  {
    command: "index create",
    shows: "--subject",
    args: "index create $OWN/app:new --subject v2",
    own: "app",
    check: async ({ own }) => {
      assert.deepStrictEqual((await own.manifest("app", "new"))?.json["subject"], {
        mediaType: types.index,
        digest: d.v2,
        size: 534
      })
      assert.lengthOf(await own.referrers("app", d.v2), 1)
    }
  },
  {
    command: "index create",
    shows: "--subject",
    args: "index create $OWN/app:new --subject nope",
    own: "app",
    against: "both",
    err: /^failed to lookup subject/
  },
  {
    command: "index create",
    shows: "--referrers --digest-tags",
    args: "index create $OWN/new:v1 --ref $R/signed:v1 --referrers --digest-tags",
    check: async ({ own }) => {
      assert.deepStrictEqual(await own.referrers("new", d.base1), [d.cid, d.bob, d.ann].toSorted())
      assert.strictEqual((await own.manifest("new", `${d.base1.replace(":", "-")}.sig`))?.digest, d.cosign)
    }
  },
  {
    command: "index create",
    shows: "--digest",
    args: "index create $OWN/new:v1 --digest foo",
    against: "serve",
    err: "invalid digest in index: foo: invalid checksum digest format\n",
    differs: "it asks the registry for it"
  },
  {
    command: "index create",
    shows: "--desc-platform",
    args: `index create $OWN/app:new --digest ${d.amd64} --desc-platform a!`,
    own: "app",
    against: "serve",
    err: /^failed to parse platform a!: /,
    differs: "it leaves the platform out"
  },

  {
    command: "index add",
    shows: "--ref",
    args: "index add $OWN/base:1 --ref $R/app:amd64",
    own: "base",
    check: async (after) => {
      const found = await entries(after, "base", "1")
      assert.deepStrictEqual(found.map(({ digest }) => digest), [d.base1Amd64, d.base1Arm64, d.amd64])
      assert.isDefined(await after.own.manifest("base", d.amd64))
    }
  },
  {
    command: "index add",
    shows: "append --ref --platform",
    args: "index append $OWN/base:1 --ref $R/app:v1 --platform linux/arm64",
    own: "base",
    check: async (after) =>
      assert.deepStrictEqual((await entries(after, "base", "1")).map(({ digest }) => digest), [
        d.base1Amd64,
        d.base1Arm64,
        d.arm64
      ])
  },
  {
    command: "index add",
    shows: "insert --digest --desc-annotation --desc-platform",
    args: `index insert $OWN/app:v1 --digest ${d.v2Amd64} --desc-annotation a=1 --desc-platform linux/s390x`,
    own: "app",
    check: holds("app", "v1", amd64, arm64, {
      mediaType: types.manifest,
      digest: d.v2Amd64,
      size: 778,
      annotations: { a: "1" },
      platform: { architecture: "s390x", os: "linux" }
    })
  },
  {
    command: "index add",
    shows: "--referrers --digest-tags",
    args: "index add $OWN/app:v1 --ref $R/signed:v1 --referrers --digest-tags",
    own: "app",
    check: async ({ own }) => {
      assert.deepStrictEqual(await own.referrers("app", d.base1), [d.cid, d.bob, d.ann].toSorted())
      assert.strictEqual((await own.manifest("app", `${d.base1.replace(":", "-")}.sig`))?.digest, d.cosign)
    }
  },
  {
    command: "index add",
    args: "index add $OWN/app:amd64 --ref $R/app:arm64",
    own: "app",
    against: "serve",
    err: `current manifest is not an index/manifest list, "${types.manifest}": unsupported media type\n`
  },
  {
    command: "index add",
    args: `index add $OWN/app@${d.v1} --digest ${d.v2Amd64}`,
    note: "by digest",
    own: "app",
    out: "sha256:bee1ae24a0f5a1047c4a4eccec9f67c2522622f002c5a7bf0a6b97e2877df7f8\n",
    check: async (after) => {
      assert.lengthOf(await entries(after, "app", after.ran.out.trim()), 3)
      assert.lengthOf(await entries(after, "app", "v1"), 2)
    }
  },
  {
    command: "index delete",
    shows: "--digest",
    args: `index delete $OWN/app:v1 --digest ${d.amd64} --digest nonsense`,
    own: "app",
    check: holds("app", "v1", arm64)
  },
  {
    command: "index delete",
    shows: "del --platform",
    args: "index del $OWN/app:v1 --platform linux/arm64",
    own: "app",
    check: holds("app", "v1", amd64)
  },
  ...["rm", "remove"].map((alias): Case => ({
    command: "index delete",
    shows: alias,
    args: `index ${alias} $OWN/app:v1 --platform linux/amd64`,
    own: "app",
    against: "serve",
    check: holds("app", "v1", arm64)
  }))
]
