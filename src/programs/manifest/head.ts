/** `regctl manifest head`: the digest of a manifest, asked for without its body where that is enough. */
import { Effect } from "effect"
import { referenceOf } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import type { Head } from "../../services/Repository.ts"
import { choosePlatform } from "../graph/select.ts"
import { openRef } from "../open.ts"
import { manifestView } from "../views/manifest.ts"
import { checkRequest } from "./request.ts"

interface Input {
  readonly format: string
  readonly platform: string
  readonly requireDigest: boolean
  readonly requireList: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("manifest head")(function*(input: Input) {
  const { format, platform, requireDigest, requireList } = input
  yield* checkRequest({ platform, requireList })
  const { ref, repository } = yield* openRef(input.args[0])
  const chosen = platform === "" ? ref : (yield* choosePlatform(repository, ref, platform)).ref
  const reference = referenceOf(chosen)
  const head = yield* repository.resolve(reference)
  const mayGet = requireDigest || format === ""
  const manifest = mayGet && isWithoutDigest(head) ? yield* repository.manifest(reference) : undefined
  const view = manifestView({ ref: chosen, ...manifest ?? head, ...(manifest === undefined ? {} : { manifest }) })
  const { write } = yield* Formatter
  yield* write(
    format === "" || format === "digest" ? "{{ printf \"%s\\n\" .GetDescriptor.Digest }}" : format,
    view,
    { named: "headers" }
  )
}, Effect.scoped)

/** A registry answered, and named no digest: then only the body tells it. Layouts have no headers. */
const isWithoutDigest = ({ headers }: Head): boolean =>
  Object.keys(headers).length > 0 && headers["docker-content-digest"] === undefined
