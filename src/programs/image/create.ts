/** `regctl image create`: an image without layers (regctl description, 4.6). */
import { Clock, Effect } from "effect"
import { formatTime, parseTime, rfc3339Nano, utcTime } from "../../lib/goTime.ts"
import { composeConfig, composeManifest } from "../../schemas/compose.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { fromBytes } from "../../services/Bytes.ts"
import { WillWrite } from "../../services/Registry.ts"
import { annotationsOf } from "../annotations.ts"
import { platformOf } from "../graph/select.ts"
import { algorithmFor, putComposed } from "../manifest/composed.ts"
import { openRef } from "../open.ts"

interface Input {
  readonly annotation: ReadonlyArray<string>
  readonly byDigest: boolean
  readonly created: string
  readonly format: string
  readonly label: ReadonlyArray<string>
  readonly mediaType: string
  readonly platform: string
  readonly args: ReadonlyArray<string>
}

const configTypes: Readonly<Record<string, string>> = {
  [mediaTypes.ociManifest]: mediaTypes.ociConfig,
  [mediaTypes.dockerManifest]: mediaTypes.dockerConfig
}

export const run = Effect.fn("image create")(function*(input: Input) {
  const { args, byDigest, format, mediaType } = input
  const configType = Object.hasOwn(configTypes, mediaType) ? configTypes[mediaType] : undefined
  if (configType === undefined) {
    return yield* storeError("", "UnsupportedMediaType", `unsupported manifest media type: ${mediaType}`)
  }
  const created = yield* createdAt(input.created)
  const platform = input.platform === "" ? { architecture: "", os: "" } : yield* Effect.mapError(
    platformOf(input.platform),
    ({ message }) => new UsageError({ message: `failed to parse platform: ${message}` })
  )
  const { ref, repository } = yield* Effect.provideService(openRef(args[0]), WillWrite, true)
  const algorithm = algorithmFor(ref)
  const config = composeConfig({
    created,
    ...platform,
    ...(input.label.length === 0 ? {} : { config: { Labels: annotationsOf(input.label) } }),
    rootfs: { type: "layers", diff_ids: [] }
  }, { algorithm, mediaType: configType })
  const manifest = yield* Effect.fromResult(composeManifest({
    mediaType,
    config: config.descriptor,
    layers: [],
    annotations: annotationsOf(input.annotation)
  }, { algorithm }))
  yield* repository.putBlob(fromBytes(config.bytes), config.descriptor)
  yield* putComposed(repository, ref, manifest, { byDigest, format })
}, Effect.scoped)

const rfc3339 = "2006-01-02T15:04:05Z07:00"

/** `now`, or a time as it was written; empty for none. */
const createdAt = Effect.fnUntraced(function*(text: string) {
  if (text === "") return ""
  if (text === "now") return formatTime(utcTime(yield* Clock.currentTimeMillis), rfc3339Nano)
  const parsed = parseTime(rfc3339, text)
  return "time" in parsed
    ? formatTime(parsed.time, rfc3339Nano)
    : yield* new UsageError({ message: `failed to parse created time ${text}: ${parsed.problem}` })
})
