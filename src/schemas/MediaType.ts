/** The media types of images and artifacts, and what kind of content each names (image-spec, media-types.md). */

export const mediaTypes = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociArtifact: "application/vnd.oci.artifact.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  ociForeignLayer: "application/vnd.oci.image.layer.nondistributable.v1.tar",
  ociForeignLayerGzip: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  ociForeignLayerZstd: "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayerZstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
  dockerForeignLayerGzip: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  schema1: "application/vnd.docker.distribution.manifest.v1+json",
  schema1Signed: "application/vnd.docker.distribution.manifest.v1+prettyjws",
  buildkitCache: "application/vnd.buildkit.cacheconfig.v0",
  octetStream: "application/octet-stream"
} as const

/** What a GET or HEAD of a manifest accepts, one header value each, in upstream's order. */
export const manifestTypes: ReadonlyArray<string> = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
  mediaTypes.schema1Signed,
  mediaTypes.schema1,
  mediaTypes.ociArtifact
]

const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerList])
const known: ReadonlySet<string> = new Set(manifestTypes)
const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig])
const blobs: ReadonlySet<string> = new Set(
  Object.values(mediaTypes).filter((type) => !known.has(type))
)

export const isIndexType = (mediaType: string): boolean => indexTypes.has(mediaType)
export const isManifestType = (mediaType: string): boolean => known.has(mediaType)
export const isBlobType = (mediaType: string): boolean => blobs.has(mediaType)
export const isImageConfigType = (mediaType: string): boolean => imageConfigs.has(mediaType)

/** A header's media type without parameters, trimmed, in lower case. */
export const baseType = (header: string): string => (header.split(";")[0] ?? "").trim().toLowerCase()

/** Says nothing of what the content is: none, or one that servers give to anything. */
export const isGenericType = (mediaType: string): boolean => generic.has(mediaType)

const generic: ReadonlySet<string> = new Set(["", "application/json", "text/plain", mediaTypes.octetStream])

const grammar = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

/** Whether a text from a user is a media type by RFC 6838, section 4.2: without parameters. */
export const isMediaType = (text: string): boolean => grammar.test(text)
