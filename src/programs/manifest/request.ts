/** What `manifest get` and `manifest head` ask for: an index as it is, or the manifest of one platform. */
import { Effect } from "effect"
import { UsageError } from "../../schemas/UsageError.ts"

interface Request {
  readonly platform: string
  readonly requireList: boolean
  /** The names of the flags that were given. */
  readonly given: ReadonlySet<string>
}

/** Fails when both are asked for; says of `--list` that it has no effect. */
export const checkRequest = Effect.fnUntraced(function*({ given, platform, requireList }: Request) {
  if (requireList && platform !== "") {
    return yield* new UsageError({ message: "cannot request a platform and require-list simultaneously" })
  }
  if (given.has("list")) {
    yield* Effect.logInfo(
      "list option has been deprecated, manifest list is output by default until a platform is specified"
    )
  }
})
