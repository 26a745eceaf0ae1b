/** Finds the manifest for a platform below a reference, through indexes of indexes. */
import { Effect } from "effect"
import { localPlatform } from "../../lib/localPlatform.ts"
import type { Descriptor, Platform } from "../../schemas/Descriptor.ts"
import type { Manifest } from "../../schemas/Manifest.ts"
import { bestMatch, parsePlatform, platformText } from "../../schemas/Platform.ts"
import { Reference } from "../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { ReadonlyRepository } from "../../services/Repository.ts"

/** Reads a `--platform` text, with what it leaves out taken from this machine. */
export const platformOf = (text: string) =>
  Effect.suspend(() => Effect.fromResult(parsePlatform(text, localPlatform())))

/** How many indexes may stand above one another (faults, limits). */
const maxDepth = 32

/**
 * The manifest that suits `platform` best: a manifest that is no index is taken as it is. Fails with `NotFound`,
 * naming the platforms there are, when none suits.
 */
export const selectPlatform = (
  repository: ReadonlyRepository,
  reference: Reference,
  platform: Platform
): Effect.Effect<Manifest, StoreError> => {
  const descend = (
    at: Reference,
    expected: Descriptor | undefined,
    depth: number
  ): Effect.Effect<Manifest, StoreError> =>
    Effect.flatMap(repository.manifest(at, expected), (manifest) => {
      if (manifest._tag !== "Index") return Effect.succeed(manifest)
      if (depth === 0) return Effect.fail(storeError("", "DepthLimit", `more than ${maxDepth} indexes in one another`))
      const best = bestMatch(manifest.manifests, platform)
      if (best !== undefined) return descend(Reference.ByDigest({ digest: best.digest }), best, depth - 1)
      const there = manifest.manifests.flatMap((it) => it.platform === undefined ? [] : [platformText(it.platform)])
      const hint = there.length === 0 ? "" : ` (there are ${there.join(", ")})`
      return Effect.fail(storeError("", "NotFound", `platform not found: ${platformText(platform)}${hint}`))
    })
  return descend(reference, undefined, maxDepth)
}
