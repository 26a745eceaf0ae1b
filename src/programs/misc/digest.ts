/** `regctl digest`: the digest of stdin. */
import { Effect, Stream } from "effect"
import { hasher } from "../../lib/hash.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { stdin } from "../stdin.ts"
import { digestView } from "../views/digest.ts"

interface Input {
  readonly algorithm: string
  readonly format: string
}

export const run = Effect.fn("digest")(function*({ algorithm, format }: Input) {
  if (algorithm !== "sha256" && algorithm !== "sha384" && algorithm !== "sha512") {
    return yield* new UsageError({ message: `digest algorithm ${algorithm} is not available` })
  }
  const hash = hasher(algorithm)
  yield* Stream.runForEach(yield* stdin, (view) => Effect.sync(() => hash.update(view)))
  yield* (yield* Formatter).write(format, digestView(`${algorithm}:${hash.hex()}`))
})
