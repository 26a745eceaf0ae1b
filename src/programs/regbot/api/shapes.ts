/** The records of manifests and configurations, with the names that scripts know them by (regbot description, 8.2). */
import { mediaTypes } from "../../../schemas/MediaType.ts"

/** What a value is, in JSON and in Lua; `maybe` is one that may be absent where the others have a zero. */
export type Shape =
  | { readonly is: "text" | "whole" | "flag" | "bytes" | "time" | "map" | "set" }
  | { readonly is: "list" | "maybe"; readonly of: Shape }
  | RecordShape

export interface RecordShape {
  readonly is: "record"
  /** In the order they are written in. */
  readonly fields: ReadonlyArray<Field>
}

export interface Field {
  readonly name: string
  /** Its name in JSON; one without is a record whose fields stand in the JSON of the record around it. */
  readonly json?: string
  readonly shape: Shape
  /** Written even when empty. */
  readonly isKept: boolean
}

const text: Shape = { is: "text" }
const whole: Shape = { is: "whole" }
const flag: Shape = { is: "flag" }
const bytes: Shape = { is: "bytes" }
const time: Shape = { is: "time" }
const map: Shape = { is: "map" }
const set: Shape = { is: "set" }
const listOf = (of: Shape): Shape => ({ is: "list", of })
const maybe = (of: Shape): Shape => ({ is: "maybe", of })
const texts = listOf(text)

const record = (...fields: ReadonlyArray<Field>): RecordShape => ({ is: "record", fields })
const field = (name: string, json: string, shape: Shape): Field => ({ name, json, shape, isKept: false })
const kept = (name: string, json: string, shape: Shape): Field => ({ name, json, shape, isKept: true })
/** The same name both ways. */
const same = (name: string, shape: Shape): Field => field(name, name, shape)
const embedded = (name: string, shape: RecordShape): Field => ({ name, shape, isKept: true })

const platform = record(
  kept("Architecture", "architecture", text),
  kept("OS", "os", text),
  field("OSVersion", "os.version", text),
  field("OSFeatures", "os.features", texts),
  field("Variant", "variant", text),
  field("Features", "features", texts)
)

export const descriptorShape = record(
  kept("MediaType", "mediaType", text),
  kept("Digest", "digest", text),
  kept("Size", "size", whole),
  field("URLs", "urls", texts),
  field("Annotations", "annotations", map),
  field("Data", "data", bytes),
  field("Platform", "platform", maybe(platform)),
  field("ArtifactType", "artifactType", text)
)

const version = kept("SchemaVersion", "schemaVersion", whole)
const mediaType = field("MediaType", "mediaType", text)
const ociVersion = embedded("Versioned", record(version))
const dockerVersion = embedded("Versioned", record(version, mediaType))
const artifactType = field("ArtifactType", "artifactType", text)
const subject = field("Subject", "subject", maybe(descriptorShape))
const annotations = field("Annotations", "annotations", map)
const config = kept("Config", "config", descriptorShape)
const layers = kept("Layers", "layers", listOf(descriptorShape))
const manifests = kept("Manifests", "manifests", listOf(descriptorShape))

const schema1 = record(
  dockerVersion,
  kept("Name", "name", text),
  kept("Tag", "tag", text),
  kept("Architecture", "architecture", text),
  kept("FSLayers", "fsLayers", listOf(record(kept("BlobSum", "blobSum", text)))),
  kept("History", "history", listOf(record(kept("V1Compatibility", "v1Compatibility", text))))
)

/** A kind of manifest: its record, and the one name under which what came by HEAD has it. */
export interface ManifestShape {
  readonly name: string
  readonly shape: RecordShape
}

const ociManifest = record(ociVersion, mediaType, artifactType, config, layers, subject, annotations)
const ociIndex = record(ociVersion, mediaType, artifactType, manifests, subject, annotations)

const manifestShapes: Readonly<Record<string, ManifestShape>> = {
  [mediaTypes.ociManifest]: { name: "Manifest", shape: ociManifest },
  [mediaTypes.ociIndex]: { name: "Index", shape: ociIndex },
  [mediaTypes.ociArtifact]: {
    name: "ArtifactManifest",
    shape: record(mediaType, artifactType, field("Blobs", "blobs", listOf(descriptorShape)), subject, annotations)
  },
  [mediaTypes.dockerManifest]: { name: "Manifest", shape: record(dockerVersion, config, layers, annotations) },
  [mediaTypes.dockerList]: { name: "ManifestList", shape: record(dockerVersion, manifests, annotations) },
  [mediaTypes.schema1]: { name: "Manifest", shape: schema1 },
  [mediaTypes.schema1Signed]: { name: "SignedManifest", shape: record(embedded("Manifest", schema1)) }
}

/** By media type; a manifest that nobody here knows has no record. */
export const manifestShape = (type: string): ManifestShape | undefined =>
  Object.hasOwn(manifestShapes, type) ? manifestShapes[type] : undefined

const health = record(
  same("Test", texts),
  same("Interval", whole),
  same("Timeout", whole),
  same("StartPeriod", whole),
  same("Retries", whole)
)

const history = record(
  field("Created", "created", time),
  field("CreatedBy", "created_by", text),
  field("Author", "author", text),
  field("Comment", "comment", text),
  field("EmptyLayer", "empty_layer", flag)
)

export const configShape = record(
  field("Created", "created", time),
  field("Author", "author", text),
  embedded("Platform", platform),
  kept(
    "Config",
    "config",
    record(
      same("User", text),
      same("ExposedPorts", set),
      same("Env", texts),
      same("Entrypoint", texts),
      same("Cmd", texts),
      same("Volumes", set),
      same("WorkingDir", text),
      same("Labels", map),
      same("StopSignal", text),
      same("StopTimeout", maybe(whole)),
      same("ArgsEscaped", flag),
      same("Healthcheck", maybe(health)),
      same("OnBuild", texts),
      same("Shell", texts)
    )
  ),
  kept("RootFS", "rootfs", record(kept("Type", "type", text), kept("DiffIDs", "diff_ids", texts))),
  field("History", "history", listOf(history))
)
