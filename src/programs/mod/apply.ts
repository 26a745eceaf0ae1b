/**
 * The options on an image, phase after phase (library description, 17.2). A manifest sees its children with all options
 * done, and its configuration as it was; what a configuration's option looks up was done by those before it everywhere.
 */
import { Effect } from "effect"
import type { ReadonlyRepository, Repository } from "../../services/Repository.ts"
import type { Change, ChangeError, ChangeNeeds, Draft, ImageDraft } from "./draft.ts"
import { applyLayers, layerMemory } from "./layers.ts"
import { squash } from "./squash.ts"

/** Where the image is, and where it goes. */
export interface Ends {
  readonly from: ReadonlyRepository
  readonly to: Repository
}

type Changing<D extends Draft = Draft> = (draft: D) => Effect.Effect<Draft, ChangeError, ChangeNeeds>

/** Runs all options; the same draft comes back when none of them does anything. */
export const applyChanges = Effect.fnUntraced(
  function*(loaded: Draft, changes: ReadonlyArray<Change>, ends: Ends) {
    let top = loaded
    for (const { prepare } of changes) if (prepare !== undefined) yield* prepare(top)
    const begun = new Set<Change>()
    const begin = (change: Change) => {
      const isFirst = !begun.has(change)
      begun.add(change)
      return isFirst && change.begin !== undefined ? change.begin(top) : Effect.void
    }
    for (const change of changes) if (change.manifest !== undefined) yield* begin(change)
    const onManifest = changes.flatMap(({ manifest }) => manifest === undefined ? [] : [manifest])
    top = yield* mapDrafts(top, (draft) => Effect.reduce(onManifest, () => draft, (it, change) => change(it)))
    for (const change of changes) {
      if (change.config === undefined) continue
      yield* begin(change)
      top = yield* mapDrafts(top, onConfigs(change.config))
    }
    const layerChanges: Array<NonNullable<Change["layer"]>> = []
    for (const change of changes) {
      if (change.layer === undefined) continue
      yield* begin(change)
      layerChanges.push(change.layer)
    }
    const isSquashed = changes.some((it) => it.squash === true)
    if (layerChanges.length === 0 && !isSquashed) return top
    const memory = yield* layerMemory
    if (isSquashed) top = yield* mapDrafts(top, onImages((image) => squash(image, ends, memory)))
    return yield* mapDrafts(top, onImages((image) => applyLayers(image, layerChanges, ends, memory)))
  }
)

const onImages = (change: Changing<ImageDraft>): Changing => (draft) =>
  draft._tag === "Image" ? change(draft) : Effect.succeed(draft)

const onConfigs = (change: NonNullable<Change["config"]>): Changing =>
  onImages((image) => {
    const { document } = image.config
    if (document === undefined) return Effect.succeed(image)
    return Effect.map(
      change(document, image),
      (changed) => changed === document ? image : { ...image, config: { ...image.config, document: changed } }
    )
  })

/** Each manifest once, children first; what only follows its subject is passed by. */
const mapDrafts = (top: Draft, change: Changing): Effect.Effect<Draft, ChangeError, ChangeNeeds> => {
  const done = new Map<Draft, Draft>()

  const visit = Effect.fnUntraced(function*(draft: Draft): Effect.fn.Return<Draft, ChangeError, ChangeNeeds> {
    const known = done.get(draft)
    if (known !== undefined || draft.isFollower === true) return known ?? draft
    const changed = yield* change(yield* inside(draft))
    done.set(draft, changed)
    return changed
  })

  const inside = Effect.fnUntraced(function*(draft: Draft): Effect.fn.Return<Draft, ChangeError, ChangeNeeds> {
    const entries = draft._tag !== "Index" ? [] : yield* Effect.forEach(
      draft.entries,
      (entry) =>
        entry.draft === undefined
          ? Effect.succeed(entry)
          : Effect.map(visit(entry.draft), (it) => it === entry.draft ? entry : { ...entry, draft: it })
    )
    const referrers = yield* Effect.forEach(draft.referrers, visit)
    const isSame = referrers.every((it, at) => it === draft.referrers[at]) &&
      (draft._tag !== "Index" || entries.every((it, at) => it === draft.entries[at]))
    if (isSame) return draft
    return draft._tag === "Index" ? { ...draft, referrers, entries } : { ...draft, referrers }
  })

  return visit(top)
}
