/** `regctl image import`: an image out of a tar file, as a copy whose source was found to be complete. */
import { Effect } from "effect"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { referenceOf } from "../../schemas/Ref.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { Archive, ofArchive } from "../../services/Archive.ts"
import { checkComplete } from "../archive/check.ts"
import { copy } from "../copy/copy.ts"
import { readRef } from "../open.ts"

interface Input {
  readonly digestTags: boolean
  readonly name: string
  readonly referrers: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image import")(function*({ args, digestTags, name, referrers }: Input) {
  const target = yield* readRef(args[0])
  const archive = yield* (yield* Archive).open({ path: args[1] ?? "-" })
  const reference = referenceOf(target)
  const picked = yield* archive.pick({
    name,
    ...(reference._tag === "ByTag" ? { tag: reference.tag } : { digest: reference.digest })
  })
  const choice = { digestTags, referrers }
  const check = (it: Descriptor) => Effect.mapError(checkComplete(archive, it, choice), ofArchive(args[1] ?? "-"))
  const found = yield* Effect.catchIf(
    check(picked),
    // What the layout lacks may be there as `manifest.json` describes it.
    (error) => archive.pickSaved !== undefined && isIncomplete(error),
    (error) => Effect.flatMap(archive.pickSaved?.(name) ?? Effect.fail(error), check)
  )
  const { digest } = found.descriptor
  yield* copy({ text: args[1] ?? "-", location: archive.location, digest }, target, {
    fastCheck: false,
    forceRecursive: false,
    includeExternal: found.hasExternal,
    referrers,
    digestTags,
    platforms: []
  })
}, Effect.scoped)

const isIncomplete = ({ reason }: StoreError): boolean =>
  reason._tag === "TarInvalid" && reason.detail.includes("not found")
