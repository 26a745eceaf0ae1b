/** OCI layouts made by hand, and a judge of layouts that shares no code with the product. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export const ociManifest = "application/vnd.oci.image.manifest.v1+json"
export const ociIndex = "application/vnd.oci.image.index.v1+json"
const ociConfig = "application/vnd.oci.image.config.v1+json"
const ociLayer = "application/vnd.oci.image.layer.v1.tar"

export interface Named {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly [key: string]: unknown
}

export const digestOf = (bytes: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`

export const blobPath = (dir: string, digest: string): string => join(dir, "blobs", ...digest.split(":"))

/** An empty layout. */
export const makeLayout = (dir: string): string => {
  mkdirSync(join(dir, "blobs/sha256"), { recursive: true })
  writeFileSync(join(dir, "oci-layout"), `{"imageLayoutVersion":"1.0.0"}`)
  writeFileSync(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] }))
  return dir
}

export const addBlob = (dir: string, content: Uint8Array | string, mediaType = ociLayer): Named => {
  const bytes = Buffer.from(content)
  const digest = digestOf(bytes)
  writeFileSync(blobPath(dir, digest), bytes)
  return { mediaType, digest, size: bytes.length }
}

/** An image of these layers; descriptors are taken as they are. `more` is added to the manifest. */
export const addImage = (
  dir: string,
  layers: ReadonlyArray<Named | Uint8Array | string>,
  more: Readonly<Record<string, unknown>> = {}
): Named => {
  const listed = layers.map((it) => typeof it === "string" || it instanceof Uint8Array ? addBlob(dir, it) : it)
  const config = addBlob(
    dir,
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: listed.map((it) => it.digest) }
    }),
    ociConfig
  )
  const document = { schemaVersion: 2, mediaType: ociManifest, config, layers: listed, ...more }
  return addBlob(dir, JSON.stringify(document), ociManifest)
}

/** Names manifests in `index.json`, all in one write. */
export const tagAll = (dir: string, tags: Readonly<Record<string, Named>>): void => {
  const path = join(dir, "index.json")
  const index = JSON.parse(readFileSync(path, "utf8"))
  for (const [tag, it] of Object.entries(tags)) {
    index.manifests.push({ ...it, annotations: { "org.opencontainers.image.ref.name": tag } })
  }
  writeFileSync(path, JSON.stringify(index))
}

export interface Judged {
  /** Tag to digest. */
  readonly tags: Readonly<Record<string, string>>
  /** What is wrong: absent, cut or changed content of something that has a name. */
  readonly problems: ReadonlyArray<string>
  /** Files that are neither layout files nor named by a digest that something reaches. */
  readonly extra: ReadonlyArray<string>
}

/** Reads a whole layout as a stranger would. */
export const judge = (dir: string): Judged => {
  const problems: Array<string> = []
  const tags: Record<string, string> = {}
  const reached = new Set<string>()
  const visit = ({ digest, mediaType, size }: Named, by: string) => {
    const path = blobPath(dir, digest)
    if (reached.has(digest)) return
    reached.add(digest)
    if (!existsSync(path)) return void problems.push(`${by} lacks ${digest}`)
    const bytes = readFileSync(path)
    if (bytes.length !== size || digestOf(bytes) !== digest) return void problems.push(`${by} has a damaged ${digest}`)
    if (mediaType !== ociManifest && mediaType !== ociIndex) return
    const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString())
    for (const part of [...(config === undefined ? [] : [config]), ...layers, ...manifests]) visit(part, by)
  }
  if (existsSync(join(dir, "index.json"))) {
    if (JSON.parse(readFileSync(join(dir, "oci-layout"), "utf8")).imageLayoutVersion !== "1.0.0")
      problems.push("oci-layout is broken")
    for (const entry of JSON.parse(readFileSync(join(dir, "index.json"), "utf8")).manifests) {
      const tag = entry.annotations?.["org.opencontainers.image.ref.name"] ?? entry.digest
      if (tag in tags) problems.push(`${tag} stands twice`)
      tags[tag] = entry.digest
      visit(entry, tag)
    }
  }
  const files = existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: "utf8" }) : []
  const extra = files.filter((it) => {
    const blob = /^blobs\/(sha256)\/([0-9a-f]{64})$/.exec(it)
    if (blob !== null && !reached.has(`sha256:${blob[2]}`)) {
      const bytes = readFileSync(join(dir, it))
      if (digestOf(bytes) !== `sha256:${blob[2]}`) problems.push(`${it} has other content`)
    }
    if (blob !== null) return !reached.has(`sha256:${blob[2]}`)
    return !["oci-layout", "index.json", "blobs"].includes(it) && !statSync(join(dir, it)).isDirectory()
  })
  return { tags, problems, extra }
}
