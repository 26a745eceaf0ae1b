/** `regctl index delete`: an index without some of its entries; their content stays, but for what a layout sweeps. */
import { Effect } from "effect"
import { isPlatformMatch } from "../../schemas/Platform.ts"
import { WillWrite } from "../../services/Registry.ts"
import { shownPlatformOf } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { entriesOf, putEntries, readIndex } from "./change.ts"

interface Input {
  readonly digest: ReadonlyArray<string>
  readonly platform: ReadonlyArray<string>
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("index delete")(function*({ args, digest, platform }: Input) {
  const platforms = yield* Effect.forEach(platform, shownPlatformOf)
  const { ref, repository } = yield* Effect.provideService(openRef(args[0]), WillWrite, true)
  const index = yield* readIndex(repository, ref)
  const kept = entriesOf(index).filter((it) => {
    const { platform } = it
    const isNamed = digest.includes(it.digest)
    return !isNamed && (platform === undefined || !platforms.some((wanted) => isPlatformMatch(wanted, platform)))
  })
  yield* putEntries(repository, ref, index, kept)
}, Effect.scoped)
