/** `regctl image copy`: a copy, and the name of its target. */
import { Effect } from "effect"
import { RefError } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { copy } from "../copy/copy.ts"
import { readRef } from "../open.ts"
import { referenceView } from "../views/reference.ts"

interface Input {
  readonly digestTags: boolean
  readonly fast: boolean
  readonly forceRecursive: boolean
  readonly format: string
  readonly includeExternal: boolean
  readonly platform: string
  readonly platforms: ReadonlyArray<string>
  readonly referrers: boolean
  readonly referrersSrc: string
  readonly referrersTgt: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image copy")(function*(input: Input) {
  const { args, digestTags, forceRecursive, format, includeExternal, platform, platforms, referrers } = input
  const source = yield* readRef(args[0])
  const target = yield* readRef(args[1])
  if (!referrers && (input.referrersSrc !== "" || input.referrersTgt !== "")) {
    return yield* new UsageError({
      message: "referrers must be enabled to specify an external referrers source or target"
    })
  }
  yield* copy(source, target, {
    fastCheck: input.fast,
    forceRecursive,
    includeExternal,
    referrers,
    digestTags,
    platforms,
    ...(platform === "" ? {} : { platform }),
    ...(input.referrersSrc === "" ? {} : { referrersSource: yield* external(input.referrersSrc, "source") }),
    ...(input.referrersTgt === "" ? {} : { referrersTarget: yield* external(input.referrersTgt, "target") })
  })
  yield* (yield* Formatter).write(format, referenceView(target))
})

const external = (text: string, end: "source" | "target") =>
  Effect.mapError(
    readRef(text),
    ({ message }) => new RefError({ message: `failed parsing referrer external ${end}: ${message}` })
  )
