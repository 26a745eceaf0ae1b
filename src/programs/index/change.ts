/** An index with other entries, in place of the one that a reference names. */
import { Effect } from "effect"
import { composeManifest } from "../../schemas/compose.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import { algorithmOf } from "../../schemas/Digest.ts"
import type { Index } from "../../schemas/Manifest.ts"
import { type Ref, referenceOf } from "../../schemas/Ref.ts"
import { storeError } from "../../schemas/StoreError.ts"
import type { Repository } from "../../services/Repository.ts"
import { putChanged } from "../manifest/composed.ts"

/** Fails with UnsupportedMediaType for what is no index. */
export const readIndex = Effect.fnUntraced(function*(repository: Repository, ref: Ref) {
  const manifest = yield* repository.manifest(referenceOf(ref))
  if (manifest._tag === "Index") return manifest
  return yield* storeError(
    "",
    "UnsupportedMediaType",
    `current manifest is not an index/manifest list, "${manifest.descriptor.mediaType}": unsupported media type`
  )
})

/** The entries as they came, with what nobody here knows of them. */
export const entriesOf = (index: Index): ReadonlyArray<Descriptor> => {
  const document: { readonly manifests?: ReadonlyArray<Descriptor> | null } = JSON.parse(
    new TextDecoder().decode(index.bytes)
  )
  // They were found to be descriptors when the index was read.
  return document.manifests ?? []
}

/** The same index with other entries. Fails with SizeLimit above what registries take. */
export const composeIndex = (index: Index, manifests: ReadonlyArray<Descriptor>) => {
  const { annotations, artifactType, descriptor, subject } = index
  return Effect.fromResult(composeManifest({
    mediaType: descriptor.mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    manifests,
    ...(subject === undefined ? {} : { subject }),
    annotations
  }, { algorithm: algorithmOf(descriptor.digest), origin: index }))
}

/** Without a change the bytes stay as they are. */
export const putEntries = Effect.fnUntraced(
  function*(repository: Repository, ref: Ref, index: Index, manifests: ReadonlyArray<Descriptor>) {
    const changed = manifests.length === index.manifests.length ? index : yield* composeIndex(index, manifests)
    yield* putChanged(repository, ref, changed)
  }
)
