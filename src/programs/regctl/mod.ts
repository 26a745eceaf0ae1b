/** The command `regctl image mod`: its many flags, whose order on the command line is the order in which they act. */
import { command } from "../cli/command.ts"
import { raw, text, toggle } from "../cli/flags.ts"

const help = `Change an image and push the result: its annotations, its configuration, its layers.
An image for several platforms is changed on all of them. Options act in the order
they are given in; manifests are changed before configurations, and those before layers.
The same image and options give the same digest.

--layer-squash makes one layer of all once those that other options add are there, and
those that they delete are gone; options on files and on compression then change that
one. Times of its files change with "base-ref" and "base-layers", too: it is no base.

The result goes where --create says, over the image with --replace, else it is
pushed without a tag. The name of what was pushed is printed.

Options for times take a list such as "set=2021-02-03T04:05:06Z,base-ref=alpine:3":
  set=<time>            the time to set, in RFC 3339
  from-label=<label>    take the time to set from a label of the image
  after=<time>          change only times later than this one
  base-ref=<image>      leave the layers and the history of this image alone
  base-layers=<count>   leave so many leading layers alone
One of "set" and "from-label" is needed.

Names and values may begin with a list of platforms, such as "[linux/amd64,linux/arm64]",
or with "[*]" for all.`

const max = (name: string, what: string) =>
  raw(name, "string", `Set times later than this one to it: ${what}`, { isHidden: true })

/** Of manifests. */
const manifestOptions = {
  annotation: raw(
    "annotation",
    "stringArray",
    "Set an annotation ([platforms]name=value, no value deletes, [*] for every manifest)"
  ),
  annotationBase: raw("annotation-base", "stringArray", "Set the annotations for the base image (image:tag,digest)"),
  annotationPromote: raw(
    "annotation-promote",
    "bool",
    "Set annotations that all images of an index share on the index"
  ),
  dataMax: raw("data-max", "stringArray", "Carry content of up to so many bytes in descriptors, no larger one"),
  digestAlgo: raw("digest-algo", "stringArray", "Name content by another digest (sha256, sha512)"),
  externalUrlsRm: raw(
    "external-urls-rm",
    "bool",
    `Make layers kept elsewhere by URL ordinary ones (copy the image with "--include-external" first)`
  ),
  labelToAnnotation: raw("label-to-annotation", "bool", "Set the labels as annotations"),
  rebase: raw("rebase", "bool", "Exchange the base image named by the annotations for its newer self"),
  rebaseRef: raw("rebase-ref", "string", "Exchange a base image (old:tag,new:tag)"),
  toDocker: raw("to-docker", "bool", "Convert to Docker's media types"),
  toOci: raw("to-oci", "bool", "Convert to OCI media types"),
  toOciReferrers: raw("to-oci-referrers", "bool", "Make Docker's attestations in an index OCI referrers")
}

/** Of configurations. */
const configOptions = {
  author: raw("author", "string", "Set the author"),
  buildargRm: raw("buildarg-rm", "string", "Delete a build argument from the history (name=value)"),
  buildargRmRegex: raw("buildarg-rm-regex", "string", "The same with a regular expression for the value (name=regex)"),
  configCmd: raw("config-cmd", "string", "Set the command (JSON array, or a line for the shell; empty deletes)"),
  configEntrypoint: raw("config-entrypoint", "string", "Set the entrypoint (as --config-cmd)"),
  configPlatform: raw("config-platform", "string", "Set the platform (of every image, if there are several)"),
  configTime: raw("config-time", "string", "Set the times of the configuration and its history (time options)"),
  configTimeMax: max("config-time-max", "the configuration and its history"),
  env: raw("env", "stringArray", "Set an environment variable ([platforms]name=value, no value deletes)"),
  exposeAdd: raw("expose-add", "stringArray", "Add an exposed port, such as 8080/tcp"),
  exposeRm: raw("expose-rm", "stringArray", "Delete an exposed port"),
  label: raw("label", "stringArray", "Set a label ([platforms]name=value, no value deletes)"),
  user: raw("user", "string", "Set the user ([platforms]user[:group])"),
  volumeAdd: raw("volume-add", "stringArray", "Add a volume"),
  volumeRm: raw("volume-rm", "stringArray", "Delete a volume"),
  workdir: raw("workdir", "string", "Set the working directory ([platforms]path)")
}

/** Of layers, and of times everywhere. */
const layerOptions = {
  fileTarTime: raw("file-tar-time", "stringArray", "Set times in a tar within a layer (filename=name, time options)"),
  fileTarTimeMax: raw(
    "file-tar-time-max",
    "stringArray",
    "Set times in a tar within a layer later than this one to it",
    {
      isHidden: true
    }
  ),
  layerAdd: raw("layer-add", "string", "Add a layer (tar=file or dir=directory, mediaType=type, platform=platform)"),
  layerCompress: raw("layer-compress", "string", "Compress layers otherwise (gzip, zstd, none)"),
  layerRmCreatedBy: raw("layer-rm-created-by", "string", "Delete layers whose step in the history matches (regex)"),
  layerRmIndex: raw("layer-rm-index", "uint", "Delete a layer of an image by its position, from 0"),
  layerSquash: raw("layer-squash", "bool", "Make one layer of all layers of an image"),
  layerStripFile: raw("layer-strip-file", "string", "Delete a file, or a directory with its content, from all layers"),
  layerTime: raw("layer-time", "string", "Set the times of the files in layers (time options)"),
  layerTimeMax: max("layer-time-max", "the files in layers"),
  reproducible: raw("reproducible", "bool", "Clear names of users and groups in layers"),
  time: raw("time", "string", "Set the times of the configuration and of the files in layers (time options)"),
  timeMax: max("time-max", "the configuration and the files in layers")
}

export const mod = command({
  name: "mod",
  summary: "change an image",
  help,
  args: "<image_ref>",
  examples: [
    [
      "an annotation on every manifest, under the same tag",
      `{tool} image mod registry.example.org/app:v1 --replace --annotation "[*]org.opencontainers.image.vendor=example"`
    ],
    [
      "convert to OCI media types, into another registry",
      "{tool} image mod alpine:3.5 --to-oci --create registry.example.org/alpine:3.5"
    ],
    [
      "add a layer to the image for one platform",
      `{tool} image mod registry.example.org/app:v1 --create v1-more --layer-add "tar=more.tar,platform=linux/amd64"`
    ],
    [
      "set all times, but for those of the base image",
      `{tool} image mod registry.example.org/app:v1 --create v1-time --time "set=2021-02-03T04:05:06Z,base-ref=alpine:3"`
    ],
    [
      "another entrypoint, and no command",
      `{tool} image mod registry.example.org/app:v1 --create v1-sh --config-entrypoint '["sh"]' --config-cmd ""`
    ],
    [
      "delete a variable for one platform",
      `{tool} image mod registry.example.org/app:v1 --create v1-env --env "[linux/arm64]LD_PRELOAD="`
    ],
    [
      "one layer in place of all, without the files that a later layer deletes",
      "{tool} image mod registry.example.org/app:v1 --create v1-flat --layer-squash"
    ],
    [
      "put the image on the newest version of its base",
      "{tool} image mod registry.example.org/app:v1 --replace --rebase"
    ]
  ],
  options: {
    create: text("create", "New image, or a new tag in the same repository"),
    replace: toggle("replace", `Replace the image (ignored with "--create")`),
    ...manifestOptions,
    ...configOptions,
    ...layerOptions
  }
}, () => import("../image/mod.ts"))
