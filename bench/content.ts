/** Content to measure with: OCI layouts of random, gzip-framed layers, which no tool can compress further. */
import { createHash, randomFillSync } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

const mediaType = "application/vnd.oci.image.manifest.v1+json"

const configType = "application/vnd.oci.image.config.v1+json"
const layerType = "application/vnd.oci.image.layer.v1.tar+gzip"

export interface Layer {
  readonly bytes: Buffer<ArrayBuffer>
  readonly digest: string
  /** The digest of what is compressed. */
  readonly diffId: string
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** About `size` random bytes, stored, not compressed, in gzip members of 16 MiB: a real gzip file, made fast. */
export const randomLayer = (size: number): Layer => {
  const member = 16 * 1024 * 1024
  const plain = createHash("sha256")
  const parts: Array<Buffer> = []
  for (let left = size; left > 0; left -= member) {
    const part = randomFillSync(Buffer.alloc(Math.min(member, left)))
    plain.update(part)
    parts.push(gzipSync(part, { level: 0 }))
  }
  const bytes = Buffer.concat(parts)
  return { bytes, digest: digestOf(bytes), diffId: `sha256:${plain.digest("hex")}` }
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value))

/** The config and the manifest of an image of these layers; `label` makes it unlike others of the same layers. */
const imageOf = (
  layers: ReadonlyArray<Pick<Layer, "digest" | "diffId"> & { readonly size: number }>,
  label?: string
) => {
  const config = json({
    architecture: "amd64",
    os: "linux",
    config: label === undefined ? {} : { Labels: { label } },
    rootfs: { type: "layers", diff_ids: layers.map((it) => it.diffId) }
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: layerType, digest, size }))
  })
  return { config, manifest }
}

/** A layout with `tag`, whose image has `count` layers of about `size` bytes each. */
export const layoutOf = (path: string, tag: string, count: number, size: number): void => {
  const blobs = join(path, "blobs/sha256")
  mkdirSync(blobs, { recursive: true })
  const write = (bytes: Buffer) => writeFileSync(join(blobs, digestOf(bytes).slice("sha256:".length)), bytes)
  const layers = Array.from({ length: count }, () => {
    const { bytes, diffId, digest } = randomLayer(size)
    write(bytes)
    return { diffId, digest, size: bytes.length }
  })
  const { config, manifest } = imageOf(layers)
  write(config)
  write(manifest)
  const entry = {
    mediaType,
    digest: digestOf(manifest),
    size: manifest.length,
    annotations: { "org.opencontainers.image.ref.name": tag }
  }
  writeFileSync(join(path, "index.json"), json({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(path, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }))
}

const sent = async (url: string, init: RequestInit): Promise<Response> => {
  const answer = await fetch(url, init)
  if (!answer.ok) throw new Error(`${init.method} ${url}: ${answer.status} ${await answer.text()}`)
  return answer
}

const putBlob = async (repository: string, bytes: Buffer<ArrayBuffer>): Promise<void> => {
  const opened = await sent(`${repository}/blobs/uploads/`, { method: "POST" })
  const url = new URL(opened.headers.get("location") ?? "")
  url.searchParams.set("digest", digestOf(bytes))
  await sent(url.href, { method: "PUT", body: bytes, headers: { "content-type": "application/octet-stream" } })
}

/** Runs at most eight at a time. */
const eightAtATime = async <A>(all: Iterable<A>, each: (it: A) => Promise<void>): Promise<void> => {
  const left = [...all].values()
  const worker = async () => {
    for (const it of left) await each(it)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

/** Puts an image of these layers into `repository` (host and name) under each of the tags. Its layers are made one by one. */
export const putImage = async (
  repository: string,
  tags: ReadonlyArray<string>,
  layers: Iterable<Layer>,
  label?: string
): Promise<void> => {
  const [host = "", ...name] = repository.split("/")
  const url = `http://${host}/v2/${name.join("/")}`
  const known: Array<Parameters<typeof imageOf>[0][number]> = []
  for (const { bytes, diffId, digest } of layers) {
    await putBlob(url, bytes)
    known.push({ diffId, digest, size: bytes.length })
  }
  const { config, manifest } = imageOf(known, label)
  await putBlob(url, config)
  await eightAtATime(tags, async (tag) => {
    await sent(`${url}/manifests/${tag}`, { method: "PUT", headers: { "content-type": mediaType }, body: manifest })
  })
}

/** Layers of these sizes, each made when it is asked for. */
export function* randomLayers(sizes: Iterable<number>): Generator<Layer> {
  for (const size of sizes) yield randomLayer(size)
}
