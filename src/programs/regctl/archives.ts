/** The commands `regctl image export` and `regctl image import`: flags and help. */
import { command } from "../cli/command.ts"
import { text, toggle } from "../cli/flags.ts"
import { platform } from "./shared.ts"

export const exportImage = command({
  name: "export",
  summary: "write an image to a tar file",
  help: `Write an image to a tar file, or to standard output without a file or with "-".
The file is an OCI layout; of a single image it also is what "docker load"
reads. The same image gives the same bytes. A file gets its content once all
of it is there and verified. Compression gains little: layers are compressed.
--referrers and --digest-tags are additions of this tool: signatures and the
like travel along, and "image import" takes them out with the same flags.
Any command reads a tar file that is named "ocifile://image.tar:v1".`,
  args: "<image_ref> [filename]",
  examples: [
    ["export an image", "{tool} image export registry.example.org/repo:v1 image-v1.tar"],
    ["export to docker", "{tool} image export --platform local registry.example.org/repo:v1 | docker load"],
    [
      "take an image with its signatures to another network",
      "{tool} image export --referrers --digest-tags registry.example.org/repo:v1 image-v1.tar"
    ]
  ],
  options: {
    compress: toggle("compress", "Compress the tar with gzip"),
    digestTags: toggle("digest-tags", `Also tags such as "sha256-<digest>.sig" of what is exported`),
    name: text("name", "Name of the image inside the tar (default: the reference)"),
    platform: platform("Platform to export in place of the index, such as linux/amd64 or local"),
    referrers: toggle("referrers", "Also referrers, and theirs")
  }
}, () => import("../image/export.ts"))

export const importImage = command({
  name: "import",
  summary: "push an image from a tar file",
  help: `Push an image from a tar file: an OCI layout, or what "docker save" writes,
compressed with gzip, zstd, xz, bzip2 or not at all; "-" reads standard input.
Of several images --name chooses one by its name in the file; without it the
digest or tag of the target does. Nothing is pushed unless all of the image is
in the file. Layers of "docker save" are compressed before they are pushed.
--referrers and --digest-tags are additions of this tool: they also push the
signatures and the like that "image export" put into the file.`,
  args: "<image_ref> <filename>",
  examples: [
    ["import an image", "{tool} image import registry.example.org/repo:v1 image-v1.tar"],
    ["import from docker", "docker save app:v1 | {tool} image import registry.example.org/app:v1 -"],
    ["one image of several", "{tool} image import --name app:v2 registry.example.org/app:v2 images.tar"]
  ],
  options: {
    digestTags: toggle("digest-tags", `Also tags such as "sha256-<digest>.sig" of what is imported`),
    name: text("name", "Name or tag of the image, when the file has several"),
    referrers: toggle("referrers", "Also referrers, and theirs")
  }
}, () => import("../image/import.ts"))
