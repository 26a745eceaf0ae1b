/** `regctl image import`: an image out of a tar file, as a copy whose source was found to be complete. */
import { Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { type Ref, referenceOf } from "../../schemas/Ref.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { Archive, ofArchive } from "../../services/Archive.ts"
import { checkComplete } from "../archive/check.ts"
import { copy } from "../copy/copy.ts"
import { readRef } from "../open.ts"

export interface ImportChoice {
  readonly digestTags: boolean
  /** The image meant, by its name in the file; empty for the one that the target's digest or tag names. */
  readonly name: string
  readonly referrers: boolean
}

interface Input extends ImportChoice {
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image import")(function*({ args, ...choice }: Input) {
  yield* importImage(yield* readRef(args[0]), args[1] ?? "-", choice)
})

/** Pushes an image out of a tar. Fails as the tar or the target does; nothing is pushed unless the tar has all of it. */
export const importImage = Effect.fn("importImage")(
  function*(target: Ref, file: string, { name, ...choice }: ImportChoice) {
    const archive = yield* (yield* Archive).open({ path: file })
    const reference = referenceOf(target)
    const picked = yield* archive.pick({
      name,
      ...(reference._tag === "ByTag" ? { tag: reference.tag } : { digest: reference.digest })
    })
    const check = (it: Descriptor) => Effect.mapError(checkComplete(archive, it, choice), ofArchive(file))
    const found = yield* Effect.catchIf(
      check(picked),
      // What the layout lacks may be there as `manifest.json` describes it.
      (error) => archive.pickSaved !== undefined && isIncomplete(error),
      (error) => Effect.flatMap(archive.pickSaved?.(name) ?? Effect.fail(error), check)
    )
    const { digest } = found.descriptor
    yield* copy({ text: file, location: archive.location, digest }, target, {
      ...choice,
      fastCheck: false,
      forceRecursive: false,
      includeExternal: found.hasExternal,
      platforms: []
    })
  },
  Effect.scoped
)

const isIncomplete = ({ reason }: StoreError): boolean =>
  reason._tag === "TarInvalid" && reason.detail.includes("not found")
