/** Options on how content is named and carried: digests and `data`. */
import { Effect } from "effect"
import { parseInt64 } from "../../../lib/strconv.ts"
import type { Algorithm } from "../../../schemas/Digest.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import type { Change } from "../draft.ts"
import { refused } from "../scope.ts"

/** `--data-max`: descriptors of at most so many bytes carry their content; a negative number changes nothing. */
export const dataMax = (text: string): Effect.Effect<Change, UsageError> => {
  const read = parseInt64(text)
  return "problem" in read
    ? new UsageError({ message: `unable to parse layer size ${text}: ${read.problem}` })
    : Effect.succeed(read.value < 0 ? {} : { dataMax: read.value })
}

const isAlgorithm = (text: string): text is Algorithm => text === "sha256" || text === "sha384" || text === "sha512"

/** `--digest-algo`: of manifests, image configurations and layers. */
export const digestAlgorithm = (text: string): Change =>
  isAlgorithm(text)
    ? {
      manifest: (draft) => Effect.succeed(draft._tag === "Fixed" ? draft : { ...draft, algorithm: text }),
      layer: { _tag: "Digest", algorithm: text }
    }
    : refused(new UsageError({ message: `digest algorithm is not available: ${text}` }))
