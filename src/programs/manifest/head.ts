/** `regctl manifest head`: the digest of a manifest, asked for without its body where that is enough. */
import { Effect } from "effect"
import { referenceOf } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import { choosePlatform } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { manifestView } from "../views/manifest.ts"
import { checkRequest } from "./request.ts"

interface Input {
  readonly format: string
  readonly platform: string
  /** Without effect: where a registry names no digest, the body is always asked for. */
  readonly requireDigest: boolean
  readonly requireList: boolean
  /** Deprecated, without effect. */
  readonly list: boolean
  readonly given: ReadonlySet<string>
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("manifest head")(function*(input: Input) {
  const { format, platform } = input
  yield* checkRequest(input)
  const { ref, repository } = yield* openRef(input.args[0])
  const chosen = platform === "" ? ref : (yield* choosePlatform(repository, ref, platform)).ref
  const view = manifestView({ ref: chosen, ...yield* repository.resolve(referenceOf(chosen)) })
  const { write } = yield* Formatter
  yield* write(
    format === "" || format === "digest" ? "{{ printf \"%s\\n\" .GetDescriptor.Digest }}" : format,
    view,
    { named: "headers" }
  )
}, Effect.scoped)
