/** A manifest keeps its exact bytes: re-encoding would change its digest. Decoding looks inside a copy. */
import { Result, Schema } from "effect"
import { strictJson } from "../lib/strictJson.ts"
import { cut, quoted } from "../lib/visibleText.ts"
import { computeDigest } from "./computeDigest.ts"
import { Annotations, Descriptor } from "./Descriptor.ts"
import { type Algorithm, algorithmOf, Digest } from "./Digest.ts"
import { ambiguity, digestsProblem, isNeither, keyProblem, type Shape } from "./manifestShape.ts"
import {
  baseType,
  isBlobType,
  isGenericType,
  isIndexType,
  isManifestType,
  isMediaType,
  mediaTypes
} from "./MediaType.ts"
import { isSchema1, signedPayload, signedText } from "./signedManifest.ts"
import { type StoreError, storeError } from "./StoreError.ts"

/** Header values by lower-case name, in the order received. */
export type Headers = Readonly<Record<string, ReadonlyArray<string>>>

/** The first value of a header, by its lower-case name. */
export const header = (headers: Headers, name: string): string | undefined => headers[name]?.[0]

interface Received {
  /** Media type, digest and size of `bytes`. */
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  readonly headers: Headers
  readonly annotations: Annotations
  readonly artifactType?: string
  readonly subject?: Descriptor
}

export interface Image extends Received {
  readonly _tag: "Image"
  readonly config: Descriptor
  readonly layers: ReadonlyArray<Descriptor>
}

export interface Index extends Received {
  readonly _tag: "Index"
  readonly manifests: ReadonlyArray<Descriptor>
}

/** The withdrawn OCI artifact manifest: read and copied, never written anew. */
export interface Artifact extends Received {
  readonly _tag: "Artifact"
  readonly blobs: ReadonlyArray<Descriptor>
}

/** Docker schema 1: read and copied, never written anew. Its layers have no size (0 stands for unknown), newest first as listed. */
export interface Schema1 extends Received {
  readonly _tag: "Schema1"
  readonly layers: ReadonlyArray<Descriptor>
}

/** A manifest of a type nobody here knows: bytes that may be copied. */
export interface Other extends Received {
  readonly _tag: "Other"
}

export type Manifest = Image | Index | Artifact | Schema1 | Other

/** Bytes a manifest may have when read, and when pushed (faults, limits). */
export const maxRead = 8 * 1024 * 1024
export const maxPush = 4 * 1024 * 1024

const common = {
  mediaType: Schema.optionalKey(Schema.String),
  artifactType: Schema.optionalKey(Schema.NullOr(Schema.String)),
  subject: Schema.optionalKey(Schema.NullOr(Descriptor)),
  annotations: Schema.optionalKey(Schema.NullOr(Annotations))
}
const list = Schema.NullOr(Schema.Array(Descriptor))
const decodeImage = Schema.decodeUnknownResult(Schema.Struct({ ...common, config: Descriptor, layers: list }))
const decodeIndex = Schema.decodeUnknownResult(Schema.Struct({ ...common, manifests: list }))
const decodeArtifact = Schema.decodeUnknownResult(
  Schema.Struct({ ...common, blobs: Schema.optionalKey(list) })
)
const decodeSchema1 = Schema.decodeUnknownResult(
  Schema.Struct({ fsLayers: Schema.Array(Schema.Struct({ blobSum: Digest })) })
)
const decodeAnything = Schema.decodeUnknownResult(
  Schema.Struct({ subject: common.subject, annotations: common.annotations })
)

const strict = {
  depth: 100,
  unique: new Set([
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "blobs",
    "subject",
    "annotations",
    "digest",
    "size",
    "urls",
    "data",
    "platform"
  ])
}

export interface Expected {
  /** From a flag, a descriptor, or the `Content-Type` header, strongest first. */
  readonly mediaType?: string
  readonly digest?: Digest
  readonly size?: number
  readonly headers?: Headers
  /** Names the manifest in errors. */
  readonly name: string
  /** For content whose digest nobody named. */
  readonly algorithm?: Algorithm
}

const fail = (tag: Parameters<typeof storeError>[1], detail: string) => Result.fail(storeError("", tag, detail))

/**
 * Reads a manifest. Its bytes must fit the expected size and digest; its `mediaType` decides what it is, else the
 * expected type, else its shape. Fails with DigestMismatch, SizeMismatch, SizeLimit, DepthLimit, ManifestInvalid or
 * MediaTypeMismatch.
 */
export const decodeManifest = (bytes: Uint8Array, expected: Expected): Result.Result<Manifest, StoreError> => {
  if (bytes.length > maxRead) {
    return fail("SizeLimit", `manifest too large, received ${bytes.length}, limit ${maxRead}: ${expected.name}`)
  }
  if (expected.size !== undefined && expected.size !== bytes.length) {
    return fail("SizeMismatch", `short read [expected ${expected.size}, received ${bytes.length}]`)
  }
  const json = strictJson(bytes, strict)
  const document = "value" in json && typeof json.value === "object" && !Array.isArray(json.value) ? json.value : null
  const digest = digestOf(bytes, document, expected)
  if (expected.digest !== undefined && expected.digest !== digest) {
    const detail = `manifest digest mismatch, expected ${expected.digest}, computed ${digest}`
    return fail("DigestMismatch", detail)
  }
  if (document === null) {
    const problem = "problem" in json ? json.problem : "not a JSON object"
    const tag = "problem" in json && json.tooDeep === true ? "DepthLimit" : "ManifestInvalid"
    return fail(tag, `error unmarshaling manifest for ${expected.name}: ${problem}`)
  }
  const key = keyProblem(document)
  if (key !== undefined) return fail("ManifestInvalid", `error unmarshaling manifest for ${expected.name}: ${key}`)
  return Result.flatMap(typeOf(document as Shape, expected), (mediaType) => {
    const descriptor: Descriptor = { mediaType, digest, size: bytes.length }
    return assemble(document, { descriptor, bytes, headers: expected.headers ?? {} }, expected.name)
  })
}

/** Which type a document is (image-spec, manifest.md; CVE-2021-41190 for the documents that could be two things). */
const typeOf = (document: Shape, expected: Expected): Result.Result<string, StoreError> => {
  const claimed = baseType(expected.mediaType ?? "")
  const own = ownType(document) ?? shapeType(document)
  const both = ambiguity(document)
  if (both !== undefined) return fail("MediaTypeMismatch", `manifest has ${both}: ${expected.name}`)
  if (own === undefined) {
    return isGenericType(claimed)
      ? fail("ManifestInvalid", `manifest has no known media type: ${expected.name}`)
      : Result.succeed(claimed)
  }
  if (!isMediaType(own)) {
    return fail("ManifestInvalid", `manifest has an invalid media type ${quoted(cut(own, 100))}: ${expected.name}`)
  }
  // Schema 1 has no field for its type, and servers call the signed form by either name.
  const isSame = isGenericType(claimed) || claimed === own.toLowerCase() || (isSchema1(own) && isSchema1(claimed))
  return isSame
    ? Result.succeed(own)
    : fail("MediaTypeMismatch", `manifest contains an unexpected media type: expected ${claimed}, received ${own}`)
}

/** The type a document names, in its usual spelling where it is one we know. */
const ownType = ({ mediaType }: Shape): string | undefined => {
  if (typeof mediaType !== "string" || mediaType === "") return undefined
  const base = baseType(mediaType)
  return isManifestType(base) || isBlobType(base) ? base : mediaType
}

const shapeType = (document: Shape): string | undefined => {
  if (document.schemaVersion === 1) {
    return Array.isArray(document.signatures) ? mediaTypes.schema1Signed : mediaTypes.schema1
  }
  if (Array.isArray(document.manifests) && document.manifests.length > 0) {
    return firstIsDocker(document.manifests) ? mediaTypes.dockerList : mediaTypes.ociIndex
  }
  if (Array.isArray(document.layers) && document.layers.length > 0) {
    return firstIsDocker(document.layers) ? mediaTypes.dockerManifest : mediaTypes.ociManifest
  }
  return undefined
}

const firstIsDocker = (entries: ReadonlyArray<unknown>): boolean => {
  const first = entries[0] as { readonly mediaType?: unknown } | null | undefined
  return typeof first?.mediaType === "string" && first.mediaType.startsWith("application/vnd.docker.")
}

const assemble = (
  document: object,
  received: Pick<Received, "descriptor" | "bytes" | "headers">,
  name: string
): Result.Result<Manifest, StoreError> => {
  const invalid = (error: { readonly message: string }) => {
    const told = (problem: string) => `error unmarshaling manifest for ${name}: ${problem}`
    const digest = digestsProblem(document)
    return digest === undefined
      ? storeError("", "ManifestInvalid", told(error.message.replace(/\n\s*at /g, " at ")))
      : storeError("", "DigestInvalid", told(digest))
  }
  const shared = (fields: Fields) => ({
    ...received,
    annotations: fields.annotations ?? {},
    ...(fields.artifactType == null ? {} : { artifactType: fields.artifactType }),
    ...(fields.subject == null ? {} : { subject: fields.subject })
  })
  const type = received.descriptor.mediaType
  const isImage = type === mediaTypes.ociManifest || type === mediaTypes.dockerManifest
  if ((isIndexType(type) || isImage) && isNeither(document)) {
    return fail("MediaTypeMismatch", `manifest has neither manifests nor layers: ${name}`)
  }
  if (isIndexType(type)) {
    return Result.mapBoth(decodeIndex(document), {
      onFailure: invalid,
      onSuccess: (it): Manifest => ({ _tag: "Index", ...shared(it), manifests: it.manifests ?? [] })
    })
  }
  if (isImage) {
    return Result.mapBoth(decodeImage(document), {
      onFailure: invalid,
      onSuccess: (it): Manifest => ({ _tag: "Image", ...shared(it), config: it.config, layers: it.layers ?? [] })
    })
  }
  if (type === mediaTypes.ociArtifact) {
    return Result.mapBoth(decodeArtifact(document), {
      onFailure: invalid,
      onSuccess: (it): Manifest => ({ _tag: "Artifact", ...shared(it), blobs: it.blobs ?? [] })
    })
  }
  if (isManifestType(type)) {
    return Result.mapBoth(decodeSchema1(document), {
      onFailure: invalid,
      onSuccess: (it): Manifest => ({
        _tag: "Schema1",
        ...shared({}),
        layers: it.fsLayers.map(({ blobSum }) => ({ mediaType: mediaTypes.dockerLayerGzip, digest: blobSum, size: 0 }))
      })
    })
  }
  if (isBlobType(type)) return fail("UnsupportedMediaType", `unsupported media type: "${type}"`)
  return Result.mapBoth(decodeAnything(document), {
    onFailure: invalid,
    onSuccess: (it): Manifest => ({ _tag: "Other", ...shared(it) })
  })
}

interface Fields {
  readonly artifactType?: string | null
  readonly subject?: Descriptor | null
  readonly annotations?: Annotations | null
}

/** The digest of a signed schema 1 manifest is over its payload, without the signatures. */
const digestOf = (bytes: Uint8Array, document: object | null, { algorithm, digest }: Expected): Digest => {
  const name = algorithm ?? (digest === undefined ? "sha256" : algorithmOf(digest))
  return computeDigest(name, signedPayload(bytes, document) ?? bytes)
}

/** How many bytes the signatures of a schema 1 manifest are over; `undefined` for other manifests. */
export const signedSize = (manifest: Manifest | undefined): number | undefined =>
  manifest?._tag === "Schema1" ? signedText(manifest.bytes)?.length : undefined

/** The content a manifest is made of: configs, layers, blobs and child manifests, in their order. */
export const contentOf = (manifest: Manifest): ReadonlyArray<Descriptor> => {
  switch (manifest._tag) {
    case "Image":
      return [manifest.config, ...manifest.layers]
    case "Index":
      return manifest.manifests
    case "Artifact":
      return manifest.blobs
    case "Schema1":
      return manifest.layers
    case "Other":
      return []
  }
}
