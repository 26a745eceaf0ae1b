/** The commands `regctl artifact …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { text, texts, toggle } from "../cli/flags.ts"
import { format, platform, pretty, rawFormat } from "./shared.ts"

/** Which referrers are meant. */
const filters = {
  filterAnnotation: texts("filter-annotation", "Only what has this annotation (key=value, or key for any value)"),
  filterArtifactType: text("filter-artifact-type", "Only artifacts of this type"),
  slowReferrers: toggle("slow-referrers", "In a layout directory: look for the subject in every manifest")
}

const order = {
  latest: toggle("latest", "Newest first, by the annotation org.opencontainers.image.created"),
  sortAnnotation: text("sort-annotation", "Sort by the value of this annotation"),
  sortDesc: toggle("sort-desc", "Sort in descending order")
}

const external = text("external", "Repository with the referrers, when not that of the subject")
const digestTags = toggle("digest-tags", "Also tags named after the digest, as older signing tools write them")
const refers = text("refers", "Deprecated name of --subject", { isHidden: true })

const getHelp = `Get the files of an artifact, or its config.
The artifact is named by a reference, or found among the referrers of
--subject. One file is written to standard output; several need --output. Files
are named by the title they were pushed with; nothing is ever written outside
of the output directory. An archive of a directory is unpacked.`

const get = command({
  name: "get",
  aliases: ["pull"],
  summary: "get the files of an artifact",
  help: getHelp,
  args: "[reference]",
  examples: [
    ["an artifact with one file", "{tool} artifact get registry.example.org/charts/app:1.0 >app.tgz"],
    ["every file into a directory", "{tool} artifact get registry.example.org/data:v1 --output ./data"],
    [
      "the newest SBOM of an image for this machine",
      "{tool} artifact get --subject registry.example.org/app:v1 --filter-artifact-type application/spdx+json --platform local --latest"
    ],
    ["the config in place of the files", "{tool} artifact get --config registry.example.org/data:v1"]
  ],
  options: {
    ...filters,
    ...order,
    config: toggle("config", "The config in place of the files"),
    configFile: text("config-file", "Write the config to this file"),
    external,
    file: texts("file", "Only files with this title", { short: "f" }),
    fileMediaType: texts("file-media-type", "Only files of this media type", { short: "m" }),
    output: text("output", "Directory to write the files to", { short: "o" }),
    platform: platform("Platform of the subject, or of an entry of an index, such as linux/amd64 or local"),
    refers,
    stripDirs: toggle("strip-dirs", "With --output: leave the directories out of the names"),
    subject: text("subject", "Get an artifact that refers to this image")
  }
}, () => import("../artifact/get.ts"))

const list = command({
  name: "list",
  aliases: ["ls"],
  summary: "list what refers to an image",
  help: `List the artifacts that refer to an image: signatures, SBOMs and others.
Referrers belong to one manifest: those of an index are not those of its
platforms, which --platform chooses.`,
  args: "<reference>",
  examples: [
    ["everything attached to an image", "{tool} artifact list registry.example.org/app:v1"],
    ["what is attached to one platform", "{tool} artifact list registry.example.org/app:v1 --platform linux/arm64"],
    ["the list as the registry sent it", "{tool} artifact list registry.example.org/app:v1 --format body"],
    [
      "the digest of the newest SBOM",
      "{tool} artifact list registry.example.org/app:v1 --filter-artifact-type application/spdx+json --latest --format '{{ (index .Descriptors 0).Digest }}'"
    ]
  ],
  options: { ...filters, ...order, digestTags, external, format: rawFormat(pretty), platform: platform() }
}, () => import("../artifact/list.ts"))

const putHelp = `Push files as an artifact.
Each --file becomes a layer, a directory as a compressed archive; without any,
standard input does. With --subject the artifact refers to an image; it then
needs no name of its own. Equal files and options give an equal digest.`

const put = command({
  name: "put",
  aliases: ["create", "push"],
  summary: "push files as an artifact",
  help: putHelp,
  args: "[reference]",
  examples: [
    ["a text", "{tool} artifact put --artifact-type application/example registry.example.org/notes:v1 <notes.txt"],
    [
      "an SBOM attached to an image",
      "{tool} artifact put --subject registry.example.org/app:v1 --artifact-type application/spdx+json --file app.spdx.json"
    ],
    [
      "two files under their names",
      "{tool} artifact put registry.example.org/data:v1 --artifact-type application/example --file-title --file a.csv --file-media-type text/csv --file b.json --file-media-type application/json"
    ],
    [
      "a file with a config",
      "{tool} artifact put registry.example.org/data:v1 --config-file config.json --config-type application/vnd.example.config+json --file data.tgz --file-media-type application/gzip"
    ]
  ],
  options: {
    annotation: texts("annotation", "Annotation of the manifest (key=value)"),
    artifactType: text("artifact-type", "Type of the artifact (recommended)"),
    byDigest: toggle("by-digest", "Push without a tag and print the digest"),
    configFile: text("config-file", "File to push as the config"),
    configType: text("config-type", "Media type of the config"),
    external: text("external", "Repository to push the referrer to, when not that of the subject"),
    file: texts("file", "File or directory to push", { short: "f" }),
    fileMediaType: texts("file-media-type", "Media type of each file", { short: "m" }),
    fileTitle: toggle("file-title", "Keep the names of the files as titles"),
    format: format(),
    index: toggle("index", "Add the artifact to an index at the reference"),
    mediaType: text("media-type", "Media type of the manifest", {
      otherwise: "application/vnd.oci.image.manifest.v1+json",
      isHidden: true
    }),
    platform: platform("Platform of the subject, and of the entry of the index, such as linux/amd64 or local"),
    refers,
    stripDirs: toggle("strip-dirs", "Leave the directories out of the titles"),
    subject: text("subject", "Make the artifact refer to this image")
  }
}, () => import("../artifact/put.ts"))

const tree = command({
  name: "tree",
  summary: "show an image with all that belongs to it",
  help: `Show the manifests of an image with everything that refers to them, level by
level. For the referrers of one manifest "artifact list" asks less.`,
  args: "<reference>",
  examples: [
    ["an image with its platforms and their referrers", "{tool} artifact tree registry.example.org/app:v1"],
    ["with signatures of older tools", "{tool} artifact tree --digest-tags registry.example.org/app:v1"]
  ],
  options: { ...filters, digestTags, external, format: format(pretty) }
}, () => import("../artifact/tree.ts"))

export const artifact = group({
  name: "artifact",
  summary: "work with artifacts: files in registries, and what refers to images",
  children: [get, list, put, tree]
})
