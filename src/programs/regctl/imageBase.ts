/** The commands `regctl image check-base` and `regctl image create`: flags and help. */
import { command } from "../cli/command.ts"
import { text, texts, toggle } from "../cli/flags.ts"
import { format, platform } from "./shared.ts"

export const checkBase = command({
  name: "check-base",
  summary: "check whether the base of an image has changed",
  help: `Check whether the base image that an image was built on has changed.
The base is named by annotations of the image, or by --base. When its digest
at build time is known, that is compared; else layers and history are.
The exit status is 1 when the base has changed, and when that cannot be told.`,
  args: "<image_ref>",
  examples: [
    ["check the base that the annotations name", "{tool} image check-base ghcr.io/example/app:v1"],
    ["check against a base of your choice", "{tool} image check-base ghcr.io/example/app:v1 --base alpine:3"],
    [
      "rebuild when needed",
      "{tool} image check-base --quiet ghcr.io/example/app:v1 || docker build -t ghcr.io/example/app:v1 ."
    ]
  ],
  options: {
    base: text("base", "Base image (default: the one the annotations name)"),
    digest: text("digest", "Digest that the base had when the image was built"),
    noConfig: toggle("no-config", "Compare layers alone, not the history"),
    platform: platform(),
    quiet: toggle("quiet", "Print nothing, the exit status tells")
  }
}, () => import("../image/checkBase.ts"))

export const create = command({
  name: "create",
  aliases: ["init", "new"],
  summary: "make an image without layers",
  help: "Make an image without layers, to be filled with \"image mod\" or referred to by artifacts.",
  args: "<image_ref>",
  examples: [
    ["an empty image in a directory", "{tool} image create ocidir://app:scratch"],
    [
      "an empty image for a platform, made now",
      "{tool} image create registry.example.org/app:v1 --platform linux/amd64 --created now"
    ]
  ],
  options: {
    annotation: texts("annotation", "Annotation of the manifest (key=value)"),
    byDigest: toggle("by-digest", "Push without a tag and print the digest"),
    created: text("created", `Time of creation, "now" or as RFC 3339 writes it`),
    format: format(),
    label: texts("label", "Label of the configuration (key=value)"),
    mediaType: text("media-type", "Media type of the manifest", {
      otherwise: "application/vnd.oci.image.manifest.v1+json"
    }),
    platform: text("platform", "Platform of the image, such as linux/amd64 or local")
  }
}, () => import("../image/create.ts"))
