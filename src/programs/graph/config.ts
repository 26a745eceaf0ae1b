/** Reads the configuration an image names. */
import { Effect } from "effect"
import { decodeConfig, type ImageConfig, maxConfig } from "../../schemas/ImageConfig.ts"
import type { Image } from "../../schemas/Manifest.ts"
import { isImageConfigType } from "../../schemas/MediaType.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import { collect } from "../../services/Bytes.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"

/** `undefined` for an artifact, whose config is something else. */
export const configOf = (
  repository: ReadonlyRepository,
  { config }: Image
): Effect.Effect<ImageConfig | undefined, StoreError> =>
  isImageConfigType(config.mediaType)
    ? collect(repository.blob(config), maxConfig).pipe(
      Effect.flatMap((bytes) => Effect.fromResult(decodeConfig(bytes))),
      Effect.mapError(within(`failed to read image config ${config.digest}`))
    )
    : Effect.succeed(undefined)
