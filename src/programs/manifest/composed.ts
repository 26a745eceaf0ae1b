/** How a manifest that a command composed is pushed and told: by tag and silently, or by digest and with it. */
import { Effect } from "effect"
import { type Algorithm, algorithmOf } from "../../schemas/Digest.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { commonName, type Ref, type Tag, tagFor } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { Formatter } from "../../services/Formatter.ts"
import type { Repository } from "../../services/Repository.ts"
import { manifestView } from "../views/manifest.ts"
import { record } from "../views/record.ts"

/** The algorithm a reference asks for. */
export const algorithmFor = ({ digest }: Ref): Algorithm => digest === undefined ? "sha256" : algorithmOf(digest)

interface How {
  readonly byDigest: boolean
  readonly format: string
}

/** A reference by digest takes the manifest of that digest alone. Fails with DigestMismatch. */
export const checkDigest = (ref: Ref, { descriptor: { digest } }: Manifest): Effect.Effect<void, StoreError> => {
  if (ref.digest === undefined || ref.digest === digest) return Effect.void
  const detail = `manifest digest mismatch, expected ${ref.digest}, computed ${digest}`
  return Effect.fail(storeError(`failed to put manifest ${commonName(ref)}`, "DigestMismatch", detail))
}

/**
 * Pushes a new manifest to the tag of `ref`, without a tag to `latest`; a digest in the reference has to be its own.
 * Prints the format over `{Manifest}`, else the digest when it was pushed by it on demand.
 */
export const putComposed = Effect.fnUntraced(
  function*(repository: Repository, ref: Ref, manifest: Manifest, { byDigest, format }: How) {
    if (!byDigest) yield* checkDigest(ref, manifest)
    const tag = byDigest ? undefined : tagFor(ref)
    yield* put(repository, manifest, tag)
    const { write } = yield* Formatter
    if (format === "") return yield* byDigest ? tellDigest(manifest) : Effect.void
    // A manifest that was made, not read, has no name.
    const view = manifestView({ ...manifest, ref: { ...ref, text: "" }, manifest })
    yield* write(format, record("composed", { Manifest: view }))
  }
)

/** Puts a changed manifest in place of the one that `ref` named; one named by digest gets a new one, which is printed. */
export const putChanged = Effect.fnUntraced(function*(repository: Repository, ref: Ref, manifest: Manifest) {
  yield* put(repository, manifest, tagFor(ref))
  if (ref.digest !== undefined && ref.tag === undefined) yield* tellDigest(manifest)
})

const put = (repository: Repository, manifest: Manifest, tag: Tag | undefined) =>
  repository.putManifest(manifest, tag === undefined ? {} : { tag })

const tellDigest = ({ descriptor }: Manifest) =>
  Effect.flatMap(Formatter, ({ write }) => write("{{ println . }}", descriptor.digest))
