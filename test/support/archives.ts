/** Tar archives made byte by byte, sound or not; shares no code with the product. */
import { createHash } from "node:crypto"

export interface TarPart {
  readonly name: string
  readonly content?: string | Uint8Array
  /** `0` file, `1` hard link, `2` symbolic link, `5` directory. */
  readonly type?: "0" | "1" | "2" | "5" | "S"
  readonly link?: string
  /** What the header says in place of the content's size. */
  readonly size?: number
}

const octal = (value: number, length: number): string =>
  `${value.toString(8).padStart(length - 1, "0").slice(-(length - 1))}\0`

/** One entry: header, content, padding. */
export const entry = ({ content = "", link = "", name, size, type = "0" }: TarPart): Buffer => {
  const body = Buffer.from(content)
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8), 100, "latin1")
  const declared = size ?? body.length
  if (declared < 8 ** 11) header.write(octal(declared, 12), 124, "latin1")
  else {
    header.writeBigUInt64BE(BigInt(declared), 128)
    header[124] = 0x80
  }
  header.write(octal(0, 12), 136, "latin1")
  header.fill(0x20, 148, 156)
  header.write(type, 156, "latin1")
  header.write(link, 157, 100)
  header.write("ustar\u{0}00", 257, "latin1")
  header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return Buffer.concat([header, body, Buffer.alloc((512 - body.length % 512) % 512)])
}

export const tarOf = (parts: ReadonlyArray<TarPart>): Buffer => Buffer.concat([...parts.map(entry), Buffer.alloc(1024)])

export const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

export const blobName = (digest: string): string => `blobs/${digest.replace(":", "/")}`

const manifestType = "application/vnd.oci.image.manifest.v1+json"

export interface SmallImage {
  readonly digest: string
  readonly manifest: string
  readonly config: string
  readonly layer: string
  /** What a layout holds, in order: version, index, manifest, config, layer. */
  readonly parts: ReadonlyArray<TarPart>
}

/** A layout of one image with one layer of that text. */
export const smallImage = (layer = "a layer", tag = "v1", more: object = {}): SmallImage => {
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] }
  })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: Buffer.byteLength(config)
    },
    layers: [{
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: digestOf(layer),
      size: Buffer.byteLength(layer)
    }],
    ...more
  })
  const digest = digestOf(manifest)
  return { digest, manifest, config, layer, parts: layoutParts([{ digest, manifest, tag }], [manifest, config, layer]) }
}

export interface Listed {
  readonly digest: string
  readonly manifest: string
  readonly tag?: string
}

/** A layout of these entries and blobs. */
export const layoutParts = (
  listed: ReadonlyArray<Listed>,
  blobs: ReadonlyArray<string>
): ReadonlyArray<TarPart> => {
  const manifests = listed.map(({ digest, manifest, tag }) => ({
    mediaType: JSON.parse(manifest).mediaType,
    digest,
    size: Buffer.byteLength(manifest),
    ...(tag === undefined ? {} : { annotations: { "org.opencontainers.image.ref.name": tag } })
  }))
  return [
    { name: "oci-layout", content: `{"imageLayoutVersion":"1.0.0"}` },
    { name: "index.json", content: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...blobs.map((content) => ({ name: blobName(digestOf(content)), content }))
  ]
}

/** What `docker save` wrote before it knew layouts: a directory for the layer, and `manifest.json`. */
export const savedParts = (
  { config, layer }: Pick<SmallImage, "config" | "layer">,
  tags: ReadonlyArray<string> = ["example.org/app:v1"]
): ReadonlyArray<TarPart> => [
  { name: "abc/", type: "5" },
  { name: "abc/VERSION", content: "1.0" },
  { name: "abc/json", content: "{}" },
  { name: "abc/layer.tar", content: layer },
  { name: "config.json", content: config },
  {
    name: "manifest.json",
    content: JSON.stringify([{ Config: "config.json", RepoTags: tags, Layers: ["abc/layer.tar"] }])
  },
  { name: "repositories", content: "{}" }
]
