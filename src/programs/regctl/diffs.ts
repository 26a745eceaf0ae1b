/** The commands that compare: flags and help. */
import { command } from "../cli/command.ts"
import { integer, toggle } from "../cli/flags.ts"

const options = {
  context: integer("context", "Lines of context", { otherwise: 3 }),
  contextFull: toggle("context-full", "Show all lines of context")
}

export const manifestDiff = command({
  name: "diff",
  summary: "compare two manifests",
  help: `Compare two manifests or indexes line by line.
An index is compared as it is: no platform is chosen.`,
  args: "<image_ref> <image_ref>",
  examples: [
    ["compare two tags", "{tool} manifest diff alpine:3.21 alpine:3.22"],
    [
      "compare two digests, every line shown",
      "{tool} manifest diff --context-full registry.example.org/app@sha256:<digest> registry.example.org/app@sha256:<digest>"
    ]
  ],
  options
}, () => import("../manifest/diff.ts"))

export const blobDiffConfig = command({
  name: "diff-config",
  summary: "compare two image configurations",
  help: "Compare the configurations of two images line by line.",
  args: "<repository> <digest> <repository> <digest>",
  examples: [["compare two configurations", "{tool} blob diff-config busybox sha256:<digest> busybox sha256:<digest>"]],
  options
}, () => import("../blob/diffConfig.ts"))

export const blobDiffLayer = command({
  name: "diff-layer",
  summary: "compare two layers",
  help: `Compare the files of two layers: mode, owner, size, time, name and digest of
the content, one line for each entry, in the order they are stored in.`,
  args: "<repository> <digest> <repository> <digest>",
  examples: [
    [
      "compare two layers, but not the times of their files",
      "{tool} blob diff-layer busybox sha256:<digest> busybox sha256:<digest> --ignore-timestamp"
    ]
  ],
  options: { ...options, ignoreTimestamp: toggle("ignore-timestamp", "Leave out when files were changed") }
}, () => import("../blob/diffLayer.ts"))
