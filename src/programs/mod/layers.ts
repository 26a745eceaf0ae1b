/** Third phase of `image mod`: the layers of an image. */
import { Effect } from "effect"
import type { ReadonlyRepository, Repository } from "../../services/Repository.ts"
import type { ChangeError, ChangeNeeds, ImageDraft, LayerChange } from "./draft.ts"

/** The image with the changes made to its layers, in their order. */
export const applyLayers = (
  image: ImageDraft,
  _changes: ReadonlyArray<LayerChange>,
  _ends: { readonly from: ReadonlyRepository; readonly to: Repository }
): Effect.Effect<ImageDraft, ChangeError, ChangeNeeds> => Effect.succeed(image)
