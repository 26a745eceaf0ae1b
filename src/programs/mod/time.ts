/** Time options such as `set=2020-01-01T00:00:00Z,base-layers=2`: what they say, and what becomes of a time by them. */
import { Effect, Result } from "effect"
import { formatTime, type GoTime, parseTime } from "../../lib/goTime.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import { configPlatform, type History, type ImageConfig } from "../../schemas/ImageConfig.ts"
import { bestMatch, platformText } from "../../schemas/Platform.ts"
import { parseRef, type Ref, Reference, referenceOf } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Repositories } from "../../services/Repositories.ts"
import { configOf } from "../graph/config.ts"
import { type Draft, draftsOf, type LayerAt } from "./draft.ts"
import { isSameEntry } from "./history.ts"

export interface TimeOptions {
  readonly set?: GoTime
  /** A label that holds the time to set. */
  readonly fromLabel?: string
  /** Only times later than this one change. */
  readonly after?: GoTime
  /** An image whose layers and history are left alone. */
  readonly baseRef?: Ref
  /** How many leading layers are left alone. */
  readonly baseLayers: number
  /** Of `--file-tar-time` alone: the file in a layer that is a tar. */
  readonly filename?: string
}

export const rfc3339 = "2006-01-02T15:04:05Z07:00"

type Parsed<A> = Result.Result<A, UsageError>
const fail = (message: string): Result.Result<never, UsageError> => Result.fail(new UsageError({ message }))

const readTime = (name: string, text: string): Parsed<GoTime> => {
  const parsed = parseTime(rfc3339, text)
  return "time" in parsed
    ? Result.succeed(parsed.time)
    : fail(`${name} must be formatted ${rfc3339}: ${parsed.problem}`)
}

/**
 * Reads a list of `key=value` split at commas, without quoting (regctl description, 4.6). `filename` is a key, and
 * needed, when `hasFilename`.
 */
export const parseTimeOptions = (
  text: string,
  { hasFilename = false }: { readonly hasFilename?: boolean } = {}
): Parsed<TimeOptions> =>
  Result.gen(function*() {
    const options: { -readonly [K in keyof TimeOptions]: TimeOptions[K] } = { baseLayers: 0 }
    const unknown: Array<string> = []
    for (const part of text.split(",")) {
      const equals = part.indexOf("=")
      if (equals < 0) return yield* fail(`parameter without a value: ${part}`)
      const [key, value] = [part.slice(0, equals), part.slice(equals + 1)]
      if (key === "set") options.set = yield* readTime("set time", value)
      else if (key === "after") options.after = yield* readTime("after time", value)
      else if (key === "from-label") options.fromLabel = value
      else if (key === "base-ref") options.baseRef = yield* readBaseRef(value)
      else if (key === "base-layers") options.baseLayers = yield* readCount(value)
      else if (key === "filename" && hasFilename) options.filename = value
      else unknown.push(key)
    }
    if (unknown.length > 0) return yield* fail(`unknown time option: ${unknown.toSorted().join(", ")}`)
    if (hasFilename && (options.filename ?? "") === "") return yield* fail("filename must be included")
    return options
  })

const readBaseRef = (text: string): Parsed<Ref> =>
  Result.mapError(
    parseRef(text),
    ({ message }) => new UsageError({ message: `failed to parse base ref: ${message}` })
  )

const readCount = (text: string): Parsed<number> =>
  /^[+-]?\d{1,9}$/.test(text)
    ? Result.succeed(Number(text))
    : fail(`unable to parse base layer count: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)

/** The one time of the hidden `…-max` flags: `set=t,after=t`. */
export const parseTimeMax = (text: string): Parsed<TimeOptions> =>
  Result.map(readTime("time", text), (time) => ({ set: time, after: time, baseLayers: 0 }))

/** `filename,time` of the hidden `--file-tar-time-max`. */
export const parseFileTimeMax = (text: string): Parsed<TimeOptions> => {
  const comma = text.indexOf(",")
  if (comma < 0) return fail("filename and timestamp both required, comma separated")
  return Result.map(parseTimeMax(text.slice(comma + 1)), (options) => ({ ...options, filename: text.slice(0, comma) }))
}

/** What changes a time: the time to set, and the one up to which times stay. */
export interface TimeRule {
  readonly set: GoTime
  readonly after?: GoTime
}

/**
 * The rule, with the label looked up in all images of the tree. Fails without a time to set, naming `option`
 * (`WithConfigTimestamp`, `WithLayerTimestamp`, `WithFileTarTime`), and for a label that is absent, no time or different
 * from image to image.
 */
export const resolveTime = (
  top: Draft,
  { after, fromLabel = "", set }: TimeOptions,
  option: string
): Effect.Effect<TimeRule, UsageError> =>
  Effect.fromResult(Result.gen(function*() {
    const rule = after === undefined ? {} : { after }
    if (fromLabel !== "") return { ...rule, set: yield* labelTime(top, fromLabel, set) }
    return set === undefined ? yield* fail(`${option} requires a time to set`) : { ...rule, set }
  }))

/** Every image has the label, but for those of no platform, such as attestations. */
const labelTime = (top: Draft, label: string, set: GoTime | undefined): Parsed<GoTime> =>
  Result.gen(function*() {
    let found = set
    for (const draft of draftsOf(top)) {
      if (draft._tag !== "Image") continue
      const { config } = draft
      const text = config.document?.config?.Labels?.[label]
      if (text === undefined && (config.document === undefined || isWithoutPlatform(config.document))) continue
      if (text === undefined) return yield* fail(`label not found: ${label}`)
      const parsed = parseTime(rfc3339, text)
      if ("problem" in parsed) return yield* fail(`could not parse time ${text} from ${label}: ${parsed.problem}`)
      if (found !== undefined && found.nanos !== parsed.time.nanos) {
        return yield* fail(`conflicting time labels found ${shown(found)} and ${shown(parsed.time)}`)
      }
      found = parsed.time
    }
    return found ?? (yield* fail(`label not found: ${label}`))
  })

const shown = (time: GoTime): string => formatTime(time, "2006-01-02 15:04:05.999999999 -0700 MST")

/** As build tools mark what runs nowhere. */
const isWithoutPlatform = (document: ImageConfig): boolean => (document.os ?? "unknown") === "unknown"

/**
 * What a time (nanoseconds since 1970) becomes: `undefined` when it stays, as one that is absent, not later than
 * `after`, or the same already does.
 */
export const newTime = (old: bigint | undefined, { after, set }: TimeRule): bigint | undefined =>
  old === undefined || old === set.nanos || (after !== undefined && old <= after.nanos) ? undefined : set.nanos

/** What belongs to the base of the images and is left alone. */
export interface Base {
  /** Leading layers of every image. */
  readonly layers: number
  /** Digests of the layers of the base image, on all its platforms. */
  readonly digests: ReadonlySet<string>
  /** How many leading entries of an image's history are the base's. Fails with NotFound where it lacks the platform. */
  readonly historyLength: (document: ImageConfig) => Result.Result<number, StoreError>
}

interface BaseImage {
  readonly history: ReadonlyArray<History>
  readonly platform?: Platform
}

/** Indexes that may stand above one another, and manifests of one base image (faults, limits). */
const maxDepth = 32
const maxManifests = 10_000

/** Reads the base image of the options, if they name one. What its index names and is absent is passed over. */
export const loadBase = Effect.fnUntraced(function*(
  { baseLayers, baseRef }: TimeOptions,
  operation = "failed to get base image"
) {
  const digests = new Set<string>()
  const images: Array<BaseImage> = []
  const base: Base = {
    layers: baseLayers,
    digests,
    historyLength: (document) =>
      Result.map(
        sameLength(images, document),
        (same) => Math.max(same, lengthOfLayers(document.history ?? [], baseLayers))
      )
  }
  if (baseRef === undefined) return base
  const { open } = yield* Repositories
  const repository = yield* open(baseRef.location)
  let pending: ReadonlyArray<readonly [Reference, Descriptor | undefined]> = [[referenceOf(baseRef), undefined]]
  // What indexes name again and again is read once for each platform.
  const seen = new Set<string>()
  const isNew = ({ digest, platform }: Descriptor) => {
    const { size } = seen
    return seen.add(`${digest} ${platform === undefined ? "" : platformText(platform)}`).size > size
  }
  for (let depth = 0; pending.length > 0 && depth < maxDepth; depth++) {
    const manifests = yield* Effect.forEach(
      pending,
      ([reference, expected]) =>
        repository.manifest(reference, expected).pipe(
          Effect.map((manifest) => [{ manifest, expected }]),
          Effect.catchIf(
            ({ reason }) => expected !== undefined && reason._tag === "NotFound",
            () => Effect.succeed([])
          ),
          Effect.mapError(within(operation))
        ),
      { concurrency: 4 }
    ).pipe(Effect.map((found) => found.flat()))
    for (const { expected, manifest } of manifests) {
      if (manifest._tag !== "Image") continue
      for (const { digest } of manifest.layers) digests.add(digest)
      const document = yield* configOf(repository, manifest)
      const platform = expected?.platform ?? (document === undefined ? undefined : configPlatform(document))
      images.push({ history: document?.history ?? [], ...(platform === undefined ? {} : { platform }) })
    }
    pending = manifests.flatMap(({ manifest }) =>
      manifest._tag === "Index"
        ? manifest.manifests.filter(isNew).map((it) => [Reference.ByDigest({ digest: it.digest }), it] as const)
        : []
    )
    if (seen.size > maxManifests) {
      return yield* storeError(operation, "SizeLimit", `more than ${maxManifests} manifests in one image`)
    }
  }
  return base
})

/** What fails when the history of a base image is asked for. */
export const configOperation = "failed to get base image config: failed to get manifest"

/** History up to the last of so many layers. */
const lengthOfLayers = (history: ReadonlyArray<History>, layers: number): number => {
  let length = 0
  for (let found = 0; found < layers && length < history.length; length++) {
    if (history[length]?.empty_layer !== true) found++
  }
  return length
}

/** Entries that equal those of the base image for the same platform. */
const sameLength = (images: ReadonlyArray<BaseImage>, document: ImageConfig): Result.Result<number, StoreError> => {
  const platform = configPlatform(document)
  if (images.length === 0 || (images.length > 1 && isWithoutPlatform(document))) return Result.succeed(0)
  const base = images.length === 1 || platform === undefined ? images[0] : bestMatch(images, platform)
  if (base === undefined) {
    const name = platform === undefined ? "unknown" : platformText(platform)
    return Result.fail(storeError(configOperation, "NotFound", `platform not found: ${name}`))
  }
  const history = document.history ?? []
  const end = history.findIndex((it, at) => !isSameEntry(it, base.history[at]))
  return Result.succeed(end < 0 ? history.length : end)
}

/** Whether a layer is one of the base's; one made of all layers is not. */
export const isBaseLayer = ({ digests, layers }: Base, { layer, position }: LayerAt): boolean =>
  layer.isSquashed !== true && (position < layers || digests.has(layer.descriptor.digest))
