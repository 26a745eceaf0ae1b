/** Compares an image with its base by content: layers and history of the base have to be the first of the image's. */
import { Effect, Exit } from "effect"
import { parseTime } from "../../lib/goTime.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import { configPlatform, type History } from "../../schemas/ImageConfig.ts"
import type { Image, Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { platformText } from "../../schemas/Platform.ts"
import { commonName, type Ref, Reference, referenceOf } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { configOf } from "../graph/config.ts"
import { selectBelow } from "../graph/select.ts"

interface Opened {
  readonly ref: Ref
  readonly repository: ReadonlyRepository
}

interface Found {
  readonly repository: ReadonlyRepository
  readonly manifest: Manifest
}

export interface How {
  /** The one to look at, of an image with several. */
  readonly platform: Platform | undefined
  readonly withHistory: boolean
}

/** Children that are looked at at once. */
const concurrency = 4

/**
 * How the base's content of now differs from what the image was built on; `undefined` when it does not. Of an index each
 * child with a platform is compared with the base's for that platform. Fails when the image is smaller than its base.
 */
export const contentChange = Effect.fnUntraced(function*(image: Found, { ref, repository }: Opened, how: How) {
  const base = { name: commonName(ref), repository, manifest: yield* repository.manifest(referenceOf(ref)) }
  const { manifest } = image
  if (manifest._tag !== "Index") return yield* compare(image, base, how)
  if (how.platform !== undefined) {
    return yield* compare(
      { ...image, manifest: yield* selectBelow(image.repository, manifest, how.platform) },
      base,
      how
    )
  }
  const children = manifest.manifests.filter((it) => it.platform !== undefined && it.platform.os !== "unknown")
  if (children.length === 0) return yield* storeError("", "NotFound", "platform not found: the image has none")
  const outcomes = yield* Effect.forEach(
    children,
    (child) => Effect.exit(compareChild(image.repository, child, base, how)),
    { concurrency }
  )
  // The first child that differs or cannot be compared has the word, whichever was done first.
  for (const outcome of outcomes) if (Exit.isFailure(outcome) || outcome.value !== undefined) return yield* outcome
  return undefined
})

interface Base extends Found {
  readonly name: string
}

/** Entries for no system, such as attestations, stand on no base. */
const compareChild = (repository: ReadonlyRepository, child: Descriptor, base: Base, how: How) => {
  const { platform } = child
  const prefix = `platform ${platform === undefined ? "unknown" : platformText(platform)} mismatch`
  return repository.manifest(Reference.ByDigest({ digest: child.digest }), child).pipe(
    Effect.flatMap((manifest) =>
      platform === undefined ? Effect.succeed(manifest) : selectBelow(repository, manifest, platform)
    ),
    Effect.flatMap((manifest) => compare({ repository, manifest }, base, { ...how, platform })),
    Effect.map((change) => change === undefined ? undefined : `${prefix}: ${change}`),
    Effect.mapError(within(prefix))
  )
}

/** An image against a base, or the one of a base's index that is for the platform asked for, else for the image's. */
const compare = Effect.fnUntraced(function*(
  { manifest, repository }: Found,
  base: Base,
  { platform, withHistory }: How
): Effect.fn.Return<string | undefined, StoreError> {
  const image = yield* imageOf(manifest, "image")
  const wanted = platform ?? (base.manifest._tag === "Index" ? yield* platformOf(repository, image) : undefined)
  const chosen = wanted === undefined ? base.manifest : yield* selectBelow(base.repository, base.manifest, wanted)
  const baseImage = yield* imageOf(chosen, "base image")
  if (image.layers.length < baseImage.layers.length) return yield* fewer("layers")
  const at = baseImage.layers.findIndex((layer, at) => !isSameContent(layer, image.layers[at]))
  if (at >= 0) {
    return changed("layer", base.name, at, image.layers[at]?.digest ?? "", baseImage.layers[at]?.digest ?? "")
  }
  if (!withHistory) return undefined
  const [history, baseHistory] = yield* Effect.all([
    historyOf(repository, image),
    historyOf(base.repository, baseImage)
  ], { concurrency: 2 })
  if (history.length < baseHistory.length) return yield* fewer("history entries")
  const differing = baseHistory.findIndex((entry, at) => historyText(entry) !== historyText(history[at] ?? {}))
  return differing < 0
    ? undefined
    : changed(
      "history",
      base.name,
      differing,
      historyText(history[differing] ?? {}),
      historyText(baseHistory[differing] ?? {})
    )
})

const changed = (what: string, base: string, at: number, expected: string, received: string): string =>
  `base ${what} changed, ${base}[${at}], expected ${expected}, received ${received}`

const fewer = (what: string) => storeError("", "ManifestInvalid", `image has fewer ${what} than base image`)

const imageOf = (manifest: Manifest, what: string): Effect.Effect<Image, StoreError> =>
  manifest._tag === "Image"
    ? Effect.succeed(manifest)
    : Effect.fail(storeError("", "UnsupportedMediaType", `${what} manifest must be an image`))

const platformOf = (repository: ReadonlyRepository, image: Image) =>
  Effect.map(configOf(repository, image), (config) => config === undefined ? undefined : configPlatform(config))

const historyOf = (repository: ReadonlyRepository, image: Image): Effect.Effect<ReadonlyArray<History>, StoreError> =>
  Effect.map(configOf(repository, image), (config) => config?.history ?? [])

/** The fields that count, times as instants. */
const historyText = ({ author, comment, created, created_by, empty_layer }: History): string =>
  JSON.stringify([instant(created ?? ""), created_by ?? "", author ?? "", comment ?? "", empty_layer ?? false])

const instant = (text: string): string => {
  const parsed = parseTime("2006-01-02T15:04:05Z07:00", text)
  return "time" in parsed ? String(parsed.time.nanos) : text
}

/** One layer under docker's and OCI's name (library description, 3.2). */
const ociNames: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayer]: mediaTypes.ociLayer,
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
  [mediaTypes.dockerLayerZstd]: mediaTypes.ociLayerZstd,
  [mediaTypes.dockerForeignLayerGzip]: mediaTypes.ociForeignLayerGzip
}

const isSameContent = (a: Descriptor, b: Descriptor | undefined): boolean =>
  a.digest === b?.digest && a.size === b.size &&
  (ociNames[a.mediaType] ?? a.mediaType) === (ociNames[b.mediaType] ?? b.mediaType)
