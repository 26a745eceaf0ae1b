/** A pull limit as templates see it. */
import { Nil, Struct } from "../../lib/gotemplate/value.ts"
import type { Quota } from "../../schemas/Quota.ts"

export const rateLimitView = ({ isSet, limit, policies, remaining, reset }: Quota): Struct =>
  new Struct("types.RateLimit", {
    Remain: remaining,
    Limit: limit,
    Reset: reset,
    Set: isSet,
    Policies: policies.length === 0 ? new Nil("slice", "[]string") : policies
  })
