/** Content to measure with: OCI layouts of random, gzip-framed layers, which no tool can compress further. */
import { createHash, randomFillSync } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

const mediaType = "application/vnd.oci.image.manifest.v1+json"

interface Blob {
  readonly digest: string
  readonly size: number
}

const hexOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** Stored, not compressed, in gzip members of 16 MiB: a real gzip file, made fast. */
const gzipLayer = (size: number): { readonly bytes: Buffer; readonly diffId: string } => {
  const member = 16 * 1024 * 1024
  const plain = createHash("sha256")
  const parts: Array<Buffer> = []
  for (let left = size; left > 0; left -= member) {
    const part = randomFillSync(Buffer.alloc(Math.min(member, left)))
    plain.update(part)
    parts.push(gzipSync(part, { level: 0 }))
  }
  return { bytes: Buffer.concat(parts), diffId: `sha256:${plain.digest("hex")}` }
}

/** A layout with `tag`, whose image has `count` layers of about `size` bytes each. */
export const layoutOf = (path: string, tag: string, count: number, size: number): void => {
  const blobs = join(path, "blobs/sha256")
  mkdirSync(blobs, { recursive: true })
  const write = (bytes: Buffer): Blob => {
    const hex = hexOf(bytes)
    writeFileSync(join(blobs, hex), bytes)
    return { digest: `sha256:${hex}`, size: bytes.length }
  }
  const layers = Array.from({ length: count }, () => {
    const { bytes, diffId } = gzipLayer(size)
    return { diffId, descriptor: { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...write(bytes) } }
  })
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const config = write(
    json({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: layers.map((it) => it.diffId) }
    })
  )
  const manifest = write(json({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: layers.map((it) => it.descriptor)
  }))
  const entry = { mediaType, ...manifest, annotations: { "org.opencontainers.image.ref.name": tag } }
  writeFileSync(join(path, "index.json"), json({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(path, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }))
}

/** Puts the same small image under many tags of a repository of a registry at `host`. */
export const putTags = async (host: string, repository: string, manifest: Uint8Array, count: number): Promise<void> => {
  const put = async (tag: number) => {
    const answer = await fetch(`http://${host}/v2/${repository}/manifests/v${tag}`, {
      method: "PUT",
      headers: { "content-type": mediaType },
      body: Uint8Array.from(manifest)
    })
    if (answer.status !== 201) throw new Error(`tag v${tag}: ${answer.status} ${await answer.text()}`)
  }
  const worker = async (first: number) => {
    for (let tag = first; tag < count; tag += 8) await put(tag)
  }
  await Promise.all(Array.from({ length: 8 }, (_, first) => worker(first)))
}
