/** `regctl blob copy`: one blob from repository to repository, by the cheapest way there is. */
import { Effect } from "effect"
import { isSameLocation, isSameStore } from "../../schemas/Ref.ts"
import { SweepAtEnd } from "../../services/OciLayout.ts"
import { transfer } from "../copy/transfer.ts"
import { exists } from "../missing.ts"
import { openRef, readBlob } from "../open.ts"

interface Input {
  readonly args: ReadonlyArray<string>
}

// A sweep would take the blob away again: no manifest names it yet.
export const run = Effect.fn("blob copy")(
  function*({ args }: Input) {
    const blob = yield* readBlob(args[2])
    const { ref: source, repository: from } = yield* openRef(args[0])
    const { ref: target, repository: to } = yield* openRef(args[1])
    const { descriptor } = yield* from.headBlob(blob)
    if (isSameLocation(source.location, target.location)) return
    if (yield* exists(to.headBlob(blob))) return
    if (isSameStore(source.location, target.location) && (yield* to.mountBlob(descriptor, source.location))) return
    yield* transfer(from, to, descriptor, { bytes: 0 })
  },
  Effect.scoped,
  Effect.provideService(SweepAtEnd, false)
)
