/** `regctl index create`: a new index of content that is copied beside it. */
import { Effect } from "effect"
import { composeManifest } from "../../schemas/compose.ts"
import { isDigest } from "../../schemas/Digest.ts"
import { isIndexType, mediaTypes } from "../../schemas/MediaType.ts"
import { commonName, isTag, type Ref, referenceOf, RefError } from "../../schemas/Ref.ts"
import { storeError, within } from "../../schemas/StoreError.ts"
import { WillWrite } from "../../services/Registry.ts"
import type { Repository } from "../../services/Repository.ts"
import { annotationsOf } from "../annotations.ts"
import { algorithmFor, putComposed } from "../manifest/composed.ts"
import { openRef } from "../open.ts"
import { type EntryFlags, newEntries, readWanted, withEntries } from "./entries.ts"

interface Input extends EntryFlags {
  readonly annotation: ReadonlyArray<string>
  readonly artifactType: string
  readonly byDigest: boolean
  readonly format: string
  readonly mediaType: string
  readonly subject: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("index create")(function*(input: Input) {
  const { args, artifactType, byDigest, format, mediaType } = input
  if (!isIndexType(mediaType)) {
    return yield* storeError("", "UnsupportedMediaType", `unsupported manifest media type: ${mediaType}`)
  }
  const wanted = yield* readWanted(input)
  const { ref, repository } = yield* Effect.provideService(openRef(args[0]), WillWrite, true)
  // A manifest list of docker has neither.
  const isOci = mediaType === mediaTypes.ociIndex
  const subject = isOci && input.subject !== "" ? yield* lookUpSubject(repository, ref, input.subject) : undefined
  const manifests = withEntries([], yield* newEntries(ref, repository, wanted))
  const manifest = yield* Effect.fromResult(composeManifest({
    mediaType,
    ...(isOci ? { artifactType } : {}),
    manifests,
    ...(subject === undefined ? {} : { subject }),
    annotations: annotationsOf(input.annotation)
  }, { algorithm: algorithmFor(ref) }))
  yield* putComposed(repository, ref, manifest, { byDigest, format })
}, Effect.scoped)

/** Type, digest and size of a tag or digest of the same repository. */
const lookUpSubject = Effect.fnUntraced(function*(repository: Repository, { location }: Ref, text: string) {
  const named = isDigest(text) ? { digest: text } : isTag(text) ? { tag: text } : undefined
  if (named === undefined) return yield* new RefError({ message: `invalid reference, no tag or digest: "${text}"` })
  const { descriptor } = yield* Effect.mapError(
    repository.resolve(referenceOf(named)),
    within(`failed to lookup subject ${commonName({ location, ...named })}`)
  )
  const { digest, mediaType, size } = descriptor
  return { mediaType, digest, size }
})
