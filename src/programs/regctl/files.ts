/** The commands that read a file out of layers: flags and help. */
import { command } from "../cli/command.ts"
import { format, platform } from "./shared.ts"

const help = `Links are not followed. Without an output file the content goes to standard
output as it is read; a file gets its name once the digest of the layer was
verified. With a template the header of the file is shown in place of it.`

export const blobGetFile = command({
  name: "get-file",
  aliases: ["cat"],
  summary: "write a file of a layer to standard output",
  help: `Write a file of a layer to standard output, or to an output file.\n${help}`,
  args: "<repository> <digest> <file> [out-file]",
  examples: [
    ["show a file", "{tool} blob get-file alpine sha256:<digest> /etc/alpine-release"],
    ["the size of a file", "{tool} blob get-file alpine sha256:<digest> bin/busybox --format '{{.Header.Size}}'"]
  ],
  options: { format: format() }
}, () => import("../blob/getFile.ts"))

export const imageGetFile = command({
  name: "get-file",
  aliases: ["cat"],
  summary: "write a file of an image to standard output",
  help: `Write a file of an image to standard output, or to an output file.
The layers are searched from the last one, up to one that has or removes it.
${help}`,
  args: "<image_ref> <filename> [out-file]",
  examples: [
    ["show a file", "{tool} image get-file alpine /etc/alpine-release"],
    ["save a file of one platform", "{tool} image get-file --platform linux/arm64 alpine /bin/busybox busybox"]
  ],
  options: { format: format(), platform: platform("Platform to choose (default: this machine's)") }
}, () => import("../image/getFile.ts"))
