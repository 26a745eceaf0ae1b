/** Manifests of all kinds as templates see them, whole or after a HEAD. */
import { type Method, Nil, Struct, textOf } from "../../lib/gotemplate/value.ts"
import { compactJson } from "../../lib/json.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Headers, Manifest } from "../../schemas/Manifest.ts"
import { isIndexType, mediaTypes } from "../../schemas/MediaType.ts"
import { noQuota, quotaOf } from "../../schemas/Quota.ts"
import type { Ref } from "../../schemas/Ref.ts"
import { descriptorView, stringMap } from "./descriptor.ts"
import { digestView } from "./digest.ts"
import { type Document, documentIn, isObject, text } from "./document.ts"
import { headersView } from "./headers.ts"
import { prettyImage, prettyIndex, type PrettyManifest, prettySchema1 } from "./pretty.ts"
import { rateLimitView } from "./rateLimit.ts"
import { referenceView } from "./reference.ts"

export interface ManifestFacts {
  readonly ref: Ref
  readonly descriptor: Descriptor
  readonly headers: Headers
  /** Absent after a HEAD. */
  readonly manifest?: Manifest
}

const typeNames: Readonly<Record<string, string>> = {
  [mediaTypes.ociManifest]: "oci1Manifest",
  [mediaTypes.ociIndex]: "oci1Index",
  [mediaTypes.ociArtifact]: "oci1Artifact",
  [mediaTypes.dockerManifest]: "docker2Manifest",
  [mediaTypes.dockerList]: "docker2ManifestList",
  [mediaTypes.schema1]: "docker1Manifest",
  [mediaTypes.schema1Signed]: "docker1SignedManifest"
}

/** `manifest not set` is what everything inside a manifest says after a HEAD. */
export const manifestView = (facts: ManifestFacts): Struct => {
  const { descriptor, manifest } = facts
  const type = descriptor.mediaType
  const fields = fieldsOf(type, manifest)
  const shown: PrettyManifest = { ...shapeOf(manifest), ref: facts.ref, descriptor }
  const isSchema1 = type === mediaTypes.schema1 || type === mediaTypes.schema1Signed
  return new Struct(`manifest.${typeNames[type] ?? "unknown"}`, fields, {
    isPointer: true,
    json: () => compactJson(textOf(bytesOfManifest(manifest))),
    pretty: () => isIndexType(type) ? prettyIndex(shown) : isSchema1 ? prettySchema1(shown) : prettyImage(shown),
    methods: {
      ...commonMethods(facts, fields),
      ...contentMethods(type, manifest),
      ...(isSchema1 ? {} : relationMethods(manifest))
    }
  })
}

const bytesOfManifest = (manifest: Manifest | undefined): Uint8Array => set(manifest).bytes

const set = (manifest: Manifest | undefined): Manifest => {
  if (manifest === undefined) throw new Error("manifest not set")
  return manifest
}

const commonMethods = (
  { descriptor, headers, manifest, ref }: ManifestFacts,
  fields: Readonly<Record<string, unknown>>
): Readonly<Record<string, Method>> => ({
  GetDescriptor: () => descriptorView(descriptor),
  GetMediaType: () => descriptor.mediaType,
  GetDigest: () => digestView(descriptor.digest),
  GetRef: () => referenceView(ref),
  IsList: () => isIndexType(descriptor.mediaType),
  IsSet: () => manifest !== undefined,
  GetOrig: () => fields["Manifest"] ?? fields["Index"] ?? new Struct("v1.Manifest", fields),
  RawBody: () => bytesOfManifest(manifest),
  RawHeaders: () => headersView(headers),
  MarshalJSON: () => bytesOfManifest(manifest),
  GetRateLimit: () => rateLimitView(quotaOf(headers) ?? noQuota),
  HasRateLimit: () => quotaOf(headers)?.isSet ?? false
})

const contentMethods = (type: string, manifest: Manifest | undefined): Readonly<Record<string, Method>> => {
  const unavailable = (what: string): never => {
    throw new Error(`${what} not available for media type ${type}`)
  }
  const entries = (what: string) => {
    if (!isIndexType(type)) return unavailable(what)
    const it = set(manifest)
    return it._tag === "Index" ? it.manifests : []
  }
  const layers = () => {
    if (isIndexType(type)) return unavailable("layers are")
    return layersOf(set(manifest))
  }
  const config = () => {
    if (type !== mediaTypes.ociManifest && type !== mediaTypes.dockerManifest) return unavailable("config digest")
    const it = set(manifest)
    return it._tag === "Image" ? it.config : unavailable("config digest")
  }
  return {
    GetManifestList: () => entries("platform descriptor list").map((it) => descriptorView(it)),
    GetPlatformList: () =>
      entries("platform list").flatMap((it) =>
        it.platform === undefined ? [] : [descriptorView(it).fields["Platform"]]
      ),
    GetLayers: () => layers().map((it) => descriptorView(unsized(it, manifest))),
    ...(isIndexType(type) ? {} : {
      GetSize: () =>
        set(manifest)._tag === "Schema1"
          ? unavailable("GetSize is")
          : layers().reduce((sum, { size }) => sum + Math.max(size, 0), 0)
    }),
    GetConfig: () => descriptorView(config()),
    GetConfigDigest: () => digestView(config().digest)
  }
}

/** Schema 1 tells digests alone. */
const unsized = (layer: Descriptor, manifest: Manifest | undefined): Partial<Descriptor> =>
  manifest?._tag === "Schema1" ? { digest: layer.digest } : layer

const relationMethods = (manifest: Manifest | undefined): Readonly<Record<string, Method>> => ({
  GetAnnotations: () => stringMap(annotationsOf(set(manifest))),
  GetSubject: () => subjectView(set(manifest))
})

const subjectView = (manifest: Manifest | undefined) =>
  manifest?.subject === undefined
    ? new Nil("pointer", "*descriptor.Descriptor")
    : descriptorView(manifest.subject, true)

const layersOf = (manifest: Manifest): ReadonlyArray<Descriptor> => {
  switch (manifest._tag) {
    case "Image":
    case "Schema1":
      return manifest.layers
    case "Artifact":
      return manifest.blobs
    default:
      return []
  }
}

const annotationsOf = (manifest: Manifest | undefined): Readonly<Record<string, string>> | undefined =>
  manifest === undefined || Object.keys(manifest.annotations).length === 0 ? undefined : manifest.annotations

const shapeOf = (manifest: Manifest | undefined): Omit<PrettyManifest, "ref" | "descriptor"> =>
  manifest === undefined ? {} : {
    annotations: manifest.annotations,
    layers: layersOf(manifest),
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(manifest.subject === undefined ? {} : { subject: manifest.subject }),
    ...(manifest._tag === "Image" ? { config: manifest.config } : {}),
    ...(manifest._tag === "Index" ? { manifests: manifest.manifests } : {})
  }

const descriptorList = (values: ReadonlyArray<Descriptor> | undefined) =>
  values === undefined ? new Nil("slice", "[]descriptor.Descriptor") : values.map((it) => descriptorView(it))

/** The fields of the document, empty after a HEAD. */
const fieldsOf = (type: string, manifest: Manifest | undefined): Readonly<Record<string, unknown>> => {
  const document: Document = manifest === undefined ? {} : documentIn(manifest.bytes)
  const version = { SchemaVersion: typeof document["schemaVersion"] === "number" ? document["schemaVersion"] : 0 }
  const head = { ...version, MediaType: text(document, "mediaType") }
  const isOci = type === mediaTypes.ociManifest || type === mediaTypes.ociIndex
  const artifact = isOci ? { ArtifactType: text(document, "artifactType") } : {}
  const subject = isOci ? { Subject: subjectView(manifest) } : {}
  const annotations = { Annotations: stringMap(annotationsOf(manifest)) }
  switch (type) {
    case mediaTypes.ociManifest:
    case mediaTypes.dockerManifest: {
      const image = manifest?._tag === "Image" ? manifest : undefined
      const own = { Config: descriptorView(image?.config ?? {}), Layers: descriptorList(image?.layers) }
      return embedded("v1.Manifest", { ...head, ...artifact, ...own, ...subject, ...annotations })
    }
    case mediaTypes.ociIndex:
    case mediaTypes.dockerList: {
      const entries = descriptorList(manifest?._tag === "Index" ? manifest.manifests : undefined)
      return embedded("v1.Index", { ...head, ...artifact, Manifests: entries, ...subject, ...annotations })
    }
    case mediaTypes.ociArtifact:
      return {
        MediaType: text(document, "mediaType"),
        ArtifactType: text(document, "artifactType"),
        Blobs: descriptorList(manifest?._tag === "Artifact" ? manifest.blobs : undefined),
        Subject: subjectView(manifest),
        ...annotations
      }
    case mediaTypes.schema1:
    case mediaTypes.schema1Signed:
      return {
        ...version,
        Name: text(document, "name"),
        Tag: text(document, "tag"),
        Architecture: text(document, "architecture"),
        FSLayers: objects(document["fsLayers"]).map((it) =>
          new Struct("schema1.FSLayer", { BlobSum: digestView(text(it, "blobSum")) })
        ),
        History: objects(document["history"]).map((it) =>
          new Struct("schema1.History", { V1Compatibility: text(it, "v1Compatibility") })
        )
      }
    default:
      return head
  }
}

/** The document also goes by its type's name, as an embedded field does in Go. */
const embedded = (type: string, fields: Readonly<Record<string, unknown>>) => ({
  ...fields,
  [type === "v1.Index" ? "Index" : "Manifest"]: new Struct(type, fields)
})

const objects = (value: unknown): ReadonlyArray<Document> => Array.isArray(value) ? value.filter(isObject) : []
