/** An image as the entries of a tar: an OCI layout that `docker load` understands (library description, 16.1). */
import { jsonMap, jsonString } from "../../lib/json.ts"
import { descriptorText } from "../../schemas/compose.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf, type Digest, encodedOf } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { commonName, locationName, type Ref } from "../../schemas/Ref.ts"
import { repositoryOf } from "../views/reference.ts"
import type { Collected, Tree } from "./collect.ts"

/** An entry; a directory's name ends with a slash. */
export interface Entry {
  readonly name: string
  readonly size: number
  readonly content:
    | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
    | { readonly _tag: "Manifest"; readonly manifest: Manifest }
    | { readonly _tag: "Blob"; readonly descriptor: Descriptor }
}

const refName = "org.opencontainers.image.ref.name"
const fullName = "io.containerd.image.name"

const text = (name: string, content: string): Entry => {
  const bytes = new TextEncoder().encode(content)
  return { name, size: bytes.length, content: { _tag: "Bytes", bytes } }
}

const pathOf = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`

/** Directories before what they hold, manifests before what they name, each once. Equal images give equal entries. */
export const entriesOf = (image: Collected, name: Ref): ReadonlyArray<Entry> => {
  const { attached, referrers, root } = image
  const main: Descriptor = {
    ...root.manifest.descriptor,
    annotations: { [fullName]: commonName(name), [refName]: name.tag ?? "" }
  }
  const others = attached.map(({ tag, tree }): Descriptor => ({
    ...tree.manifest.descriptor,
    annotations: { [refName]: tag }
  }))
  const docker = savedList(root.manifest, name)
  const entries: Array<Entry> = [
    text("oci-layout", `{"imageLayoutVersion":"1.0.0"}`),
    text("index.json", `{"schemaVersion":2,"manifests":[${[main, ...others].map(descriptorText).join(",")}]}`),
    ...(docker === undefined ? [] : [text("manifest.json", docker)])
  ]
  const seen = new Set<string>()
  const add = (entry: Entry): boolean => {
    if (seen.has(entry.name)) return false
    seen.add(entry.name)
    entries.push(entry)
    return true
  }
  const visit = (tree: Tree): void => {
    const { digest, size } = tree._tag === "Blob" ? tree.descriptor : tree.manifest.descriptor
    for (const folder of ["blobs/", `blobs/${algorithmOf(digest)}/`]) add(text(folder, ""))
    if (tree._tag === "Blob") return void add({ name: pathOf(digest), size, content: tree })
    // Of a signed schema 1 manifest the digest is over a part of the bytes.
    const bytes = tree.manifest.bytes.length
    if (!add({ name: pathOf(digest), size: bytes, content: { _tag: "Manifest", manifest: tree.manifest } })) return
    for (const child of tree.children) visit(child)
  }
  for (const tree of [root, ...attached.map((it) => it.tree), ...referrers]) visit(tree)
  return entries
}

/** `registry/repository:tag`, as docker names images. */
const dockerName = ({ location, tag }: Ref): string =>
  `${location._tag === "Registry" ? locationName(location) : `localhost/${repositoryOf(location.path)}`}:${
    tag ?? "latest"
  }`

/** `manifest.json`, of a single image; its digests are those of the bytes that are stored. */
const savedList = (manifest: Manifest, name: Ref): string | undefined => {
  if (manifest._tag !== "Image") return undefined
  const { config, layers } = manifest
  const paths = layers.map(({ digest }) => jsonString(pathOf(digest)))
  const sources = layers.length === 0
    ? ""
    : `,"LayerSources":${jsonMap(new Map(layers.map((it) => [it.digest, descriptorText(it)])))}`
  return `[{"Config":${jsonString(pathOf(config.digest))},"RepoTags":[${jsonString(dockerName(name))}],"Layers":[${
    paths.join(",")
  }]${sources}}]`
}
