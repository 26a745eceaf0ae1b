/** Layers and the entries of an image's history belong together: one entry for each layer, others marked as empty. */
import type { History, ImageConfig } from "../../schemas/ImageConfig.ts"
import type { ImageDraft } from "./draft.ts"

/** Entries that stand for a layer. */
export const layerHistory = ({ history }: ImageConfig): ReadonlyArray<History> =>
  (history ?? []).filter((entry) => entry.empty_layer !== true)

/** Whether two entries tell of the same step. */
export const isSameEntry = (a: History, b: History | undefined): boolean =>
  b !== undefined && (a.created ?? "") === (b.created ?? "") && (a.created_by ?? "") === (b.created_by ?? "") &&
  (a.author ?? "") === (b.author ?? "") && (a.comment ?? "") === (b.comment ?? "") &&
  (a.empty_layer ?? false) === (b.empty_layer ?? false)

/** The image without some of its layers, by position, and without their history. */
export const withoutLayers = (image: ImageDraft, isGone: (position: number) => boolean): ImageDraft => {
  const layers = image.layers.filter((_, at) => !isGone(at))
  if (layers.length === image.layers.length) return image
  const { config } = image
  const received = config.document?.history
  if (config.document === undefined || received == null) return { ...image, layers }
  let position = -1
  const history = received.filter((entry) => entry.empty_layer === true || !isGone(++position))
  return { ...image, layers, config: { ...config, document: { ...config.document, history } } }
}
