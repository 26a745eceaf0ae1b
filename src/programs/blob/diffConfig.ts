/** `regctl blob diff-config`: two configurations of images compared line by line. */
import { Effect } from "effect"
import { decodeConfig, maxConfig } from "../../schemas/ImageConfig.ts"
import { collect } from "../../services/Bytes.ts"
import { openTwoBlobs } from "../diff/blobs.ts"
import { type DiffInput, jsonLines, printDiff } from "../diff/hunks.ts"

export const run = Effect.fn("blob diff-config")(function*(input: DiffInput) {
  const [a, b] = yield* Effect.forEach(
    yield* openTwoBlobs(input.args),
    Effect.fnUntraced(function*(bytes) {
      const document = yield* collect(bytes, maxConfig)
      yield* Effect.fromResult(decodeConfig(document))
      return jsonLines(document)
    })
  )
  yield* printDiff(a ?? [], b ?? [], input)
}, Effect.scoped)
