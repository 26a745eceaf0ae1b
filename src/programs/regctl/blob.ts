/** The commands `regctl blob …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { text } from "../cli/flags.ts"
import { blobDiffConfig, blobDiffLayer } from "./diffs.ts"
import { blobGetFile } from "./files.ts"
import { format, pretty, rawFormat } from "./shared.ts"

export const blob = group({
  name: "blob",
  aliases: ["layer"],
  summary: "work with blobs: layers, configurations, files",
  children: [
    command({
      name: "copy",
      aliases: ["cp"],
      summary: "copy a blob",
      help: `Copy one blob to another repository. Within a registry it is mounted where
that works; across registries its bytes are moved.`,
      args: "<src_image_ref> <dst_image_ref> <digest>",
      examples: [["copy a layer", "{tool} blob copy alpine registry.example.org/app sha256:<digest>"]],
      options: {}
    }, () => import("../blob/copy.ts")),
    command({
      name: "delete",
      aliases: ["del", "rm"],
      summary: "delete a blob",
      help: `Delete a blob. Registries remove blobs nobody needs by themselves, so this is
for repairs: the digest of a blob is listed in the manifests that use it.`,
      args: "<repository> <digest>",
      examples: [["delete a blob", "{tool} blob delete registry.example.org/app sha256:<digest>"]],
      options: {}
    }, () => import("../blob/remove.ts")),
    blobDiffConfig,
    blobDiffLayer,
    command({
      name: "get",
      aliases: ["pull"],
      summary: "write a blob to standard output",
      help: "Write the bytes of a blob to standard output. The digest is that of a layer or a configuration.",
      args: "<repository> <digest>",
      examples: [["list the files of a layer", "{tool} blob get busybox sha256:<digest> | tar -tvzf -"]],
      options: { format: rawFormat(pretty), mediaType: text("media-type", "Deprecated", { isHidden: true }) }
    }, () => import("../blob/get.ts")),
    blobGetFile,
    command({
      name: "head",
      aliases: ["digest"],
      summary: "show the headers of a blob",
      help: "Ask whether a blob is there and show the headers of the answer.",
      args: "<repository> <digest>",
      examples: [["look for a blob", "{tool} blob head alpine sha256:<digest>"]],
      options: { format: text("format", `Go template for the output, or "raw-headers" (default: the headers)`) }
    }, () => import("../blob/head.ts")),
    command({
      name: "put",
      aliases: ["push"],
      summary: "push a blob",
      help: "Push standard input as a blob and print its digest.",
      args: "<repository>",
      examples: [["push a layer", "{tool} blob put registry.example.org/app <layer.tgz"]],
      options: {
        contentType: text("content-type", "Deprecated", { isHidden: true }),
        digest: text("digest", "Digest the content must have"),
        format: format("{{println .Digest}}")
      }
    }, () => import("../blob/put.ts"))
  ]
})
