/** `regctl image inspect`: the configuration of an image for one platform. */
import { Effect } from "effect"
import { maxConfig } from "../../schemas/ImageConfig.ts"
import { isImageConfigType } from "../../schemas/MediaType.ts"
import { referenceOf } from "../../schemas/Ref.ts"
import { storeError, within } from "../../schemas/StoreError.ts"
import { collect } from "../../services/Bytes.ts"
import { Formatter } from "../../services/Formatter.ts"
import { selectPlatform, shownPlatformOf } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { imageConfigView } from "../views/imageConfig.ts"

interface Input {
  readonly format: string
  readonly platform: string
  readonly args: ReadonlyArray<string>
}

const withHeaders: ReadonlySet<string> = new Set(["raw", "raw-headers", "rawHeaders", "headers"])

export const run = Effect.fn("image inspect")(function*({ args, format, platform }: Input) {
  const { ref, repository } = yield* openRef(args[0])
  const wanted = yield* shownPlatformOf(platform === "" ? "local" : platform)
  const manifest = yield* Effect.mapError(
    selectPlatform(repository, referenceOf(ref), wanted),
    within("failed to get manifest")
  )
  if (manifest._tag !== "Image") {
    const { mediaType } = manifest.descriptor
    return yield* unsupported(`failed to get image config: config digest not available for media type ${mediaType}`)
  }
  const { config } = manifest
  if (!isImageConfigType(config.mediaType)) {
    return yield* unsupported(`unsupported config media type ${config.mediaType}: unsupported media type`)
  }
  const bytes = yield* collect(repository.blob(config), maxConfig)
  const asksHeaders = withHeaders.has(format) || format.includes("RawHeaders")
  const { headers } = asksHeaders ? yield* repository.headBlob(config) : { headers: {} }
  const view = imageConfigView({ descriptor: config, headers, bytes })
  yield* (yield* Formatter).write(format, view, { named: true })
}, Effect.scoped)

const unsupported = (detail: string) =>
  storeError(
    `artifacts are not supported with "regctl image inspect", use "regctl artifact get --config" instead`,
    "UnsupportedMediaType",
    detail
  )
