/** `regsync config`: the configuration as it is run, defaults and templates applied (regsync description, section 7). */
import { Console, Effect } from "effect"
import { goYaml } from "../../lib/goYaml.ts"
import { documentOf } from "./document.ts"
import { load } from "./load.ts"

interface Input {
  readonly config: string
  readonly strict: boolean
  readonly redact: boolean
}

/** Prints secrets in clear text unless told to censor them (faults K16). */
export const run = Effect.fn("config")(function*({ config: file, redact, strict }: Input) {
  const { config } = yield* load(file, { strict })
  yield* Console.log(goYaml(documentOf(config, redact)).trimEnd())
})
