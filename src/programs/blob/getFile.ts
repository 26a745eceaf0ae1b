/** `regctl blob get-file`: a file out of a layer, whose digest is verified to the last byte. */
import { Effect } from "effect"
import { storeError } from "../../schemas/StoreError.ts"
import { findFile } from "../files/search.ts"
import { openShow } from "../files/show.ts"
import { openRef, readBlob } from "../open.ts"

interface Input {
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("blob get-file")(function*({ args, format }: Input) {
  const [ref, digest, file = "", outFile] = args
  const blob = yield* readBlob(digest)
  const { repository } = yield* openRef(ref)
  const { finish, take } = yield* openShow(format, outFile)
  const found = yield* findFile(repository.blob(blob), file, take)
  if (found === undefined) return yield* storeError("", "NotFound", "file not found")
  yield* finish
}, Effect.scoped)
