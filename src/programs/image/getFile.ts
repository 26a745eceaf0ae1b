/** `regctl image get-file`: a file of an image, from the last layer that has it. */
import { Effect } from "effect"
import { referenceOf } from "../../schemas/Ref.ts"
import { storeError, within } from "../../schemas/StoreError.ts"
import { findFile } from "../files/search.ts"
import { openShow } from "../files/show.ts"
import { selectPlatform, shownPlatformOf } from "../graph/select.ts"
import { openRef } from "../open.ts"

interface Input {
  readonly format: string
  readonly platform: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image get-file")(function*({ args, format, platform }: Input) {
  const [image, file = "", outFile] = args
  const { ref, repository } = yield* openRef(image)
  const wanted = yield* shownPlatformOf(platform === "" ? "local" : platform)
  const manifest = yield* selectPlatform(repository, referenceOf(ref), wanted)
  if (manifest._tag !== "Image") {
    const { mediaType } = manifest.descriptor
    return yield* storeError("", "UnsupportedMediaType", `unsupported media type: "${mediaType}"`)
  }
  const { finish, take } = yield* openShow(format, outFile)
  for (const [at, layer] of [...manifest.layers.entries()].toReversed()) {
    const found = yield* findFile(repository.blob(layer), file, take).pipe(
      Effect.catchTag("StoreError", (error) => Effect.fail(within(`failed pulling from layer ${at}`)(error)))
    )
    if (found !== undefined) return yield* finish
  }
  return yield* storeError("", "NotFound", "not found")
}, Effect.scoped)
