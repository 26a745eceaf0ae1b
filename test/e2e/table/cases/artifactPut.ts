/** `regctl artifact put`. */
import { assert } from "@effect/vitest"
import { type After, type Case, d, type Json, types } from "../case.ts"

const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: d.empty, size: 2 }
const subject = { mediaType: types.index, digest: d.base1, size: 491 }
const text = (digest: string, size: number, mediaType: string, more: object = {}) => ({
  mediaType,
  digest,
  size,
  ...more
})
/** The manifest under a tag is this document. */
const put = (repository: string, tag: string, document: object) => async ({ own }: After) =>
  assert.deepStrictEqual((await own.manifest(repository, tag))?.json, {
    schemaVersion: 2,
    mediaType: types.manifest,
    ...document
  } as Readonly<Record<string, Json>>) // a document of literals
const example = "application/vnd.example"

const file = { "in.txt": "hello\n", "sub/b.txt": "b\n", "level.json": `{"level":1}` }
export const artifactPut: ReadonlyArray<Case> = [
  {
    command: "artifact put",
    against: "both",
    args: `artifact put --artifact-type ${example}.note $OWN/new:v1`,
    stdin: "hello\n",
    check: put("new", "v1", {
      artifactType: `${example}.note`,
      config: empty,
      layers: [text(d.hello, 6, `${example}.note`)]
    })
  },
  {
    command: "artifact put",
    shows: "create --artifact-type --file --file-title",
    args: `artifact create --artifact-type ${example}.note --file sub/b.txt --file-title $OWN/new:v1`,
    files: file,
    check: put("new", "v1", {
      artifactType: `${example}.note`,
      config: empty,
      layers: [
        text("sha256:0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f", 2, `${example}.note`, {
          annotations: { "org.opencontainers.image.title": "sub/b.txt" }
        })
      ]
    })
  },
  {
    command: "artifact put",
    shows: "push -f -m --strip-dirs --annotation",
    against: "both",
    args:
      `artifact push --artifact-type ${example}.note -f in.txt -m text/plain -f sub/b.txt -m text/x-b --file-title ` +
      "--strip-dirs --annotation a=1 --annotation b $OWN/new:v1",
    files: file,
    check: put("new", "v1", {
      artifactType: `${example}.note`,
      config: empty,
      layers: [
        text(d.hello, 6, "text/plain", { annotations: { "org.opencontainers.image.title": "in.txt" } }),
        text("sha256:0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f", 2, "text/x-b", {
          annotations: { "org.opencontainers.image.title": "b.txt" }
        })
      ],
      annotations: { a: "1", b: "" }
    })
  },
  {
    command: "artifact put",
    shows: "--file-media-type",
    args:
      `artifact put --artifact-type ${example}.note -f in.txt -f sub/b.txt --file-media-type text/plain $OWN/new:v1`,
    against: "serve",
    files: file,
    err: "one artifact media-type must be set for each artifact file\n"
  },
  {
    command: "artifact put",
    shows: "--config-file --config-type",
    against: "both",
    args: `artifact put --config-file level.json --config-type ${example}.config+json $OWN/new:v1`,
    stdin: "hello\n",
    files: file,
    check: put("new", "v1", {
      config: text(d.artifactConfig, 11, `${example}.config+json`),
      layers: [text(d.hello, 6, "application/octet-stream")]
    })
  },
  {
    command: "artifact put",
    shows: "--config-file",
    args: "artifact put --config-file level.json $OWN/new:v1",
    against: "serve",
    files: file,
    err: "config-type is required for config-file\n"
  },
  {
    command: "artifact put",
    args: "artifact put $OWN/new:v1",
    stdin: "hello\n",
    err: /level=WARN msg="using default value for artifact-type is not recommended"/,
    code: 0,
    check: put("new", "v1", {
      artifactType: "application/vnd.unknown.config+json",
      config: empty,
      layers: [text(d.hello, 6, "application/octet-stream")]
    })
  },
  {
    command: "artifact put",
    shows: "--by-digest",
    against: "both",
    args: `artifact put --by-digest --artifact-type ${example}.note $OWN/new`,
    stdin: "hello\n",
    out: "sha256:338289dbad4a02d5bb5dc194575e2972df7a1109b171857db9d55401d9180983\n",
    check: async ({ own, ran }) => {
      assert.deepStrictEqual(await own.tags("new"), [])
      assert.isDefined(await own.manifest("new", ran.out.trim()))
    }
  },
  {
    command: "artifact put",
    shows: "--subject --format",
    against: "both",
    args:
      `artifact put --subject $OWN/signed:v1 --artifact-type ${example}.note --format '{{.Manifest.GetDigest}} {{(.Manifest.GetSubject).Digest}}'`,
    own: "signed",
    stdin: "hello\n",
    out: `sha256:bbee6b988c14288e892fc33f33742d42d6bbe3d4e6c760a97e52bc34f437a062 ${d.base1}`,
    check: async ({ own, ran }) => {
      const digest = ran.out.split(" ")[0] ?? ""
      await put("signed", digest, {
        artifactType: `${example}.note`,
        config: empty,
        layers: [text(d.hello, 6, `${example}.note`)],
        subject
      })({ own } as After) // all that is used
      assert.include(await own.referrers("signed", d.base1), digest)
    }
  },
  {
    command: "artifact put",
    shows: "--platform",
    args: `artifact put --subject $OWN/signed:v1 --platform linux/arm64 --artifact-type ${example}.note`,
    own: "signed",
    stdin: "hello\n",
    check: async ({ own }) => assert.lengthOf(await own.referrers("signed", d.base1Arm64), 1)
  },
  {
    command: "artifact put",
    shows: "--external",
    against: "both",
    args: `artifact put --subject $R/signed:v1 --external $OWN/notes --artifact-type ${example}.note`,
    stdin: "hello\n",
    check: async ({ own }) => assert.lengthOf(await own.referrers("notes", d.base1), 1)
  },
  {
    command: "artifact put",
    shows: "--external",
    args: `artifact put --external $OWN/notes --artifact-type ${example}.note $OWN/new:v1`,
    against: "serve",
    err: "pushing a referrer to an external repository requires a subject\n"
  },
  {
    command: "artifact put",
    shows: "--refers",
    against: "both",
    args: `artifact put --refers $OWN/signed:v1 --artifact-type ${example}.note`,
    own: "signed",
    stdin: "hello\n",
    err: /level=WARN msg="--refers is deprecated, use --subject instead"/,
    code: 0,
    check: async ({ own }) => assert.lengthOf(await own.referrers("signed", d.base1), 4)
  },
  {
    command: "artifact put",
    shows: "--index -p",
    args: `artifact put --index -p linux/amd64 --artifact-type ${example}.note --annotation a=1 $OWN/new:v1`,
    stdin: "hello\n",
    check: async ({ own }) => {
      const index = await own.manifest("new", "v1")
      const [entry] = (index?.json["manifests"] ?? []) as ReadonlyArray<Readonly<Record<string, Json>>> // an index
      assert.strictEqual(entry?.["artifactType"], `${example}.note`)
      assert.deepStrictEqual(entry?.["annotations"], { a: "1" })
      assert.deepStrictEqual(entry?.["platform"], { architecture: "amd64", os: "linux" })
      assert.isDefined(await own.manifest("new", String(entry?.["digest"])))
    }
  },
  {
    command: "artifact put",
    shows: "--index",
    against: "both",
    args: `artifact put --index --artifact-type ${example}.note $OWN/artifact:index`,
    own: "artifact",
    stdin: "hello\n",
    check: async ({ own }) =>
      assert.lengthOf(((await own.manifest("artifact", "index"))?.json["manifests"] ?? []) as ReadonlyArray<Json>, 3) // an index
  },
  {
    command: "artifact put",
    shows: "--media-type",
    args: "artifact put --media-type text/plain $OWN/new:v1",
    against: "serve",
    stdin: "hello\n",
    err: "unsupported manifest media type: text/plain\n"
  },
  {
    command: "artifact put",
    shows: "--artifact-type",
    args: "artifact put --artifact-type 'a/b;c=1' $OWN/new:v1",
    against: "serve",
    stdin: "hello\n",
    err: "invalid media type: a/b;c=1\n"
  },
  {
    command: "artifact put",
    args: "artifact put",
    against: "local",
    err: "either a reference or subject must be provided\n"
  }
]
