/** `regctl manifest get`: a manifest as it is, or that of one platform below an index. */
import { Effect } from "effect"
import { referenceOf } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { platformOf, selectPlatform } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { manifestView } from "../views/manifest.ts"

interface Input {
  readonly format: string
  readonly platform: string
  readonly requireList: boolean
  /** Deprecated, without effect. */
  readonly list: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("manifest get")(function*({ args, format, list, platform, requireList }: Input) {
  if (requireList && platform !== "") {
    return yield* new UsageError({ message: "cannot request a platform and require-list simultaneously" })
  }
  if (!list) yield* Effect.logInfo("list option has been deprecated, manifest list is output by default")
  const { ref, repository } = yield* openRef(args[0])
  const manifest = platform === ""
    ? yield* repository.manifest(referenceOf(ref))
    : yield* selectPlatform(repository, referenceOf(ref), yield* platformOf(platform))
  const { descriptor, headers } = manifest
  const { write } = yield* Formatter
  yield* write(format, manifestView({ ref, descriptor, headers, manifest }), { named: true })
}, Effect.scoped)
