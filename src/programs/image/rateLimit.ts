/** `regctl image ratelimit`: what a registry says of its pull limit when asked for a manifest's head. */
import { Effect, Option } from "effect"
import { noQuota } from "../../schemas/Quota.ts"
import { referenceOf } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import { RateLimiter } from "../../services/RateLimiter.ts"
import { openRef } from "../open.ts"
import { rateLimitView } from "../views/rateLimit.ts"

interface Input {
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image ratelimit")(function*({ args, format }: Input) {
  const { ref, repository } = yield* openRef(args[0])
  yield* repository.resolve(referenceOf(ref))
  const { quota } = yield* RateLimiter
  const found = ref.location._tag === "Registry" ? yield* quota(ref.location.registry) : Option.none()
  yield* (yield* Formatter).write(format, rateLimitView(Option.getOrElse(found, () => noQuota)))
}, Effect.scoped)
