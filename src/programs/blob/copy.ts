/** `regctl blob copy`: one blob from repository to repository, by the cheapest way there is. */
import { Effect } from "effect"
import { isSameLocation, type Location } from "../../schemas/Ref.ts"
import { SweepAtEnd } from "../../services/OciLayout.ts"
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
    if (isSameLocation(source.location, target.location)) return
    const { descriptor } = yield* from.headBlob(blob)
    const isThere = yield* to.headBlob(blob).pipe(
      Effect.as(true),
      Effect.catchTag(
        "StoreError",
        (error) => error.reason._tag === "NotFound" ? Effect.succeed(false) : Effect.fail(error)
      )
    )
    if (isThere) return
    if (canMount(source.location, target.location) && (yield* to.mountBlob(descriptor, source.location))) return
    yield* to.putBlob(from.blob(descriptor), descriptor)
  },
  Effect.scoped,
  Effect.provideService(SweepAtEnd, false)
)

const canMount = (a: Location, b: Location): boolean =>
  a._tag === b._tag && (a._tag !== "Registry" || b._tag !== "Registry" || a.registry === b.registry)
