/** The commands `regctl manifest …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { text, toggle } from "../cli/flags.ts"
import { manifestDiff } from "./diffs.ts"
import { format, ignoreMissing, platform, pretty, rawFormat } from "./shared.ts"

const list = toggle("list", "Show an index as it is", { otherwise: true, isHidden: true })

export const getOptions = {
  format: rawFormat(pretty),
  list,
  platform: platform(),
  requireList: toggle("require-list", "Deprecated: refuse a platform beside it")
}

export const headOptions = {
  format: text("format", `Go template for the output, "digest" or "raw-headers" (default: the digest)`),
  list,
  platform: platform("Platform to choose, such as linux/amd64 or local (fetches the index)"),
  requireDigest: toggle("require-digest", "Fetch the manifest when the registry names no digest"),
  requireList: toggle("require-list", "Refuse a platform beside it")
}

export const deleteOptions = {
  forceTagDereference: toggle("force-tag-dereference", "Delete what the tag points to; other tags on it vanish too"),
  ignoreMissing: ignoreMissing("manifest"),
  referrers: toggle("referrers", "Take the manifest off the list of referrers of its subject")
}

export const deleteHelp = `Delete a manifest and every tag that points to it.
The reference needs a digest. Whether deleting is allowed, and when the blobs
go, is up to the registry. To remove a single tag use "tag delete".`

export const manifest = group({
  name: "manifest",
  summary: "work with manifests",
  children: [
    command({
      name: "delete",
      aliases: ["del", "rm", "remove"],
      summary: "delete a manifest",
      help: deleteHelp,
      args: "<image_ref>",
      examples: [
        ["delete a manifest by its digest", "{tool} manifest delete registry.example.org/app@sha256:<digest>"],
        ["delete what a tag points to", "{tool} manifest delete --force-tag-dereference registry.example.org/app:v1"]
      ],
      options: deleteOptions
    }, () => import("../manifest/remove.ts")),
    manifestDiff,
    command({
      name: "get",
      aliases: ["pull"],
      summary: "show a manifest or an index",
      help: "Show the manifest or index of an image, or the manifest of one platform of it.",
      args: "<image_ref>",
      examples: [
        ["show a manifest", "{tool} manifest get alpine"],
        ["the bytes of the manifest for this machine", "{tool} manifest get alpine --platform local --format raw-body"],
        ["one of several Windows versions", "{tool} manifest get golang -p windows/amd64,osver=10.0.17763.4974"]
      ],
      options: getOptions
    }, () => import("../manifest/get.ts")),
    command({
      name: "head",
      aliases: ["digest"],
      summary: "show the digest of a manifest",
      help: "Ask for the digest or the headers of a manifest without fetching it.",
      args: "<image_ref>",
      examples: [
        ["the digest of a tag", "{tool} manifest head alpine"],
        ["the digest for one platform", "{tool} manifest head alpine --platform linux/arm64"],
        ["every header of the answer", "{tool} manifest head alpine --format raw-headers"]
      ],
      options: headOptions
    }, () => import("../manifest/head.ts")),
    command({
      name: "put",
      aliases: ["push"],
      summary: "push a manifest or an index",
      help: "Push standard input as a manifest, byte for byte.",
      args: "<image_ref>",
      examples: [["push a manifest", "{tool} manifest put registry.example.org/app:v1 <manifest.json"]],
      options: {
        byDigest: toggle("by-digest", "Push without a tag and print the digest"),
        contentType: text("content-type", "Media type (default: what the content says)", { short: "t" }),
        format: format()
      }
    }, () => import("../manifest/put.ts"))
  ]
})
