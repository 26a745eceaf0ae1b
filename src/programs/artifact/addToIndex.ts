/** `artifact put --index`: the artifact as an entry of the index at a tag, which is made where there is none. */
import { Effect } from "effect"
import { composeManifest } from "../../schemas/compose.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { isPlatformMatch } from "../../schemas/Platform.ts"
import { type Ref, Reference, Tag } from "../../schemas/Ref.ts"
import type { Repository } from "../../services/Repository.ts"
import { composeIndex, entriesOf } from "../index/change.ts"

/** Anything else that the tag names gives way to the index; an index that has the entry stays as it is. */
export const addToIndex = Effect.fnUntraced(
  function*(repository: Repository, ref: Ref, artifact: Manifest, platform: Platform | undefined) {
    const tag = ref.tag ?? Tag.make("latest")
    const found = yield* repository.manifest(Reference.ByTag({ tag })).pipe(
      Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(undefined))
    )
    const old = found?._tag === "Index" ? found : undefined
    const entry = entryOf(artifact, platform)
    if (old?.manifests.some((it) => isSame(it, entry)) === true) return
    const index = old === undefined
      ? yield* Effect.fromResult(composeManifest({ mediaType: mediaTypes.ociIndex, manifests: [entry] }))
      : yield* composeIndex(old, [...entriesOf(old), entry])
    yield* repository.putManifest(index, { tag })
  }
)

const entryOf = ({ annotations, artifactType, descriptor }: Manifest, platform: Platform | undefined): Descriptor => ({
  ...descriptor,
  ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  ...(platform === undefined ? {} : { platform }),
  ...(artifactType === undefined ? {} : { artifactType })
})

const isSame = (a: Descriptor, b: Descriptor): boolean =>
  a.digest === b.digest &&
  (a.platform === undefined || b.platform === undefined
    ? a.platform === b.platform
    : isPlatformMatch(a.platform, b.platform))
