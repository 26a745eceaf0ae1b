/** Changes an image: load, prepare, change, push (library description, section 17). */
import { Effect } from "effect"
import { commonName, isSameLocation, type Ref, referenceOf } from "../../schemas/Ref.ts"
import { storeError } from "../../schemas/StoreError.ts"
import { WillWrite } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import { applyChanges, type Ends } from "./apply.ts"
import { documentsOf } from "./documents.ts"
import type { Change } from "./draft.ts"
import { load } from "./load.ts"
import { push } from "./push.ts"

/**
 * Runs the changes on `source` and pushes the result to `target`, under its tag, or by digest when it has a digest or no
 * tag. Gives the name of what was pushed. The same input and changes give the same digest.
 */
export const rewrite = Effect.fn("rewrite")(function*(source: Ref, target: Ref, changes: ReadonlyArray<Change>) {
  const ends = yield* openEnds(source, target)
  const withReferrers = changes.length > 0 && ends.from === ends.to
  const loaded = yield* load(ends.from, referenceOf(source), { withReferrers })
  if (loaded._tag === "Fixed" && changes.length > 0) {
    const detail = `unsupported media type: a manifest of type ${loaded.mediaType} cannot be changed`
    return yield* storeError(`failed to change ${commonName(source)}`, "UnsupportedMediaType", detail)
  }
  const top = yield* applyChanges(loaded, changes, ends)
  const dataMax = changes.findLast((it) => it.dataMax !== undefined)?.dataMax
  const documents = yield* documentsOf(top, ends.from, dataMax === undefined ? {} : { dataMax })
  const { digest } = documents.top.descriptor
  const isNewTop = digest !== loaded.origin.descriptor.digest
  const tag = target.digest === undefined ? target.tag : undefined
  const isNamed = tag === undefined || (source.digest === undefined && tag === source.tag)
  yield* push(documents, isNewTop, ends, { isNamed, ...(tag === undefined ? {} : { tag }) })
  const { location, tag: name } = target
  return commonName({
    location,
    ...(name === undefined ? {} : { tag: name }),
    ...(tag === undefined ? { digest } : {})
  })
}, Effect.scoped)

const openEnds = Effect.fnUntraced(function*(source: Ref, target: Ref) {
  const { open } = yield* Repositories
  const to = yield* Effect.provideService(open(target.location), WillWrite, true)
  const from = isSameLocation(source.location, target.location) ? to : yield* open(source.location)
  return { from, to } satisfies Ends
})
