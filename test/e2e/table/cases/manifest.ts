/** `regctl manifest …`, and `image delete|digest|manifest`, which are the same. */
import { assert } from "@effect/vitest"
import { type After, type Case, d, types } from "../case.ts"

const image = `{"schemaVersion":2,"mediaType":"${types.manifest}","config":{"mediaType":` +
  `"application/vnd.oci.empty.v1+json","digest":"${d.empty}","size":2},"layers":[]}`
const imageDigest = "sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9"

const deleteCases = (command: string): ReadonlyArray<Case> => [
  {
    command,
    args: `${command} $OWN/app@${d.v1}`,
    own: "app",
    check: async ({ own }) => {
      assert.isUndefined(await own.manifest("app", d.v1))
      assert.deepStrictEqual(await own.tags("app"), ["amd64", "arm64", "v2"])
    }
  },
  {
    command,
    args: `${command} $R/app:v1`,
    against: "serve",
    err: "digest required to delete manifest, reference $R/app:v1\n"
  },
  {
    command,
    shows: "--force-tag-dereference",
    args: `${command} --force-tag-dereference $OWN/app:v2`,
    own: "app",
    check: async ({ own }) => {
      assert.isUndefined(await own.manifest("app", d.v2))
      assert.deepStrictEqual(await own.tags("app"), ["amd64", "arm64", "stable", "v1"])
    }
  },
  {
    command,
    shows: "--ignore-missing",
    args: `${command} --ignore-missing $OWN/app@${d.none}`,
    own: "app"
  },
  { command, args: `${command} $OWN/app@${d.none}`, own: "app", against: "both", err: /404/ },
  {
    command,
    shows: "--referrers",
    args: `${command} --referrers $OWN/signed@${d.cid}`,
    own: "signed",
    check: async ({ own }) => assert.deepStrictEqual(await own.referrers("signed", d.base1), [d.bob, d.ann].toSorted())
  }
]

const headCases = (command: string): ReadonlyArray<Case> => [
  { command, args: `${command} $R/app:v1`, out: `${d.v1}\n` },
  { command, shows: "--format", args: `${command} $R/app:v1 --format digest`, out: `${d.v1}\n` },
  {
    command,
    shows: "--format",
    args: `${command} $R/app:v1 --format headers`,
    against: "both",
    out: new RegExp(
      `^(\\S+: .*\n)*Content-Type: ${
        types.index.replaceAll(/[.+]/g, "\\$&")
      }\n(\\S+: .*\n)*Docker-Content-Digest: ${d.v1}\n`
    )
  },
  {
    command,
    shows: "--format",
    args: `${command} $R/app:v1 --format '{{.GetDescriptor.MediaType}} {{.GetDescriptor.Size}} {{.IsSet}} {{.IsList}}'`,
    out: `${types.index} 534 false true`
  },
  { command, shows: "--platform", args: `${command} $R/app:v1 --platform linux/arm64`, out: `${d.arm64}\n` },
  { command, shows: "-p", args: `${command} $R/app:v1 -p linux/amd64`, out: `${d.amd64}\n` },
  { command, args: `${command} $R/app:v1 -p linux/s390x`, err: /^.*platform not found: linux\/s390x/ },
  {
    command,
    shows: "--require-list",
    args: `${command} $R/app:v1 -p linux/amd64 --require-list`,
    against: "serve",
    err: "cannot request a platform and require-list simultaneously\n"
  },
  {
    command,
    shows: "--list",
    args: `${command} $R/app:v1 --list -v info`,
    against: "serve",
    out: `${d.v1}\n`,
    err: /level=INFO .*list/,
    code: 0
  },
  {
    command,
    shows: "--require-digest",
    args: `${command} $OWN/nodigest:v1 --require-digest --format '{{.GetDigest}}'`,
    against: "spy",
    out: imageDigest,
    check: ({ asked }) => assert.deepStrictEqual(asked.map(({ method }) => method), ["HEAD", "GET"])
  },
  {
    command,
    args: `${command} $OWN/nodigest:v1`,
    note: "a registry that tells no digest",
    against: "spy",
    out: `${imageDigest}\n`,
    check: ({ asked }) => assert.deepStrictEqual(asked.map(({ method }) => method), ["HEAD", "GET"])
  }
]

const getCases = (command: string): ReadonlyArray<Case> => [
  {
    command,
    shows: "--format",
    args: `${command} $R/app:v1 --format '{{.GetDigest}} {{.IsList}}'`,
    out: `${d.v1} true`
  },
  {
    command,
    shows: "--format",
    args: `${command} $R/artifact:v1 --format body`,
    out:
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example.release","config":{"mediaType":"application/vnd.example.config+json","digest":"${d.artifactConfig}","size":11},"layers":[{"mediaType":"text/plain","digest":"${d.hello}","size":6,"annotations":{"org.opencontainers.image.title":"hello.txt"}},{"mediaType":"application/json","digest":"sha256:eb8ed3ccb5023093b56f490a46501e88d09736687e609fdbc1c71b3df8b9ccd3","size":7,"annotations":{"org.opencontainers.image.title":"docs/b.json"}},{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:ef670a3a7e544817c63262e412b486071edb7363929bc8a8c377f7dc811becb5","size":145,"annotations":{"org.opencontainers.image.title":"pack/"}}]}`
  },
  {
    command,
    shows: "--format",
    args: `${command} $R/app:v1 --format raw`,
    against: "both",
    out: /^(\S+: .*\n)+\n\{"schemaVersion":2,.*\}$/
  },
  {
    command,
    shows: "--format",
    args: `${command} $R/app:v1 --format headers`,
    against: "both",
    out: new RegExp(`^(\\S+: .*\n)*Docker-Content-Digest: ${d.v1}\n(\\S+: .*\n)*$`)
  },
  {
    command,
    shows: "--platform",
    args: `${command} $R/app:v1 --platform linux/arm64 --format '{{.GetDigest}} {{.GetRef.CommonName}}'`,
    out: `${d.arm64} $R/app@${d.arm64}`
  },
  { command, shows: "-p", args: `${command} $R/app:v1 -p linux/amd64 --format '{{.GetDigest}}'`, out: d.amd64 },
  {
    command,
    shows: "--require-list",
    args: `${command} $R/app:v1 -p linux/amd64 --require-list`,
    against: "serve",
    err: "cannot request a platform and require-list simultaneously\n"
  },
  {
    command,
    shows: "--list",
    args: `${command} $R/app:v1 --list --format '{{.GetDigest}}' -v info`,
    against: "serve",
    out: d.v1,
    err: /level=INFO .*list/,
    code: 0
  },
  {
    command,
    args: `${command} $R/app:v1`,
    out: `Name:               $R/app:v1
MediaType:          application/vnd.oci.image.index.v1+json
Digest:             ${d.v1}
Annotations:        
  org.example.kind: index
                    
Manifests:          
                    
  Name:             $R/app:v1@${d.amd64}
  Digest:           ${d.amd64}
  MediaType:        application/vnd.oci.image.manifest.v1+json
  Platform:         linux/amd64
                    
  Name:             $R/app:v1@${d.arm64}
  Digest:           ${d.arm64}
  MediaType:        application/vnd.oci.image.manifest.v1+json
  Platform:         linux/arm64
`
  },
  {
    command,
    args: `${command} $R/app:amd64`,
    out: `Name:               $R/app:amd64
MediaType:          application/vnd.oci.image.manifest.v1+json
Digest:             ${d.amd64}
Annotations:        
  org.example.arch: amd64
  org.example.kind: app
Total Size:         647.000B
                    
Config:             
  Digest:           ${d.amd64Config}
  MediaType:        application/vnd.oci.image.config.v1+json
  Size:             1025B
                    
Layers:             
                    
  Digest:           ${d.baseLayer}
  MediaType:        application/vnd.oci.image.layer.v1.tar+gzip
  Size:             239B
                    
  Digest:           ${d.appLayer}
  MediaType:        application/vnd.oci.image.layer.v1.tar+gzip
  Size:             219B
                    
  Digest:           ${d.cacheLayer}
  MediaType:        application/vnd.oci.image.layer.v1.tar+gzip
  Size:             189B
`
  },
  {
    command,
    args: `${command} $R/docker:v1`,
    out: `Name:        $R/docker:v1
MediaType:   application/vnd.docker.distribution.manifest.list.v2+json
Digest:      ${d.dockerList}
             
Manifests:   
             
  Name:      $R/docker:v1@${d.dockerAmd64}
  Digest:    ${d.dockerAmd64}
  MediaType: application/vnd.docker.distribution.manifest.v2+json
  Platform:  linux/amd64
             
  Name:      $R/docker:v1@sha256:497f14f46dc26096fd76dc0dc7f0bf727e0b3154983cf8eb2e2d5bd8e6e72740
  Digest:    sha256:497f14f46dc26096fd76dc0dc7f0bf727e0b3154983cf8eb2e2d5bd8e6e72740
  MediaType: application/vnd.docker.distribution.manifest.v2+json
  Platform:  linux/arm64
`
  },
  {
    command,
    args: `${command} $R/artifact:v1`,
    against: "serve",
    out: `Name:                               $R/artifact:v1
MediaType:                          application/vnd.oci.image.manifest.v1+json
ArtifactType:                       application/vnd.example.release
Digest:                             ${d.artifact}
Total Size:                         158.000B
                                    
Config:                             
  Digest:                           ${d.artifactConfig}
  MediaType:                        application/vnd.example.config+json
  Size:                             11B
                                    
Layers:                             
                                    
  Digest:                           ${d.hello}
  MediaType:                        text/plain
  Size:                             6B
  Annotations:                      
    org.opencontainers.image.title: hello.txt
                                    
  Digest:                           sha256:eb8ed3ccb5023093b56f490a46501e88d09736687e609fdbc1c71b3df8b9ccd3
  MediaType:                        application/json
  Size:                             7B
  Annotations:                      
    org.opencontainers.image.title: docs/b.json
                                    
  Digest:                           sha256:ef670a3a7e544817c63262e412b486071edb7363929bc8a8c377f7dc811becb5
  MediaType:                        application/vnd.oci.image.layer.v1.tar+gzip
  Size:                             145B
  Annotations:                      
    org.opencontainers.image.title: pack/
`
  },
  {
    command,
    args: `${command} $R/signed@${d.cid}`,
    against: "serve",
    out: `Name:                               $R/signed@${d.cid}
MediaType:                          application/vnd.oci.image.manifest.v1+json
ArtifactType:                       application/spdx+json
Digest:                             ${d.cid}
Annotations:                        
  org.example.signer:               cid
  org.opencontainers.image.created: 2024-03-01T00:00:00Z
Total Size:                         26.000B
                                    
Config:                             
  Digest:                           ${d.empty}
  MediaType:                        application/vnd.oci.empty.v1+json
  Size:                             2B
                                    
Layers:                             
                                    
  Digest:                           sha256:d4f269605ffe72fbe7a3021d68284798ec364111376ee2eace17688bb52a9e1d
  MediaType:                        application/spdx+json
  Size:                             26B
                                    
Subject:                            
  Digest:                           ${d.base1}
  MediaType:                        application/vnd.oci.image.index.v1+json
`
  },
  {
    command,
    args: `${command} $R/app:nope`,
    against: "both",
    err: /^failed to get manifest \$R\/app:nope: request failed: not found \[http 404\]: /
  }
]

const pushed = async ({ own }: After) => {
  const found = await own.manifest("artifact", "put")
  assert.strictEqual(found?.text, image)
}

/** The commands below `image` are those below `manifest`: layouts are left to those. */
const alike = (rows: ReadonlyArray<Case>): ReadonlyArray<Case> =>
  rows.map((it) => it.against === undefined ? { ...it, against: "both" } : it)

export const manifest: ReadonlyArray<Case> = [
  ...deleteCases("manifest delete"),
  ...["del", "rm", "remove"].map((alias): Case => ({
    command: "manifest delete",
    shows: alias,
    args: `manifest ${alias} $OWN/app@${d.v2}`,
    own: "app",
    against: "serve",
    check: async ({ own }) => assert.isUndefined(await own.manifest("app", d.v2))
  })),
  ...alike(deleteCases("image delete")),
  ...["del", "rm", "remove"].map((alias): Case => ({
    command: "image delete",
    shows: alias,
    args: `image ${alias} $OWN/app@${d.v2}`,
    own: "app",
    against: "ocidir",
    check: async ({ own }) => assert.isUndefined(await own.manifest("app", d.v2))
  })),
  ...headCases("manifest head"),
  { command: "manifest head", shows: "digest", args: "manifest digest $R/app:v2", against: "ocidir", out: `${d.v2}\n` },
  {
    command: "manifest head",
    args: "manifest head $OWN/nodigest:v1 --format '{{.GetMediaType}}'",
    against: "spy",
    out: types.manifest,
    check: ({ asked }) => assert.deepStrictEqual(asked.map(({ method }) => method), ["HEAD", "GET"]),
    differs: "it leaves the digest empty"
  },
  ...alike(headCases("image digest")),
  ...getCases("manifest get"),
  { command: "manifest get", shows: "pull", args: "manifest pull $R/app:v1 --format '{{.GetDigest}}'", out: d.v1 },
  ...alike(getCases("image manifest")),

  {
    command: "manifest put",
    args: "manifest put $OWN/artifact:put",
    own: "artifact",
    stdin: image,
    check: pushed
  },
  {
    command: "manifest put",
    shows: "push --by-digest",
    args: "manifest push --by-digest $OWN/artifact",
    own: "artifact",
    stdin: image,
    out: `${imageDigest}\n`,
    check: async ({ own }) => {
      assert.strictEqual((await own.manifest("artifact", imageDigest))?.text, image)
      assert.deepStrictEqual(await own.tags("artifact"), ["index", "one", "v1"])
    }
  },
  {
    command: "manifest put",
    shows: "--content-type",
    args: `manifest put --content-type ${types.manifest} $OWN/artifact:put`,
    own: "artifact",
    stdin: image.replace(`"mediaType":"${types.manifest}",`, ""),
    check: async ({ own }) => assert.strictEqual((await own.manifest("artifact", "put"))?.mediaType, types.manifest)
  },
  {
    command: "manifest put",
    shows: "-t",
    args: `manifest put -t ${types.index} $OWN/artifact:put`,
    stdin: image,
    against: "serve",
    err: `manifest contains an unexpected media type: expected ${types.index}, received ${types.manifest}\n`
  },
  {
    command: "manifest put",
    shows: "--format",
    args: "manifest put --format '{{.Manifest.GetDigest}} {{.Manifest.GetMediaType}}' $OWN/artifact:put",
    own: "artifact",
    stdin: image,
    out: `${imageDigest} ${types.manifest}`,
    check: pushed
  },
  { command: "manifest diff", args: "manifest diff $R/app:v1 $R/app:v1", out: "\n" },
  {
    command: "manifest diff",
    args: "manifest diff $R/app:v1 $R/app:v2",
    out: `@@ -4,7 +4,7 @@
    "manifests": [
      {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
-       "digest": "${d.amd64}",
+       "digest": "${d.v2Amd64}",
        "size": 778,
        "platform": {
          "architecture": "amd64",
@@ -13,7 +13,7 @@
      },
      {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
-       "digest": "${d.arm64}",
+       "digest": "sha256:0259bad112db40470f111e3a693fc66921c481d40c8482636562d58dda98bdc0",
        "size": 778,
        "platform": {
          "architecture": "arm64",
`
  },
  {
    command: "manifest diff",
    shows: "--context",
    args: "manifest diff --context 0 $R/app:v1 $R/app:v2",
    out: `@@ -7,1 +7,1 @@
-       "digest": "${d.amd64}",
+       "digest": "${d.v2Amd64}",
@@ -16,1 +16,1 @@
-       "digest": "${d.arm64}",
+       "digest": "sha256:0259bad112db40470f111e3a693fc66921c481d40c8482636562d58dda98bdc0",
`
  },
  {
    command: "manifest diff",
    shows: "--context-full",
    args: "manifest diff --context-full $R/app:amd64 $R/app:arm64",
    out: `@@ -1,30 +1,30 @@
  {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {
      "mediaType": "application/vnd.oci.image.config.v1+json",
-     "digest": "${d.amd64Config}",
+     "digest": "${d.arm64Config}",
      "size": 1025
    },
    "layers": [
      {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
-       "digest": "${d.baseLayer}",
+       "digest": "sha256:d30cbb51aeedc961ba223c71ea8a9783aa9557f247871e06cc434a0edc73d80f",
        "size": 239
      },
      {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": "${d.appLayer}",
        "size": 219
      },
      {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": "${d.cacheLayer}",
        "size": 189
      }
    ],
    "annotations": {
      "org.example.kind": "app",
-     "org.example.arch": "amd64"
+     "org.example.arch": "arm64"
    }
  }
`
  }
]
