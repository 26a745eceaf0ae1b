/** A tree of manifests as templates see it (regctl description, 6.8 and 7.5). */
import { Nil, Struct } from "../../lib/gotemplate/value.ts"
import { jsonObject, jsonString, marshal } from "../../lib/json.ts"
import { platformText } from "../../schemas/Platform.ts"
import { commonName } from "../../schemas/Ref.ts"
import type { TreeNode } from "../graph/tree.ts"
import { platformView } from "./descriptor.ts"
import { manifestView } from "./manifest.ts"
import { shownText } from "./pretty.ts"
import { noReference, referenceView } from "./reference.ts"

export const treeView = (node: TreeNode): Struct => {
  const { artifactType = "", manifest, platform, ref } = node
  const children = node.children.map(treeView)
  const referrers = node.referrers.map(treeView)
  const document = manifest === undefined ? undefined : manifestView({ ...manifest, ref, manifest })
  const shownPlatform = platform === undefined ? undefined : platformView(platform)
  const list = (nodes: ReadonlyArray<Struct>) => nodes.length === 0 ? new Nil("slice", "[]*main.treeResult") : nodes
  return new Struct("main.treeResult", {
    Ref: referenceView(ref),
    Manifest: document ?? new Nil("pointer", "*manifest.Manifest"),
    Platform: shownPlatform ?? new Nil("pointer", "*platform.Platform"),
    ArtifactType: artifactType,
    Child: list(children),
    Referrer: list(referrers),
    ReferrerSrc: referenceView(noReference)
  }, {
    isPointer: true,
    json: () =>
      jsonObject([
        ["reference", marshal(referenceView(ref))],
        ["manifest", document === undefined ? undefined : marshal(document)],
        ["platform", shownPlatform === undefined ? undefined : marshal(shownPlatform)],
        ["artifactType", artifactType === "" ? undefined : jsonString(artifactType)],
        ["child", children.length === 0 ? undefined : marshal(children)],
        ["referrer", referrers.length === 0 ? undefined : marshal(referrers)],
        ["referrerSource", marshal(referenceView(noReference))]
      ]),
    pretty: () => [`Ref: ${commonName(ref)}`, `Digest: ${node.digest}`, ...below(node, ""), ""].join("\n")
  })
}

const below = ({ children, referrers }: TreeNode, indent: string): ReadonlyArray<string> => [
  ...branch("Children:", children, indent),
  ...branch("Referrers:", referrers, indent)
]

const branch = (title: string, nodes: ReadonlyArray<TreeNode>, indent: string): ReadonlyArray<string> =>
  nodes.length === 0
    ? []
    : [`${indent}${title}`, ...nodes.flatMap((it) => [`${indent}  - ${lineOf(it)}`, ...below(it, `${indent}    `)])]

/** Referrers are reached by digest, so that a tag is one named after a digest. */
const lineOf = ({ artifactType = "", digest, platform, ref }: TreeNode): string => {
  const what = artifactType === "" ? ref.tag ?? "" : artifactType
  return `${digest}${platform === undefined ? "" : ` [${shownText(platformText(platform))}]`}${
    what === "" ? "" : `: ${shownText(what)}`
  }`
}
