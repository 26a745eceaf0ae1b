/** Options that change media types and external layers of manifests (library description, 17.3). */
import { Effect } from "effect"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import { mediaTypes } from "../../../schemas/MediaType.ts"
import { commonName, type Ref } from "../../../schemas/Ref.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import type { Change, Draft, ImageDraft, LayerDraft } from "../draft.ts"

/** OCI's type, docker's. */
const pairs: ReadonlyArray<readonly [string, string]> = [
  [mediaTypes.ociManifest, mediaTypes.dockerManifest],
  [mediaTypes.ociIndex, mediaTypes.dockerList],
  [mediaTypes.ociConfig, mediaTypes.dockerConfig],
  [mediaTypes.ociLayer, mediaTypes.dockerLayer],
  [mediaTypes.ociLayerGzip, mediaTypes.dockerLayerGzip],
  [mediaTypes.ociLayerZstd, mediaTypes.dockerLayerZstd],
  [mediaTypes.ociForeignLayerGzip, mediaTypes.dockerForeignLayerGzip]
]

const dockerTypes = new Map(pairs)
const ociTypes = new Map(pairs.map(([oci, docker]) => [docker, oci]))

const typed = (descriptor: Descriptor, types: ReadonlyMap<string, string>): Descriptor => {
  const mediaType = types.get(descriptor.mediaType)
  return mediaType === undefined ? descriptor : { ...descriptor, mediaType }
}

const converted = (draft: Draft, types: ReadonlyMap<string, string>): Draft => {
  if (draft._tag === "Fixed") return draft
  const mediaType = types.get(draft.mediaType) ?? draft.mediaType
  if (draft._tag === "Index") return mediaType === draft.mediaType ? draft : { ...draft, mediaType }
  const changed = withLayers(draft, (layer) => {
    const descriptor = typed(layer.descriptor, types)
    return descriptor === layer.descriptor ? layer : { ...layer, descriptor }
  })
  const config = typed(draft.config.descriptor, types)
  const isSame = mediaType === draft.mediaType && config === draft.config.descriptor
  return isSame ? changed : { ...changed, mediaType, config: { ...changed.config, descriptor: config } }
}

const withLayers = (image: ImageDraft, change: (layer: LayerDraft) => LayerDraft): ImageDraft => {
  const layers = image.layers.map(change)
  return layers.every((it, at) => it === image.layers[at]) ? image : { ...image, layers }
}

/** `--to-oci`. */
export const toOci: Change = { manifest: (draft) => Effect.succeed(converted(draft, ociTypes)) }

/** `--to-docker`: fails for what has an `artifactType`, which docker's manifests cannot say; a `subject` is left out. */
export const toDocker = (source: Ref): Change => ({
  manifest: (draft) => {
    if (draft.artifactType === undefined) return Effect.succeed(withoutSubject(converted(draft, dockerTypes)))
    const { location } = source
    const name = commonName(draft.isTop ? source : { location, digest: draft.origin.descriptor.digest })
    return new UsageError({ message: `unable to convert artifactType to docker manifest, ref ${name}` })
  }
})

const withoutSubject = (draft: Draft): Draft => {
  if (draft._tag === "Fixed" || draft.subject === undefined) return draft
  const { subject: _, ...rest } = draft
  return rest
}

const ordinaryTypes: ReadonlyMap<string, string> = new Map([
  [mediaTypes.ociForeignLayer, mediaTypes.ociLayer],
  [mediaTypes.ociForeignLayerGzip, mediaTypes.ociLayerGzip],
  [mediaTypes.ociForeignLayerZstd, mediaTypes.ociLayerZstd],
  [mediaTypes.dockerForeignLayerGzip, mediaTypes.dockerLayerGzip]
])

/** `--external-urls-rm`: layers kept elsewhere become ordinary ones. */
export const externalUrlsRemove: Change = {
  manifest: (draft) =>
    Effect.succeed(
      draft._tag !== "Image" ? draft : withLayers(draft, (layer) => {
        const { urls, ...descriptor } = layer.descriptor
        return urls === undefined || urls.length === 0
          ? layer
          : { ...layer, descriptor: typed(descriptor, ordinaryTypes) }
      })
    )
}
