/** `regctl blob head`: what a place says of a blob without sending it. */
import { Effect } from "effect"
import { Formatter } from "../../services/Formatter.ts"
import { openRef, readBlob } from "../open.ts"
import { blobView } from "../views/blob.ts"

interface Input {
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("blob head")(function*({ args, format }: Input) {
  const blob = yield* readBlob(args[1])
  const { repository } = yield* openRef(args[0])
  const { descriptor, headers } = yield* repository.headBlob(blob)
  const { write } = yield* Formatter
  const view = blobView({ descriptor, headers, bytes: new Uint8Array() })
  yield* write(format === "" ? "raw-headers" : format, view, { named: "headers" })
}, Effect.scoped)
