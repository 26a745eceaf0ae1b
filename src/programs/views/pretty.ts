/** Manifests in two columns, as people read them. Trailing spaces are part of the layout. */
import { byteSize } from "../../lib/byteSize.ts"
import { cut, visible } from "../../lib/visibleText.ts"
import { isDigest } from "../../schemas/Digest.ts"
import { isManifestType, mediaTypes } from "../../schemas/MediaType.ts"
import { platformText } from "../../schemas/Platform.ts"
import { commonName, type Ref } from "../../schemas/Ref.ts"
import type { PartialDescriptor } from "./descriptor.ts"

/** Label and value of a line. */
export type Row = readonly [label: string, value: string]

/** Characters of one text from outside (faults, section 1). */
const longest = 2_000

export const shownText = (text: string): string => visible(cut(text, longest))

/** Every label as wide as the widest and one space more; text from outside made safe. */
export const columns = (rows: ReadonlyArray<Row>): string => {
  const shown = rows.map(([label, value]): Row => [shownText(label), shownText(value)])
  // An index can have more rows than a call takes arguments.
  const width = shown.reduce((most, [label]) => Math.max(most, [...label].length), 0) + 1
  return shown.map(([label, value]) => `${label}${" ".repeat(width - [...label].length)}${value}\n`).join("")
}

export const blank: Row = ["", ""]

/** A descriptor's size is told in full up to here. */
const plainSize = 100_000

export const annotationRows = (
  indent: string,
  annotations: Readonly<Record<string, string>> | undefined
): ReadonlyArray<Row> => {
  const entries = Object.entries(annotations ?? {}).sort(([a], [b]) => a < b ? -1 : 1)
  if (entries.length === 0) return []
  return [[`${indent}Annotations:`, ""], ...entries.map(([key, value]): Row => [`${indent}  ${key}:`, value])]
}

export const when = (condition: boolean, label: string, value: () => string): ReadonlyArray<Row> =>
  condition ? [[label, value()]] : []

export const descriptorRows = (descriptor: PartialDescriptor, indent = "  "): ReadonlyArray<Row> => {
  const { artifactType = "", mediaType = "", platform, size = 0, urls = [] } = descriptor
  const features = platform?.["os.features"] ?? []
  const hasPlatform = platform !== undefined && platform.os !== ""
  return [
    [`${indent}Digest:`, descriptor.digest ?? ""],
    [`${indent}MediaType:`, mediaType],
    ...when(artifactType !== "", `${indent}ArtifactType:`, () => artifactType),
    ...when(!isManifestType(mediaType), `${indent}Size:`, () => size > plainSize ? byteSize(size) : `${size}B`),
    ...(hasPlatform ? [[`${indent}Platform:`, platformText(platform)] as const] : []),
    ...when(
      hasPlatform && (platform["os.version"] ?? "") !== "",
      `${indent}OSVersion:`,
      () => platform?.["os.version"] ?? ""
    ),
    ...when(hasPlatform && features.length > 0, `${indent}OSFeatures:`, () => features.join(", ")),
    ...when(urls.length > 0, `${indent}URLs:`, () => urls.join(", ")),
    ...annotationRows(indent, descriptor.annotations)
  ]
}

/** What the pretty forms of all kinds of manifest are made from; after a HEAD most of it is empty. */
export interface PrettyManifest {
  readonly ref: Ref
  readonly descriptor: PartialDescriptor
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly subject?: PartialDescriptor
  readonly config?: PartialDescriptor
  readonly layers?: ReadonlyArray<PartialDescriptor>
  readonly manifests?: ReadonlyArray<PartialDescriptor>
}

const headRows = (
  { annotations, artifactType = "", descriptor, ref }: PrettyManifest,
  always = false
): ReadonlyArray<Row> => [
  ...when(ref.text !== "", "Name:", () => ref.text),
  ["MediaType:", descriptor.mediaType ?? ""],
  ...when(always || artifactType !== "", "ArtifactType:", () => artifactType),
  ["Digest:", descriptor.digest ?? ""],
  ...annotationRows("", annotations)
]

const subjectRows = ({ subject }: PrettyManifest): ReadonlyArray<Row> =>
  subject === undefined ? [] : [blank, ["Subject:", ""], ...descriptorRows(subject)]

const totalSize = (layers: ReadonlyArray<PartialDescriptor>): string =>
  byteSize(layers.reduce((sum, { size = 0 }) => sum + Math.max(size, 0), 0))

export const prettyImage = (manifest: PrettyManifest): string => {
  const { config = {}, layers = [] } = manifest
  const isArtifact = manifest.descriptor.mediaType === mediaTypes.ociArtifact
  return columns([
    ...headRows(manifest, isArtifact),
    ["Total Size:", totalSize(layers)],
    ...(isArtifact ? [] : [blank, ["Config:", ""] as const, ...descriptorRows(config)]),
    blank,
    [isArtifact ? "Blobs:" : "Layers:", ""],
    ...layers.flatMap((layer) => [blank, ...descriptorRows(layer)]),
    ...subjectRows(manifest)
  ])
}

export const prettyIndex = (manifest: PrettyManifest): string => {
  const { manifests = [], ref } = manifest
  const entryName = ({ digest }: PartialDescriptor): string =>
    isDigest(digest) ? commonName({ ...ref, digest }) : commonName(ref)
  return columns([
    ...headRows(manifest),
    blank,
    ["Manifests:", ""],
    ...manifests.flatMap((entry) => [
      blank,
      ...when(ref.text !== "", "  Name:", () => entryName(entry)),
      ...descriptorRows(entry)
    ]),
    ...subjectRows(manifest)
  ])
}

export const prettySchema1 = (manifest: PrettyManifest): string =>
  columns([
    ...headRows(manifest),
    blank,
    ["Layers:", ""],
    ...(manifest.layers ?? []).map(({ digest = "" }): Row => ["  Digest:", digest])
  ])

/** One name a line, in byte order. */
export const prettyNames = (names: ReadonlyArray<string>): string =>
  [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((it) => `${shownText(it)}\n`).join("")
