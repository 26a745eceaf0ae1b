/**
 * New documents as Go's encoder writes them: keys in the specification's order, maps sorted, what is empty left out, so
 * that equal content has equal digests (library description, 3.3). Keys nobody here knows stay, behind the others.
 */
import { Result } from "effect"
import { jsonMap, jsonObject, jsonString } from "../lib/json.ts"
import { computeDigest } from "./computeDigest.ts"
import type { Annotations, Descriptor } from "./Descriptor.ts"
import type { Algorithm } from "./Digest.ts"
import { decodeManifest, type Manifest, maxPush } from "./Manifest.ts"
import { mediaTypes } from "./MediaType.ts"
import { type StoreError, storeError } from "./StoreError.ts"

type Shape = "map" | {
  readonly always: ReadonlyArray<string>
  readonly order: ReadonlyArray<string>
  readonly inside: Readonly<Record<string, Shape>>
}

const shape = (order: string, always = "", inside: Readonly<Record<string, Shape>> = {}): Shape => ({
  order: order.split(" "),
  always: always.split(" "),
  inside
})

const platform = shape("architecture os os.version os.features variant features", "architecture os")
const descriptor = shape("mediaType digest size urls annotations data platform artifactType", "mediaType digest size", {
  annotations: "map",
  platform
})
const manifest = shape(
  "schemaVersion mediaType artifactType config layers manifests blobs subject annotations",
  "schemaVersion config layers manifests",
  {
    annotations: "map",
    config: descriptor,
    layers: descriptor,
    manifests: descriptor,
    blobs: descriptor,
    subject: descriptor
  }
)
const imageConfig = shape(
  "created author architecture os os.version os.features variant features config rootfs history",
  "architecture os rootfs",
  {
    config: shape(
      "User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal StopTimeout ArgsEscaped Healthcheck OnBuild Shell",
      "",
      { ExposedPorts: "map", Volumes: "map", Labels: "map" }
    ),
    rootfs: shape("type diff_ids", "type diff_ids"),
    history: shape("created created_by author comment empty_layer")
  }
)

type Members = Readonly<Record<string, unknown>>

const isMembers = (value: unknown): value is Members => typeof value === "object" && value !== null

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === false ||
  (Array.isArray(value) ? value.length === 0 : isMembers(value) && Object.keys(value).length === 0)

const write = (value: unknown, as?: Shape): string => {
  if (typeof value === "string") return jsonString(value, { escapeHtml: true })
  if (Array.isArray(value)) return `[${value.map((it) => write(it, as)).join(",")}]`
  if (!isMembers(value)) return JSON.stringify(value ?? null)
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  if (as === "map") {
    return jsonMap(entries.map(([key, member]) => [key, write(member)]), { escapeHtml: true })
  }
  const { always = [], inside = {}, order = [] } = as ?? {}
  const known = order.flatMap((key) =>
    value[key] === undefined || (isEmpty(value[key]) && !always.includes(key))
      ? []
      : [[key, write(value[key], inside[key])] as const]
  )
  const unknown = entries.flatMap(([key, member]) => order.includes(key) ? [] : [[key, write(member)] as const])
  return jsonObject([...known, ...unknown], { escapeHtml: true })
}

const encode = (value: unknown, as: Shape): Uint8Array => new TextEncoder().encode(write(value, as))

/** A descriptor as it stands in a document of another kind. */
export const descriptorText = (it: Descriptor): string => write(it, descriptor)

export interface ManifestFields {
  readonly mediaType: string
  readonly artifactType?: string
  readonly config?: Descriptor
  readonly layers?: ReadonlyArray<Descriptor>
  readonly manifests?: ReadonlyArray<Descriptor>
  /** Of the withdrawn artifact manifest, in place of config and layers. */
  readonly blobs?: ReadonlyArray<Descriptor>
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/**
 * A manifest of these fields; what the document of `origin` has besides stays. Fails with SizeLimit above what
 * registries take, and as decoding does.
 */
export const composeManifest = (
  fields: ManifestFields,
  { algorithm = "sha256", origin }: { readonly algorithm?: Algorithm; readonly origin?: Manifest } = {}
): Result.Result<Manifest, StoreError> => {
  const received: Members = origin === undefined ? {} : JSON.parse(new TextDecoder().decode(origin.bytes))
  const own = new Set(["mediaType", "artifactType", "config", "layers", "manifests", "blobs", "subject", "annotations"])
  const rest = Object.fromEntries(Object.entries(received).filter(([key]) => !own.has(key)))
  const version = fields.mediaType === mediaTypes.ociArtifact ? {} : { schemaVersion: 2 }
  const bytes = encode({ ...version, ...rest, ...fields }, manifest)
  if (bytes.length > maxPush) {
    const detail = `manifest too large, calculated ${bytes.length}, limit ${maxPush}`
    return Result.fail(storeError("", "SizeLimit", detail))
  }
  return decodeManifest(bytes, { name: "manifest", mediaType: fields.mediaType, algorithm })
}

/** Bytes and descriptor of a document that is a blob. */
export interface Composed {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** An image's configuration; the media type is OCI's unless given. */
export const composeConfig = (
  document: Readonly<Record<string, unknown>>,
  { algorithm = "sha256", mediaType = mediaTypes.ociConfig }: {
    readonly algorithm?: Algorithm
    readonly mediaType?: string
  } = {}
): Composed => {
  const bytes = encode(document, imageConfig)
  const digest = computeDigest(algorithm, bytes)
  return { bytes, descriptor: { mediaType, digest, size: bytes.length } }
}
