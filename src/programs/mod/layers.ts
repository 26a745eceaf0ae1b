/**
 * The third phase of `image mod` for one image: its layers in another form, by another digest, or with other files
 * (library description, 17.2, 17.3). Each layer is read once and streams through; what comes out waits in a file.
 */
import { Deferred, Effect, Semaphore } from "effect"
import { readHeader } from "../../lib/tar/header.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Algorithm, algorithmOf } from "../../schemas/Digest.ts"
import { type StoreError, within } from "../../schemas/StoreError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { decompressed } from "../../services/compressed.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"
import { measure, type Scratch, scratch, spool } from "../../services/spool.ts"
import { changedTar, type EntryChange, type TarEntry } from "../../services/tar.ts"
import type { ChangeError, ImageDraft, LayerAt, LayerChange, LayerDraft } from "./draft.ts"
import { withoutLayers } from "./history.ts"
import { type Form, formOf, typeIn } from "./layerForms.ts"
import { diffAlgorithmOf, packed } from "./packed.ts"

/** What became of a layer: nothing, a layer without a file left, or a new one. */
type Outcome =
  | { readonly _tag: "Same" }
  | { readonly _tag: "Gone" }
  | {
    readonly _tag: "New"
    readonly descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">
    readonly diffId: string
    readonly content: Bytes
  }

const same: Outcome = { _tag: "Same" }

/** What was done already, so that images that share a layer share the work; its files stay until the scope ends. */
export interface LayerMemory extends Scratch {
  readonly outcomes: Map<string, Deferred.Deferred<Outcome, StoreError>>
  readonly turns: Semaphore.Semaphore
}

/** Layers at work at once: each has a decoder, an encoder and buffers of their own. */
const atOnce = 3

/** For all images of one run. */
export const layerMemory = Effect.map(scratch, (files): LayerMemory => ({
  ...files,
  outcomes: new Map(),
  turns: Semaphore.makeUnsafe(atOnce)
}))

/** All that is to be done with one layer. */
interface Work {
  readonly layer: LayerDraft
  readonly source: Bytes
  readonly files: ReadonlyArray<(entry: TarEntry) => Effect.Effect<EntryChange, StoreError>>
  readonly hasNewForm: boolean
  readonly form: Form
  readonly mediaType: string
  readonly algorithm: Algorithm
  readonly diffAlgorithm: Algorithm
}

/** The image with its layers changed. Fails as reading does, and with TarInvalid or DecompressLimit. */
export const applyLayers = Effect.fnUntraced(function*(
  image: ImageDraft,
  changes: ReadonlyArray<LayerChange>,
  { from }: { readonly from: ReadonlyRepository },
  memory: LayerMemory
) {
  if (changes.length === 0) return image
  const outcomes = yield* Effect.forEach(
    image.layers,
    (layer, position) => outcomeOf({ image, layer, position }, changes, from, memory),
    { concurrency: atOnce }
  )
  if (outcomes.every(({ _tag }) => _tag === "Same")) return image
  const layers = image.layers.map((layer, at) => withOutcome(layer, outcomes[at] ?? same))
  return withoutLayers({ ...image, layers }, (at) => outcomes[at]?._tag === "Gone")
})

/** The `data` of a descriptor is brought up to date when the manifest is made. */
const withOutcome = (layer: LayerDraft, outcome: Outcome): LayerDraft => {
  if (outcome._tag !== "New") return layer
  return {
    descriptor: { ...layer.descriptor, ...outcome.descriptor },
    ...(layer.diffId === undefined ? {} : { diffId: outcome.diffId }),
    content: outcome.content
  }
}

const outcomeOf = Effect.fnUntraced(function*(
  at: LayerAt,
  changes: ReadonlyArray<LayerChange>,
  from: ReadonlyRepository,
  memory: LayerMemory
) {
  const { layer } = at
  const { descriptor: { digest, mediaType, urls = [] }, diffId } = layer
  const form = formOf(mediaType)
  if (urls.length > 0) return same
  let [wanted, algorithm] = [form ?? "none", algorithmOf(digest)]
  let diffAlgorithm = diffAlgorithmOf(diffId)
  const files: Array<Work["files"][number]> = []
  const key: Array<number | string> = [digest, mediaType, diffId ?? ""]
  for (const [number, change] of changes.entries()) {
    if (change._tag === "Compress") {
      if (typeIn(mediaType, change.to) !== undefined) wanted = change.to
    } else if (change._tag === "Digest") {
      ;[algorithm, diffAlgorithm] = [change.algorithm, change.algorithm]
    } else if (form !== undefined && (yield* change.isMeant(at))) {
      files.push(change.file)
      key.push(number)
    }
  }
  const work: Work = {
    layer,
    source: layer.content ?? from.blob(layer.descriptor),
    files,
    hasNewForm: form !== undefined && wanted !== form,
    form: wanted,
    mediaType: typeIn(mediaType, wanted) ?? mediaType,
    algorithm,
    diffAlgorithm
  }
  if (files.length === 0 && !work.hasNewForm && algorithm === algorithmOf(digest)) return same
  return yield* once(memory, [...key, wanted, algorithm, diffAlgorithm].join(" "), done(work, memory))
})

/** Who asks again waits for the first, and takes no turn for that. */
const once = (memory: LayerMemory, key: string, run: Effect.Effect<Outcome, StoreError>) =>
  Effect.suspend((): Effect.Effect<Outcome, ChangeError> => {
    const known = memory.outcomes.get(key)
    if (known !== undefined) return Deferred.await(known)
    const result = Deferred.makeUnsafe<Outcome, StoreError>()
    memory.outcomes.set(key, result)
    return Effect.onExit(memory.turns.withPermit(run), (exit) => Deferred.done(result, exit))
  })

const done = (work: Work, memory: LayerMemory): Effect.Effect<Outcome, StoreError> =>
  Effect.gen(function*() {
    const { algorithm, files, hasNewForm, layer: { descriptor: { digest } } } = work
    const outcome = files.length > 0 || hasNewForm ? yield* rewrite(work, memory) : same
    return outcome._tag === "Same" && algorithm !== algorithmOf(digest) ? yield* digestAnew(work, memory) : outcome
  }).pipe(Effect.mapError(within(`failed to change layer ${work.layer.descriptor.digest}`)))

/** The layer's tar with its files changed, in the form that is wanted. */
const rewrite = Effect.fnUntraced(function*(work: Work, memory: LayerMemory) {
  const { algorithm, diffAlgorithm, files, form, hasNewForm, layer, mediaType, source } = work
  const tally = { kept: 0, dropped: 0, changed: 0 }
  const plain = decompressed(source)
  const tar = files.length === 0 ? plain : changedTar(plain, tallied(files, tally))
  const file = yield* memory.newFile
  const { content, diffId, digest, size } = yield* packed(file, tar, { form, algorithm, diffAlgorithm })
  const isGone = tally.kept === 0 && tally.dropped > 0
  const isChanged = tally.changed + tally.dropped > 0 && diffId !== layer.diffId
  if (!isGone && (isChanged || hasNewForm)) {
    const outcome: Outcome = { _tag: "New", descriptor: { mediaType, digest, size }, diffId, content }
    return outcome
  }
  yield* memory.remove(file)
  const outcome: Outcome = isGone ? { _tag: "Gone" } : same
  return outcome
})

/** All changes of an entry, one after the other. */
const tallied =
  (files: Work["files"], tally: { kept: number; dropped: number; changed: number }) => (entry: TarEntry) =>
    Effect.gen(function*() {
      let current = entry
      let body: Bytes | undefined
      let result: EntryChange = { _tag: "Keep" }
      for (const file of files) {
        const next: EntryChange = yield* file(current)
        if (next._tag === "Keep") continue
        result = next
        if (next._tag === "Drop") break
        const { blocks, size } = next
        body = next.body ?? body
        current = { ...entry, ...readHeader(blocks, entry.globals), body: body ?? entry.body }
        result = { _tag: "Replace", blocks, size, ...(body === undefined ? {} : { body }) }
      }
      if (result._tag === "Drop") tally.dropped++
      else tally.kept++
      if (result._tag === "Replace") tally.changed++
      return result
    })

/** The same bytes by another digest. */
const digestAnew = Effect.fnUntraced(function*(work: Work, memory: LayerMemory) {
  const { algorithm, diffAlgorithm, layer: { descriptor: { mediaType }, diffId }, source } = work
  const { content, digest, size } = yield* spool(yield* memory.newFile, source, algorithm)
  // Where the configuration names no layers, nothing needs the digest of the tar.
  const plain = diffId === undefined ? digest : (yield* measure(decompressed(content), diffAlgorithm)).digest
  const outcome: Outcome = { _tag: "New", descriptor: { mediaType, digest, size }, diffId: plain, content }
  return outcome
})
