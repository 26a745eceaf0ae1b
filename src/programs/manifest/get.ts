/** `regctl manifest get`: a manifest as it is, or that of one platform below an index. */
import { Effect } from "effect"
import { storeError } from "../../schemas/StoreError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { choosePlatform } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { manifestView } from "../views/manifest.ts"
import { checkRequest } from "./request.ts"

interface Input {
  readonly format: string
  readonly platform: string
  readonly requireList: boolean
  /** Deprecated, without effect. */
  readonly list: boolean
  readonly given: ReadonlySet<string>
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("manifest get")(function*({ args, format, given, platform, requireList }: Input) {
  yield* checkRequest({ given, platform, requireList })
  const { ref, repository } = yield* openRef(args[0])
  const chosen = yield* choosePlatform(repository, ref, platform)
  const { descriptor, headers } = chosen.manifest
  if (chosen.manifest._tag === "Other") {
    return yield* storeError("", "UnsupportedMediaType", `unsupported media type: "${descriptor.mediaType}"`)
  }
  const { write } = yield* Formatter
  yield* write(format, manifestView({ ...chosen, descriptor, headers }), { named: true })
}, Effect.scoped)
