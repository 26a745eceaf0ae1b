/** The commands `regctl image …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { text, texts, toggle } from "../cli/flags.ts"
import { exportImage, importImage } from "./archives.ts"
import { imageGetFile } from "./files.ts"
import { checkBase, create } from "./imageBase.ts"
import { deleteHelp, deleteOptions, getOptions, headOptions } from "./manifest.ts"
import { mod } from "./mod.ts"
import { format, platform, pretty, rawFormat } from "./shared.ts"

const copy = command({
  name: "copy",
  aliases: ["cp"],
  summary: "copy or retag an image",
  help: `Copy an image, between registries or under a new name.
Only what the target lacks is moved: within a registry layers are mounted,
within a repository nothing but the manifest is sent.`,
  args: "<src_image_ref> <dst_image_ref>",
  examples: [
    ["copy an image", "{tool} image copy ghcr.io/example/app:v1 registry.example.org/app:v1"],
    [
      "copy an image with its signatures",
      "{tool} image copy --digest-tags ghcr.io/example/app:v1 registry.example.org/app:v1"
    ],
    ["copy one platform", "{tool} image copy --platform local ghcr.io/example/app:v1 registry.example.org/app:v1"],
    ["give an image another tag", "{tool} image copy registry.example.org/app:v1.2.3 registry.example.org/app:v1"],
    [
      "copy an image and its referrers to a directory",
      "{tool} image copy --referrers ghcr.io/example/app:v1 ocidir://app:v1"
    ]
  ],
  options: {
    digestTags: toggle("digest-tags", `Copy tags such as "sha256-<digest>.sig" of what is copied`),
    fast: toggle("fast", "Stop when the target has the digest; beats --force-recursive"),
    forceRecursive: toggle("force-recursive", "Check everything below the manifest even when the target has it"),
    format: text("format", "Go template for the output", { otherwise: "{{ println .CommonName }}", shown: "" }),
    includeExternal: toggle("include-external", "Copy layers that are kept elsewhere by URL"),
    platform: platform(),
    platforms: texts("platforms", "Copy an index with the content of these platforms only", { isHidden: true }),
    referrers: toggle("referrers", "Copy referrers, and theirs"),
    referrersSrc: text("referrers-src", "Repository to read referrers from"),
    referrersTgt: text("referrers-tgt", "Repository to write referrers to")
  }
}, () => import("../image/copy.ts"))

const inspect = command({
  name: "inspect",
  aliases: ["config"],
  summary: "show the configuration of an image",
  help: "Show the configuration of an image for one platform.",
  args: "<image_ref>",
  examples: [
    ["the configuration for this machine", "{tool} image inspect alpine"],
    ["the labels of an image", `{tool} image inspect ghcr.io/example/app:v1 --format '{{jsonPretty .Config.Labels}}'`]
  ],
  options: { format: rawFormat(pretty), platform: platform("Platform to choose (default: this machine's)") }
}, () => import("../image/inspect.ts"))

const rateLimit = command({
  name: "ratelimit",
  aliases: ["rate-limit"],
  summary: "show the pull limit of a registry",
  help: `Show what the registry says of its pull limit when asked for the head of a manifest.
"Set" is false when no remaining count came; a value nobody gave is 0.`,
  args: "<image_ref>",
  examples: [
    ["the limit for this address or login", "{tool} image ratelimit alpine"],
    ["the pulls that are left", "{tool} image ratelimit alpine --format '{{.Remain}}'"]
  ],
  options: { format: format(pretty) }
}, () => import("../image/rateLimit.ts"))

export const image = group({
  name: "image",
  summary: "work with images",
  children: [
    checkBase,
    copy,
    create,
    command({
      name: "delete",
      aliases: ["del", "rm", "remove"],
      summary: `delete an image, same as "manifest delete"`,
      help: deleteHelp,
      args: "<image_ref>",
      examples: [["delete an image by its digest", "{tool} image delete registry.example.org/app@sha256:<digest>"]],
      options: deleteOptions
    }, () => import("../manifest/remove.ts")),
    command({
      name: "digest",
      summary: `show the digest to pin, same as "manifest head"`,
      args: "<image_ref>",
      examples: [["the digest of a tag", "{tool} image digest alpine"]],
      options: {
        ...headOptions,
        requireDigest: toggle("require-digest", "Fetch the manifest when the registry names no digest", {
          otherwise: true
        })
      }
    }, () => import("../manifest/head.ts")),
    imageGetFile,
    exportImage,
    importImage,
    inspect,
    command({
      name: "manifest",
      summary: `show a manifest or an index, same as "manifest get"`,
      args: "<image_ref>",
      examples: [["show a manifest", "{tool} image manifest alpine"]],
      options: getOptions
    }, () => import("../manifest/get.ts")),
    mod,
    rateLimit
  ]
})
