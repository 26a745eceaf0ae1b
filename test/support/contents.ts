/** The kinds of content a registry has to carry (image-spec 1.1), as bytes with what a registry must say of them. */
import { createHash } from "node:crypto"

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly [more: string]: unknown
}

export interface Content {
  readonly bytes: Buffer<ArrayBuffer>
  readonly descriptor: Descriptor
}

export interface PushedManifest extends Content {
  /** Pushed by this tag; by digest without. */
  readonly tag?: string
  /** Tags named as parameters of a push by digest. */
  readonly parameters?: ReadonlyArray<string>
  /** What the answer to its push has to name as `OCI-Subject`. */
  readonly subject?: string
}

export interface ContentSet {
  readonly name: string
  readonly blobs: ReadonlyArray<Content>
  /** In the order of their push. */
  readonly manifests: ReadonlyArray<PushedManifest>
  /** What is listed for a subject. */
  readonly referrers?: { readonly subject: string; readonly entries: ReadonlyArray<Descriptor> }
}

const prefix = "application/vnd.oci"
export const types = {
  manifest: `${prefix}.image.manifest.v1+json`,
  index: `${prefix}.image.index.v1+json`,
  config: `${prefix}.image.config.v1+json`,
  layer: `${prefix}.image.layer.v1.tar`,
  gzip: `${prefix}.image.layer.v1.tar+gzip`,
  nondistributable: `${prefix}.image.layer.nondistributable.v1.tar+gzip`,
  empty: `${prefix}.empty.v1+json`
} as const

export const digestOf = (bytes: Uint8Array, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`

export const contentOf = (content: string | Uint8Array, mediaType: string, algorithm = "sha256"): Content => {
  const bytes = Buffer.from(content)
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length } }
}

const document = (mediaType: string, fields: Record<string, unknown>, algorithm?: string): Content =>
  contentOf(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }), mediaType, algorithm)

const config = (about: string, algorithm?: string): Content =>
  contentOf(
    JSON.stringify({ architecture: "amd64", os: "linux", author: about, rootfs: { type: "layers", diff_ids: [] } }),
    types.config,
    algorithm
  )

const described = (contents: ReadonlyArray<Content>) => contents.map(({ descriptor }) => descriptor)

const manifest = (
  [first, ...layers]: readonly [Content, ...ReadonlyArray<Content>],
  more: Record<string, unknown> = {},
  algorithm?: string
): Content => document(types.manifest, { config: first.descriptor, layers: described(layers), ...more }, algorithm)

const index = (children: ReadonlyArray<Content>, more: Record<string, unknown> = {}): Content =>
  document(types.index, { manifests: described(children), ...more })

/** The empty descriptor of image-spec 1.1, its digest and its content written out. */
export const empty: Content = {
  bytes: Buffer.from("{}"),
  descriptor: {
    mediaType: types.empty,
    digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    size: 2
  }
}

const layers = (about: string, type: string = types.gzip, algorithm?: string) =>
  [1, 2].map((it) => contentOf(`${about}, layer ${it}`, type, algorithm))

/** An image with blobs of its own. */
const image = (about: string, type: string = types.gzip, algorithm?: string, more: Record<string, unknown> = {}) => {
  const blobs = [config(about, algorithm), ...layers(about, type, algorithm)] as const
  return { blobs, manifest: manifest(blobs, more, algorithm) }
}

const artifactType = "application/vnd.example.test.signature"
const otherType = "application/vnd.example.test.report"

const artifact = (about: string, more: Record<string, unknown> = {}, type = artifactType): Content =>
  manifest([empty, contentOf(about, "text/plain")], { artifactType: type, ...more })

const single = (name: string, made: { readonly blobs: ReadonlyArray<Content>; readonly manifest: Content }) => ({
  name,
  blobs: made.blobs,
  manifests: [{ ...made.manifest, tag: "v1" }]
})

const large = image("large", types.gzip, "sha256", {
  annotations: Object.fromEntries(Array.from({ length: 390 }, (_, it) => [`org.example.${it}`, "x".repeat(10_000)]))
})

const [one, two] = [image("one"), image("two", types.layer)]
const platforms = [
  { ...one.manifest, descriptor: { ...one.manifest.descriptor, platform: { os: "linux", architecture: "amd64" } } },
  { ...two.manifest, descriptor: { ...two.manifest.descriptor, platform: { os: "linux", architecture: "arm64" } } }
]
const pair = index(platforms)
const nested = index([pair, one.manifest])

const text = contentOf("an artifact", "text/plain")
const [artifactOne, artifactTwo] = [artifact("an artifact"), artifact("an artifact", {}, otherType)]

const subject = image("subject")
const annotations = { "org.example.signed": "yes", "org.opencontainers.image.created": "2024-01-02T03:04:05Z" }
const toSubject = { subject: subject.manifest.descriptor, annotations }
const [signature, report] = [artifact("an artifact", toSubject), artifact("an artifact", toSubject, otherType)]
const plain = manifest([subject.blobs[0]], { subject: subject.manifest.descriptor })
const referring = subject.manifest.descriptor.digest

const absent = contentOf("never pushed", types.manifest).descriptor
const early = artifact("an artifact", { subject: absent })
const indexOfSubject = index([one.manifest], { artifactType, subject: subject.manifest.descriptor, annotations })

const withData = (content: Content): Content => ({
  ...content,
  descriptor: { ...content.descriptor, data: content.bytes.toString("base64") }
})
const data = [withData(empty), withData(contentOf("inline", "text/plain"))] as const

const elsewhere = contentOf("restricted", types.nondistributable)
const foreign = { ...elsewhere, descriptor: { ...elsewhere.descriptor, urls: ["https://example.org/layer"] } }
const ownConfig = config("nondistributable")

const unknownFields = { "org.example.unknown": { deep: [1, null, "ü"] }, annotations: {} }
const custom = image("custom", types.gzip, "sha256", unknownFields)

const [long, tagged, longTagged] = [
  image("sha512", types.gzip, "sha512"),
  image("tagged"),
  image("tagged sha512", types.gzip, "sha512")
]
const tenTags = Array.from({ length: 10 }, (_, it) => `tag-${it}`)

export const contentSets: ReadonlyArray<ContentSet> = [
  single("an image", image("image")),
  single("an image of uncompressed layers", image("plain", types.layer)),
  single("an image with a manifest of 3.9 MB", large),
  {
    name: "an index",
    blobs: [...one.blobs, ...two.blobs],
    manifests: [one.manifest, two.manifest, { ...pair, tag: "v1" }]
  },
  {
    name: "an index in an index",
    blobs: [...one.blobs, ...two.blobs],
    manifests: [one.manifest, two.manifest, pair, { ...nested, tag: "v1" }]
  },
  { name: "an empty index", blobs: [], manifests: [{ ...index([]), tag: "v1" }] },
  { name: "an index of manifests that are not there", blobs: [], manifests: [{ ...pair, tag: "v1" }] },
  { name: "an artifact", blobs: [empty, text], manifests: [{ ...artifactOne, tag: "v1" }] },
  {
    name: "an index of artifacts",
    blobs: [empty, text],
    manifests: [artifactOne, artifactTwo, { ...index([artifactOne, artifactTwo], { artifactType }), tag: "v1" }]
  },
  {
    name: "an artifact without layers",
    blobs: [empty],
    manifests: [{ ...manifest([empty, empty], { artifactType, annotations }), tag: "v1" }]
  },
  {
    name: "artifacts with a subject",
    blobs: [...subject.blobs, empty, text],
    manifests: [
      { ...subject.manifest, tag: "v1" },
      { ...signature, subject: referring },
      { ...report, subject: referring },
      { ...plain, subject: referring }
    ],
    referrers: {
      subject: referring,
      entries: [
        { ...signature.descriptor, artifactType, annotations },
        { ...report.descriptor, artifactType: otherType, annotations },
        { ...plain.descriptor, artifactType: types.config }
      ]
    }
  },
  {
    name: "an artifact whose subject is not there",
    blobs: [empty, text],
    manifests: [{ ...early, tag: "v1", subject: absent.digest }],
    referrers: { subject: absent.digest, entries: [{ ...early.descriptor, artifactType }] }
  },
  {
    name: "an index with a subject",
    blobs: [...subject.blobs, ...one.blobs],
    manifests: [
      { ...subject.manifest, tag: "v1" },
      one.manifest,
      { ...indexOfSubject, tag: "v2", subject: referring }
    ],
    referrers: { subject: referring, entries: [{ ...indexOfSubject.descriptor, artifactType, annotations }] }
  },
  { name: "an artifact with its data", blobs: data, manifests: [{ ...manifest(data, { artifactType }), tag: "v1" }] },
  {
    name: "an image with a layer that may not be distributed",
    blobs: [ownConfig],
    manifests: [{ ...manifest([ownConfig, foreign]), tag: "v1" }]
  },
  single("an image with unknown fields", custom),
  {
    name: "an index with unknown fields",
    blobs: custom.blobs,
    manifests: [custom.manifest, { ...index([custom.manifest], unknownFields), tag: "v1" }]
  },
  { name: "an image without layers", blobs: [ownConfig], manifests: [{ ...manifest([ownConfig]), tag: "v1" }] },
  { name: "an image by sha512", blobs: long.blobs, manifests: [long.manifest] },
  {
    name: "an image pushed with ten tags",
    blobs: tagged.blobs,
    manifests: [{ ...tagged.manifest, parameters: tenTags }]
  },
  {
    name: "an image by sha512 pushed with ten tags",
    blobs: longTagged.blobs,
    manifests: [{ ...longTagged.manifest, parameters: tenTags }]
  }
]
