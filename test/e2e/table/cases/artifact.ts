/** `regctl artifact …`. */
import { assert } from "@effect/vitest"
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../../support/programs.ts"
import { type After, type Case, d, type Json, types } from "../case.ts"

const has = (files: Readonly<Record<string, string>>) => ({ dir }: After) => {
  for (const [name, content] of Object.entries(files)) {
    assert.strictEqual(readFileSync(join(dir, name), "utf8"), content, name)
  }
}
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

const sha256 = (content: string) => createHash("sha256").update(content).digest("hex")

/** A layout whose referrer is listed nowhere but in its index, as other tools leave them. */
const unlisted = (): Readonly<Record<string, string>> => {
  const document = (more: string) =>
    `{"schemaVersion":2,"mediaType":"${types.manifest}","config":${JSON.stringify(empty)},"layers":[` +
    `{"mediaType":"text/plain","digest":"${d.hello}","size":6}]${more}}`
  const image = document("")
  const entry = (content: string, more = "") =>
    `{"mediaType":"${types.manifest}","digest":"sha256:${sha256(content)}","size":${content.length}${more}}`
  const referrer = document(`,"artifactType":"${example}.found","subject":${entry(image)}`)
  const blobs = [image, referrer, "{}", "hello\n"].map((it) => [`lay/blobs/sha256/${sha256(it)}`, it])
  return {
    "lay/oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
    "lay/index.json": `{"schemaVersion":2,"manifests":[${
      entry(image, `,"annotations":{"org.opencontainers.image.ref.name":"v1"}`)
    },${entry(referrer)}]}`,
    ...Object.fromEntries(blobs)
  }
}

const get: ReadonlyArray<Case> = [
  { command: "artifact get", args: "artifact get $R/artifact:one", out: "for linux\n" },
  {
    command: "artifact get",
    shows: "pull --file",
    args: "artifact pull --file hello.txt --file nope $R/artifact:v1",
    out: "hello\n"
  },
  {
    command: "artifact get",
    shows: "-f",
    args: "artifact get -f docs/b.json $R/artifact:v1",
    against: "serve",
    out: `{"b":1}`
  },
  {
    command: "artifact get",
    shows: "--file-media-type",
    args: "artifact get --file-media-type application/json $R/artifact:v1",
    out: `{"b":1}`
  },
  {
    command: "artifact get",
    shows: "-m",
    args: "artifact get -m text/plain -f hello.txt $R/artifact:v1",
    against: "serve",
    out: "hello\n"
  },
  {
    command: "artifact get",
    args: "artifact get $R/artifact:v1",
    err: "more than one matching layer found, add filters or specify output dir\n"
  },
  {
    command: "artifact get",
    args: "artifact get -f nope $R/artifact:v1",
    err: "no matching layers found in the artifact, verify media-type and filename\n"
  },
  {
    command: "artifact get",
    args: "artifact get",
    against: "local",
    err: "either a reference or subject must be provided\n"
  },
  { command: "artifact get", shows: "--config", args: "artifact get --config $R/artifact:v1", out: `{"level":1}` },
  {
    command: "artifact get",
    shows: "--config-file",
    args: "artifact get --config-file out.json -f hello.txt $R/artifact:v1",
    out: "hello\n",
    check: has({ "out.json": `{"level":1}` })
  },
  {
    command: "artifact get",
    shows: "--config --config-file",
    args: "artifact get --config --config-file out.json $R/artifact:v1",
    against: "serve",
    check: has({ "out.json": `{"level":1}` })
  },
  {
    command: "artifact get",
    shows: "--output",
    args: "artifact get --output out $R/artifact:v1",
    files: { "out/keep": "kept" },
    check: (after) => {
      has({
        "out/hello.txt": "hello\n",
        "out/docs/b.json": `{"b":1}`,
        "out/pack/in/side.txt": "side\n",
        "out/keep": "kept"
      })(
        after
      )
    }
  },
  {
    command: "artifact get",
    shows: "-o --strip-dirs",
    args: "artifact get -o out --strip-dirs $R/artifact:v1",
    files: { "out/keep": "kept" },
    check: (after) => {
      has({ "out/hello.txt": "hello\n", "out/b.json": `{"b":1}`, "out/in/side.txt": "side\n" })(after)
      assert.isFalse(existsSync(join(after.dir, "out/docs")))
    }
  },
  {
    command: "artifact get",
    shows: "-o",
    args: "artifact get -o nope $R/artifact:v1",
    against: "serve",
    err: /^output directory unavailable: /
  },
  {
    command: "artifact get",
    shows: "--filter-artifact-type",
    args: `artifact get --filter-artifact-type ${example}.other $R/artifact:index`,
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "--filter-annotation",
    args: "artifact get --filter-annotation channel=beta --filter-annotation rank $R/artifact:index",
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "--platform",
    args: "artifact get --platform windows/amd64 $R/artifact:index",
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "-p --subject",
    args: "artifact get -p linux/amd64 --subject $R/signed:v1",
    out: `{"spdxVersion":"amd64"}`
  },
  {
    command: "artifact get",
    shows: "--sort-annotation",
    args: "artifact get --sort-annotation rank $R/artifact:index",
    out: "for linux\n"
  },
  {
    command: "artifact get",
    shows: "--sort-annotation --sort-desc",
    args: "artifact get --sort-annotation rank --sort-desc $R/artifact:index",
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "--filter-annotation",
    args: "artifact get --filter-annotation channel=none $R/artifact:index",
    err: "no matching artifacts found in index: not found\n"
  },
  {
    command: "artifact get",
    shows: "--subject --latest",
    args: `artifact get --subject $R/signed:v1 --latest --filter-artifact-type ${example}.signature`,
    out: "signature by ann"
  },
  {
    command: "artifact get",
    shows: "--latest --sort-annotation",
    args: "artifact get --latest --sort-annotation a $R/artifact:index",
    against: "local",
    err: "--latest cannot be used with --sort-annotation\n"
  },
  {
    command: "artifact get",
    shows: "--subject",
    args: `artifact get --subject $R/signed:v1 --filter-artifact-type none/x`,
    err: "no matching referrers to $R/signed:v1\n"
  },
  {
    command: "artifact get",
    shows: "--subject",
    args: `artifact get --subject $R/signed:v1 --filter-artifact-type ${example}.signature`,
    against: "ocidir",
    out: "signature by bob",
    err: /level=WARN msg="multiple referrers match, using first match"/,
    code: 0
  },
  {
    command: "artifact get",
    shows: "--refers",
    args: "artifact get --refers $R/signed:v1 --filter-artifact-type application/spdx+json",
    out: `{"spdxVersion":"SPDX-2.3"}`,
    err: /level=WARN msg="--refers is deprecated, use --subject instead"/,
    code: 0
  },
  {
    command: "artifact get",
    shows: "--external",
    args: "artifact get --external $R/reports --subject $R/signed:v1",
    out: `{"passed":true}`
  },
  {
    command: "artifact get",
    shows: "--slow-referrers",
    args: "artifact get --slow-referrers --subject ocidir://lay:v1",
    against: "ocidir",
    files: unlisted(),
    out: "hello\n"
  }
]

const list: ReadonlyArray<Case> = [
  {
    command: "artifact list",
    args: "artifact list $R/signed:v1",
    against: "ocidir",
    differs: "the order of its annotations varies",
    out: `Subject:                              $R/signed@${d.base1}
                                      
Referrers:                            
                                      
  Name:                               $R/signed@${d.bob}
  Digest:                             ${d.bob}
  MediaType:                          application/vnd.oci.image.manifest.v1+json
  ArtifactType:                       application/vnd.example.signature
  Annotations:                        
    org.example.signer:               bob
    org.opencontainers.image.created: 2024-03-02T00:00:00Z
                                      
  Name:                               $R/signed@${d.ann}
  Digest:                             ${d.ann}
  MediaType:                          application/vnd.oci.image.manifest.v1+json
  ArtifactType:                       application/vnd.example.signature
  Annotations:                        
    org.example.signer:               ann
    org.opencontainers.image.created: 2024-03-03T00:00:00Z
                                      
  Name:                               $R/signed@${d.cid}
  Digest:                             ${d.cid}
  MediaType:                          application/vnd.oci.image.manifest.v1+json
  ArtifactType:                       application/spdx+json
  Annotations:                        
    org.example.signer:               cid
    org.opencontainers.image.created: 2024-03-01T00:00:00Z
`
  },
  {
    command: "artifact list",
    args: "artifact list $R/base:1",
    out: `Subject:   $R/base@${d.base1}
           
Referrers: 
`
  },
  {
    command: "artifact list",
    shows: "ls --platform",
    args: "artifact ls --platform linux/amd64 $R/signed:v1",
    differs: "the order of its annotations varies",
    out: `Subject:                              $R/signed@${d.base1Amd64}
                                      
Referrers:                            
                                      
  Name:                               $R/signed@${d.dan}
  Digest:                             ${d.dan}
  MediaType:                          application/vnd.oci.image.manifest.v1+json
  ArtifactType:                       application/spdx+json
  Annotations:                        
    org.example.signer:               dan
    org.opencontainers.image.created: 2024-03-01T00:00:00Z
`
  },
  {
    command: "artifact list",
    shows: "-p --format",
    args:
      "artifact list -p linux/amd64 $R/signed:v1 --format '{{range .Descriptors}}{{.Digest}}{{end}} {{.Subject.Digest}}'",
    out: `${d.dan} ${d.base1Amd64}`
  },
  {
    command: "artifact list",
    shows: "--filter-artifact-type --format",
    args: "artifact list --filter-artifact-type application/spdx+json $R/signed:v1 --format '{{json .}}'",
    against: "both",
    out:
      `{"subject":{"Scheme":"reg","Reference":"$R/signed@${d.base1}","Registry":"$R","Repository":"signed","Tag":"","Digest":"${d.base1}","Path":""},"source":{"Scheme":"","Reference":"","Registry":"","Repository":"","Tag":"","Digest":"","Path":""},"descriptors":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${d.cid}","size":669,"annotations":{"org.example.signer":"cid","org.opencontainers.image.created":"2024-03-01T00:00:00Z"},"artifactType":"application/spdx+json"}]}\n`
  },
  {
    command: "artifact list",
    shows: "--filter-annotation",
    args:
      "artifact list --filter-annotation org.example.signer=ann $R/signed:v1 --format '{{range .Descriptors}}{{println .Digest}}{{end}}'",
    out: `${d.ann}\n`
  },
  {
    command: "artifact list",
    shows: "--latest",
    args: "artifact list --latest $R/signed:v1 --format '{{range .Descriptors}}{{println .Digest}}{{end}}'",
    out: `${d.ann}\n${d.bob}\n${d.cid}\n`
  },
  {
    command: "artifact list",
    shows: "--sort-annotation",
    args:
      "artifact list --sort-annotation org.example.signer $R/signed:v1 --format '{{range .Descriptors}}{{println .Digest}}{{end}}'",
    out: `${d.ann}\n${d.bob}\n${d.cid}\n`
  },
  {
    command: "artifact list",
    shows: "--sort-annotation --sort-desc",
    args:
      "artifact list --sort-annotation org.example.signer --sort-desc $R/signed:v1 --format '{{range .Descriptors}}{{println .Digest}}{{end}}'",
    out: `${d.cid}\n${d.bob}\n${d.ann}\n`
  },
  {
    command: "artifact list",
    shows: "--latest --sort-annotation",
    args: "artifact list --latest --sort-annotation a $R/signed:v1",
    against: "local",
    err: "--latest cannot be used with --sort-annotation\n"
  },
  {
    command: "artifact list",
    shows: "--external",
    args: "artifact list --external $R/reports $R/signed:v1",
    differs: "the order of its annotations varies",
    against: "both",
    out: `Subject:                              $R/signed@${d.base1}
Source:                               $R/reports:latest
                                      
Referrers:                            
                                      
  Name:                               $R/reports@${d.eve}
  Digest:                             ${d.eve}
  MediaType:                          application/vnd.oci.image.manifest.v1+json
  ArtifactType:                       application/vnd.example.report+json
  Annotations:                        
    org.example.signer:               eve
    org.opencontainers.image.created: 2024-03-04T00:00:00Z
`
  },
  {
    command: "artifact list",
    shows: "--external",
    args:
      "artifact list --external $R/reports $R/signed:v1 --format '{{.Source.CommonName}} {{range .Descriptors}}{{.Digest}}{{end}}'",
    against: "ocidir",
    out: `$R/reports ${d.eve}`
  },
  {
    command: "artifact list",
    shows: "--digest-tags",
    args:
      "artifact list --digest-tags --filter-artifact-type x/y $R/signed:v1 --format '{{range .Descriptors}}{{.Digest}} {{index .Annotations \"org.opencontainers.image.ref.name\"}}{{end}}'",
    out: `${d.cosign} ${d.base1.replace(":", "-")}.sig`
  },
  {
    command: "artifact list",
    shows: "--slow-referrers",
    args: "artifact list --slow-referrers ocidir://lay:v1 --format '{{range .Descriptors}}{{.ArtifactType}}{{end}}'",
    against: "ocidir",
    files: unlisted(),
    out: `${example}.found`
  },
  {
    command: "artifact list",
    args: "artifact list ocidir://lay:v1 --format '{{len .Descriptors}}'",
    against: "ocidir",
    files: unlisted(),
    out: "0"
  },
  {
    command: "artifact list",
    shows: "--format",
    args: "artifact list $R/signed:v1 --format raw-body",
    against: "ocidir",
    out: readFileSync(join(root, "test/fixtures/repositories/signed/blobs", d.signedList.replace(":", "/")), "utf8"),
    differs: "it writes the list anew"
  },
  {
    command: "artifact list",
    args: "artifact list $R/signed:nope",
    against: "both",
    err: /^failed to get digest for subject: /
  }
]

const file = { "in.txt": "hello\n", "sub/b.txt": "b\n", "level.json": `{"level":1}` }
const puts: ReadonlyArray<Case> = [
  {
    command: "artifact put",
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
    args: `artifact put --subject $R/signed:v1 --external $OWN/notes --artifact-type ${example}.note`,
    stdin: "hello\n",
    check: async ({ own }) => assert.lengthOf(await own.referrers("notes", d.base1), 1)
  },
  {
    command: "artifact put",
    shows: "--external",
    args: `artifact put --external $OWN/notes --artifact-type ${example}.note $OWN/new:v1`,
    err: "pushing a referrer to an external repository requires a subject\n"
  },
  {
    command: "artifact put",
    shows: "--refers",
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

const trees: ReadonlyArray<Case> = [
  {
    command: "artifact tree",
    args: "artifact tree $R/signed:v1",
    against: "ocidir",
    out: `Ref: $R/signed:v1
Digest: ${d.base1}
Children:
  - ${d.base1Amd64} [linux/amd64]
    Referrers:
      - ${d.dan}: application/spdx+json
  - ${d.base1Arm64} [linux/arm64]
Referrers:
  - ${d.bob}: application/vnd.example.signature
  - ${d.ann}: application/vnd.example.signature
  - ${d.cid}: application/spdx+json
`
  },
  {
    command: "artifact tree",
    shows: "--digest-tags",
    args: "artifact tree --digest-tags --filter-artifact-type x/y $R/signed:v1",
    out: `Ref: $R/signed:v1
Digest: ${d.base1}
Children:
  - ${d.base1Amd64} [linux/amd64]
  - ${d.base1Arm64} [linux/arm64]
Referrers:
  - ${d.cosign}: sha256-4ff7df8c24853535db7c0f8faab3c2c1567ceb628abfd752a42c577549403145.sig
`
  },
  {
    command: "artifact tree",
    shows: "--filter-artifact-type",
    args: "artifact tree --filter-artifact-type application/spdx+json $R/signed:v1",
    out: `Ref: $R/signed:v1
Digest: ${d.base1}
Children:
  - ${d.base1Amd64} [linux/amd64]
    Referrers:
      - ${d.dan}: application/spdx+json
  - ${d.base1Arm64} [linux/arm64]
Referrers:
  - ${d.cid}: application/spdx+json
`
  },
  {
    command: "artifact tree",
    shows: "--filter-annotation",
    args: "artifact tree --filter-annotation org.example.signer=bob $R/signed:v1",
    out: `Ref: $R/signed:v1
Digest: ${d.base1}
Children:
  - ${d.base1Amd64} [linux/amd64]
  - ${d.base1Arm64} [linux/arm64]
Referrers:
  - ${d.bob}: application/vnd.example.signature
`
  },
  {
    command: "artifact tree",
    shows: "--external",
    args: "artifact tree --external $R/reports $R/signed:v1",
    out: `Ref: $R/signed:v1
Digest: ${d.base1}
Children:
  - ${d.base1Amd64} [linux/amd64]
  - ${d.base1Arm64} [linux/arm64]
Referrers:
  - ${d.eve}: application/vnd.example.report+json
`
  },
  {
    command: "artifact tree",
    shows: "--format",
    args:
      "artifact tree --filter-annotation org.example.signer=bob $R/signed:v1 --format '{{.Ref.Tag}} {{range .Child}}{{.Platform}} {{end}}{{range .Referrer}}{{.ArtifactType}}{{end}}'",
    out: `v1 linux/amd64 linux/arm64 ${example}.signature`
  },
  {
    command: "artifact tree",
    shows: "--slow-referrers",
    args: "artifact tree --slow-referrers ocidir://lay:v1",
    against: "ocidir",
    files: unlisted(),
    out: `Ref: ocidir://lay:v1
Digest: sha256:05b6978d9bcc848310ed807569ec19a7b68b520a8cec43d95fb5ead2614c1688
Referrers:
  - sha256:fc11c08a4d6a58f0e044f03c9a54cda8070757e053eecacf09fd1fa2bcd7ffdf: application/vnd.example.found
`
  },
  { command: "artifact tree", args: "artifact tree $R/signed:nope", against: "both", err: /404/ }
]

export const artifact: ReadonlyArray<Case> = [...get, ...list, ...puts, ...trees]
