/** `regctl manifest diff`: two manifests compared line by line, as they are, whatever platforms they name. */
import { Effect } from "effect"
import { referenceOf } from "../../schemas/Ref.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { type DiffInput, jsonLines, printDiff } from "../diff/hunks.ts"
import { openRef, readRef } from "../open.ts"

export const run = Effect.fn("manifest diff")(function*(input: DiffInput) {
  const [a, b] = input.args
  yield* readRef(b)
  yield* printDiff(yield* linesOf(a), yield* linesOf(b), input)
}, Effect.scoped)

const linesOf = Effect.fnUntraced(function*(text: string | undefined) {
  const { ref, repository } = yield* openRef(text)
  const manifest = yield* repository.manifest(referenceOf(ref))
  if (manifest._tag !== "Other") return jsonLines(manifest.bytes)
  return yield* storeError("", "UnsupportedMediaType", `unsupported media type: "${manifest.descriptor.mediaType}"`)
})
