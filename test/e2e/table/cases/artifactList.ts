/** `regctl artifact list` and `regctl artifact tree`. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../../../support/programs.ts"
import { type Case, d } from "../case.ts"
import { unlisted } from "./unlisted.ts"

const example = "application/vnd.example"

export const artifactList: ReadonlyArray<Case> = [
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
    against: "both",
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
    against: "both",
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
    against: "both",
    args: "artifact list --latest $R/signed:v1 --format '{{range .Descriptors}}{{println .Digest}}{{end}}'",
    out: `${d.ann}\n${d.bob}\n${d.cid}\n`
  },
  {
    command: "artifact list",
    shows: "--sort-annotation",
    against: "both",
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
    against: "both",
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

export const artifactTree: ReadonlyArray<Case> = [
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
    against: "both",
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
    against: "both",
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
    against: "both",
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
