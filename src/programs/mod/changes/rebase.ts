/** Options that put an image on another base: its leading layers and their history are swapped (library description, 17.3). */
import { Effect, Result } from "effect"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import { configPlatform, type History, type ImageConfig } from "../../../schemas/ImageConfig.ts"
import type { Manifest } from "../../../schemas/Manifest.ts"
import { parseRef, type Ref, referenceOf } from "../../../schemas/Ref.ts"
import { storeError, within } from "../../../schemas/StoreError.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import { Repositories } from "../../../services/Repositories.ts"
import type { ReadonlyRepository } from "../../../services/Repository.ts"
import { configOf } from "../../graph/config.ts"
import { selectBelow } from "../../graph/select.ts"
import type { Change, Draft, ImageDraft } from "../draft.ts"
import { isSameEntry, layerHistory } from "../history.ts"

const failure = (message: string) => new UsageError({ message })

const nameKey = "org.opencontainers.image.base.name"
const digestKey = "org.opencontainers.image.base.digest"

/** Both bases as references. */
interface Bases {
  readonly old: Ref
  readonly new: Ref
}

const readRef = (text: string, which: string): Effect.Effect<Ref, UsageError> =>
  Effect.fromResult(
    Result.mapError(parseRef(text), ({ message }) => failure(`failed parsing ${which} base image ref: ${message}`))
  )

/** `--rebase-ref`: from the old base to the new one, split at the first comma. */
export const rebaseRef = Effect.fnUntraced(function*(value: string) {
  const comma = value.indexOf(",")
  if (comma < 0) return yield* failure("rebase-ref requires two base images (old,new), comma separated")
  const bases: Bases = {
    old: yield* readRef(value.slice(0, comma), "old"),
    new: yield* readRef(value.slice(comma + 1), "new")
  }
  return rebasing(() => Effect.succeed(bases))
})

/** `--rebase`: from the base that the annotations name by digest to what their name means now. */
export const rebase = (): Effect.Effect<Change> => Effect.sync(() => rebasing(annotated))

const annotated = Effect.fnUntraced(function*({ annotations }: Draft) {
  const [name, digest] = [annotations[nameKey] ?? "", annotations[digestKey] ?? ""]
  if (name === "" || digest === "") {
    return yield* failure(`annotation for base image is missing (${nameKey} or ${digestKey})`)
  }
  const current = yield* readRef(name, "new")
  const bases: Bases = { old: yield* readRef(`${name.replace(/@.*$/, "")}@${digest}`, "old"), new: current }
  return bases
})

interface Base {
  readonly repository: ReadonlyRepository
  readonly manifest: Manifest
}

/** What a base is for one platform. */
interface BaseImage {
  readonly repository: ReadonlyRepository
  readonly layers: ReadonlyArray<Descriptor>
  readonly document: ImageConfig
}

const rebasing = (basesOf: (top: Draft) => Effect.Effect<Bases, UsageError>): Change => {
  let bases: { readonly old: Base; readonly new: Base } | undefined
  return {
    prepare: (top) =>
      Effect.gen(function*() {
        const refs = yield* basesOf(top)
        bases = { old: yield* open(refs.old), new: yield* open(refs.new) }
      }),
    manifest: (draft) => {
      const { document } = draft._tag === "Image" ? draft.config : {}
      const isSame = bases?.old.manifest.descriptor.digest === bases?.new.manifest.descriptor.digest
      if (bases === undefined || isSame || draft._tag !== "Image" || document === undefined) {
        return Effect.succeed(draft)
      }
      // An attestation has no base.
      if (!draft.isTop && configPlatform(document)?.os === "unknown") return Effect.succeed(draft)
      const images = Effect.all([imageOf(bases.old, document), imageOf(bases.new, document)])
      return Effect.flatMap(images, ([old, next]) => Effect.fromResult(swapped(draft, document, old, next)))
    }
  }
}

const open = Effect.fnUntraced(function*(ref: Ref) {
  const repository = yield* Effect.flatMap(Repositories, ({ open }) => open(ref.location))
  const base: Base = { repository, manifest: yield* repository.manifest(referenceOf(ref)) }
  return base
}, Effect.mapError((error) => within("failed to get base image")(error)))

/** The base's image for the platform of a configuration; a base without index is taken as it is. */
const imageOf = Effect.fnUntraced(function*({ manifest: top, repository }: Base, config: ImageConfig) {
  const platform = configPlatform(config)
  if (top._tag === "Index" && platform === undefined) {
    return yield* storeError("", "NotFound", "platform not found: unknown")
  }
  const manifest = platform === undefined ? top : yield* selectBelow(repository, top, platform)
  const document = manifest._tag === "Image" ? yield* configOf(repository, manifest) : undefined
  if (manifest._tag !== "Image" || document === undefined) return yield* failure("base image is not an image")
  const image: BaseImage = { repository, layers: manifest.layers, document }
  return image
}, Effect.mapError((error) => error._tag === "UsageError" ? error : within("failed to get base image")(error)))

const shown = ({ author = "", comment = "", created = "", created_by = "", empty_layer }: History): string =>
  `{${[created, created_by, author, comment, empty_layer ?? false].join(" ")}}`

/** Why an image does not stand on a base. */
const mismatch = (image: ImageDraft, document: ImageConfig, base: BaseImage): string | undefined => {
  const says = (what: string, at: number, expected: string | undefined, found: string | undefined) =>
    `old base image does not match image ${what} ${at}, base ${expected}, image ${found}`
  const [history, baseHistory] = [document.history ?? [], base.document.history ?? []]
  const diffIds = base.document.rootfs?.diff_ids ?? []
  if (base.layers.length > image.layers.length) return "base image has more layers than modified image"
  const layer = base.layers.findIndex(({ digest }, at) => digest !== image.layers[at]?.descriptor.digest)
  if (layer >= 0)
    return says("layers, layer", layer, base.layers[layer]?.digest, image.layers[layer]?.descriptor.digest)
  if (baseHistory.length > history.length) return "base image has more history entries than modified image"
  for (const [at, entry] of baseHistory.entries()) {
    const own = history[at]
    if (!isSameEntry(entry, own)) return says("history, entry", at, shown(entry), shown(own ?? {}))
  }
  if (diffIds.length > image.layers.length) return "base image has more rootfs entries than modified image"
  const diff = diffIds.findIndex((it, at) => it !== image.layers[at]?.diffId)
  return diff < 0 ? undefined : says("rootfs, entry", diff, diffIds[diff], image.layers[diff]?.diffId)
}

const hasFullHistory = ({ document, layers }: BaseImage): boolean => layerHistory(document).length === layers.length

const swapped = (
  image: ImageDraft,
  document: ImageConfig,
  old: BaseImage,
  next: BaseImage
): Result.Result<Draft, UsageError> => {
  const problem = mismatch(image, document, old) ??
    (hasFullHistory(old) ? undefined : "old base image layers do not match its history") ??
    (hasFullHistory(next) ? undefined : "new base image layers do not match its history")
  if (problem !== undefined) return Result.fail(failure(problem))
  const diffIds = next.document.rootfs?.diff_ids ?? []
  if (diffIds.length !== next.layers.length) {
    return Result.fail(failure("new base image layers do not match its rootfs"))
  }
  const layers = next.layers.map((descriptor, at) => ({
    descriptor,
    ...(diffIds[at] === undefined ? {} : { diffId: diffIds[at] }),
    // Where a layer has addresses of its own, its bytes are not here.
    ...(descriptor.urls === undefined ? { content: next.repository.blob(descriptor) } : {})
  }))
  const history = [
    ...next.document.history ?? [],
    ...(document.history ?? []).slice((old.document.history ?? []).length)
  ]
  return Result.succeed<Draft>({
    ...image,
    layers: [...layers, ...image.layers.slice(old.layers.length)],
    config: { ...image.config, document: { ...document, history } }
  })
}
