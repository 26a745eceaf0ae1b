/** `regctl blob delete`: removes a blob from a repository that allows it. */
import { Effect } from "effect"
import { openRef, readBlob } from "../open.ts"

interface Input {
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("blob delete")(function*({ args }: Input) {
  const blob = yield* readBlob(args[1])
  const { repository } = yield* openRef(args[0])
  yield* repository.deleteBlob(blob)
}, Effect.scoped)
