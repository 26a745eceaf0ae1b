/** How artifacts name their files (image-spec, annotations.md). */
import type { Descriptor } from "./Descriptor.ts"

export const titleAnnotation = "org.opencontainers.image.title"

/** The file name of a layer; one that ends in `/` is that of a directory. */
export const titleOf = ({ annotations }: Descriptor): string | undefined => annotations?.[titleAnnotation]

/** Whether a layer is an archive of a directory, to be unpacked: by its title, or as ORAS marks it. */
export const isDirectory = (layer: Descriptor): boolean =>
  titleOf(layer)?.endsWith("/") === true || layer.annotations?.["io.deis.oras.content.unpack"] === "true"
