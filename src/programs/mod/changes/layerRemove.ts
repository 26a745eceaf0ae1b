/** Options that take whole layers out of images, with their history (library description, 17.3). */
import { Effect } from "effect"
import { searching } from "../../../lib/pattern.ts"
import { configPlatform, type History } from "../../../schemas/ImageConfig.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import type { Change } from "../draft.ts"
import { layerHistory, withoutLayers } from "../history.ts"

const fail = (message: string) => Effect.fail(new UsageError({ message }))

/** As Go reads a decimal. */
const integer = /^[+-]?\d{1,15}$/

/** `--layer-rm-index`: one layer of a single image, by its position among the layers that came. */
export const layerRemoveIndex = (value: string): Effect.Effect<Change, UsageError> => {
  if (!integer.test(value)) {
    return fail(`index invalid: strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`)
  }
  const index = Number(value)
  return Effect.succeed<Change>({
    begin: (top) => top._tag === "Image" ? Effect.void : fail("remove layer by index requires v2 image manifest"),
    manifest: (draft) => {
      if (draft._tag !== "Image" || !draft.isTop) return Effect.succeed(draft)
      if (!(index >= 0 && index < draft.origin.layers.length)) return fail("layer not found")
      return Effect.succeed(withoutLayers(draft, (at) => draft.layers[at]?.received === index))
    }
  })
}

/** `--layer-rm-created-by`: layers by the command that made them. Every image has to have, or have had, one. */
export const layerRemoveCreatedBy = (value: string): Effect.Effect<Change, UsageError> => {
  const pattern = searching(value)
  if ("problem" in pattern) return fail(`value must be a valid regex: ${pattern.problem}`)
  const isMatch = ({ created_by }: History) => pattern.matches(created_by ?? "")
  return Effect.succeed<Change>({
    manifest: (draft) => {
      const { document, received } = draft._tag === "Image" ? draft.config : {}
      if (draft._tag !== "Image" || document === undefined) return Effect.succeed(draft)
      const history = layerHistory(document)
      const hasMatch = history.some(isMatch) || (received !== undefined && layerHistory(received).some(isMatch))
      // Attestations in an index have no history.
      return hasMatch || configPlatform(document)?.os === "unknown"
        ? Effect.succeed(withoutLayers(draft, (at) => history[at] !== undefined && isMatch(history[at])))
        : fail(`no layers match expression: ${value}`)
    }
  })
}
