/** `regsync check`. */
import { Effect } from "effect"
import { UsageError } from "../../schemas/UsageError.ts"
import { load } from "./load.ts"

interface Input {
  readonly config: string
  readonly strict: boolean
}

export const run = Effect.fn("check")(function*({ config, strict }: Input) {
  const { jobs } = yield* load(config, { strict })
  return yield* new UsageError({ message: `this release cannot run the ${jobs.length} entries yet` })
})
