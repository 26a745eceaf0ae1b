/** `regctl index add`: an index with more entries, their content copied beside it. */
import { Effect } from "effect"
import { WillWrite } from "../../services/Registry.ts"
import { openRef } from "../open.ts"
import { entriesOf, putEntries, readIndex } from "./change.ts"
import { type EntryFlags, newEntries, readWanted, withEntries } from "./entries.ts"

interface Input extends EntryFlags {
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("index add")(function*(input: Input) {
  const wanted = yield* readWanted(input)
  const { ref, repository } = yield* Effect.provideService(openRef(input.args[0]), WillWrite, true)
  const index = yield* readIndex(repository, ref)
  const added = yield* newEntries(ref, repository, wanted)
  yield* putEntries(repository, ref, index, withEntries(entriesOf(index), added))
}, Effect.scoped)
