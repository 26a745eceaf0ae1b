/** `regctl image ratelimit`: what a registry says of its pull limit when asked for a manifest's head. */
import { Effect, Option } from "effect"
import { referenceOf } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import { type Quota, RateLimiter } from "../../services/RateLimiter.ts"
import { openRef } from "../open.ts"
import { rateLimitView } from "../views/rateLimit.ts"

interface Input {
  readonly format: string
  readonly args: ReadonlyArray<string>
}

const none: Quota = { limit: 0, remaining: 0, reset: 0, isSet: false, policies: [] }

export const run = Effect.fn("image ratelimit")(function*({ args, format }: Input) {
  const { ref, repository } = yield* openRef(args[0])
  yield* repository.resolve(referenceOf(ref))
  const { quota } = yield* RateLimiter
  const found = ref.location._tag === "Registry" ? yield* quota(ref.location.registry) : Option.none()
  yield* (yield* Formatter).write(format, rateLimitView(Option.getOrElse(found, () => none)))
}, Effect.scoped)
