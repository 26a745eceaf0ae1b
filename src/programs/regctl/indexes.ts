/** The commands `regctl index …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { text, texts, toggle } from "../cli/flags.ts"
import { format } from "./shared.ts"

/** The flags that say what becomes an entry. */
const entryOptions = {
  descAnnotation: texts("desc-annotation", "Annotation of the new entries (key=value)"),
  descPlatform: text("desc-platform", "Platform of the new entries (default: what their configurations say)"),
  digest: texts("digest", "Digest of the repository to add"),
  digestTags: toggle("digest-tags", `Copy tags such as "sha256-<digest>.sig" of what is copied`),
  platform: texts("platform", "Platforms to take from an index that is added by reference"),
  ref: texts("ref", "Reference to copy and add"),
  referrers: toggle("referrers", "Copy referrers, and theirs")
}

const ociIndex = "application/vnd.oci.image.index.v1+json"

export const index = group({
  name: "index",
  summary: "make and change indexes",
  children: [
    command({
      name: "add",
      aliases: ["append", "insert"],
      summary: "add entries to an index",
      help: `Add entries to an OCI index or a docker manifest list.
What a reference names is copied to the repository of the index first.
With --platform, only the entries of those platforms are taken from an index.`,
      args: "<image_ref>",
      examples: [
        [
          "add an image for another platform",
          "{tool} index add registry.example.org/app:v1 --ref registry.example.org/build:arm64"
        ],
        [
          "add one platform of another index",
          "{tool} index add registry.example.org/app:v1 --ref alpine --platform linux/s390x"
        ]
      ],
      options: entryOptions
    }, () => import("../index/add.ts")),
    command({
      name: "create",
      aliases: ["init", "new", "put"],
      summary: "make an index",
      help: `Make an OCI index or a docker manifest list.
What a reference names is copied to the repository of the index first.
With --platform, only the entries of those platforms are taken from an index.`,
      args: "<image_ref>",
      examples: [
        ["an empty index", "{tool} index create registry.example.org/app:v1"],
        [
          "two platforms of another index",
          "{tool} index create registry.example.org/alpine --ref alpine --platform linux/amd64 --platform linux/arm64"
        ],
        [
          "one index of two images",
          "{tool} index create registry.example.org/app:v1 --ref ghcr.io/example/app:amd64 --ref ghcr.io/example/app:arm64"
        ],
        [
          "a docker manifest list in a directory",
          "{tool} index create ocidir://app:v1 -m application/vnd.docker.distribution.manifest.list.v2+json --ref alpine --platform linux/amd64"
        ]
      ],
      options: {
        ...entryOptions,
        annotation: texts("annotation", "Annotation of the index (key=value)"),
        artifactType: text("artifact-type", "Artifact type of the index"),
        byDigest: toggle("by-digest", "Push without a tag and print the digest"),
        format: format(),
        mediaType: text("media-type", "Media type of the index", { short: "m", otherwise: ociIndex }),
        subject: text("subject", "Tag or digest of the same repository that the index refers to")
      }
    }, () => import("../index/create.ts")),
    command({
      name: "delete",
      aliases: ["del", "rm", "remove"],
      summary: "remove entries of an index",
      help: `Remove entries of an OCI index or a docker manifest list.
An entry goes when its digest or its platform is among those given.`,
      args: "<image_ref>",
      examples: [
        [
          "keep the platforms that are used",
          "{tool} index delete registry.example.org/app:v1 --platform linux/s390x --platform linux/ppc64le"
        ],
        ["remove attestations", "{tool} index delete registry.example.org/app:v1 --platform unknown/unknown"]
      ],
      options: {
        digest: texts("digest", "Digest of entries to remove"),
        platform: texts("platform", "Platform of entries to remove")
      }
    }, () => import("../index/remove.ts"))
  ]
})
