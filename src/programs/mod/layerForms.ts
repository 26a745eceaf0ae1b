/** The media types of layers that hold a tar, by family and by the form they are stored in (image-spec, layer.md). */
import { mediaTypes } from "../../schemas/MediaType.ts"

export type Form = "none" | "gzip" | "zstd"

type Family = { readonly [F in Form]?: string }

const oci: Family = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd
}
const docker: Family = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
  zstd: mediaTypes.dockerLayerZstd
}
const foreign: ReadonlyArray<Family> = [
  {
    none: mediaTypes.ociForeignLayer,
    gzip: mediaTypes.ociForeignLayerGzip,
    zstd: mediaTypes.ociForeignLayerZstd
  },
  { gzip: mediaTypes.dockerForeignLayerGzip }
]

const forms: ReadonlyArray<Form> = ["none", "gzip", "zstd"]

const found = (mediaType: string, families: ReadonlyArray<Family>) =>
  families.flatMap((family) => forms.flatMap((form) => family[form] === mediaType ? [{ family, form }] : []))[0]

/** The form of a layer; none for what is no tar layer. */
export const formOf = (mediaType: string): Form | undefined => found(mediaType, [oci, docker, ...foreign])?.form

/** The type of the same family in another form; none where the family has no such type. */
export const typeIn = (mediaType: string, form: Form): string | undefined =>
  found(mediaType, [oci, docker, ...foreign])?.family[form]

/** The form of a type that a new layer may have. */
export const newFormOf = (mediaType: string): Form | undefined => found(mediaType, [oci, docker])?.form

/** The type of a new layer of an image. */
export const newTypeFor = (manifestType: string): string =>
  manifestType.startsWith("application/vnd.docker.") ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip
