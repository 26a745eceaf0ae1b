/** Manifests of all kinds as templates see them, whole or after a HEAD. */
import { type Method, Nil, Struct, textOf } from "../../lib/gotemplate/value.ts"
import { compactJson } from "../../lib/json.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Headers, type Manifest, signedSize } from "../../schemas/Manifest.ts"
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
  const { fields, orig } = fieldsOf(type, manifest)
  const shown: PrettyManifest = { ...shapeOf(manifest), ref: facts.ref, descriptor }
  return new Struct(`manifest.${typeNames[type] ?? "unknown"}`, fields, {
    isPointer: true,
    json: () => compactJson(textOf(bytesOfManifest(manifest))),
    pretty: () => isIndexType(type) ? prettyIndex(shown) : isSchema1(type) ? prettySchema1(shown) : prettyImage(shown),
    methods: {
      ...commonMethods(facts, orig),
      ...contentMethods(type, manifest),
      ...relationMethods(type, manifest)
    }
  })
}

const isSchema1 = (type: string): boolean => type === mediaTypes.schema1 || type === mediaTypes.schema1Signed

const bytesOfManifest = (manifest: Manifest | undefined): Uint8Array => set(manifest).bytes

const set = (manifest: Manifest | undefined): Manifest => {
  if (manifest === undefined) throw new Error("manifest not set")
  return manifest
}

const commonMethods = (
  { descriptor, headers, manifest, ref }: ManifestFacts,
  orig: Struct
): Readonly<Record<string, Method>> => ({
  // A signed schema 1 manifest counts without its signatures, as its digest does.
  GetDescriptor: () => descriptorView({ ...descriptor, size: signedSize(manifest) ?? descriptor.size }),
  GetMediaType: () => descriptor.mediaType,
  GetDigest: () => digestView(descriptor.digest),
  GetRef: () => referenceView(ref),
  IsList: () => isIndexType(descriptor.mediaType),
  IsSet: () => manifest !== undefined,
  GetOrig: () => orig,
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

/** What the types have: schema 1 neither annotations nor a subject, Docker's types no subject. */
const relationMethods = (type: string, manifest: Manifest | undefined): Readonly<Record<string, Method>> => ({
  ...(isSchema1(type) ? {} : { GetAnnotations: () => stringMap(annotationsOf(set(manifest))) }),
  ...(isSchema1(type) || type === mediaTypes.dockerList || type === mediaTypes.dockerManifest
    ? {}
    : { GetSubject: () => subjectView(set(manifest)) })
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

interface DocumentView {
  readonly fields: Readonly<Record<string, unknown>>
  readonly orig: Struct
}

/** The fields of the document, empty after a HEAD. */
const fieldsOf = (type: string, manifest: Manifest | undefined): DocumentView => {
  const document: Document = manifest === undefined ? {} : documentIn(manifest.bytes)
  const json = () => compactJson(textOf(bytesOfManifest(manifest)))
  const version = { SchemaVersion: typeof document["schemaVersion"] === "number" ? document["schemaVersion"] : 0 }
  const mediaType = { MediaType: text(document, "mediaType") }
  const isOci = type === mediaTypes.ociManifest || type === mediaTypes.ociIndex
  // Docker's types have the media type beside the version.
  const versioned = isOci ? version : { ...version, ...mediaType }
  const head = isOci ? { ...mediaType, ArtifactType: text(document, "artifactType") } : {}
  const subject = isOci ? { Subject: subjectView(manifest) } : {}
  const annotations = { Annotations: stringMap(annotationsOf(manifest)) }
  switch (type) {
    case mediaTypes.ociManifest:
    case mediaTypes.dockerManifest: {
      const image = manifest?._tag === "Image" ? manifest : undefined
      const own = { Config: descriptorView(image?.config ?? {}), Layers: descriptorList(image?.layers) }
      return embedded("Manifest", versioned, { ...head, ...own, ...subject, ...annotations }, json)
    }
    case mediaTypes.ociIndex:
    case mediaTypes.dockerList: {
      const entries = descriptorList(manifest?._tag === "Index" ? manifest.manifests : undefined)
      const name = type === mediaTypes.ociIndex ? "Index" : "ManifestList"
      return embedded(name, versioned, { ...head, Manifests: entries, ...subject, ...annotations }, json)
    }
    case mediaTypes.ociArtifact:
      return embedded("ArtifactManifest", {}, {
        ...mediaType,
        ArtifactType: text(document, "artifactType"),
        Blobs: descriptorList(manifest?._tag === "Artifact" ? manifest.blobs : undefined),
        Subject: subjectView(manifest),
        ...annotations
      }, json)
    case mediaTypes.schema1:
    case mediaTypes.schema1Signed:
      return embedded(type === mediaTypes.schema1 ? "Manifest" : "SignedManifest", { ...version, ...mediaType }, {
        Name: text(document, "name"),
        Tag: text(document, "tag"),
        Architecture: text(document, "architecture"),
        FSLayers: objects(document["fsLayers"]).map((it) =>
          new Struct("schema1.FSLayer", { BlobSum: digestView(text(it, "blobSum")) }, {
            json: () => JSON.stringify({ blobSum: text(it, "blobSum") })
          })
        ),
        History: objects(document["history"]).map((it) =>
          new Struct("schema1.History", { V1Compatibility: text(it, "v1Compatibility") })
        )
      }, json)
    default:
      return embedded("Manifest", versioned, head, json)
  }
}

type Fields = Readonly<Record<string, unknown>>

/** The document also goes by its type's name, as an embedded field does in Go; so does its version. */
const embedded = (name: string, versioned: Fields, rest: Fields, json: () => string): DocumentView => {
  const hasVersion = Object.keys(versioned).length > 0
  const version = hasVersion ? { Versioned: new Struct("v1.Versioned", versioned) } : {}
  const orig = new Struct(`v1.${name}`, { ...version, ...rest }, { promoted: versioned, json })
  return { fields: { ...version, ...versioned, ...rest, [name]: orig }, orig }
}

const objects = (value: unknown): ReadonlyArray<Document> => Array.isArray(value) ? value.filter(isObject) : []
